package codec

// skip consumes the next value of r by its own calls, which bound the depth.
func skip(r Reader) error {
	switch r.Peek() {
	case KindNull:
		return r.Null()
	case KindTrue, KindFalse:
		_, err := r.Bool()
		return err
	case KindNumber:
		_, err := r.Number()
		return err
	case KindString:
		_, err := r.String()
		return err
	case KindBytes:
		_, err := r.Blob()
		return err
	case KindTime:
		_, err := r.Time()
		return err
	case KindList:
		return skipList(r)
	case KindMap:
		return skipMap(r)
	}
	return broken()
}

func skipList(r Reader) error {
	if err := r.ListStart(); err != nil {
		return err
	}
	for {
		ok, err := r.NextItem()
		if !ok || err != nil {
			return err
		}
		if err := r.Skip(); err != nil {
			return err
		}
	}
}

func skipMap(r Reader) error {
	if err := r.MapStart(); err != nil {
		return err
	}
	for {
		_, ok, err := r.NextKey()
		if !ok || err != nil {
			return err
		}
		if err := r.Skip(); err != nil {
			return err
		}
	}
}
