package intake

import (
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
)

// prefix is the number of bytes that a length takes.
const prefix = 4

// nextPrefixed takes a length and so many bytes.
func (r *Reader) nextPrefixed() ([]byte, error) {
	if err := r.fill(prefix); err != nil {
		if errors.Is(err, io.EOF) && len(r.unread()) == 0 {
			return nil, io.EOF
		}
		return nil, r.stop(err, "a length prefix")
	}
	n := binary.BigEndian.Uint32(r.unread())
	if r.settings.LittleEndian {
		n = bits.ReverseBytes32(n)
	}
	if uint64(n) > uint64(r.settings.MaxRecord) {
		return nil, r.longPrefix(n)
	}
	if err := r.fill(prefix + int(n)); err != nil {
		return nil, r.stop(err, "a record")
	}
	return r.take(prefix + int(n))[prefix:], nil
}

// longPrefix is the error of a length that is too large, which often is one read from the wrong end.
func (r *Reader) longPrefix(n uint32) error {
	remedy := "the input is not length-prefixed, or a record before this one was cut short"
	if uint64(bits.ReverseBytes32(n)) <= uint64(r.settings.MaxRecord) {
		remedy = "the bytes of the length may be in the other order: give --little-endian"
		if r.settings.LittleEndian {
			remedy = "the bytes of the length may be in the other order: leave --little-endian out"
		}
	}
	return r.failAt(r.offset, faultf(ErrTooLarge, "the length prefix says %d bytes, and a record has at most %s", n, sizeOf(r.settings.MaxRecord)), remedy)
}
