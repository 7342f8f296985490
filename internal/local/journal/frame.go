// Package journal keeps streams on disk: settings in one small file a stream, records in segment files.
//
// Layout of a data directory, all of it readable by its owner only:
//
//	LOCK                      held while a process owns the directory
//	stream-000001/            one a stream
//	    stream.json           settings and shards; replaced as a whole
//	    0000000001.seg        records, oldest file first; appended to
//
// A segment file is the 8 bytes "GKLSEG1\n" and then frames. Integers are little-endian. A frame is
//
//	u32  length of the body, 1 to 16 MiB
//	u32  CRC-32C of the body
//	     body
//
// A body begins with its kind. Kind 'r' is a record:
//
//	u8 'r' · u8 flags (1: encrypted) · u32 shard index · u64 record index · i64 arrival, unix ms · u16 key length · key · data
//
// Kind 'n' stands at the start of a segment and says which record index comes next in each shard, because older segments
// go away with their records but no index may come twice:
//
//	u8 'n' · repeated: u32 shard index · u64 next record index
//
// Kind 'e', one byte, ends the newest segment when the endpoint was closed as it should be.
//
// What survives: after write(2) returned, the death of the process loses nothing; a put is answered only then. The loss
// of power can lose what the kernel had not yet written, unless Options.Sync makes each put wait for fsync(2). A frame
// that is torn at the end of the newest segment is cut off at the next start. When that segment does not end with 'e',
// record indexes leave a gap, so that none is given twice whatever was lost. A broken frame elsewhere ends the reading of
// that segment, with a warning.
//
// A segment is removed when its last record was dropped by retention or by the bound on memory. Records of the oldest
// segment that were dropped while others in it were not come back after a restart, and are dropped again by the same
// rules.
package journal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"gst-kinesis/internal/local/streams"
)

const (
	magic      = "GKLSEG1\n"
	frameHead  = 8
	recordHead = 1 + 1 + 4 + 8 + 8 + 2
	markSize   = 4 + 8
	maxBody    = 16 << 20

	kindRecord = 'r'
	kindNext   = 'n'
	kindEnd    = 'e'

	flagEncrypted = 1
)

var errFrame = errors.New("reading a frame: torn or broken")

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // the table is made once, inside crc32

// appendFrame appends a frame whose body is written by fill.
func appendFrame(buf []byte, fill func([]byte) []byte) []byte {
	start := len(buf)
	buf = append(buf, make([]byte, frameHead)...)
	buf = fill(buf)
	body := buf[start+frameHead:]
	binary.LittleEndian.PutUint32(buf[start:], uint32(len(body)))
	binary.LittleEndian.PutUint32(buf[start+4:], crc32.Checksum(body, castagnoli()))
	return buf
}

// appendRecord appends the frame of a record.
func appendRecord(buf []byte, e streams.Entry) []byte {
	return appendFrame(buf, func(b []byte) []byte {
		r := e.Record
		var flags byte
		if r.Encrypted {
			flags |= flagEncrypted
		}
		b = append(b, kindRecord, flags)
		b = binary.LittleEndian.AppendUint32(b, uint32(e.Shard))
		b = binary.LittleEndian.AppendUint64(b, r.Index)
		b = binary.LittleEndian.AppendUint64(b, uint64(r.Arrival))
		b = binary.LittleEndian.AppendUint16(b, uint16(len(r.Key)))
		b = append(b, r.Key...)
		return append(b, r.Data...)
	})
}

// appendMarks appends the frame that says which index comes next in each shard.
func appendMarks(buf []byte, next map[int]uint64) []byte {
	return appendFrame(buf, func(b []byte) []byte {
		b = append(b, kindNext)
		for shard, index := range next {
			b = binary.LittleEndian.AppendUint32(b, uint32(shard))
			b = binary.LittleEndian.AppendUint64(b, index)
		}
		return b
	})
}

// appendEnd appends the frame that ends a segment.
func appendEnd(buf []byte) []byte {
	return appendFrame(buf, func(b []byte) []byte { return append(b, kindEnd) })
}

// takeFrame returns the body of the first frame in buf and the frame's size.
func takeFrame(buf []byte) (body []byte, size int, err error) {
	if len(buf) < frameHead {
		return nil, 0, errFrame
	}
	n := binary.LittleEndian.Uint32(buf)
	if n == 0 || n > maxBody || int(n) > len(buf)-frameHead {
		return nil, 0, errFrame
	}
	body = buf[frameHead : frameHead+int(n)]
	if crc32.Checksum(body, castagnoli()) != binary.LittleEndian.Uint32(buf[4:]) {
		return nil, 0, errFrame
	}
	return body, frameHead + int(n), nil
}

// scanner receives what is in a segment. Records are copies.
type scanner struct {
	record func(streams.Entry)
	mark   func(shard int, next uint64)
	ended  bool // the last frame was an end
}

// scan reads the frames of a segment, its magic included. It returns how many bytes are good; err is nil when that is all.
func (s *scanner) scan(buf []byte) (good int, err error) {
	if len(buf) < len(magic) || string(buf[:len(magic)]) != magic {
		return 0, errFrame
	}
	for good = len(magic); good < len(buf); {
		body, size, err := takeFrame(buf[good:])
		if err != nil {
			return good, err
		}
		if err := s.frame(body); err != nil {
			return good, err
		}
		good += size
	}
	return good, nil
}

func (s *scanner) frame(body []byte) error {
	s.ended = body[0] == kindEnd
	switch body[0] {
	case kindRecord:
		e, err := parseRecord(body)
		if err == nil {
			s.record(e)
		}
		return err
	case kindNext:
		for rest := body[1:]; len(rest) >= markSize; rest = rest[markSize:] {
			s.mark(int(binary.LittleEndian.Uint32(rest)), binary.LittleEndian.Uint64(rest[4:]))
		}
	case kindEnd:
	default:
		return errFrame
	}
	return nil
}

func parseRecord(body []byte) (streams.Entry, error) {
	if len(body) < recordHead {
		return streams.Entry{}, errFrame
	}
	keyLen := int(binary.LittleEndian.Uint16(body[22:]))
	if len(body)-recordHead < keyLen {
		return streams.Entry{}, errFrame
	}
	data := body[recordHead+keyLen:]
	return streams.Entry{
		Shard: int(binary.LittleEndian.Uint32(body[2:])),
		Record: &streams.Record{
			Index:     binary.LittleEndian.Uint64(body[6:]),
			Arrival:   int64(binary.LittleEndian.Uint64(body[14:])),
			Key:       string(body[recordHead : recordHead+keyLen]),
			Data:      append(make([]byte, 0, len(data)), data...),
			Encrypted: body[1]&flagEncrypted != 0,
		},
	}, nil
}
