package envelope

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

const (
	magic   = "\xc1gke"
	version = 1

	// Overhead is the bytes of a header: what an envelope adds to its body.
	Overhead = 44
	// MaxParts is the most parts of a message.
	MaxParts = math.MaxUint16
	// MaxSize is the most bytes of a message, before and after compression.
	MaxSize = math.MaxInt32

	crcOffset = Overhead - 4
)

// Errors of reading. They concern one record or message, never the stream.
var (
	// ErrCorrupt says that a record is damaged or not one that an Encoder makes.
	ErrCorrupt = errors.New("the envelope is damaged")
	// ErrUnknown says that a record was made by a later version of this program.
	ErrUnknown = errors.New("the envelope is of a version that this program does not know")
	// ErrTooLarge says that a message is larger than the reader's limit.
	ErrTooLarge = errors.New("the message is larger than the limit")
)

// Codec is how the bodies of a message are compressed.
type Codec uint8

// The codecs. Their numbers are those of the format.
const (
	None Codec = iota
	Gzip
	Zstd
)

// String returns the codec's name as a property value.
func (c Codec) String() string {
	switch c {
	case None:
		return "none"
	case Gzip:
		return "gzip"
	case Zstd:
		return "zstd"
	default:
		return fmt.Sprintf("Codec(%d)", uint8(c))
	}
}

// ParseCodec reads a codec's name.
func ParseCodec(s string) (Codec, error) {
	for _, c := range []Codec{None, Gzip, Zstd} {
		if s == c.String() {
			return c, nil
		}
	}
	return None, fmt.Errorf("reading a compression: %q is none of none, gzip, zstd", s)
}

// ID is a message id.
type ID [16]byte

// String returns the id as 32 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Header is what stands before the body of a part. All but Index is the same in
// all parts of a message, and different in parts of different messages.
type Header struct {
	ID       ID
	Codec    Codec
	Index    int // of this part, from 0
	Count    int // of parts
	Size     int // bytes of all bodies together
	Original int // bytes of the message
	Sum      uint32
}

// Is reports whether a record begins as an envelope does. It looks at four bytes.
func Is(record []byte) bool { return len(record) >= len(magic) && string(record[:len(magic)]) == magic }

// Parse reads a record that [Is] an envelope. The body is a part of the record. The
// error wraps [ErrCorrupt] or [ErrUnknown].
func Parse(record []byte) (h Header, body []byte, err error) {
	if h, body, err = parse(record); err != nil {
		return Header{}, nil, fmt.Errorf("reading the envelope: %w", err)
	}
	return h, body, nil
}

func parse(record []byte) (h Header, body []byte, err error) {
	if !Is(record) {
		return h, nil, fmt.Errorf("%w: it has no magic number", ErrCorrupt)
	}
	if len(record) < Overhead {
		return h, nil, fmt.Errorf("%w: %d bytes are less than a header", ErrCorrupt, len(record))
	}
	if v := record[4]; v != version {
		return h, nil, fmt.Errorf("%w: version %d", ErrUnknown, v)
	}
	body = record[Overhead:len(record):len(record)]
	if crcOf(record) != binary.BigEndian.Uint32(record[crcOffset:]) {
		return h, nil, fmt.Errorf("%w: its checksum is wrong", ErrCorrupt)
	}
	if flags := binary.BigEndian.Uint16(record[6:]); flags != 0 {
		return h, nil, fmt.Errorf("%w: flags %#x", ErrUnknown, flags)
	}
	h = Header{
		ID:    ID(record[8:24]),
		Codec: Codec(record[5]),
		Index: int(binary.BigEndian.Uint16(record[24:])),
		Count: int(binary.BigEndian.Uint16(record[26:])),
		Sum:   binary.BigEndian.Uint32(record[36:]),
	}
	size, original := binary.BigEndian.Uint32(record[28:]), binary.BigEndian.Uint32(record[32:])
	if h.Codec > Zstd {
		return h, nil, fmt.Errorf("%w: codec %d", ErrUnknown, record[5])
	}
	if size > MaxSize || original > MaxSize {
		return h, nil, fmt.Errorf("%w: its sizes are beyond 2 GiB", ErrCorrupt)
	}
	h.Size, h.Original = int(size), int(original)
	return h, body, h.check(len(body))
}

// check holds a header to the specification.
func (h *Header) check(bodyLen int) error {
	switch {
	case h.Index >= h.Count:
		return fmt.Errorf("%w: part %d of %d", ErrCorrupt, h.Index, h.Count)
	case h.Codec == None && h.Size != h.Original:
		return fmt.Errorf("%w: %d bytes uncompressed are said to be %d", ErrCorrupt, h.Size, h.Original)
	case countOf(h.Size, h.partBytes()) != h.Count:
		return fmt.Errorf("%w: %d bytes do not make %d parts", ErrCorrupt, h.Size, h.Count)
	case bodyLen != h.bodyBytes():
		return fmt.Errorf("%w: a body of %d bytes in place of %d", ErrCorrupt, bodyLen, h.bodyBytes())
	}
	return nil
}

// append appends the header and the body of the part.
func (h *Header) append(dst, body []byte) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = append(dst, version, byte(h.Codec), 0, 0)
	dst = append(dst, h.ID[:]...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(h.Index))
	dst = binary.BigEndian.AppendUint16(dst, uint16(h.Count))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.Size))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.Original))
	dst = binary.BigEndian.AppendUint32(dst, h.Sum)
	dst = append(dst, 0, 0, 0, 0)
	dst = append(dst, body...)
	record := dst[start:]
	binary.BigEndian.PutUint32(record[crcOffset:], crcOf(record))
	return dst
}

// partBytes is the length of all bodies but the last.
func (h *Header) partBytes() int { return ceil(h.Size, h.Count) }

// offset is where the part's body stands in the message.
func (h *Header) offset() int { return h.Index * h.partBytes() }

// bodyBytes is the length of the part's body.
func (h *Header) bodyBytes() int { return min(h.partBytes(), h.Size-h.offset()) }

// countOf is how many parts of partBytes there are; a message of no bytes has one.
func countOf(size, partBytes int) int { return max(ceil(size, partBytes), 1) }

// ceil is a/b rounded up, which does not overflow where int has 32 bits.
func ceil(a, b int) int {
	if a == 0 {
		return 0
	}
	return (a-1)/b + 1
}

// sumOf is the CRC-32C, which processors have an instruction for.
func sumOf(data []byte) uint32 { return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) }

// crcOf is the checksum of a record but for the field that holds it.
func crcOf(record []byte) uint32 {
	return crc32.Update(sumOf(record[:crcOffset]), crc32.MakeTable(crc32.Castagnoli), record[Overhead:])
}
