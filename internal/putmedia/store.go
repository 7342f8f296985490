package putmedia

import (
	"slices"

	"gst-kinesis/internal/spool"
)

// makeRoom keeps memory within its bound, after frames came. With a spool it may go beyond
// that by the fragment that is being sent and the one that comes, which cannot be on disk alone.
func (s *Stream) makeRoom() {
	for s.memory > s.settings.StorageSize {
		switch {
		case s.spool != nil && s.pageOut():
		case s.settings.Outage == Block && s.open != nil && len(s.front)+len(s.back) == 1:
			return // it is the only one: it may be as large as the service takes
		case s.settings.Outage != DropNewest && s.dropOldest():
		case s.cutOpen():
		default:
			return
		}
	}
}

// dropOldest gives up the oldest fragment that nobody is sending, and that is not on disk.
func (s *Stream) dropOldest() bool {
	for _, list := range []*[]*fragment{&s.front, &s.back} {
		for i, f := range *list {
			if f == s.open || s.isBeingSent(f) || s.spool != nil && !f.loose {
				continue
			}
			*list = slices.Delete(*list, i, i+1)
			s.release(f, ReasonStorage)
			return true
		}
	}
	return false
}

// cutOpen gives up the last frame of the fragment under way, and with it what comes up to
// the next key frame; the rest of the fragment stays.
func (s *Stream) cutOpen() bool {
	f := s.open
	if f == nil || len(f.frames) < 2 || s.spool != nil && !f.loose || f.session != nil && f.session.at == f && f.session.next >= len(f.frames) {
		return false
	}
	last := f.frames[len(f.frames)-1]
	f.frames, f.has = f.frames[:len(f.frames)-1], 0
	for _, frame := range f.frames {
		f.has |= f.layout.one(frame.Track)
	}
	f.count.sub(last.count())
	f.memory -= last.memory()
	s.memory -= last.memory()
	s.cutter.needsKey = true // putting is held: this is called by Put
	s.giveUp(ReasonStorage, []*Frame{last})
	s.pool.give(last)
	return true
}

// isBeingSent reports whether the session is in the middle of a fragment, or has sent it
// and waits to hear of it.
func (s *Stream) isBeingSent(f *fragment) bool { return f.session != nil && f.session == s.session }

// giveUp takes frames off the books that are in flight, with the lock held.
func (s *Stream) giveUp(reason string, frames []*Frame) {
	if len(frames) == 0 {
		return
	}
	l := loss{reason: reason, frames: len(frames), pts: frames[0].PTS}
	for _, f := range frames {
		s.books.InFlight.sub(f.count())
		s.books.drop(reason, f.count())
		l.tokens = withToken(l.tokens, f)
		if f.id != 0 {
			s.done = append(s.done, f.id)
		}
	}
	s.leaving = append(s.leaving, l)
	s.noteDrops(reason, l.frames, l.pts)
}

func withToken(tokens []any, f *Frame) []any {
	if f.Token != nil {
		tokens = append(tokens, f.Token)
	}
	return tokens
}

// release gives a fragment up that was taken out of the lists.
func (s *Stream) release(f *fragment, reason string) {
	s.giveUp(reason, f.frames)
	s.recycle(f)
}

// recycle gives a fragment's memory back. A frame that is just being written is left to
// the garbage collector.
func (s *Stream) recycle(f *fragment) {
	s.memory -= f.memory
	if f.session == nil || f.session != s.session || f.session.at != f {
		for _, frame := range f.frames {
			s.pool.give(frame)
		}
	}
	f.frames, f.memory = nil, 0
	s.space.Broadcast()
	s.settled.Broadcast()
	s.work.Broadcast()
}

// remove takes a fragment out of the front.
func (s *Stream) remove(f *fragment) bool {
	i := slices.Index(s.front, f)
	if i < 0 {
		return false
	}
	s.front = slices.Delete(s.front, i, i+1)
	return true
}

// after returns the fragment in memory that follows one of the front; nil if there is none,
// or what follows is on disk.
func (s *Stream) after(seq uint64) *fragment {
	i, _ := slices.BinarySearchFunc(s.front, seq+1, func(f *fragment, seq uint64) int {
		switch {
		case f.seq < seq:
			return -1
		case f.seq > seq:
			return 1
		}
		return 0
	})
	if i < len(s.front) {
		return s.front[i]
	}
	return nil
}

// unlockTelling gives mu back and tells what was given up, and the spool what is done.
func (s *Stream) unlockTelling() {
	losses, stored, done := s.leaving, s.stored, slices.Clone(s.done)
	s.leaving, s.stored = nil, nil
	s.mu.Unlock()
	if len(done) > 0 {
		if err := s.spool.Done(done); err != nil {
			s.noteSpool(err)
		}
		s.mu.Lock()
		s.done = slices.DeleteFunc(s.done, func(id spool.ID) bool { return slices.Contains(done, id) })
		s.mu.Unlock()
	}
	if len(stored) > 0 {
		s.observer.Settled(stored)
	}
	for _, l := range losses {
		s.observer.Dropped(l.reason, l.frames, l.pts, l.tokens)
	}
}

// pageOut frees the memory of fragments that are sent latest, but for the one under way and
// the one that a session goes on with, and leaves them on disk.
func (s *Stream) pageOut() bool {
	if s.gap.exists() {
		if len(s.back) < 2 || s.back[0].loose || !s.back[0].closed {
			return false
		}
		s.leave(s.back[0])
		s.back = slices.Delete(s.back, 0, 1)
		return true
	}
	var next *fragment // it may just have been read
	if s.session != nil && s.session.last != nil {
		next = s.after(s.session.last.seq)
	}
	first, memory := len(s.front), int64(0)
	for i, f := range s.front {
		memory += f.memory
		if i > 0 && f != next && memory > s.settings.StorageSize/2 && !s.isBeingSent(f) && f != s.open {
			first = i
			break
		}
	}
	last := first
	for last < len(s.front) && !s.front[last].loose && s.front[last].closed {
		last++
	}
	if first == last {
		return false
	}
	s.gap.from = s.front[first].first()
	s.gap.epoch++
	for _, f := range s.front[first:last] {
		s.leave(f)
	}
	s.back = append(s.back, s.front[last:]...)
	clear(s.front[first:])
	s.front = s.front[:first]
	return true
}

// leave frees a fragment's memory: it is on disk alone.
func (s *Stream) leave(f *fragment) {
	c := Count{Frames: f.count.Frames, Bytes: f.count.Bytes}
	s.gap.count.add(c)
	s.books.InFlight.sub(c)
	s.books.Spooled.add(c)
	s.recycle(f)
}
