package spool

import (
	"fmt"
	"hash/crc32"
	"path/filepath"
)

// smallData is up to where a record is copied to be written with its head in one call; a larger
// one takes a second call instead.
const smallData = 32 << 10

// Append stores a record and returns its ID. When it returns, the record survives the end of
// the process, and with SyncAlways the loss of power. An error means that it was not stored:
// ErrFull and ErrClosed and ErrTooLarge as errors.Is finds them, or *DiskError.
//
// It blocks for the write, and with SyncAlways for a sync that it shares with the other
// appends of that moment.
func (s *Spool) Append(r Record) (ID, error) {
	h := head{
		data: uint32(min(len(r.Data), maxData+1)), key: uint16(min(len(r.Key), maxKey+1)), hash: uint8(min(len(r.ExplicitHash), maxHash)),
		kind: kindRecord, pts: r.PTS, accepted: r.Accepted.UnixNano(),
	}
	if r.Accepted.IsZero() {
		h.accepted = 0
	}
	if len(r.Data) > maxData || len(r.Key) > maxKey || len(r.ExplicitHash) > maxHash || headerSize+h.size()+indexSize(1)+acksHeader > s.settings.MaxBytes {
		return 0, fmt.Errorf("appending to the spool in %s: %w: %d bytes with a key of %d; raise spool-max-bytes or send smaller records",
			s.settings.Directory, ErrTooLarge, len(r.Data), len(r.Key))
	}
	h.dataSum = crc32.Checksum(r.Data, castagnoli())
	s.writing.Lock()
	id, b, err := s.write(h, &r)
	s.writing.Unlock()
	if err == nil && b != nil {
		err = s.commit(b)
	}
	if err != nil {
		return 0, err
	}
	return id, nil
}

// write puts the record into the active segment. With SyncAlways it also returns the batch whose
// sync is to be waited for. writing is held.
func (s *Spool) write(h head, r *Record) (ID, *batch, error) {
	if s.isClosed() {
		return 0, nil, ErrClosed
	}
	if err := s.prepare(h.size()); err != nil {
		return 0, nil, err
	}
	seg := s.active
	s.mu.Lock()
	h.id = s.next
	s.mu.Unlock()
	if err := s.put(seg, h, r); err != nil {
		s.takeBack(seg, h.id)
		return 0, nil, s.diskError("appending to", err)
	}
	s.lastUse = s.settings.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	seg.add(entry{size: h.data, second: secondOf(h.accepted)})
	seg.size += h.size()
	seg.disk = seg.size
	s.disk += h.size()
	s.records++
	s.bytes += int64(h.data)
	if s.settings.Sync != SyncAlways {
		return h.id, nil, nil
	}
	s.batch.waiting++
	return h.id, s.batch, nil
}

// put writes the frame behind the others.
func (s *Spool) put(seg *segment, h head, r *Record) error {
	s.scratch = h.appendMeta(s.scratch[:0], seg.sum, r.Key, r.ExplicitHash)
	if len(r.Data) <= smallData {
		s.scratch = append(s.scratch, r.Data...)
		_, err := seg.file.WriteAt(s.scratch, seg.size)
		return err
	}
	if _, err := seg.file.WriteAt(s.scratch, seg.size); err != nil {
		return err
	}
	_, err := seg.file.WriteAt(r.Data, seg.size+int64(len(s.scratch)))
	return err
}

// takeBack removes what a failed write left. If it cannot be removed the ID is used up, said to
// be done, and the segment ended: nothing is ever written behind garbage.
func (s *Spool) takeBack(seg *segment, id ID) {
	if seg.file.Truncate(seg.size) == nil {
		return
	}
	s.mu.Lock()
	s.next++
	s.mu.Unlock()
	s.disown(id, 1)
	s.seal(false)
}

// disown says in acks that IDs are done which no segment holds.
func (s *Spool) disown(first ID, n int) {
	s.acking.Lock()
	defer s.acking.Unlock()
	s.coder.reset()
	s.coder.add(first, n)
	s.coder.flush()
	_ = s.acks.append(s.coder.buf) // if even this fails the record may come back: at least once
	s.noteAcks()
}

// prepare makes sure that there is an active segment with room for a frame.
func (s *Spool) prepare(frame int64) error {
	if s.acksStale.Load() {
		// IDs are given out only when acks says from where on.
		s.acking.Lock()
		err := s.rewriteAcks(false)
		s.acking.Unlock()
		if err != nil {
			return s.diskError("appending to", err)
		}
	}
	if seg := s.active; seg != nil && (s.hasFailed(seg) || len(seg.entries) > 0 && seg.size+frame > s.settings.SegmentBytes) {
		s.seal(true)
	}
	if err := s.makeRoom(frame); err != nil {
		return err
	}
	if s.active != nil {
		return nil
	}
	return s.diskError("appending to", s.create())
}

// makeRoom checks the size bound. What no record needs goes first.
func (s *Spool) makeRoom(frame int64) error {
	for {
		n := 0
		need := frame
		if s.active != nil {
			n = len(s.active.entries)
		} else {
			need += headerSize
		}
		s.mu.Lock()
		over := s.disk+need+indexSize(n+1) > s.settings.MaxBytes
		idle := s.active != nil && s.active.live == 0 && n > 0
		s.mu.Unlock()
		switch {
		case !over:
			return nil
		case idle:
			s.seal(false)
		case !s.dropBad():
			return s.errFull
		}
	}
}

// dropBad removes the oldest of the segments kept for a person: live records outrank it.
func (s *Spool) dropBad() bool {
	s.acking.Lock()
	defer s.acking.Unlock()
	return s.forgetBad(0)
}

// create begins a segment. writing is held.
func (s *Spool) create() error {
	s.mu.Lock()
	o := origin{first: s.next, nonce: nonce()}
	old := s.room
	s.room = nil
	s.mu.Unlock()
	seg := &segment{origin: o, path: filepath.Join(s.settings.Directory, o.name()), sum: o.seed(), size: headerSize, disk: headerSize, durable: headerSize}
	if old != nil {
		seg.entries, seg.done = old.entries[:0], old.done[:0]
	}
	f, err := s.fs.Create(seg.path)
	if err != nil {
		return err
	}
	s.scratch = o.appendHeader(s.scratch[:0], s.settings.Now().UnixNano())
	if _, err = f.WriteAt(s.scratch, 0); err == nil && s.settings.Sync == SyncAlways {
		err = s.fs.SyncDir(s.settings.Directory)
	}
	s.mu.Lock()
	s.dirDirty = true
	s.mu.Unlock()
	if err != nil {
		_ = f.Close()
		if s.fs.Remove(seg.path) != nil {
			s.discard(seg)
		}
		return err
	}
	seg.file = f
	s.active = seg
	s.mu.Lock()
	defer s.mu.Unlock()
	s.segments = append(s.segments, seg)
	s.disk += seg.disk
	return nil
}

// discard leaves a file without records to the upkeep, which removes it later.
func (s *Spool) discard(seg *segment) {
	s.grow(seg.disk)
	s.acking.Lock()
	defer s.acking.Unlock()
	s.trash = append(s.trash, seg)
}
