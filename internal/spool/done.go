package spool

import (
	"cmp"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
)

// maxBad is how many damaged segments are kept for a person.
const maxBad = 4

// Done says that records are delivered, dropped or lie somewhere else for good: they do not
// come back after the end of the process, nor after the loss of power once synced. IDs may come in any
// order; unknown ones and those that are done mean nothing. ids is not kept.
//
// After a *DiskError the records are done, but may come back after a restart; the spool
// makes up for it as soon as the disk lets it.
func (s *Spool) Done(ids []ID) error {
	if s.isClosed() {
		return ErrClosed
	}
	s.acking.Lock()
	defer s.acking.Unlock()
	s.sorted = append(s.sorted[:0], ids...)
	if !slices.IsSorted(s.sorted) {
		slices.Sort(s.sorted)
	}
	_, _, err := s.settle(s.sorted)
	const keep = 64 << 10
	if cap(s.sorted) > keep {
		s.sorted = nil
	}
	return err
}

// settle makes records done, in memory and in acks, and removes segments that are through. ids
// are sorted; fresh are those that were not done, in the same memory. acking is held.
func (s *Spool) settle(ids []ID) (fresh []ID, bytes int64, err error) {
	fresh = ids[:0]
	if s.over {
		return fresh, 0, ErrClosed
	}
	s.mu.Lock()
	before := s.bytes
	for _, id := range ids {
		if seg, i := s.locate(id); seg != nil && s.markDone(seg, i) {
			fresh = append(fresh, id)
		}
	}
	bytes = before - s.bytes
	emptied := s.emptied
	s.mu.Unlock()
	s.coder.reset()
	for i := 0; i < len(fresh); {
		n := 1
		for i+n < len(fresh) && fresh[i+n] == fresh[i]+ID(n) {
			n++
		}
		s.coder.add(fresh[i], n)
		i += n
	}
	s.coder.flush()
	size := s.acks.size
	err = s.acks.append(s.coder.buf)
	s.grow(s.acks.size - size)
	if s.acks.stale || s.acks.isDue() {
		err = s.rewriteAcks(false)
	}
	s.noteAcks()
	if emptied {
		_ = s.sweep() // tried again later
	}
	return fresh, bytes, s.diskError("acknowledging in", err)
}

// noteAcks tells Append whether it may give out IDs. acking is held.
func (s *Spool) noteAcks() { s.acksStale.Store(s.acks.stale) }

// rewriteAcks writes the journal anew from memory. acking is held.
func (s *Spool) rewriteAcks(clean bool) error {
	defer s.noteAcks()
	s.acks.stale = true
	// A removal must be on the disk before its acks are forgotten.
	if err := s.syncDir(); err != nil {
		return err
	}
	size := s.acks.size
	h := acksHead{clean: clean, nonce: s.acks.head.nonce}
	s.coder.reset()
	s.mu.Lock()
	h.next, h.floor = s.next, s.next
	all := slices.Concat(s.trash, s.segments)
	slices.SortFunc(all, func(a, b *segment) int { return cmp.Compare(a.first, b.first) })
	for _, seg := range s.segments {
		if seg.live > 0 {
			h.floor = seg.first + ID(seg.nextLive(0))
			break
		}
	}
	for _, seg := range all {
		seg.runs(func(first ID, n int) {
			if first >= h.floor {
				s.coder.add(first, n)
			}
		})
	}
	s.mu.Unlock()
	s.coder.flush()
	err := s.acks.replace(h, s.coder.buf)
	s.grow(s.acks.size - size)
	const keep = 1 << 20
	if cap(s.coder.buf) > keep {
		s.coder.buf = nil
	}
	return err
}

// sweep takes the segments that are through out of the index and removes their files. acking is
// held.
func (s *Spool) sweep() error {
	s.mu.Lock()
	s.emptied = false
	kept := s.segments[:0]
	for _, seg := range s.segments {
		if seg.sealed && seg.live == 0 {
			s.trash = append(s.trash, seg)
		} else {
			kept = append(kept, seg)
		}
	}
	clear(s.segments[len(kept):])
	s.segments = kept
	s.mu.Unlock()
	return s.clearTrash()
}

// clearTrash removes files, or sets them aside for a person. What fails is tried again later. acking
// is held.
func (s *Spool) clearTrash() error {
	var failed error
	kept := s.trash[:0]
	for _, seg := range s.trash {
		if err := s.clearFile(seg); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = s.diskError("removing a segment of", err)
			kept = append(kept, seg)
			continue
		}
		s.mu.Lock()
		s.dirDirty = true
		s.disk -= seg.disk
		if s.room == nil || cap(s.room.entries) < cap(seg.entries) {
			s.room = &segment{entries: seg.entries, done: seg.done}
		}
		seg.entries, seg.done = nil, nil
		s.mu.Unlock()
	}
	clear(s.trash[len(kept):])
	s.trash = kept
	s.forgetBad(maxBad)
	return failed
}

func (s *Spool) clearFile(seg *segment) error {
	if !seg.damaged {
		return s.fs.Remove(seg.path)
	}
	if err := s.fs.Rename(seg.path, seg.path+badSuffix); err != nil {
		return err
	}
	s.log.Warn("a damaged segment is kept for a look at it; it may be removed", "file", seg.path+badSuffix, "bytes", seg.disk)
	s.bad = append(s.bad, listed{name: filepath.Base(seg.path) + badSuffix, size: seg.disk})
	s.grow(seg.disk)
	return nil
}

// forgetBad removes damaged segments until no more than n are left, or if n is 0 one. It reports
// whether any went. acking is held.
func (s *Spool) forgetBad(n int) bool {
	went := false
	for len(s.bad) > n && (n > 0 || !went) {
		oldest := s.bad[0]
		if err := s.fs.Remove(filepath.Join(s.settings.Directory, oldest.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			_ = s.diskError("removing a damaged segment of", err)
			return went
		}
		s.log.Warn("a damaged segment that was kept for a look at it had to go", "file", oldest.name)
		s.bad = s.bad[1:]
		s.grow(-oldest.size)
		went = true
	}
	return went
}
