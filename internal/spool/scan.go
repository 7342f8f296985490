package spool

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
)

// scanRoom is how much of a segment a scan holds in memory; more than the largest head.
const scanRoom = 64 << 10

// scan walks the frames of a segment and finds the way back to them behind damage. It
// is not safe for concurrent use.
type scan struct {
	src      io.ReaderAt
	seed     uint32
	off, end int64 // where it is, and where frames end
	// next and limit bound the IDs a frame can have: a frame is taken for one only from
	// next up to limit, both rising.
	next, limit ID

	room []byte
	at   int64 // room[:held] is what stands at this offset
	held int
}

// newScan starts behind the header. The limit keeps a broken ID from growing an index beyond
// what the file could hold.
func newScan(src io.ReaderAt, o origin, end int64, room []byte) scan {
	if room == nil {
		room = make([]byte, scanRoom)
	}
	return scan{src: src, seed: o.seed(), off: headerSize, end: end, next: o.first, room: room,
		limit: o.first + ID(end/frameHead) + 1}
}

// peek returns n bytes at an offset, fewer at the end. They are valid until the next call.
func (s *scan) peek(off int64, n int) ([]byte, error) {
	n = int(min(int64(n), s.end-off))
	if n <= 0 {
		return nil, nil
	}
	if off < s.at || off+int64(n) > s.at+int64(s.held) {
		want := min(int64(len(s.room)), s.end-off)
		s.at, s.held = off, 0
		got, err := s.src.ReadAt(s.room[:want], off)
		if got < n && err != nil {
			if !errors.Is(err, io.EOF) {
				return nil, err
			}
			s.end, n = off+int64(got), got // the file is shorter than it was
		}
		s.held = got
	}
	return s.room[off-s.at:][:n], nil
}

// head reads the head at the scan's place and reports whether there is one.
func (s *scan) head() (h head, ok bool, err error) {
	b, err := s.peek(s.off, frameHead)
	if err != nil {
		return head{}, false, err
	}
	if h, ok = parseHead(b); !ok || s.off+h.size() > s.end || h.id < s.next || h.id > s.limit {
		return head{}, false, nil
	}
	b, err = s.peek(s.off, h.metaSize())
	if err != nil {
		return head{}, false, err
	}
	return h, len(b) == h.metaSize() && sumOK(b, s.seed), nil
}

// find goes to the next head, which is where the scan is unless something is damaged, and
// says how many bytes it skipped. io.EOF is the end.
func (s *scan) find() (h head, skipped int64, err error) {
	start := s.off
	for s.off < s.end {
		h, ok, err := s.head()
		if err != nil {
			return head{}, s.off - start, err
		}
		if ok {
			return h, s.off - start, nil
		}
		if err := s.seek(); err != nil {
			return head{}, s.off - start, err
		}
	}
	return head{}, s.off - start, io.EOF
}

// seek goes to the next mark behind the scan's place, or to the end.
func (s *scan) seek() error {
	s.off++
	for s.off+frameHead <= s.end {
		left := int(s.at + int64(s.held) - s.off) // what is in memory already
		if left < frameHead || left > s.held {
			left = len(s.room)
		}
		b, err := s.peek(s.off, left)
		if err != nil {
			return err
		}
		if i := bytes.Index(b, []byte(frameMark)); i >= 0 {
			s.off += int64(i)
			return nil
		}
		s.off += int64(max(1, len(b)-len(frameMark)+1))
	}
	s.off = s.end
	return nil
}

// jump leaves a place that cannot be read behind.
func (s *scan) jump(by int64) { s.off = min(s.end, s.off+by) }

// pass goes behind a frame.
func (s *scan) pass(h head) {
	s.off += h.size()
	s.next = h.id + 1
}

// texts returns key and hash of the frame at the scan's place, valid until the next call.
func (s *scan) texts(h head) (key, hash []byte, err error) {
	b, err := s.peek(s.off, h.metaSize())
	if err != nil || len(b) < h.metaSize() {
		return nil, nil, errors.Join(err, errShort(err))
	}
	return b[frameHead : frameHead+int(h.key)], b[frameHead+int(h.key):], nil
}

func errShort(err error) error {
	if err != nil {
		return nil
	}
	return io.ErrUnexpectedEOF
}

// dataOK checks the data of the frame at the scan's place.
func (s *scan) dataOK(h head) (bool, error) {
	var sum uint32
	off := s.off + int64(h.metaSize())
	for left := int(h.data); left > 0; {
		b, err := s.peek(off, min(left, len(s.room)))
		if err != nil {
			return false, err
		}
		if len(b) == 0 {
			return false, nil
		}
		sum = crc32.Update(sum, castagnoli(), b)
		off += int64(len(b))
		left -= len(b)
	}
	return sum == h.dataSum, nil
}

// read fills dst with the data of the frame at the scan's place and reports whether they are
// whole. What is in memory is not read again.
func (s *scan) read(h head, dst []byte) (bool, error) {
	off, rest := s.off+int64(h.metaSize()), dst
	if off >= s.at && off < s.at+int64(s.held) {
		n := copy(rest, s.room[off-s.at:s.held])
		off, rest = off+int64(n), rest[n:]
	}
	if len(rest) > 0 {
		n, err := s.src.ReadAt(rest, off)
		if n < len(rest) {
			if errors.Is(err, io.EOF) {
				return false, nil
			}
			return false, err
		}
	}
	return crc32.Checksum(dst, castagnoli()) == h.dataSum, nil
}
