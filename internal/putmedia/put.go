package putmedia

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/spool"
)

// Reserve returns a frame whose Data has the given length, to be filled and put.
func (s *Stream) Reserve(size int) *Frame { return s.pool.take(size) }

// Release gives a frame back that is not put.
func (s *Stream) Release(f *Frame) { s.pool.give(f) }

// Put takes a frame from Reserve, in any case: it must not be touched afterwards. Frames
// of all tracks come in the order they are to be sent in.
//
// A nil error means that the frame is accounted for in the books, whether it waits now or
// was dropped at once. Only with Outage Block does Put wait, until there is room or ctx is
// done. An error means that the frame was refused: ctx's own, ErrClosed, ErrTrack, or one
// that wraps ErrFailed and the Trouble.
func (s *Stream) Put(ctx context.Context, f *Frame) error {
	s.putting.Lock()
	defer s.putting.Unlock()
	c := &s.cutter
	if c.layout == nil || !c.layout.has(f.Track) {
		err := fmt.Errorf("putting a frame of track %d: %w", f.Track, ErrTrack)
		s.refuse(f)
		return err
	}
	open, refusal, err := s.enter(ctx, f)
	if err != nil {
		s.refuse(f)
		return err
	}
	v := c.decide(&s.settings, open, f)
	if v.reason == "" && s.isFull(f) {
		v.reason = ReasonStorage
	}
	switch {
	case v.reason == ReasonBeforeKey && refusal != 0: // the rest of a fragment that the service refused
		s.skipRest(refusal, f)
		return nil
	case v.reason != "":
		s.turnAway(f, v.reason)
		return nil
	}
	g := open
	if v.begins {
		g = c.begin(f)
	} else {
		c.place(f)
	}
	c.needsKey, c.lastPTS = false, f.PTS
	if s.spool != nil && !s.write(ctx, g, f, v.begins) {
		return nil
	}
	s.noticeCut(v.forced, c.moved)
	s.insert(g, f, v.begins)
	if v.begins && open != nil {
		s.noticeQuiet(open.layout)
	}
	return nil
}

// enter waits for room where that is asked for, and returns the fragment that is open, or
// the error id for which the last one was refused while it was.
func (s *Stream) enter(ctx context.Context, f *Frame) (*fragment, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settings.Outage == Block && s.spool == nil && !s.hasRoom(f) {
		defer context.AfterFunc(ctx, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.space.Broadcast()
		})()
		for !s.hasRoom(f) && !s.phase.closing && s.phase.failure == nil && ctx.Err() == nil {
			s.space.Wait()
		}
	}
	switch {
	case s.phase.failure != nil:
		return nil, 0, s.phase.failure
	case s.phase.closing:
		return nil, 0, ErrClosed
	case ctx.Err() != nil:
		return nil, 0, fmt.Errorf("waiting for room: %w", context.Cause(ctx))
	}
	return s.open, s.refusal, nil
}

// isFull reports whether a frame is to be turned away for want of memory.
func (s *Stream) isFull(f *Frame) bool {
	if s.settings.Outage != DropNewest || s.spool != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory+f.memory() > s.settings.StorageSize
}

// hasRoom reports whether a frame fits without anything being given up for it.
func (s *Stream) hasRoom(f *Frame) bool {
	return s.memory+f.memory() <= s.settings.StorageSize || len(s.front)+len(s.back) <= 1
}

// refuse takes back a frame that is not accepted.
func (s *Stream) refuse(f *Frame) {
	s.mu.Lock()
	s.books.Refused.add(f.count())
	s.mu.Unlock()
	s.pool.give(f)
}

// turnAway drops a frame that comes. What depends on it is dropped too, up to a key frame.
func (s *Stream) turnAway(f *Frame, reason string) {
	c := &s.cutter
	if f.Track == c.layout.video && !f.Discardable {
		c.needsKey = true
	}
	s.mu.Lock()
	s.books.Accepted.add(f.count())
	s.books.drop(reason, f.count())
	s.noteDrop(reason, f.PTS)
	s.mu.Unlock()
	var tokens []any
	if f.Token != nil {
		tokens = append(tokens, f.Token)
	}
	pts := f.PTS
	s.pool.give(f)
	s.observer.Dropped(reason, 1, pts, tokens)
}

// write puts a frame into the spool. Where the spool is full the oldest in it goes, or the
// frame does, which is reported as false; where the disk fails the frame is in memory alone.
func (s *Stream) write(ctx context.Context, g *fragment, f *Frame, begins bool) bool {
	var h []byte
	if begins {
		h = g.head()
	}
	record := spool.Record{PTS: uint64(max(f.PTS, 0)), Accepted: time.Now(), Data: f.spooled(h)} //nolint:gosec // not negative
	for {
		id, err := s.spool.Append(record)
		if err == nil {
			f.id = id
			return true
		}
		if !errors.Is(err, spool.ErrFull) {
			s.noteSpool(err)
			return true
		}
		switch s.settings.Outage {
		case DropOldest:
			if s.dropSpooled(int64(len(record.Data))) {
				continue
			}
		case Block:
			if s.awaitSpool(ctx) {
				continue
			}
		case DropNewest:
		}
		s.turnAway(f, ReasonSpoolFull)
		return false
	}
}

// awaitSpool waits until something was stored; false if that has no point any more.
func (s *Stream) awaitSpool(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.space.Broadcast()
	})()
	if s.phase.closing || s.phase.failure != nil || ctx.Err() != nil {
		return false
	}
	s.space.Wait()
	return !s.phase.closing && s.phase.failure == nil && ctx.Err() == nil
}

// insert takes a frame into its fragment and makes room for it.
func (s *Stream) insert(g *fragment, f *Frame, begins bool) {
	s.mu.Lock()
	now := s.now()
	f.accepted, s.lastPut = now, now
	if s.phase.since < 0 {
		s.phase.since = now
	}
	s.books.Accepted.add(f.count())
	s.books.InFlight.add(f.count())
	if s.phase.failure != nil { // meanwhile
		s.giveUp(s.phase.failure.trouble.Code, []*Frame{f})
		s.unlockTelling()
		return
	}
	if !begins && s.open != g { // it was refused meanwhile
		s.books.InFlight.sub(f.count())
		s.books.Accepted.sub(f.count())
		s.mu.Unlock()
		s.skipRest(g.refusal, f)
		return
	}
	if begins {
		s.refusal = 0
		s.closeOpen(false)
		s.append(g)
		s.open = g
	}
	g.add(f)
	s.memory += f.memory()
	s.makeRoom()
	switch n := s.session; {
	case n != nil && n.canPump():
		n.pump()
		return
	case n == nil:
		s.poke()
	}
	s.work.Broadcast()
	s.unlockTelling()
}

// skipRest skips a frame of a fragment that the service has refused.
func (s *Stream) skipRest(id int, f *Frame) {
	s.cutter.needsKey = true
	s.mu.Lock()
	s.books.Accepted.add(f.count())
	s.books.skip(id, f.count())
	s.leaving = append(s.leaving, loss{reason: strconv.Itoa(id), frames: 1, pts: f.PTS, tokens: withToken(nil, f)})
	if f.id != 0 {
		s.done = append(s.done, f.id)
	}
	s.pool.give(f)
	s.unlockTelling()
}

// closeOpen closes the fragment under way, with putting held; ended says that nothing
// follows it soon.
func (s *Stream) closeOpen(ended bool) {
	if s.open == nil {
		return
	}
	s.open.closed, s.open.ended = true, ended
	s.cutter.fell = s.cutter.quiet.learn(s.open)
	s.open = nil
}

// append puts a new fragment behind all others.
func (s *Stream) append(g *fragment) {
	s.seq++
	g.seq, g.born = s.seq, s.seq
	if s.gap.exists() {
		s.back = append(s.back, g)
	} else {
		s.front = append(s.front, g)
	}
}

// noticeCut says what a person should know of how fragments are made.
func (s *Stream) noticeCut(forced, moved bool) {
	if moved {
		s.noteOnce(noticeMoved())
	}
	if forced {
		s.noteOnce(noticeForced())
	}
}

func noticeMoved() Notice {
	return Notice{Code: "time-moved", Text: "frames came later than their time: they are given the time of the fragment that they come in; " +
		"let the queues before the sink be of equal length"}
}

func noticeForced() Notice {
	return Notice{Code: "fragment-cut", Text: "a group of pictures is longer than a fragment may be (20 s, 50 MB), so that it was cut where " +
		"there is no key frame: players cannot begin there; let the encoder make a key frame every 2 s"}
}

// noteSpool tells that the disk failed.
func (s *Stream) noteSpool(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(s.troubleOf(awserr.Fault{
		Class: awserr.RecordFault, Party: awserr.Caller, Code: "Spool", Message: fmt.Sprint(err),
		Remedy: "see that the spool-directory can be written to and has room; meanwhile frames are kept in memory alone",
	}, err, 1))
}
