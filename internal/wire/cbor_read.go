package wire

import (
	"math"
	"strings"
)

// cborReader reads CBOR (RFC 8949). Items of definite and of indefinite length are taken,
// byte strings as texts, undefined as null, and tags are passed over. Whether texts are
// valid UTF-8 is not checked, as in the SDK.
type cborReader struct {
	body  string
	at    int
	depth int
	left  [maxDepth]uint64 // items of each open map or list; endless: until its end
}

const endless = math.MaxUint64

// head takes an item's head, tags before it included.
func (r *cborReader) head() (major, low byte, n uint64, err error) {
	for {
		if r.at >= len(r.body) {
			return 0, 0, 0, errCut
		}
		first := r.body[r.at]
		r.at++
		major, low = first&0xe0, first&0x1f
		n = uint64(low)
		switch {
		case low < 24:
		case low < 28:
			width := 1 << (low - 24)
			if len(r.body)-r.at < width {
				return 0, 0, 0, errCut
			}
			n = 0
			for _, b := range []byte(r.body[r.at : r.at+width]) {
				n = n<<8 | uint64(b)
			}
			r.at += width
		case low < indefinite || major == majorUint || major == majorNeg || major == majorTag:
			return 0, 0, 0, errGarbled
		}
		if major != majorTag {
			return major, low, n, nil
		}
	}
}

// peek returns the major type that comes next and the byte it is in, tags passed over.
func (r *cborReader) peek() (major, first byte) {
	before := r.at
	for r.at < len(r.body) && r.body[r.at]&0xe0 == majorTag {
		low := r.body[r.at] & 0x1f
		if low > 27 {
			break
		}
		r.at++
		if low >= 24 {
			r.at += 1 << (low - 24)
		}
	}
	at := r.at
	r.at = before
	if at >= len(r.body) {
		return majorOther, endOfItems[0]
	}
	return r.body[at] & 0xe0, r.body[at]
}

func (r *cborReader) open(want byte) error {
	major, low, n, err := r.head()
	switch {
	case err != nil:
		return err
	case major != want:
		return errGarbled
	case r.depth == maxDepth:
		return errTooDeep
	case low == indefinite:
		n = endless
	case n > uint64(len(r.body)-r.at): // each item takes a byte at least
		return errCut
	}
	r.left[r.depth] = n
	r.depth++
	return nil
}

func (r *cborReader) openMap() error  { return r.open(majorMap) }
func (r *cborReader) openList() error { return r.open(majorList) }

func (r *cborReader) nextItem() (bool, error) {
	left := &r.left[r.depth-1]
	more := *left > 0
	if *left == endless {
		if r.at >= len(r.body) {
			return false, errCut
		}
		if more = r.body[r.at] != endOfItems[0]; !more {
			r.at++
		}
	} else if more {
		*left--
	}
	if !more {
		r.depth--
	}
	return more, nil
}

func (r *cborReader) nextKey() (string, bool, error) {
	ok, err := r.nextItem()
	if err != nil || !ok {
		return "", false, err
	}
	key, err := r.text()
	return key, err == nil, err
}

func (r *cborReader) null() bool {
	if r.at < len(r.body) && r.body[r.at] < majorTag { // nearly always
		return false
	}
	if _, first := r.peek(); first != majorOther|22 && first != majorOther|23 {
		return false
	}
	_, _, _, err := r.head()
	return err == nil
}

func (r *cborReader) isText() bool {
	major, _ := r.peek()
	return major == majorText || major == majorBytes
}

func (r *cborReader) text() (string, error) {
	if r.at+1 < len(r.body) { // names, sequence numbers and shards are short texts
		switch first := r.body[r.at]; {
		case first >= majorText && first < majorText+24:
			r.at++
			return r.take(uint64(first - majorText))
		case first == majorText+24:
			r.at += 2
			return r.take(uint64(r.body[r.at-1]))
		}
	}
	major, low, n, err := r.head()
	switch {
	case err != nil:
		return "", err
	case major != majorText && major != majorBytes:
		return "", errGarbled
	case low == indefinite:
		return r.joined(major)
	}
	return r.take(n)
}

// joined takes the chunks of a string of indefinite length.
func (r *cborReader) joined(want byte) (string, error) {
	var b strings.Builder
	for {
		if r.at < len(r.body) && r.body[r.at] == endOfItems[0] {
			r.at++
			return b.String(), nil
		}
		major, low, n, err := r.head()
		if err != nil {
			return "", err
		}
		if major != want || low == indefinite {
			return "", errGarbled
		}
		chunk, err := r.take(n)
		if err != nil {
			return "", err
		}
		b.WriteString(chunk)
	}
}

func (r *cborReader) take(n uint64) (string, error) {
	if n > uint64(len(r.body)-r.at) {
		return "", errCut
	}
	s := r.body[r.at : r.at+int(n)]
	r.at += int(n)
	return s, nil
}

func (r *cborReader) integer() (int64, error) {
	major, _, n, err := r.head()
	switch {
	case err != nil:
		return 0, err
	case n > math.MaxInt64:
		return 0, errNoNumber
	case major == majorUint:
		return int64(n), nil
	case major == majorNeg:
		return -1 - int64(n), nil
	default:
		return 0, errNoNumber
	}
}

func (r *cborReader) skip() error {
	switch major, first := r.peek(); major {
	case majorMap:
		return skipMap(r)
	case majorList:
		return skipList(r)
	case majorText, majorBytes:
		return r.skipString(major)
	default:
		if first == endOfItems[0] {
			if r.at >= len(r.body) {
				return errCut
			}
			return errGarbled
		}
		_, low, _, err := r.head()
		if err == nil && low == indefinite {
			return errGarbled
		}
		return err
	}
}

// skipString is text for bytes that need not be text.
func (r *cborReader) skipString(want byte) error {
	_, low, n, err := r.head()
	if err != nil {
		return err
	}
	for low == indefinite {
		if r.at < len(r.body) && r.body[r.at] == endOfItems[0] {
			r.at++
			return nil
		}
		major, inner, n, err := r.head()
		if err != nil {
			return err
		}
		if major != want || inner == indefinite {
			return errGarbled
		}
		if n > uint64(len(r.body)-r.at) {
			return errCut
		}
		r.at += int(n)
	}
	if n > uint64(len(r.body)-r.at) {
		return errCut
	}
	r.at += int(n)
	return nil
}
