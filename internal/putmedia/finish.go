package putmedia

import (
	"context"
	"fmt"
	"time"

	"gst-kinesis/internal/awserr"
)

// Flush ends the fragment under way and waits until every frame accepted so far is stored,
// or given up, and the observer was told.
//
// When drain-timeout is over, what is left is dropped (drain), or stays in the spool, and the
// error wraps ErrDrainTimeout. When ctx is done first, nothing is dropped and its error is
// returned. If the stream fails the error wraps ErrFailed.
func (s *Stream) Flush(ctx context.Context) error {
	s.putting.Lock()
	s.mu.Lock()
	s.closeOpen(true)
	upTo := s.seq
	s.phase.draining++
	s.work.Broadcast()
	s.mu.Unlock()
	s.putting.Unlock()
	s.poke()
	defer context.AfterFunc(ctx, s.stir)()
	late := false
	if d := s.settings.DrainTimeout; d >= 0 {
		t := time.AfterFunc(d, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			late = true
			s.settled.Broadcast()
		})
		defer t.Stop()
	}
	s.mu.Lock()
	defer s.unlockTelling()
	defer func() { s.phase.draining-- }()
	for s.holds(upTo) && ctx.Err() == nil && !late {
		s.settled.Wait()
	}
	switch {
	case s.phase.failure != nil:
		return s.phase.failure
	case !s.holds(upTo):
		s.awaitWord()
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("draining the stream: %w", context.Cause(ctx))
	}
	s.noteLeft(ReasonDrain, "drain-timeout was over before all was stored")
	s.abandon(ReasonDrain)
	s.awaitWord()
	return fmt.Errorf("draining the stream: %w", ErrDrainTimeout)
}

// holds reports whether there are fragments up to a number that are neither stored nor
// given up.
func (s *Stream) holds(upTo uint64) bool {
	if s.phase.failure != nil {
		return false
	}
	return s.gap.exists() || len(s.front) > 0 && s.front[0].born <= upTo || len(s.back) > 0 && s.back[0].born <= upTo
}

// awaitWord waits until the reporter has told of all losses: who hears that the stream has
// ended may listen no longer.
func (s *Stream) awaitWord() {
	s.health.ledger.Hurry()
	s.wakeReporter()
	for s.health.ledger.Hurries() && !s.phase.over {
		s.settled.Wait()
	}
}

// stir lets Flush and Close look again.
func (s *Stream) stir() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settled.Broadcast()
}

// abandon gives up all that is in memory; what is in the spool stays there.
func (s *Stream) abandon(reason string) {
	lists := append(s.front, s.back...)
	s.front, s.back, s.open = nil, nil, nil
	for _, f := range lists {
		s.desert(f, reason)
	}
	if n := s.session; n != nil {
		n.cut = true
		n.cancel(errCut)
	}
	s.work.Broadcast()
	s.settled.Broadcast()
}

// desert gives a fragment up, but for frames that lie in the spool: they are what an earlier
// run left, from here on.
func (s *Stream) desert(f *fragment, reason string) {
	var lost []*Frame
	for _, frame := range f.frames {
		if frame.id == 0 {
			lost = append(lost, frame)
			continue
		}
		s.books.InFlight.sub(frame.count())
		s.books.Spooled.add(frame.count())
		if !s.gap.exists() || frame.id < s.gap.from {
			s.gap.from = frame.id
			s.gap.epoch++
		}
		s.gap.count.add(frame.count())
	}
	s.giveUp(reason, lost)
	s.recycle(f)
}

// Close stops accepting frames, lets what is left be sent within stop-timeout and gives up
// the rest (stop), or leaves it in the spool. When it returns, all goroutines have ended and
// the observer is no longer called. It may be called again; all calls wait for the end.
func (s *Stream) Close() {
	s.mu.Lock()
	first := !s.phase.closing
	s.phase.closing = true
	s.space.Broadcast() // Puts that wait
	s.mu.Unlock()
	if !first {
		<-s.closed
		return
	}
	s.putting.Lock()
	s.mu.Lock()
	s.closeOpen(true)
	s.work.Broadcast()
	s.mu.Unlock()
	s.putting.Unlock()
	s.poke()
	late := false
	t := time.AfterFunc(s.settings.StopTimeout, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.settled.Broadcast()
	})
	s.mu.Lock()
	for s.phase.failure == nil && (s.session != nil || len(s.front)+len(s.back) > 0 || s.gap.exists()) && !late {
		s.settled.Wait()
	}
	s.phase.leaving = true
	t.Stop()
	if len(s.front)+len(s.back) > 0 && s.phase.failure == nil {
		s.noteLeft(ReasonStop, "stop-timeout was over before all was stored")
	}
	s.abandon(ReasonStop)
	s.unlockTelling()
	s.cancel()
	close(s.quit)
	s.running.Wait()
	s.mu.Lock()
	s.phase.over = true
	s.settled.Broadcast()
	s.unlockTelling()
	close(s.closed)
}

// note lets the reporter tell a trouble, with the lock held.
func (s *Stream) note(t Trouble) {
	if s.health.ledger.Note(t, s.now()) {
		s.wakeReporter()
	}
}

// noteDrops tells that frames were dropped, with the lock held.
func (s *Stream) noteDrops(reason string, frames int, _ int64) {
	t := s.troubleOf(dropFault(reason, s.health.latest.Fault), nil, frames)
	t.Reason = reason
	s.note(t)
}

func (s *Stream) noteDrop(reason string, pts int64) { s.noteDrops(reason, 1, pts) }

// noteLeft tells that a time-out left something, with the lock held.
func (s *Stream) noteLeft(reason, message string) {
	f := dropFault(reason, s.health.latest.Fault)
	f.Message = message
	t := s.troubleOf(f, nil, int(s.books.InFlight.Frames))
	t.Reason = reason
	s.note(t)
}

// dropFault says why frames are dropped.
func dropFault(reason string, latest awserr.Fault) awserr.Fault {
	f := awserr.Fault{Class: awserr.RecordFault, Party: awserr.Caller, Code: reason}
	switch reason {
	case ReasonBeforeKey:
		f.Message = "frames came before the first key frame, or after something that they depend on was dropped"
		f.Remedy = "let the encoder make key frames more often, every 2 s"
	case ReasonStorage:
		f.Message = "storage-size was reached, as frames come faster than they are stored"
		f.Party, f.HTTPStatus, f.RequestID = latest.Party, latest.HTTPStatus, latest.RequestID
		f.Remedy = "raise storage-size, or set spool-directory so that an outage is kept on disk"
		if latest.Remedy != "" {
			f.Remedy = latest.Remedy + "; " + f.Remedy
		}
	case ReasonSpoolFull:
		f.Message, f.Remedy = "the spool is full", "raise spool-max-bytes, or give the disk more room"
	case ReasonSpoolDamaged:
		f.Message, f.Remedy = "frames on disk could not be read any more", "see to the disk of spool-directory"
	case ReasonSpoolAge:
		f.Message, f.Remedy = "frames on disk became older than spool-max-age", ""
	case ReasonTimestamp:
		f.Message = "frames are too far in time from those of the other track to stand in one fragment"
		f.Remedy = "see that audio and video have the same clock"
	case ReasonOversize:
		f.Message, f.Remedy = "a frame is larger than a fragment may be (50 MB)", "lower the bitrate"
	default:
		f.Message, f.Remedy = latest.Message, latest.Remedy
	}
	return f
}

// noteOnce tells something worth knowing, the first time.
func (s *Stream) noteOnce(n Notice) {
	s.mu.Lock()
	known := s.noticed[n.Code]
	s.noticed[n.Code] = true
	s.mu.Unlock()
	if !known {
		s.observer.Noticed(n)
	}
}

func (s *Stream) troubleOf(f awserr.Fault, err error, frames int) Trouble {
	return Trouble{Fault: f, Err: err, Count: 1, Records: frames, Stream: s.subject.Stream, Region: s.subject.Region}
}

func (s *Stream) wakeReporter() { s.reporter.Wake() }
