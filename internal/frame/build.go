package frame

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// builder turns the entries of a map into a Record.
type builder struct {
	rec  Record
	seen uint32 // the known keys met so far, a bit each
}

// build sorts the entries into the fields of a Meta.
func build(entries []entry, format Format) (Record, error) {
	b := builder{rec: Record{Format: format}}
	b.rec.Meta.Encoded = true
	payload, err := b.pickPayload(entries)
	if err != nil {
		return Record{}, err
	}
	named := false
	for i := range entries {
		e := &entries[i]
		if e == payload {
			continue
		}
		named = named || e.key == keyDataType || e.key == keySensor
		if err := b.assign(e); err != nil {
			return Record{}, &DecodeError{Key: e.key, Offset: e.off, Err: err}
		}
	}
	if !named {
		return Record{}, &DecodeError{Err: errNothingOwn}
	}
	if b.rec.Payload, err = payloadOf(payload, format); err != nil {
		return Record{}, &DecodeError{Key: payload.key, Offset: payload.off, Err: err}
	}
	if b.rec.Meta.Kind == Bytes {
		b.rec.Meta.Encoded = false
	}
	return b.rec, nil
}

// pickPayload finds the payload's key, and with it the kind. Where both keys
// are there data_type decides.
func (b *builder) pickPayload(entries []entry) (*entry, error) {
	var image, data *entry
	bytesData := false
	for i := range entries {
		e := &entries[i]
		slot := &image
		switch e.key {
		case keyImage:
		case keyData:
			slot = &data
		case keyDataType:
			bytesData = strings.HasSuffix(string(e.text), ".BytesData")
			continue
		default:
			continue
		}
		if *slot != nil {
			return nil, &DecodeError{Key: e.key, Offset: e.off, Err: errTwice}
		}
		*slot = e
	}
	switch {
	case data != nil && (image == nil || bytesData):
		b.rec.Meta.Kind = Bytes
		return data, nil
	case image != nil:
		b.rec.Meta.Kind = Image
		return image, nil
	}
	return nil, &DecodeError{Err: errNoPayload}
}

// payloadOf returns the bytes of the payload.
func payloadOf(e *entry, format Format) ([]byte, error) {
	switch e.kind {
	case KindNil:
		return nil, nil
	case KindBinary:
		return e.text, nil
	case KindString:
		if format == Msgpack {
			return e.text, nil // written without use_bin_type
		}
		payload := make([]byte, base64.StdEncoding.DecodedLen(len(e.text)))
		n, err := base64.StdEncoding.Strict().Decode(payload, e.text)
		if err != nil {
			return nil, fmt.Errorf("expected base64: %w", err)
		}
		return payload[:n], nil
	}
	return nil, wrongType("bytes", e.kind)
}

func wrongType(want string, got ValueKind) error {
	return fmt.Errorf("expected %s, found %s", want, got)
}

// assign stores one entry.
func (b *builder) assign(e *entry) error {
	m := &b.rec.Meta
	switch e.key {
	case keyDataType:
		return b.once(0, e.setString(&m.DataType))
	case keySensor:
		return b.once(1, e.setString(&m.SensorName))
	case keyCapture:
		return b.once(2, e.setFloat(&m.CaptureTime))
	case keyCreation:
		return b.once(3, e.setFloat(&m.CreationTime))
	case keyFrameID:
		return b.once(4, e.setInt(&m.FrameID))
	case keyDevice:
		return b.once(5, e.setString(&m.DeviceName))
	case keyCodec:
		return b.once(6, e.setString(&m.Codec))
	case keyCaps:
		return b.once(7, e.setString(&m.Caps))
	}
	switch {
	case m.Kind == Bytes && e.key == keyKeyFrame:
		return b.once(8, e.setBool(&m.KeyFrame))
	case m.Kind == Image && e.key == keyIsEncoded:
		return b.once(9, e.setBool(&m.Encoded))
	case m.Kind == Image && e.key == keyDetections:
		m.Detections = e.value()
		return b.once(10, nil)
	case m.Kind == Image && e.key == keySize:
		return b.once(11, e.setSize(&m.Size))
	}
	m.Extra = append(m.Extra, Field{Key: e.key, Value: e.value()})
	return nil
}

// once lets a known key pass a single time: which of two holds would depend on
// the reader.
func (b *builder) once(bit int, err error) error {
	if b.seen&(1<<bit) != 0 {
		return errTwice
	}
	b.seen |= 1 << bit
	return err
}

func (e *entry) setString(to *string) error {
	switch e.kind {
	case KindNil:
		*to = ""
	case KindString, KindBinary:
		*to = string(e.text)
	default:
		return wrongType("string", e.kind)
	}
	return nil
}

func (e *entry) setFloat(to *float64) error {
	if e.kind == KindNil {
		*to = 0
		return nil
	}
	f, ok := e.val.AsFloat()
	if !ok {
		return wrongType("a number", e.kind)
	}
	*to = f
	return nil
}

func (e *entry) setInt(to *int64) error {
	if e.kind == KindNil {
		*to = 0
		return nil
	}
	i, ok := e.val.AsInt()
	if !ok {
		if e.kind == KindUint {
			return fmt.Errorf("%s does not fit 64 bits with a sign", e.val)
		}
		return wrongType("an integer", e.kind)
	}
	*to = i
	return nil
}

func (e *entry) setBool(to *bool) error {
	b, ok := e.val.AsBool()
	if !ok {
		return wrongType("true or false", e.kind)
	}
	*to = b
	return nil
}

// setSize takes [height, width, channels]; without channels there is one.
func (e *entry) setSize(to *[3]int) error {
	if e.kind == KindNil {
		return nil
	}
	items := e.val.Fields()
	if e.kind != KindList || len(items) < 2 || len(items) > 3 {
		return fmt.Errorf("expected [height, width, channels], found %s of %d", e.kind, len(items))
	}
	size := [3]int{2: 1}
	for i, item := range items {
		n, ok := item.Value.AsInt()
		if !ok || n < 0 || n > MaxPayload {
			return fmt.Errorf("expected [height, width, channels], found %s in it", item.Value.Kind())
		}
		size[i] = int(n)
	}
	*to = size
	return nil
}
