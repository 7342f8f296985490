package spool

import "time"

// Dropped are records that were given up. They are done and do not come back. Records that a caller
// is sending at that moment may be among them; Done then means nothing for them.
type Dropped struct {
	IDs []ID
	// Bytes is the size of their data.
	Bytes int64
}

// DropOldest gives up the oldest records until as many bytes of disk are free, or none is left.
// Space comes free by whole segments. After a *DiskError what it returns has gone
// nevertheless; it gives up no more than one segment that cannot be removed.
func (s *Spool) DropOldest(bytes int64) (Dropped, error) {
	if s.isClosed() {
		return Dropped{}, ErrClosed
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	target := s.disk - bytes
	s.mu.Unlock()
	var d Dropped
	for {
		s.acking.Lock()
		err := s.clearTrash()
		s.acking.Unlock()
		s.mu.Lock()
		over := s.disk > target && len(s.segments) > 0
		var seg *segment
		if over {
			seg = s.segments[0]
		}
		s.mu.Unlock()
		if err != nil || !over {
			return d, err
		}
		if seg == s.active {
			s.seal(false)
		}
		if err := s.dropSegment(seg, &d); err != nil {
			return d, err
		}
	}
}

// dropSegment gives up what is left of a sealed segment.
func (s *Spool) dropSegment(seg *segment, d *Dropped) error {
	s.acking.Lock()
	defer s.acking.Unlock()
	s.mu.Lock()
	ids := make([]ID, 0, seg.live)
	for i := seg.nextLive(0); i < len(seg.entries); i = seg.nextLive(i + 1) {
		ids = append(ids, seg.first+ID(i))
	}
	s.mu.Unlock()
	fresh, bytes, err := s.settle(ids)
	d.IDs = append(d.IDs, fresh...)
	d.Bytes += bytes
	return err
}

// Expire gives up the records that are older than MaxAge, oldest first, and stops at the first
// that is not. Records whose age is not known stay.
func (s *Spool) Expire() (Dropped, error) {
	if s.isClosed() {
		return Dropped{}, ErrClosed
	}
	if s.settings.MaxAge == 0 {
		return Dropped{}, nil
	}
	s.acking.Lock()
	defer s.acking.Unlock()
	var d Dropped
	var err error
	if ids := s.expired(); len(ids) > 0 {
		d.IDs, d.Bytes, err = s.settle(ids)
	}
	return d, err
}

func (s *Spool) expired() []ID {
	limit := secondOf(s.settings.Now().Add(-s.settings.MaxAge).UnixNano())
	var ids []ID
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segments {
		for i := seg.nextLive(0); i < len(seg.entries); i = seg.nextLive(i + 1) {
			second := seg.entries[i].second
			if second >= limit {
				return ids
			}
			if second != 0 {
				ids = append(ids, seg.first+ID(i))
			}
		}
	}
	return ids
}

// oldest returns the age of the first record that is not done, of its segment or where that has
// none of the next. mu is held.
func (s *Spool) oldest() time.Duration {
	for _, seg := range s.segments {
		i := seg.nextLive(0)
		if i == len(seg.entries) {
			continue
		}
		if second := seg.entries[i].second; second != 0 {
			return max(0, s.settings.Now().Sub(timeOf(second)))
		}
	}
	return 0
}
