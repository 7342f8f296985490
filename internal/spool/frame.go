package spool

// # Segment file, version 1
//
// Its name is the first ID and the nonce, both in hex: 0000000000000001-5f3a09c2.seg. Integers
// are little-endian, sums are CRC-32C (Castagnoli). It holds a header, frames of records with
// IDs that rise by one, and if it was ended as it should be an index with a trailer.
//
//	header, 40 bytes
//	 0  [8]  "GKSPOOL1"
//	 8  u32  version, 1
//	12  u32  nonce, at random
//	16  u64  first ID
//	24  i64  when it was created, unix ns
//	32  u32  0
//	36  u32  sum of bytes 0 to 36
//
//	frame
//	 0  [4]  47 4b 66 a7
//	 4  u32  sum of the seed, then bytes 8 to 40, the key and the hash
//	 8  u32  sum of the data
//	12  u32  length of the data
//	16  u16  length of the key
//	18  u8   length of the hash
//	19  u8   kind: 1 record, 2 index
//	20  u64  ID; of an index that which would have come next
//	28  u64  PTS, ns
//	36  i64  accepted, unix ns
//	44       key, explicit hash, data
//
// The seed is the sum of first ID and nonce. It ties a frame to its segment: neither a
// spool's file that happens to be a payload nor a stale block of an older segment can be
// taken for records. The name repeats what the seed needs, so that a broken header costs
// nothing.
//
// The data of an index are 8 bytes for each record of the segment: u32 length of its data,
// u32 seconds from 2020 to its acceptance (0: not known). Behind it stands the trailer:
//
//	 0  u64  offset of the index's frame
//	 8  [4]  47 4b 69 a7
//	12  u32  sum of the seed, then bytes 0 to 12
//
// With an index a segment is opened without reading its records; without, it is scanned.

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

const (
	segmentMagic   = "GKSPOOL1"
	segmentVersion = 1
	headerSize     = 40
	frameMark      = "\x47\x4b\x66\xa7"
	frameHead      = 44
	trailerMark    = "\x47\x4b\x69\xa7"
	trailerSize    = 16
	indexEntry     = 8

	maxKey  = 4096
	maxHash = 255
	maxData = 64 << 20

	kindRecord = 1
	kindIndex  = 2

	segmentSuffix = ".seg"
	badSuffix     = ".bad"
	nameLen       = 16 + 1 + 8 + len(segmentSuffix)
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // the table is made once, inside crc32

// origin says which segment it is.
type origin struct {
	first ID
	nonce uint32
}

func (o origin) seed() uint32 {
	var b [12]byte
	binary.LittleEndian.PutUint64(b[:], uint64(o.first))
	binary.LittleEndian.PutUint32(b[8:], o.nonce)
	return crc32.Checksum(b[:], castagnoli())
}

func (o origin) name() string {
	return fmt.Sprintf("%016x-%08x%s", uint64(o.first), o.nonce, segmentSuffix)
}

// parseName is the inverse of name.
func parseName(name string) (origin, bool) {
	if len(name) != nameLen || name[16] != '-' || !strings.HasSuffix(name, segmentSuffix) {
		return origin{}, false
	}
	first, err := strconv.ParseUint(name[:16], 16, 64)
	if err != nil || first == 0 {
		return origin{}, false
	}
	nonce, err := strconv.ParseUint(name[17:25], 16, 32)
	o := origin{ID(first), uint32(nonce)}
	return o, err == nil && o.name() == name
}

// appendHeader appends a segment's header.
func (o origin) appendHeader(b []byte, created int64) []byte {
	start := len(b)
	b = append(b, segmentMagic...)
	b = binary.LittleEndian.AppendUint32(b, segmentVersion)
	b = binary.LittleEndian.AppendUint32(b, o.nonce)
	b = binary.LittleEndian.AppendUint64(b, uint64(o.first))
	b = binary.LittleEndian.AppendUint64(b, uint64(created))
	b = binary.LittleEndian.AppendUint32(b, 0)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli()))
}

// headerState is what a header is found to be.
type headerState int8

const (
	headerGood headerState = iota
	headerDamaged
	headerNewer // of a version that is not known here
)

func (o origin) checkHeader(b []byte) headerState {
	if len(b) < headerSize || string(b[:8]) != segmentMagic ||
		crc32.Checksum(b[:36], castagnoli()) != binary.LittleEndian.Uint32(b[36:]) {
		return headerDamaged
	}
	if binary.LittleEndian.Uint32(b[8:]) > segmentVersion {
		return headerNewer
	}
	if (origin{ID(binary.LittleEndian.Uint64(b[16:])), binary.LittleEndian.Uint32(b[12:])}) != o {
		return headerDamaged
	}
	return headerGood
}

// head is the head of a frame.
type head struct {
	dataSum  uint32
	data     uint32
	key      uint16
	hash     uint8
	kind     uint8
	id       ID
	pts      uint64
	accepted int64
}

// metaSize is the size of the head with key and hash.
func (h head) metaSize() int { return frameHead + int(h.key) + int(h.hash) }

// size is the size of the frame.
func (h head) size() int64 { return int64(h.metaSize()) + int64(h.data) }

// appendMeta appends the head, the key and the hash.
func (h head) appendMeta(b []byte, seed uint32, key, hash string) []byte {
	start := len(b)
	b = append(b, frameMark...)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, h.dataSum)
	b = binary.LittleEndian.AppendUint32(b, h.data)
	b = binary.LittleEndian.AppendUint16(b, h.key)
	b = append(b, h.hash, h.kind)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.id))
	b = binary.LittleEndian.AppendUint64(b, h.pts)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.accepted))
	b = append(b, key...)
	b = append(b, hash...)
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Update(seed, castagnoli(), b[start+8:]))
	return b
}

// parseHead reads a head without checking its sum, which needs key and hash as well. It reports
// whether it can be one.
func parseHead(b []byte) (head, bool) {
	if len(b) < frameHead || string(b[:4]) != frameMark {
		return head{}, false
	}
	h := head{
		dataSum:  binary.LittleEndian.Uint32(b[8:]),
		data:     binary.LittleEndian.Uint32(b[12:]),
		key:      binary.LittleEndian.Uint16(b[16:]),
		hash:     b[18],
		kind:     b[19],
		id:       ID(binary.LittleEndian.Uint64(b[20:])),
		pts:      binary.LittleEndian.Uint64(b[28:]),
		accepted: int64(binary.LittleEndian.Uint64(b[36:])),
	}
	ok := h.data <= maxData && h.key <= maxKey && (h.kind == kindRecord || h.kind == kindIndex && h.key == 0 && h.hash == 0)
	return h, ok
}

// sumOK checks the sum over the head with key and hash.
func sumOK(meta []byte, seed uint32) bool {
	return crc32.Update(seed, castagnoli(), meta[8:]) == binary.LittleEndian.Uint32(meta[4:])
}

// entry is what memory holds of a record.
type entry struct {
	size   uint32 // of the data
	second uint32 // see secondOf
}

// appendIndex appends the frame of an index and its trailer. at is where it will stand.
func appendIndex(b []byte, o origin, entries []entry, at int64) []byte {
	data := make([]byte, 0, len(entries)*indexEntry)
	for _, e := range entries {
		data = binary.LittleEndian.AppendUint32(data, e.size)
		data = binary.LittleEndian.AppendUint32(data, e.second)
	}
	seed := o.seed()
	h := head{kind: kindIndex, data: uint32(len(data)), dataSum: crc32.Checksum(data, castagnoli()), id: o.first + ID(len(entries))}
	b = h.appendMeta(b, seed, "", "")
	b = append(b, data...)
	start := len(b)
	b = binary.LittleEndian.AppendUint64(b, uint64(at))
	b = append(b, trailerMark...)
	return binary.LittleEndian.AppendUint32(b, crc32.Update(seed, castagnoli(), b[start:]))
}

// indexSize is what appendIndex appends for n records.
func indexSize(n int) int64 { return frameHead + int64(n)*indexEntry + trailerSize }

// parseTrailer returns where the index stands.
func parseTrailer(b []byte, seed uint32) (at int64, ok bool) {
	if len(b) != trailerSize || string(b[8:12]) != trailerMark ||
		crc32.Update(seed, castagnoli(), b[:12]) != binary.LittleEndian.Uint32(b[12:]) {
		return 0, false
	}
	at = int64(binary.LittleEndian.Uint64(b))
	return at, at >= headerSize
}

// parseEntries reads the data of an index.
func parseEntries(data []byte) []entry {
	entries := make([]entry, len(data)/indexEntry)
	for i := range entries {
		entries[i].size = binary.LittleEndian.Uint32(data[i*indexEntry:])
		entries[i].second = binary.LittleEndian.Uint32(data[i*indexEntry+4:])
	}
	return entries
}
