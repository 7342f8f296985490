package spool

import (
	"errors"
	"io"
	"io/fs"
	"sort"
	"time"
)

const (
	// readTries is how often a place that cannot be read is tried before it counts as damaged.
	readTries = 3
	// textsKept bounds the keys that a Reader remembers, so that they are allocated once.
	textsKept = 1024
)

// Reader walks the records that are not done in the order of their IDs. It holds one file open and
// 64 KiB. It is not safe for concurrent use; several Readers are independent, and none
// keeps others from appending.
type Reader struct {
	s    *Spool
	next ID
	room []byte

	seg   *segment // whose file is open
	file  file
	scan  scan
	view  view
	tries int
	texts map[string]string
}

// Reader starts at an ID; 0 is the oldest record.
func (s *Spool) Reader(from ID) *Reader {
	return &Reader{s: s, next: from, room: make([]byte, scanRoom), texts: map[string]string{}}
}

// Next returns the next record that was not done at the call. Its data are read into what alloc
// returns for their size, or new memory if alloc is nil.
//
// io.EOF says that there is none now: a later call goes on behind the last. *LossError
// says that records were lost, *DiskError that the disk failed; the next call goes on, or tries
// again. With SyncAlways records appear once they are synced.
func (r *Reader) Next(alloc func(n int) []byte) (Record, ID, error) {
	for {
		id, err := r.aim()
		if err != nil {
			return Record{}, 0, err
		}
		record, found, err := r.fetch(id, alloc)
		switch {
		case err != nil:
			return Record{}, 0, err
		case found:
			r.next, r.tries = id+1, 0
			return record, id, nil
		}
	}
}

// Close gives the file back. The Reader may be used again.
func (r *Reader) Close() {
	if r.file != nil {
		_ = r.file.Close()
		r.file, r.seg = nil, nil
	}
}

// aim finds the next record in the index and opens its segment's file.
func (r *Reader) aim() (ID, error) {
	for {
		seg, v := r.s.look(r.next)
		if seg == nil {
			if r.s.isClosed() {
				return 0, ErrClosed
			}
			return 0, io.EOF
		}
		if seg != r.seg || v.id < r.scan.next {
			r.Close()
			f, _, err := r.s.fs.Open(seg.path)
			if errors.Is(err, fs.ErrNotExist) && r.s.isGone(seg, v.id) {
				continue // done meanwhile
			}
			if err != nil {
				return 0, r.fail(err, seg, v)
			}
			r.seg, r.file = seg, f
			r.scan = newScan(f, seg.origin, v.size, r.room)
		}
		r.view, r.scan.end = v, v.size
		r.scan.limit = v.limit
		return v.id, nil
	}
}

// fail counts a failure to read. A place that fails for good is left behind.
func (r *Reader) fail(err error, seg *segment, v view) error {
	err = r.s.diskError("reading", err)
	if r.tries++; r.tries < readTries {
		return err
	}
	r.tries = 0
	if r.file == nil {
		return r.s.lose(seg, v.id, v.limit)
	}
	for jump := int64(firstJump); ; jump *= 2 {
		r.scan.jump(jump)
		switch h, _, findErr := r.scan.find(); {
		case errors.Is(findErr, io.EOF):
			return r.s.lose(seg, v.id, v.limit)
		case findErr != nil:
			continue
		case h.id > v.id:
			return r.s.lose(seg, v.id, h.id)
		default:
			return err // only what is done stood there
		}
	}
}

// fetch goes to a record in the open file and reads it. Nothing found and no error says that it
// has become done.
func (r *Reader) fetch(id ID, alloc func(n int) []byte) (Record, bool, error) {
	for {
		h, _, err := r.scan.find()
		switch {
		case errors.Is(err, io.EOF):
			return Record{}, false, r.s.lose(r.seg, id, r.view.limit)
		case err != nil:
			return Record{}, false, r.fail(err, r.seg, r.view)
		case h.id < id:
			r.scan.pass(h)
			continue
		case h.id > id || h.kind != kindRecord:
			return Record{}, false, r.s.lose(r.seg, id, max(h.id, id+1))
		}
		return r.read(h, alloc)
	}
}

// read reads the record at the scan's place.
func (r *Reader) read(h head, alloc func(n int) []byte) (Record, bool, error) {
	key, hash, err := r.scan.texts(h)
	if err != nil {
		return Record{}, false, r.fail(err, r.seg, r.view)
	}
	record := Record{Key: r.text(key), ExplicitHash: r.text(hash), PTS: h.pts}
	if h.accepted != 0 {
		record.Accepted = time.Unix(0, h.accepted)
	}
	if alloc != nil {
		record.Data = alloc(int(h.data))[:h.data]
	} else {
		record.Data = make([]byte, h.data)
	}
	ok, err := r.scan.read(h, record.Data)
	if err != nil {
		return Record{}, false, r.fail(err, r.seg, r.view)
	}
	r.scan.pass(h)
	if !ok {
		return Record{}, false, r.s.lose(r.seg, h.id, h.id+1)
	}
	return record, true, nil
}

// text returns bytes as a string that is allocated once for all records that have it.
func (r *Reader) text(b []byte) string {
	if t, known := r.texts[string(b)]; known {
		return t
	}
	if len(r.texts) >= textsKept {
		clear(r.texts)
	}
	t := string(b)
	r.texts[t] = t
	return t
}

// lose gives up the records from first up to limit that cannot be read. It returns nil if all of
// them have become done by other ways.
func (s *Spool) lose(seg *segment, first, limit ID) error {
	s.acking.Lock()
	defer s.acking.Unlock()
	s.mu.Lock()
	var ids []ID
	if first >= seg.first {
		for i := seg.nextLive(int(first - seg.first)); i < len(seg.entries) && seg.first+ID(i) < limit; i = seg.nextLive(i + 1) {
			ids = append(ids, seg.first+ID(i))
		}
	}
	was := seg.damaged
	seg.damaged = was || len(ids) > 0
	s.mu.Unlock()
	fresh, bytes, _ := s.settle(ids) // the disk's trouble is counted and made up for
	if len(fresh) == 0 {
		return nil
	}
	s.mu.Lock()
	s.count.lost += int64(len(fresh))
	s.count.corrupt += bytes
	s.mu.Unlock()
	e := &LossError{Directory: s.settings.Directory, First: fresh[0], Last: fresh[len(fresh)-1], Records: len(fresh), Bytes: bytes}
	if !was { // the caller hears of each, a person once
		s.log.Warn("a segment is damaged: what cannot be read is lost and the file then kept for a look at it", "file", seg.path)
	}
	return e
}

// view is a record to be read and what of its segment may be read with it.
type view struct {
	id    ID
	limit ID    // IDs below lie
	size  int64 // within this size
}

// look finds the first record from an ID on that is not done and may be seen. nil says that there
// is none.
func (s *Spool) look(from ID) (*segment, view) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, view{}
	}
	at := sort.Search(len(s.segments), func(i int) bool { return s.segments[i].end() > from })
	for _, seg := range s.segments[at:] {
		i := seg.nextLive(int(max(from, seg.first) - seg.first))
		n := seg.visible(s.settings.Sync)
		if i >= n {
			continue
		}
		v := view{id: seg.first + ID(i), limit: seg.first + ID(n), size: seg.size}
		if !seg.sealed && s.settings.Sync == SyncAlways {
			v.size = seg.durable
		}
		return seg, v
	}
	return nil, view{}
}

// isGone reports whether a record is done.
func (s *Spool) isGone(seg *segment, id ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return seg.live == 0 || len(seg.entries) > 0 && seg.isDone(int(id-seg.first))
}
