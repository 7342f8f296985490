package wire

import (
	"encoding/base64"
	"encoding/binary"
)

// pairs holds the two characters of standard base64 (RFC 4648, section 4) for each 12
// bits, the first one in the low byte: with it an encoder takes 6 bytes at a step, which
// is about twice as fast as encoding/base64. It is never written to.
var pairs = makePairs() //nolint:gochecknoglobals // a table

func makePairs() *[1 << 12]uint16 {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var table [1 << 12]uint16
	for i := range table {
		table[i] = uint16(alphabet[i>>6]) | uint16(alphabet[i&0x3f])<<8
	}
	return &table
}

// encodeBase64 writes the base64 of data into a slice of just its size.
func encodeBase64(into, data []byte) {
	table := pairs
	for len(data) >= 32 && len(into) >= 32 { // it reads 26 bytes to use 24
		from, to := data[:32], into[:32]
		binary.LittleEndian.PutUint64(to, eight(table, binary.BigEndian.Uint64(from)))
		binary.LittleEndian.PutUint64(to[8:], eight(table, binary.BigEndian.Uint64(from[6:])))
		binary.LittleEndian.PutUint64(to[16:], eight(table, binary.BigEndian.Uint64(from[12:])))
		binary.LittleEndian.PutUint64(to[24:], eight(table, binary.BigEndian.Uint64(from[18:])))
		data, into = data[24:], into[32:]
	}
	base64.StdEncoding.Encode(into, data)
}

// eight returns the characters of the upper six bytes of a word.
func eight(table *[1 << 12]uint16, v uint64) uint64 {
	return uint64(table[v>>52]) | uint64(table[v>>40&0xfff])<<16 | uint64(table[v>>28&0xfff])<<32 | uint64(table[v>>16&0xfff])<<48
}
