package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Reading msgpack as the specification has it
// (https://github.com/msgpack/msgpack/blob/master/spec.md), without reflection.

// isMapCode tells whether a byte begins a msgpack map.
func isMapCode(c byte) bool { return c&0xf0 == 0x80 || c == 0xde || c == 0xdf }

// mpReader walks over msgpack data.
type mpReader struct {
	data   []byte
	off    int
	values int // keys and items so far
	key    string
}

// token is a value without its items.
type token struct {
	kind ValueKind
	num  uint64
	text []byte // of strings, binary and ext
	n    int    // items of lists, pairs of maps
}

func (r *mpReader) fail(off int, err error) error {
	return &DecodeError{Key: r.key, Offset: off, Err: err}
}

// scanMsgpack reads the outermost map.
func scanMsgpack(data []byte, entries []entry) ([]entry, error) {
	r := mpReader{data: data}
	t, err := r.next()
	if err != nil {
		return entries, err
	}
	if err := r.count(2 * t.n); err != nil {
		return entries, err
	}
	for range t.n {
		r.key = ""
		key, err := r.mapKey()
		if err != nil {
			return entries, err
		}
		r.key = key
		e := entry{key: key, off: r.off}
		t, err := r.next()
		if err != nil {
			return entries, err
		}
		e.kind, e.text = t.kind, t.text
		if t.kind != KindString && t.kind != KindBinary {
			if e.val, err = r.value(t, 2); err != nil {
				return entries, err
			}
		}
		e.end = r.off
		entries = append(entries, e)
	}
	if r.off != len(data) {
		r.key = ""
		return entries, r.fail(r.off, fmt.Errorf("%d bytes follow the record", len(data)-r.off))
	}
	return entries, nil
}

// count bounds the number of values, and refuses a length that the rest of the
// data cannot hold before anything is allocated for it.
func (r *mpReader) count(n int) error {
	if n > len(r.data)-r.off {
		return r.fail(len(r.data), errTruncated)
	}
	if r.values += n; r.values > MaxValues {
		return r.fail(r.off, errTooMany)
	}
	return nil
}

// value completes a token with its items.
func (r *mpReader) value(t token, depth int) (Value, error) {
	switch t.kind {
	case KindString:
		return String(string(t.text)), nil
	case KindBinary:
		return Binary(t.text), nil
	case KindExt:
		return Ext(int8(t.num), t.text), nil
	case KindList, KindMap:
		return r.items(t, depth)
	}
	return Value{kind: t.kind, num: t.num}, nil
}

func (r *mpReader) items(t token, depth int) (Value, error) {
	if depth >= MaxDepth {
		return Value{}, r.fail(r.off, errTooDeep)
	}
	each := 1
	if t.kind == KindMap {
		each = 2
	}
	if err := r.count(each * t.n); err != nil {
		return Value{}, err
	}
	if t.n == 0 {
		return Value{kind: t.kind}, nil
	}
	items := make([]Field, t.n)
	for i := range items {
		var err error
		if t.kind == KindMap {
			if items[i].Key, err = r.mapKey(); err != nil {
				return Value{}, err
			}
		}
		item, err := r.next()
		if err != nil {
			return Value{}, err
		}
		if items[i].Value, err = r.value(item, depth+1); err != nil {
			return Value{}, err
		}
	}
	return Value{kind: t.kind, items: items}, nil
}

// mapKey reads a key. Keys that are numbers, booleans or nil become their
// text, as they do when Python writes such a map as JSON.
func (r *mpReader) mapKey() (string, error) {
	off := r.off
	t, err := r.next()
	if err != nil {
		return "", err
	}
	switch t.kind {
	case KindString, KindBinary:
		return string(t.text), nil
	case KindInt:
		return strconv.FormatInt(int64(t.num), 10), nil
	case KindNil, KindBool, KindUint, KindFloat:
		return Value{kind: t.kind, num: t.num}.String(), nil
	}
	return "", r.fail(off, fmt.Errorf("a map's key is a %s", t.kind))
}

// next reads one token.
func (r *mpReader) next() (token, error) {
	if r.off >= len(r.data) {
		return token{}, r.fail(r.off, errTruncated)
	}
	c := r.data[r.off]
	r.off++
	switch {
	case c <= 0x7f:
		return token{kind: KindInt, num: uint64(c)}, nil
	case c >= 0xe0:
		return token{kind: KindInt, num: uint64(int64(int8(c)))}, nil
	case c <= 0x8f:
		return token{kind: KindMap, n: int(c & 0x0f)}, nil
	case c <= 0x9f:
		return token{kind: KindList, n: int(c & 0x0f)}, nil
	case c <= 0xbf:
		return r.bytes(KindString, uint64(c&0x1f))
	case c == 0xc0:
		return token{}, nil
	case c == 0xc1:
		return token{}, r.fail(r.off-1, errNotMsgpack)
	case c == 0xc2, c == 0xc3:
		return token{kind: KindBool, num: uint64(c & 1)}, nil
	case c <= 0xc6:
		return r.sized(KindBinary, 1<<(c-0xc4))
	case c <= 0xc9:
		return r.sized(KindExt, 1<<(c-0xc7))
	case c <= 0xd3:
		return r.number(c)
	case c <= 0xd8:
		return r.ext(1 << (c - 0xd4))
	case c <= 0xdb:
		return r.sized(KindString, 1<<(c-0xd9))
	case c <= 0xdd:
		return r.sized(KindList, 2<<(c-0xdc))
	}
	return r.sized(KindMap, 2<<(c-0xde))
}

// uint reads a big-endian number of 1, 2, 4 or 8 bytes.
func (r *mpReader) uint(width int) (uint64, error) {
	if len(r.data)-r.off < width {
		return 0, r.fail(len(r.data), errTruncated)
	}
	var wide [8]byte
	copy(wide[8-width:], r.data[r.off:r.off+width])
	r.off += width
	return binary.BigEndian.Uint64(wide[:]), nil
}

// sized reads a token whose length stands in width bytes.
func (r *mpReader) sized(kind ValueKind, width int) (token, error) {
	n, err := r.uint(width)
	switch {
	case err != nil:
		return token{}, err
	case n > math.MaxInt32/2: // twice this many still fits an int of 32 bits
		return token{}, r.fail(len(r.data), errTruncated)
	case kind == KindList || kind == KindMap:
		return token{kind: kind, n: int(n)}, nil
	case kind == KindExt:
		return r.ext(n)
	}
	return r.bytes(kind, n)
}

func (r *mpReader) bytes(kind ValueKind, n uint64) (token, error) {
	if n > uint64(len(r.data)-r.off) {
		return token{}, r.fail(len(r.data), errTruncated)
	}
	text := r.data[r.off : r.off+int(n) : r.off+int(n)]
	r.off += int(n)
	return token{kind: kind, text: text}, nil
}

func (r *mpReader) ext(n uint64) (token, error) {
	code, err := r.uint(1)
	if err != nil {
		return token{}, err
	}
	t, err := r.bytes(KindExt, n)
	t.num = code
	return t, err
}

var errNotMsgpack = errors.New("0xc1 is not msgpack")

// number reads the codes 0xca to 0xd3.
func (r *mpReader) number(c byte) (token, error) {
	width := 1 << (c & 3) // floats and integers both repeat every four codes
	if c <= 0xcb {
		width = 4 << (c - 0xca)
	}
	u, err := r.uint(width)
	switch {
	case err != nil:
		return token{}, err
	case c == 0xca:
		return token{kind: KindFloat, num: math.Float64bits(float64(math.Float32frombits(uint32(u))))}, nil
	case c == 0xcb:
		return token{kind: KindFloat, num: u}, nil
	case c <= 0xcf:
		return token{kind: Uint(u).kind, num: u}, nil
	}
	shift := 64 - 8*width
	return token{kind: KindInt, num: uint64(int64(u<<shift) >> shift)}, nil
}
