package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Units goes through the NAL units of an access unit, in one of the two forms they come in:
//
//   - Annex B of ITU-T H.264 and of H.265 (stream-format=byte-stream): each after a start code 00 00 01, which any number of zeros may precede
//     and follow the unit before. No unit ends with a zero.
//   - ISO/IEC 14496-15 (avc, avc3, hvc1, hev1): each after its length, big endian, in 1, 2 or 4 bytes, as the avcC or hvcC says.
//
// A copy of a Units goes on by itself. It refers to the data that it was made of.
type Units struct {
	rest []byte // from the next unit's first byte (Annex B) or from its length on
	size int    // bytes of a length; 0: Annex B
	err  error
}

// AnnexB goes through an access unit with start codes. What does not begin with one is an error.
func AnnexB(au []byte) Units {
	start := startCode(au)
	if start < 0 {
		return Units{err: fmt.Errorf("reading an access unit of %d bytes: there is no start code; the caps say stream-format=byte-stream, "+
			"the data does not: put h264parse or h265parse before the sink", len(au))}
	}
	if n := len(trim(au[:start])); n > 0 {
		return Units{err: fmt.Errorf("reading an access unit of %d bytes: %d bytes stand before its first start code, and belong to no NAL unit: "+
			"put h264parse or h265parse before the sink, for alignment=au", len(au), n)}
	}
	return Units{rest: au[start+3:]}
}

// Prefixed goes through an access unit whose NAL units follow their lengths, of size bytes each (1, 2 or 4).
func Prefixed(au []byte, size int) Units {
	if size != 1 && size != 2 && size != 4 {
		return Units{err: fmt.Errorf("reading an access unit: lengths of %d bytes do not exist, only of 1, 2 and 4; see the avcC or hvcC", size)}
	}
	return Units{rest: au, size: size}
}

// Next gives the next NAL unit, with its header and with emulation prevention, without start code or length; false after the last, or on an
// error. Empty ones are passed over.
func (u *Units) Next() ([]byte, bool) {
	for u.err == nil && len(u.rest) > 0 {
		var nal []byte
		if u.size == 0 {
			nal = u.annexB()
		} else if nal, u.err = u.prefixed(); u.err == nil {
			u.rest = u.rest[u.size+len(nal):]
		}
		if len(nal) > 0 && u.err == nil {
			return nal, true
		}
	}
	return nil, false
}

// Err tells why Next gave no more; nil at the end.
func (u *Units) Err() error { return u.err }

// peek gives the beginning of the next unit (with Annex B all that follows), without looking for its end; nil at the end or on an error.
func (u *Units) peek() []byte {
	for u.err == nil && len(u.rest) > 0 {
		if u.size == 0 {
			if len(u.rest) > 1 && (u.rest[0] != 0 || u.rest[1] != 0) { // two zeros: an empty unit, or the end
				return u.rest
			}
			c := *u
			if nal, _ := c.Next(); len(nal) > 0 {
				return nal
			}
			return nil
		}
		nal, err := u.prefixed()
		if u.err = err; err == nil {
			if len(nal) > 0 {
				return nal
			}
			u.rest = u.rest[u.size:]
		}
	}
	return nil
}

func (u *Units) annexB() (nal []byte) {
	next := startCode(u.rest)
	if next < 0 {
		nal, u.rest = u.rest, nil
	} else {
		nal, u.rest = u.rest[:next], u.rest[next+3:]
	}
	return trim(nal)
}

// prefixed gives the unit at the beginning of the rest.
func (u *Units) prefixed() ([]byte, error) {
	var n uint64
	if len(u.rest) < u.size {
		return nil, fmt.Errorf("reading an access unit: %d bytes are left for a length of %d: it is cut short, or not in the form that its caps say", len(u.rest), u.size)
	}
	for _, b := range u.rest[:u.size] {
		n = n<<8 | uint64(b)
	}
	left := u.rest[u.size:]
	if n > uint64(len(left)) {
		return nil, fmt.Errorf("reading an access unit: a NAL unit of %d bytes where %d are left: it is cut short, or not in the form that its caps say", n, len(left))
	}
	return left[:n:n], nil
}

// trim takes zeros off the end: they belong to the next start code, or are trailing_zero_8bits.
func trim(b []byte) []byte {
	n := len(b)
	for n > 0 && b[n-1] == 0 {
		n--
	}
	return b[:n:n]
}

// startCode finds the first 00 00 01, or gives -1. Ones are rare in coded video, so IndexByte leaps from one to the next; where
// they are not, byte after byte is cheaper.
func startCode(b []byte) int {
	misses := 0
	for i := 2; i < len(b); i += 3 { // no start code ends within two bytes after a one
		j := bytes.IndexByte(b[i:], 1)
		if j < 0 {
			return -1
		}
		if i += j; b[i-1] == 0 && b[i-2] == 0 {
			return i - 2
		}
		if misses++; misses > 4+i/16 {
			return denseStartCode(b, i+3)
		}
	}
	return -1
}

// denseStartCode finds the first 00 00 01 that ends at i or after. It passes over up to three bytes a step, at least one.
func denseStartCode(b []byte, i int) int {
	for i < len(b) {
		switch {
		case b[i] == 0:
			i++
		case b[i] == 1 && b[i-1] == 0 && b[i-2] == 0:
			return i - 2
		default:
			i += 3
		}
	}
	return -1
}

// lengthBytes is the size of a length as Convert writes it.
const lengthBytes = 4

// ConvertedSize is the number of bytes that Convert makes of an access unit with start codes. An error says that it is none.
func ConvertedSize(au []byte) (int, error) {
	n := 0
	u := AnnexB(au)
	for nal, ok := u.Next(); ok; nal, ok = u.Next() {
		n += lengthBytes + len(nal)
	}
	return n, u.Err()
}

// Convert writes an access unit with start codes as NAL units after lengths of four bytes, and gives the number of bytes written. dst has
// room for ConvertedSize of them (it panics where it has not) and does not overlap with au. This is the one copy of the data.
func Convert(dst, au []byte) int {
	n := 0
	u := AnnexB(au)
	for nal, ok := u.Next(); ok; nal, ok = u.Next() {
		binary.BigEndian.PutUint32(dst[n:], uint32(len(nal)))
		n += lengthBytes
		n += copy(dst[n:n+len(nal)], nal)
	}
	return n
}
