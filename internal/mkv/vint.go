package mkv

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// unknownSize is the size of an element that ends where something begins that cannot lie in it.
const unknownSize = -1

// The longest that an id and a size may be. RFC 9559, 4.2, allows no other EBMLMaxIDLength than 4.
const (
	maxIDLength   = 4
	maxSizeLength = 8
)

// vintLength is how many bytes the integer has that begins with b: 1..8, or 9 if none begins so.
func vintLength(b byte) int { return bits.LeadingZeros8(b) + 1 }

// vint reads the integer that b consists of, without its length bits; all says that all other bits are ones.
func vint(b []byte) (n uint64, all bool) {
	n = uint64(b[0]) & (0xFF >> len(b))
	for _, c := range b[1:] {
		n = n<<8 | uint64(c)
	}
	return n, n == 1<<(7*len(b))-1
}

// vintAt reads an integer at the start of b; length is 0 if b does not hold one. unknown says that it is the size of all ones.
func vintAt(b []byte) (n uint64, unknown bool, length int) {
	if len(b) == 0 {
		return 0, false, 0
	}
	length = vintLength(b[0])
	if length > maxSizeLength || length > len(b) {
		return 0, false, 0
	}
	n, unknown = vint(b[:length])
	return n, unknown, length
}

// idOf reads the id that b, of 1..4 bytes, consists of. An id has to be the shortest form of its number, which is neither 0 nor all ones.
func idOf(b []byte) (id uint32, ok bool) {
	for _, c := range b {
		id = id<<8 | uint32(c)
	}
	n, all := vint(b)
	if n == 0 || all {
		return id, false
	}
	return id, len(b) == 1 || n >= 1<<(7*(len(b)-1))-1
}

func idLength(id uint32) int { return (bits.Len32(id) + 7) / 8 }

// sizeLength is how many bytes the size n takes at least.
func sizeLength(n uint64) int {
	length := 1
	for n >= 1<<(7*length)-1 {
		length++
	}
	return length
}

func appendID(dst []byte, id uint32) []byte {
	for i := idLength(id) - 1; i >= 0; i-- {
		dst = append(dst, byte(id>>(8*i)))
	}
	return dst
}

// appendSize appends a size, or a track number, in the given length.
func appendSize(dst []byte, n uint64, length int) []byte {
	n |= 1 << (7 * length)
	for i := length - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst
}

// appendUint appends an element that holds a number of the given length.
func appendUint(dst []byte, id uint32, n uint64, length int) []byte {
	dst = append(appendID(dst, id), 0x80|byte(length))
	for i := length - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst
}

func uintSize(id uint32, length int) int { return idLength(id) + 1 + length }

// appendBytes appends an element with the shortest size.
func appendBytes[T string | []byte](dst []byte, id uint32, value T) []byte {
	dst = appendSize(appendID(dst, id), uint64(len(value)), sizeLength(uint64(len(value))))
	return append(dst, value...)
}

func bytesSize(id uint32, length int) int { return idLength(id) + sizeLength(uint64(length)) + length }

// uintOf reads a number of at most 8 bytes.
func uintOf(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n, len(b) <= 8
}

// floatOf reads a float of 0, 4 or 8 bytes.
func floatOf(b []byte) (f float64, ok bool) {
	switch len(b) {
	case 0:
		return 0, true
	case 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(b))), true
	case 8:
		return math.Float64frombits(binary.BigEndian.Uint64(b)), true
	}
	return 0, false
}
