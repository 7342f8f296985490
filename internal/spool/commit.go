package spool

import (
	"errors"
	"io/fs"
)

// batch is the appends that share a sync. It is guarded by Spool.mu.
type batch struct {
	waiting int
	over    bool
	err     error
}

// commit waits until the batch has been synced. One of those who wait does it for all; who
// appends meanwhile is in the next batch.
func (s *Spool) commit(b *batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !b.over {
		if s.leading {
			s.turned.Wait()
			continue
		}
		s.leading = true
		s.mu.Unlock()
		s.lead()
		s.mu.Lock()
		s.leading = false
		s.turned.Broadcast()
	}
	err := b.err
	if b.waiting--; b.waiting == 0 {
		s.spare = b
	}
	return err
}

// lead syncs the active segment and settles the batch that was open. Nobody else leads.
func (s *Spool) lead() {
	s.writing.Lock()
	seg := s.active
	if seg == nil {
		s.writing.Unlock() // it was sealed meanwhile, which settled the batch
		return
	}
	s.mu.Lock()
	b, n, size := s.turnBatch(), len(seg.entries), seg.size
	seg.syncing = true
	s.mu.Unlock()
	s.writing.Unlock()

	err := s.diskError("syncing", seg.file.Sync())

	s.mu.Lock()
	seg.syncing, seg.failed = false, err
	if err == nil {
		seg.synced, seg.durable = n, size
		s.count.syncs++
	}
	s.turned.Broadcast()
	s.mu.Unlock()
	if err != nil {
		s.writing.Lock()
		if s.active == seg {
			s.abandon(err)
		}
		s.writing.Unlock()
	}
	s.mu.Lock() // only now: who is told that it failed finds it gone
	b.over, b.err = true, err
	s.turned.Broadcast()
	s.mu.Unlock()
}

// turnBatch begins the next batch and returns the one that was open. mu is held.
func (s *Spool) turnBatch() *batch {
	b := s.batch
	if s.spare != nil {
		s.batch, s.spare = s.spare, nil
		*s.batch = batch{}
	} else {
		s.batch = &batch{}
	}
	return b
}

// settleBatch tells those who wait. mu is held.
func (s *Spool) settleBatch(err error) {
	b := s.turnBatch()
	b.over, b.err = true, err
	s.turned.Broadcast()
}

func (s *Spool) hasFailed(seg *segment) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return seg.failed != nil
}

// seal ends the active segment. The next append begins another. Without live records its
// file goes; otherwise it gets an index, unless the caller knows better. writing is held.
func (s *Spool) seal(index bool) {
	seg := s.active
	s.mu.Lock()
	for seg.syncing {
		s.turned.Wait()
	}
	failed, live := seg.failed, seg.live
	s.mu.Unlock()
	if failed == nil && live > 0 && s.settings.Sync != SyncNone {
		if failed = s.diskError("syncing", seg.file.Sync()); failed == nil {
			s.mu.Lock()
			s.count.syncs++
			seg.durable = seg.size
			s.mu.Unlock()
		}
	}
	if failed != nil {
		s.abandon(failed)
		return
	}
	disk := seg.size
	if index && live > 0 {
		disk = s.writeIndex(seg)
	}
	s.finish(seg, disk, nil)
}

// writeIndex writes the index behind the records and returns what the file takes then. A failure
// costs the next Open time and nothing else.
func (s *Spool) writeIndex(seg *segment) int64 {
	b := appendIndex(nil, seg.origin, seg.entries, seg.size)
	if _, err := seg.file.WriteAt(b, seg.size); err != nil {
		_ = s.diskError("indexing", err)
		if seg.file.Truncate(seg.size) == nil {
			return seg.size
		}
	}
	return seg.size + int64(len(b))
}

// abandon ends the active segment after a failed sync: what the kernel holds of it since the last
// one may be gone although a second sync succeeds. With SyncAlways nobody was told of those
// records, and they are taken back. Otherwise they stay: they can be read for as long as the
// machine runs. writing is held.
func (s *Spool) abandon(failed error) {
	seg := s.active
	size := seg.size
	if s.settings.Sync == SyncAlways {
		s.mu.Lock()
		first, n := seg.first+ID(seg.synced), len(seg.entries)-seg.synced
		live, bytes := seg.cut(seg.synced)
		s.records -= int64(live)
		s.bytes -= bytes
		seg.size = seg.durable
		s.mu.Unlock()
		if err := seg.file.Truncate(seg.durable); err == nil {
			size = seg.durable
		} else if n > 0 {
			s.disown(first, n)
		}
	}
	s.finish(seg, size, failed)
}

// finish closes the active segment's file and settles its batch. writing is held.
func (s *Spool) finish(seg *segment, disk int64, failed error) {
	if err := seg.file.Close(); err != nil {
		_ = s.diskError("closing a segment of", err)
	}
	s.active = nil
	s.mu.Lock()
	s.disk += disk - seg.disk
	seg.disk = disk
	seg.file, seg.sealed, seg.failed = nil, true, failed
	if seg.live == 0 {
		s.emptied = true
	} else {
		seg.trim()
	}
	s.settleBatch(failed)
	emptied := s.emptied
	s.mu.Unlock()
	if emptied {
		s.acking.Lock()
		_ = s.sweep() // tried again later
		s.acking.Unlock()
	}
}

// Sync makes everything that was appended or done so far survive the loss of power, whatever the
// policy.
func (s *Spool) Sync() error {
	if s.isClosed() {
		return ErrClosed
	}
	return errors.Join(s.syncActive(), s.syncSealed(), s.syncAcks())
}

// syncSealed syncs segments that were ended without: those of SyncNone, and those that Open found
// and could not sync.
func (s *Spool) syncSealed() error {
	var due []*segment
	s.mu.Lock()
	for _, seg := range s.segments {
		if seg.sealed && seg.durable < seg.size && seg.failed == nil {
			due = append(due, seg)
		}
	}
	s.mu.Unlock()
	var errs []error
	for _, seg := range due {
		if err := s.syncFile(seg.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, s.diskError("syncing", err))
			continue
		}
		s.mu.Lock()
		seg.durable = seg.size
		s.mu.Unlock()
	}
	return errors.Join(errs...)
}

func (s *Spool) syncFile(path string) error {
	f, err := s.fs.Edit(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncActive syncs the active segment if it holds anything new.
func (s *Spool) syncActive() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.leading {
		s.turned.Wait()
	}
	n := len(s.segments)
	if n == 0 || s.segments[n-1].sealed || s.segments[n-1].durable == s.segments[n-1].size {
		return nil
	}
	b := s.batch
	b.waiting++
	s.leading = true
	s.mu.Unlock()
	s.lead()
	s.mu.Lock()
	s.leading = false
	s.turned.Broadcast()
	if b.waiting--; b.waiting == 0 && b.over {
		s.spare = b
	}
	if !b.over {
		return nil // it was sealed meanwhile
	}
	return b.err
}

// syncAcks syncs the journal and the directory. Done does not wait for it.
func (s *Spool) syncAcks() error {
	err := s.syncDir()
	s.acking.Lock()
	f := s.acks.takeUnsynced()
	s.acking.Unlock()
	var failed error
	if f != nil {
		failed = f.Sync()
	}
	s.acking.Lock()
	defer s.acking.Unlock()
	if s.over {
		return ErrClosed
	}
	if failed != nil && s.acks.f == f { // otherwise it was written anew meanwhile, and synced
		s.acks.stale = true
		err = errors.Join(err, failed)
	}
	if s.acks.stale {
		err = errors.Join(err, s.rewriteAcks(false))
	}
	s.noteAcks()
	return s.diskError("syncing", err)
}

// syncDir makes the coming and going of files survive the loss of power.
func (s *Spool) syncDir() error {
	s.mu.Lock()
	dirty := s.dirDirty
	s.dirDirty = false
	s.mu.Unlock()
	if !dirty {
		return nil
	}
	if err := s.fs.SyncDir(s.settings.Directory); err != nil {
		s.mu.Lock()
		s.dirDirty = true
		s.mu.Unlock()
		return err
	}
	return nil
}
