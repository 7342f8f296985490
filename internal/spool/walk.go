package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"
)

// Walk visits the records in a directory that are not done, oldest first, without changing anything
// and without the lock: of a running spool it sees a state that may be a moment old. What is damaged is passed
// over; Inspect tells of it. A record's data is valid during the call. Walk ends with the error
// of visit, of the disk, or of ctx.
func Walk(ctx context.Context, dir string, visit func(ID, Record) error) error {
	fsys := osFS{}
	c, err := look(fsys, dir)
	if err != nil {
		return newDiskError("reading", dir, err)
	}
	acks := (&Report{Directory: dir}).inspectAcks(fsys)
	w := walker{ctx: ctx, fs: fsys, dir: dir, acks: acks, room: make([]byte, scanRoom), visit: visit}
	for _, f := range c.segments {
		if err := w.segment(f); err != nil {
			return err
		}
	}
	return nil
}

type walker struct {
	ctx   context.Context //nolint:containedctx // of one call of Walk
	fs    fileSystem
	dir   string
	acks  ackRuns
	room  []byte
	data  []byte
	next  ID // of the records that are still to come: a segment that repeats ids has none of them
	visit func(ID, Record) error
}

// segment visits the records of a segment.
func (w *walker) segment(f found) error {
	src, size, err := w.fs.Open(filepath.Join(w.dir, f.name()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it went meanwhile
	}
	if err != nil {
		return newDiskError("reading", w.dir, err)
	}
	defer func() { _ = src.Close() }()
	b := make([]byte, headerSize)
	n, _ := src.ReadAt(b, 0)
	if f.checkHeader(b[:n]) == headerNewer {
		return fmt.Errorf("reading the spool in %s: %s was written by a newer version; use that one", w.dir, f.name())
	}
	s := newScan(src, f.origin, size, w.room)
	for {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		h, _, err := s.find()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return newDiskError("reading", w.dir, err)
		}
		if h.kind == kindRecord && h.id >= w.next && !w.acks.has(h.id) {
			if err := w.record(&s, h); err != nil {
				return err
			}
		}
		if h.kind == kindRecord {
			w.next = max(w.next, h.id+1)
		}
		s.pass(h)
	}
}

// record visits the record at a scan's place.
func (w *walker) record(s *scan, h head) error {
	key, hash, err := s.texts(h)
	if err != nil {
		return newDiskError("reading", w.dir, err)
	}
	record := Record{Key: string(key), ExplicitHash: string(hash), PTS: h.pts}
	if h.accepted != 0 {
		record.Accepted = time.Unix(0, h.accepted)
	}
	if cap(w.data) < int(h.data) {
		w.data = make([]byte, h.data)
	}
	record.Data = w.data[:h.data]
	ok, err := s.read(h, record.Data)
	if err != nil {
		return newDiskError("reading", w.dir, err)
	}
	if !ok {
		return nil
	}
	return w.visit(h.id, record)
}
