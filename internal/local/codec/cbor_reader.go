package codec

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"time"
	"unicode/utf8"
)

// cborReader is a pull reader over CBOR (RFC 8949), of definite and indefinite lengths.
type cborReader struct {
	buf []byte
	pos int
	// left counts what remains of each open map or list; -1 stands for "until the break".
	left []int64
}

// header reads a major type and its argument. Of the argument, indefinite is reported apart.
func (r *cborReader) header() (major byte, n uint64, indefinite bool, err error) {
	if r.pos >= len(r.buf) {
		return 0, 0, false, broken()
	}
	first := r.buf[r.pos]
	r.pos++
	major, low := first&0xe0, first&0x1f
	if low < 24 {
		return major, uint64(low), false, nil
	}
	if low == cborIndefinite {
		return major, 0, true, nil
	}
	if low > 27 {
		return 0, 0, false, broken()
	}
	size := 1 << (low - 24)
	if len(r.buf)-r.pos < size {
		return 0, 0, false, broken()
	}
	var wide [8]byte
	copy(wide[8-size:], r.buf[r.pos:r.pos+size])
	r.pos += size
	return major, binary.BigEndian.Uint64(wide[:]), false, nil
}

func (r *cborReader) Peek() Kind {
	if r.pos >= len(r.buf) {
		return KindInvalid
	}
	first := r.buf[r.pos]
	switch first & 0xe0 {
	case cborUint, cborNeg:
		return KindNumber
	case cborBytes:
		return KindBytes
	case cborText:
		return KindString
	case cborArray:
		return KindList
	case cborMap:
		return KindMap
	case cborTag:
		if first == cborTag|cborTagTime {
			return KindTime
		}
		return KindInvalid
	}
	switch first & 0x1f {
	case 20:
		return KindFalse
	case 21:
		return KindTrue
	case 22, 23:
		return KindNull
	case 25, 26, 27:
		return KindNumber
	}
	return KindInvalid
}

func (r *cborReader) Null() error {
	if k := r.Peek(); k != KindNull {
		return mismatch(k, "null")
	}
	r.pos++
	return nil
}

func (r *cborReader) Bool() (bool, error) {
	k := r.Peek()
	if k != KindTrue && k != KindFalse {
		return false, mismatch(k, "Boolean")
	}
	r.pos++
	return k == KindTrue, nil
}

func (r *cborReader) Number() (float64, error) {
	if k := r.Peek(); k != KindNumber {
		return 0, mismatch(k, "Integer")
	}
	low := r.buf[r.pos] & 0x1f
	major, n, indefinite, err := r.header()
	if err != nil || indefinite {
		return 0, broken()
	}
	switch major {
	case cborUint:
		return float64(n), nil
	case cborNeg:
		return -1 - float64(n), nil
	}
	switch low {
	case 25:
		return half(uint16(n)), nil
	case 26:
		return float64(math.Float32frombits(uint32(n))), nil
	}
	return math.Float64frombits(n), nil
}

// half widens a 16-bit float.
func half(h uint16) float64 {
	exp, frac := int(h>>10&0x1f), float64(h&0x3ff)
	var v float64
	switch exp {
	case 0:
		v = math.Ldexp(frac, -24)
	case 31:
		v = math.Inf(1)
		if frac != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(frac+1024, exp-25)
	}
	if h&0x8000 != 0 {
		return -v
	}
	return v
}

// chunk consumes one text or byte string of the major type and returns it without copying; a string in several chunks
// is joined.
func (r *cborReader) chunk(major byte) ([]byte, error) {
	got, n, indefinite, err := r.header()
	if err != nil || got != major {
		return nil, broken()
	}
	if !indefinite {
		return r.take(n)
	}
	var joined []byte
	for {
		if r.pos < len(r.buf) && r.buf[r.pos] == cborBreak {
			r.pos++
			return joined, nil
		}
		got, n, indefinite, err := r.header()
		if err != nil || got != major || indefinite {
			return nil, broken()
		}
		part, err := r.take(n)
		if err != nil {
			return nil, err
		}
		joined = append(joined, part...)
	}
}

func (r *cborReader) take(n uint64) ([]byte, error) {
	if n > uint64(len(r.buf)-r.pos) {
		return nil, broken()
	}
	b := r.buf[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return b, nil
}

func (r *cborReader) String() (string, error) {
	if k := r.Peek(); k != KindString {
		return "", mismatch(k, "String")
	}
	b, err := r.chunk(cborText)
	if err != nil || !utf8.Valid(b) {
		return "", broken()
	}
	return string(b), nil
}

func (r *cborReader) Blob() ([]byte, error) {
	switch k := r.Peek(); k {
	case KindBytes:
		b, err := r.chunk(cborBytes)
		if err != nil {
			return nil, err
		}
		return append([]byte{}, b...), nil
	case KindString:
		// Some clients put base64 text where bytes belong.
		b, err := r.chunk(cborText)
		if err != nil {
			return nil, err
		}
		if out, err := base64.StdEncoding.DecodeString(string(b)); err == nil {
			return out, nil
		}
		return nil, mismatch(KindString, "Blob")
	default:
		return nil, mismatch(k, "Blob")
	}
}

func (r *cborReader) Time() (time.Time, error) {
	k := r.Peek()
	if k != KindTime && k != KindNumber {
		return time.Time{}, mismatch(k, "milliseconds since epoch")
	}
	if k == KindTime {
		r.pos++
	}
	n, err := r.Number()
	if err != nil {
		return time.Time{}, err
	}
	return millis(n)
}

func (r *cborReader) open(kind Kind, major byte, want string) error {
	if k := r.Peek(); k != kind {
		return mismatch(k, want)
	}
	_, n, indefinite, err := r.header()
	if err != nil || len(r.left) >= maxDepth {
		return broken()
	}
	if indefinite {
		r.left = append(r.left, -1)
		return nil
	}
	// Every item takes a byte at least, so a count beyond the body is a lie.
	if n > uint64(len(r.buf)-r.pos) {
		return broken()
	}
	r.left = append(r.left, int64(n))
	return nil
}

func (r *cborReader) MapStart() error  { return r.open(KindMap, cborMap, "structure") }
func (r *cborReader) ListStart() error { return r.open(KindList, cborArray, "list") }

func (r *cborReader) NextItem() (bool, error) {
	if len(r.left) == 0 {
		return false, broken()
	}
	top := &r.left[len(r.left)-1]
	done := *top == 0
	if *top < 0 {
		if r.pos >= len(r.buf) {
			return false, broken()
		}
		if r.buf[r.pos] == cborBreak {
			r.pos++
			done = true
		}
	} else if !done {
		*top--
	}
	if done {
		r.left = r.left[:len(r.left)-1]
	}
	return !done, nil
}

func (r *cborReader) NextKey() ([]byte, bool, error) {
	ok, err := r.NextItem()
	if !ok || err != nil {
		return nil, false, err
	}
	if r.Peek() != KindString {
		return nil, false, broken()
	}
	key, err := r.chunk(cborText)
	return key, err == nil, err
}

func (r *cborReader) Skip() error {
	if r.pos < len(r.buf) && r.buf[r.pos]&0xe0 == cborTag && r.Peek() != KindTime {
		if _, _, _, err := r.header(); err != nil {
			return err
		}
		if r.pos < len(r.buf) && r.buf[r.pos]&0xe0 == cborTag {
			return broken()
		}
	}
	return skip(r)
}

func (r *cborReader) Done() error {
	if r.pos != len(r.buf) {
		return broken()
	}
	return nil
}
