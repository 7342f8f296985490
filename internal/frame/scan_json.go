package frame

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Reading JSON (RFC 8259) with offsets and bounds, and without a copy of the
// one long string that the payload is. Which texts are JSON is decided as
// encoding/json does it; a test holds the two against each other.

// jsReader walks over JSON data.
type jsReader struct {
	data   []byte
	off    int
	values int
	key    string
}

func (r *jsReader) fail(off int, err error) error {
	return &DecodeError{Key: r.key, Offset: off, Err: err}
}

// scanJSON reads the outermost object.
func scanJSON(data []byte, entries []entry) ([]entry, error) {
	r := jsReader{data: data}
	r.space()
	err := r.object(func(key string) error {
		r.key = key
		e := entry{key: key, off: r.off}
		var err error
		if r.peek() == '"' {
			e.kind = KindString
			e.text, err = r.text()
		} else {
			e.val, err = r.value(2)
			e.kind = e.val.kind
		}
		if err != nil {
			return err
		}
		e.end = r.off
		entries = append(entries, e)
		r.key = ""
		return nil
	})
	if err != nil {
		return entries, err
	}
	r.space()
	if r.off != len(data) {
		return entries, r.fail(r.off, fmt.Errorf("%d bytes follow the record", len(data)-r.off))
	}
	return entries, nil
}

// peek returns the next byte, 0 at the end.
func (r *jsReader) peek() byte {
	if r.off < len(r.data) {
		return r.data[r.off]
	}
	return 0
}

func (r *jsReader) space() {
	for r.off < len(r.data) {
		switch r.data[r.off] {
		case ' ', '\t', '\n', '\r':
			r.off++
		default:
			return
		}
	}
}

// expected is the error for a byte that should have been another.
func (r *jsReader) expected(what string) error {
	if r.off >= len(r.data) {
		return r.fail(r.off, errTruncated)
	}
	return r.fail(r.off, fmt.Errorf("expected %s, found %q", what, r.data[r.off]))
}

// count bounds the number of values.
func (r *jsReader) count() error {
	if r.values++; r.values > MaxValues {
		return r.fail(r.off, errTooMany)
	}
	return nil
}

// object reads an object; member is called at the start of each value.
func (r *jsReader) object(member func(key string) error) error {
	r.off++
	r.space()
	if r.peek() == '}' {
		r.off++
		return nil
	}
	for {
		if r.peek() != '"' {
			return r.expected("a key")
		}
		if err := r.count(); err != nil {
			return err
		}
		key, err := r.text()
		if err != nil {
			return err
		}
		r.space()
		if r.peek() != ':' {
			return r.expected("a colon")
		}
		r.off++
		r.space()
		if err := member(string(key)); err != nil {
			return err
		}
		if done, err := r.more('}'); done || err != nil {
			return err
		}
	}
}

// more reads what may stand between two items: a comma, or the end.
func (r *jsReader) more(end byte) (done bool, err error) {
	r.space()
	switch r.peek() {
	case end:
		r.off++
		return true, nil
	case ',':
		r.off++
		r.space()
		return false, nil
	}
	return false, r.expected("a comma or " + strconv.QuoteRune(rune(end)))
}

func (r *jsReader) value(depth int) (Value, error) {
	if err := r.count(); err != nil {
		return Value{}, err
	}
	switch c := r.peek(); c {
	case '{', '[':
		if depth >= MaxDepth {
			return Value{}, r.fail(r.off, errTooDeep)
		}
		if c == '{' {
			return r.mapValue(depth)
		}
		return r.listValue(depth)
	case '"':
		text, err := r.text()
		return String(string(text)), err
	case 't':
		return Bool(true), r.word("true")
	case 'f':
		return Bool(false), r.word("false")
	case 'n':
		return Value{}, r.word("null")
	}
	return r.number()
}

func (r *jsReader) mapValue(depth int) (Value, error) {
	v := Value{kind: KindMap}
	err := r.object(func(key string) error {
		item, err := r.value(depth + 1)
		v.items = append(v.items, Field{Key: key, Value: item})
		return err
	})
	return v, err
}

func (r *jsReader) listValue(depth int) (Value, error) {
	v := Value{kind: KindList}
	r.off++
	r.space()
	if r.peek() == ']' {
		r.off++
		return v, nil
	}
	for {
		item, err := r.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.items = append(v.items, Field{Value: item})
		if done, err := r.more(']'); done || err != nil {
			return v, err
		}
	}
}

func (r *jsReader) word(want string) error {
	if !bytes.HasPrefix(r.data[r.off:], []byte(want)) {
		return r.expected("a value")
	}
	r.off += len(want)
	return nil
}

// number reads -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (r *jsReader) number() (Value, error) {
	start := r.off
	if r.peek() == '-' {
		r.off++
	}
	if r.peek() == '0' {
		r.off++
	} else if !r.digits() {
		return Value{}, r.expected("a value")
	}
	integer := true
	if r.peek() == '.' {
		r.off++
		integer = false
		if !r.digits() {
			return Value{}, r.expected("a digit")
		}
	}
	if c := r.peek(); c == 'e' || c == 'E' {
		r.off++
		integer = false
		if c := r.peek(); c == '+' || c == '-' {
			r.off++
		}
		if !r.digits() {
			return Value{}, r.expected("a digit")
		}
	}
	return r.parseNumber(start, integer)
}

func (r *jsReader) digits() bool {
	start := r.off
	for c := r.peek(); c >= '0' && c <= '9'; c = r.peek() {
		r.off++
	}
	return r.off > start
}

// parseNumber takes an integer that no 64 bits hold for a float.
func (r *jsReader) parseNumber(start int, integer bool) (Value, error) {
	text := string(r.data[start:r.off])
	if integer && text != "-0" {
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return Int(i), nil
		}
		if u, err := strconv.ParseUint(text, 10, 64); err == nil {
			return Uint(u), nil
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return Value{}, r.fail(start, errNumber)
	}
	return Float(f), nil
}

var (
	errNumber  = errors.New("a number is out of range")
	errControl = errors.New("a control character in a string")
	errEscape  = errors.New("an escape that JSON does not have")
)

// text reads a string and returns its bytes: those of the data itself when
// nothing in it is escaped.
func (r *jsReader) text() ([]byte, error) {
	r.off++
	start := r.off
	end := bytes.IndexByte(r.data[start:], '"')
	if end < 0 {
		return nil, r.fail(len(r.data), errTruncated)
	}
	plain := r.data[start : start+end : start+end]
	for i, c := range plain {
		switch {
		case c == '\\':
			r.off = start + i
			return r.escapedText(start)
		case c < 0x20:
			return nil, r.fail(start+i, errControl)
		}
	}
	r.off = start + end + 1
	return plain, nil
}

// escapedText goes on at the first backslash of a string.
func (r *jsReader) escapedText(start int) ([]byte, error) {
	out := append([]byte(nil), r.data[start:r.off]...)
	for r.off < len(r.data) {
		c := r.data[r.off]
		switch {
		case c == '"':
			r.off++
			return out, nil
		case c < 0x20:
			return nil, r.fail(r.off, errControl)
		case c != '\\':
			out = append(out, c)
			r.off++
		default:
			var err error
			if out, err = r.escape(out); err != nil {
				return nil, err
			}
		}
	}
	return nil, r.fail(r.off, errTruncated)
}

// escape reads one escape. A surrogate without its other half is U+FFFD.
func (r *jsReader) escape(out []byte) ([]byte, error) {
	at := r.off
	if r.off+1 >= len(r.data) {
		return nil, r.fail(len(r.data), errTruncated)
	}
	c := r.data[r.off+1]
	r.off += 2
	switch c {
	case '"', '\\', '/':
		return append(out, c), nil
	case 'b', 'f', 'n', 'r', 't':
		return append(out, "\b\f\n\r\t"[bytes.IndexByte([]byte("bfnrt"), c)]), nil
	case 'u':
		char, ok := r.hex4(r.off)
		if !ok {
			return nil, r.fail(at, errEscape)
		}
		r.off += 4
		if utf16.IsSurrogate(char) {
			char = r.otherHalf(char)
		}
		return utf8.AppendRune(out, char), nil
	}
	return nil, r.fail(at, errEscape)
}

// otherHalf joins a surrogate with the one escaped next, if it fits.
func (r *jsReader) otherHalf(first rune) rune {
	if r.off+1 < len(r.data) && r.data[r.off] == '\\' && r.data[r.off+1] == 'u' {
		if second, ok := r.hex4(r.off + 2); ok {
			if char := utf16.DecodeRune(first, second); char != utf8.RuneError {
				r.off += 6
				return char
			}
		}
	}
	return utf8.RuneError
}

func (r *jsReader) hex4(at int) (rune, bool) {
	if at+4 > len(r.data) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(r.data[at:at+4]), 16, 16)
	return rune(n), err == nil
}
