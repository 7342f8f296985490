package putmedia

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// run performs the session: it opens it and reads acknowledgements until it ends. The error
// says why; nil means in good order.
func (n *session) run(place Place) error {
	s := n.s
	b := &body{n: n}
	out, err := s.client.PutMedia(n.ctx, place, Input{Timecodes: s.settings.Timecodes, Start: n.start, Acks: s.settings.Acks, Body: b})
	if err != nil {
		if cause := n.cause(); cause != nil {
			err = cause
		}
		return err //nolint:wrapcheck // it says what it is about
	}
	defer out.Acks.Close()
	s.mu.Lock()
	n.answered, n.requestID, n.ackedAt = true, out.RequestID, s.now()
	if !out.Expires.IsZero() {
		n.expires = s.now() + time.Until(out.Expires)
	}
	s.mu.Unlock()
	s.observer.Connected(Connection{Number: n.number, Endpoint: place.Endpoint, RequestID: out.RequestID})
	acks := newAcks(out.Acks)
	for {
		a, err := acks.next()
		switch {
		case errors.Is(err, io.EOF):
			return n.ended()
		case err != nil:
			return n.broken(err)
		}
		if err := s.acknowledge(n, a); err != nil {
			if cause := n.cause(); errors.Is(cause, errTracks) { // it may be about what was cut
				return cause
			}
			return err
		}
	}
}

// cause is why the session was ended from here; nil if it was not.
func (n *session) cause() error {
	if n.ctx.Err() == nil {
		return nil
	}
	if cause := context.Cause(n.ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// broken is what an answer means that could not be read to its end.
func (n *session) broken(err error) error {
	n.s.mu.Lock()
	finished := n.finished
	n.s.mu.Unlock()
	if finished {
		return nil // all was said
	}
	if cause := n.cause(); cause != nil {
		err = cause
	}
	return fmt.Errorf("reading the session's answer: %w", err)
}

// errServiceEnded is an answer that ended before the body did.
var errServiceEnded = errors.New("the service ended the session")

// ended is what the end of the answer means.
func (n *session) ended() error {
	s := n.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.finished || !n.busy() && n.stored > 0 {
		return nil
	}
	return errServiceEnded
}

// busy reports whether the session has something to send, or waits to hear of it.
func (n *session) busy() bool {
	return n.at != nil && (n.next < len(n.at.frames) || !n.at.closed) || n.s.settings.Acks && n.owes()
}

// acknowledge takes note of an acknowledgement. The error is an AckError.
func (s *Stream) acknowledge(n *session, a Ack) error {
	s.mu.Lock()
	now := s.now()
	n.ackedAt = now
	if a.Type == Idle {
		s.mu.Unlock()
		return nil
	}
	if f := s.fragmentOf(n, a); f != nil {
		a.Latency, a.ProducerTime = now-f.begun, f.timecode
	}
	s.mu.Unlock()
	s.observer.Acked(a) // before what comes of it: the last one is heard of before Flush returns
	s.mu.Lock()
	f := s.fragmentOf(n, a)
	switch a.Type {
	case Buffering:
		s.tally.buffering++
		s.prove(now)
	case Received:
		s.tally.received++
		if f != nil {
			f.received = true
		}
		s.prove(now)
		if f != nil && n.keepsNothing && f.sent {
			s.persist(f)
		}
	case Persisted:
		s.tally.persisted++
		s.prove(now)
		if f != nil && f.sent {
			s.tally.latency = a.Latency
			s.persist(f)
		}
	case Failed:
		s.tally.errors++
	}
	s.unlockTelling()
	if a.Type == Failed {
		return &AckError{Ack: a}
	}
	return nil
}

// fragmentOf finds the fragment that an acknowledgement is about. One of an error without a
// timecode is about the first that the service has not received.
func (s *Stream) fragmentOf(n *session, a Ack) *fragment {
	for _, f := range s.front {
		if f.session != n {
			continue
		}
		if a.HasTimecode && n.timecode(f) == a.Timecode || !a.HasTimecode && a.Type == Failed && !f.received {
			return f
		}
	}
	return nil
}

// prove takes note that the service takes what is sent.
func (s *Stream) prove(now time.Duration) {
	s.health.proven = true
	s.health.lasting, s.health.chances = -1, 0
	s.health.ledger.Answered(now)
	if s.health.ledger.HasTold() {
		s.wakeReporter()
	}
}

// persist takes a fragment off the books that the service has stored.
func (s *Stream) persist(f *fragment) {
	if !s.remove(f) {
		return
	}
	f.session.stored++
	s.health.failures = 0
	s.books.InFlight.sub(f.count)
	s.books.Persisted.add(f.count)
	s.books.FragmentsPersisted++
	s.done = append(s.done, f.ids()...)
	for _, frame := range f.frames {
		s.stored = withToken(s.stored, frame)
	}
	s.recycle(f)
}

// refused does what a refusal asks for: it skips the fragment, or counts the try. It reports
// whether the fragment was skipped.
func (s *Stream) refused(n *session, e *AckError) bool {
	s.mu.Lock()
	defer s.unlockTelling()
	f := s.fragmentOf(n, e.Ack)
	if f == nil {
		return false
	}
	f.attempts++
	switch e.response() {
	case bear:
		return false
	case resend:
		if f.attempts < MaxAttempts {
			return false
		}
	case again:
		if f.objected != e.ErrorID {
			f.objected = e.ErrorID
			return false
		}
	case skip:
	}
	s.remove(f)
	if f == s.open { // what still comes of it goes the same way
		s.open, s.refusal = nil, e.ErrorID
	}
	f.refusal = e.ErrorID
	l := loss{reason: fmt.Sprint(e.ErrorID), frames: len(f.frames), pts: f.frames[0].PTS}
	for _, frame := range f.frames {
		l.tokens = withToken(l.tokens, frame)
	}
	s.leaving = append(s.leaving, l)
	s.books.InFlight.sub(f.count)
	s.books.skip(e.ErrorID, f.count)
	s.books.FragmentsSkipped++
	s.done = append(s.done, f.ids()...)
	s.recycle(f)
	return true
}
