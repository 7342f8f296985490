package intake

import (
	"encoding/binary"
	"errors"
	"io"
)

// shape is how an object of MessagePack begins.
type shape struct {
	kind  kind
	head  int    // bytes of its code and length
	body  uint64 // bytes behind the head
	items uint64 // objects behind it that belong to it
}

// kind is what an object of MessagePack is.
type kind string

const (
	kindNil    kind = "nil"
	kindBool   kind = "a boolean"
	kindNumber kind = "a number"
	kindString kind = "a string"
	kindBytes  kind = "a byte array"
	kindArray  kind = "an array"
	kindMap    kind = "a map"
	kindExt    kind = "an extension"
)

// shapeOf reads the head of an object, of which the first byte must be there. ok is
// false where more bytes are needed: then head says how many. A kind of "" is no MessagePack.
func shapeOf(b []byte) (s shape, ok bool) {
	c := b[0]
	switch {
	case c <= 0x7f || c >= 0xe0:
		return shape{kind: kindNumber, head: 1}, true
	case c <= 0x8f:
		return shape{kind: kindMap, head: 1, items: 2 * uint64(c&0x0f)}, true
	case c <= 0x9f:
		return shape{kind: kindArray, head: 1, items: uint64(c & 0x0f)}, true
	case c <= 0xbf:
		return shape{kind: kindString, head: 1, body: uint64(c & 0x1f)}, true
	case c == 0xc0:
		return shape{kind: kindNil, head: 1}, true
	case c == 0xc1:
		return shape{head: 1}, true
	case c <= 0xc3:
		return shape{kind: kindBool, head: 1}, true
	case c <= 0xc6:
		return sized(b, kindBytes, 1<<(c-0xc4), 0)
	case c <= 0xc9:
		return sized(b, kindExt, 1<<(c-0xc7), 1)
	case c <= 0xcb:
		return shape{kind: kindNumber, head: 1, body: 4 << (c - 0xca)}, true
	case c <= 0xd3:
		return shape{kind: kindNumber, head: 1, body: 1 << (c & 3)}, true // integers repeat every four codes
	case c <= 0xd8:
		return shape{kind: kindExt, head: 1, body: 1 + 1<<(c-0xd4)}, true
	case c <= 0xdb:
		return sized(b, kindString, 1<<(c-0xd9), 0)
	case c <= 0xdd:
		return counted(b, kindArray, 2<<(c-0xdc), 1)
	}
	return counted(b, kindMap, 2<<(c-0xde), 2)
}

// sized reads a length of width bytes; extra are those behind it that it does not count.
func sized(b []byte, k kind, width int, extra uint64) (s shape, ok bool) {
	s = shape{kind: k, head: 1 + width}
	if len(b) < s.head {
		return s, false
	}
	s.body = extra + number(b[1:s.head])
	return s, true
}

// counted reads a number of items of width bytes; each is so many objects.
func counted(b []byte, k kind, width int, objects uint64) (s shape, ok bool) {
	s = shape{kind: k, head: 1 + width}
	if len(b) < s.head {
		return s, false
	}
	s.items = objects * number(b[1:s.head])
	return s, true
}

// number reads a big-endian number of 1, 2 or 4 bytes.
func number(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	default:
		return uint64(binary.BigEndian.Uint32(b))
	}
}

// nextObject takes an object with all that is in it.
func (r *Reader) nextObject() ([]byte, error) {
	n, _, err := r.measure()
	if err != nil {
		return nil, err
	}
	return r.take(n), nil
}

// measure makes an object unread as a whole and returns its length, and how it
// begins. Objects in objects are only counted, so that nesting takes nothing. Each
// takes a byte at least: a count beyond the bound is refused when it is read.
func (r *Reader) measure() (n int, first shape, err error) {
	most := uint64(r.settings.MaxRecord)
	for left := uint64(1); left > 0; left-- {
		s, err := r.head(n)
		if err != nil {
			return 0, first, err
		}
		if n == 0 {
			first = s
		}
		left += s.items
		end := uint64(n) + uint64(s.head) + s.body
		if end+left-1 > most {
			return 0, first, r.tooLarge("this is not MessagePack")
		}
		n = int(end)
		if err := r.fill(n); err != nil {
			return 0, first, r.stop(err, "an object")
		}
	}
	return n, first, nil
}

// head reads the head of the object n bytes behind the first that is unread.
func (r *Reader) head(n int) (shape, error) {
	within := "an object"
	if n == 0 {
		within = "" // here the input may end
	}
	if err := r.fill(n + 1); err != nil {
		return shape{}, r.stop(err, within)
	}
	s, ok := shapeOf(r.unread()[n:])
	if !ok {
		if err := r.fill(n + s.head); err != nil {
			return s, r.stop(err, "an object")
		}
		s, _ = shapeOf(r.unread()[n:])
	}
	if s.kind == "" {
		return s, r.failAt(r.offset+int64(n), faultf(ErrFormat, "0xc1 is not MessagePack"), "the input is of another format, or damaged")
	}
	return s, nil
}

// bulkVersion is the only version of bulk payloads.
const bulkVersion = "1.0"

// nextOfBulk takes the version, and then byte arrays.
func (r *Reader) nextOfBulk() ([]byte, error) {
	n, s, err := r.measure()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = r.failAt(0, faultf(ErrCutShort, "the input is empty, and a bulk payload begins with the string %q", bulkVersion), "")
		}
		return nil, err
	}
	if s.kind != kindString {
		return nil, r.failAt(r.offset, faultf(ErrFormat, "a bulk payload begins with the string %q, and here is %s", bulkVersion, s.kind),
			"use --format msgpack for a stream of any objects")
	}
	if version := r.take(n)[s.head:]; string(version) != bulkVersion {
		return nil, r.failAt(0, faultf(ErrFormat, "version %q of bulk payloads is not known, only %q", clip(version), bulkVersion), "")
	}
	r.next = r.nextArray
	return r.nextArray()
}

// nextArray takes a byte array and returns what is in it.
func (r *Reader) nextArray() ([]byte, error) {
	n, s, err := r.measure()
	if err != nil {
		return nil, err
	}
	if s.kind != kindBytes {
		return nil, r.failAt(r.offset, faultf(ErrFormat, "in a bulk payload byte arrays follow, and here is %s", s.kind),
			"pack each record as bin (use_bin_type in Python), and one payload into one input")
	}
	return r.take(n)[s.head:], nil
}

// clip keeps what is quoted in an error short.
func clip(b []byte) []byte { return b[:min(len(b), 32)] }
