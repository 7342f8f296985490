package spool

import (
	"errors"
	"time"
)

// idleAfter is when an active segment without live records goes, so that a quiet spool takes no
// room. Sooner would make a file for each record of a slow stream.
const idleAfter = 10 * time.Second

// keep runs from Open to Close.
func (s *Spool) keep(ticks <-chan time.Time) {
	defer close(s.ended)
	for {
		select {
		case <-s.quit:
			return
		case <-ticks:
			s.tend()
		}
	}
}

// tend does what is due from time to time: it syncs, tries again what failed, and removes what
// nobody needs. Its trouble is logged when it begins and when it is over.
func (s *Spool) tend() {
	s.dropIdle()
	s.acking.Lock()
	err := s.clearTrash()
	s.acking.Unlock()
	if s.settings.Sync != SyncNone {
		err = errors.Join(err, s.Sync())
	} else if s.acksStale.Load() {
		s.acking.Lock()
		err = errors.Join(err, s.diskError("acknowledging in", s.rewriteAcks(false)))
		s.acking.Unlock()
	}
	s.mu.Lock()
	was := s.trouble
	s.trouble = err != nil
	s.mu.Unlock()
	switch {
	case err != nil && !was:
		s.log.Warn("the spool's disk makes trouble; it is tried again", "error", err)
	case err == nil && was:
		s.log.Info("the spool's disk works again", "directory", s.settings.Directory)
	}
}

// dropIdle ends the active segment when nothing in it is needed.
func (s *Spool) dropIdle() {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.active == nil || s.settings.Now().Sub(s.lastUse) < idleAfter {
		return
	}
	s.mu.Lock()
	idle := s.active.live == 0
	s.mu.Unlock()
	if idle {
		s.seal(false)
	}
}

// Close syncs and gives the directory up. What is not done comes back with the next Open. Calls
// that are under way end first, later ones return ErrClosed.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.closed = true
	s.mu.Unlock()
	close(s.quit)
	<-s.ended
	err := s.syncSealed()
	s.writing.Lock()
	if s.active != nil {
		err = errors.Join(err, s.sealLast())
	}
	s.writing.Unlock()
	s.acking.Lock()
	defer s.acking.Unlock()
	s.over = true
	_ = s.clearTrash() // what stays goes with the next Open
	err = errors.Join(err, s.diskError("closing", s.rewriteAcks(true)))
	s.acks.close()
	return errors.Join(err, s.diskError("closing", s.lock.Close()))
}

// sealLast ends the active segment with a sync under any policy.
func (s *Spool) sealLast() error {
	seg := s.active
	s.seal(true)
	s.mu.Lock()
	failed, due := seg.failed, seg.live > 0 && seg.durable < seg.size
	s.mu.Unlock()
	if failed != nil || !due {
		return failed
	}
	return s.diskError("closing", s.syncFile(seg.path))
}
