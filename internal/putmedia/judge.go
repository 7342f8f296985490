package putmedia

import (
	"errors"
	"time"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/trouble"
)

// suffer takes note of an error and waits before the next try; false when the stream ends.
func (s *Stream) suffer(err error) bool {
	wait, again := s.judge(err)
	if !again {
		return false
	}
	due := time.Now().Add(s.hasten(wait))
	t := time.NewTimer(time.Until(due))
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return true
		case <-s.wake: // Close and Flush look whether there is a point in waiting, and wait for less
			if s.isPointless() {
				return false
			}
			if soon := time.Now().Add(s.hasten(wait)); soon.Before(due) {
				due = soon
				t.Reset(time.Until(due))
			}
		case <-s.quit:
			return false
		}
	}
}

// endWait is the longest wait between two tries while the stream drains: what comes back shortly before that has to end is still met.
const endWait = 500 * time.Millisecond

// hasten is how long to wait in place of a wait that was found for a stream that goes on.
func (s *Stream) hasten(wait time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.health.latest.Class != awserr.Transient || s.phase.draining == 0 && !s.phase.closing {
		return wait
	}
	return min(wait, endWait/2+time.Duration(s.random.Int64N(int64(endWait/2))))
}

// judge says how long to wait after an error, or that the stream cannot go on.
func (s *Stream) judge(err error) (wait time.Duration, again bool) {
	fault := s.classify(err)
	s.mu.Lock()
	defer s.unlockTelling()
	h, now := &s.health, s.now()
	if s.phase.failure != nil || s.base.Err() != nil {
		return 0, false
	}
	h.failures++
	s.tally.failures++
	t := s.troubleOf(fault, err, 0)
	h.latest = t
	backoff := trouble.BackoffFor(fault.Class)
	if fault.Class == awserr.Expired { // each time: whoever rotates them may be late
		s.client.RefreshCredentials()
	}
	switch {
	case fault.Class == awserr.RecordFault: // a fragment was skipped
		h.failures = 1
		s.note(t)
	case fault.Class.Lasting() && fault.Class != awserr.Permanent && h.chances < secondChances:
		h.chances++
	case fault.Class.Lasting() && h.proven && (s.phase.closing || s.phase.draining > 0):
		s.note(t)
		s.phase.leaving = s.phase.closing
		s.abandon(t.Code)
	case fault.Class.Lasting():
		if h.lasting < 0 {
			h.lasting = now
		}
		if !h.proven || now-h.lasting >= s.settings.PermanentGrace {
			s.fail(t, t.Code)
			return 0, false
		}
		s.note(t)
	default:
		s.note(t)
	}
	if s.isStartOver(now) {
		t.Reason = ReasonStartTimeout
		s.fail(t, ReasonStartTimeout)
		return 0, false
	}
	return s.withinStart(backoff.Wait(h.failures, s.random)), true
}

// withinStart shortens a wait so that the next try comes when start-timeout is over.
func (s *Stream) withinStart(wait time.Duration) time.Duration {
	limit := s.settings.StartTimeout
	if limit == 0 || s.health.proven {
		return wait
	}
	if s.phase.since >= 0 {
		limit = max(limit-(s.now()-s.phase.since), 0)
	}
	return min(wait, limit)
}

// secondChances is how often expired credentials and a skewed clock may be met in a row
// before they are believed.
const secondChances = 2

func (s *Stream) isStartOver(now time.Duration) bool {
	limit := s.settings.StartTimeout
	return limit > 0 && !s.health.proven && s.phase.since >= 0 && now-s.phase.since >= limit
}

// isPointless reports whether there is nothing to send any more.
func (s *Stream) isPointless() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase.closing && len(s.front) == 0 && !s.gap.exists()
}

// classify classifies what ended a session, or kept the stream from being found.
func (s *Stream) classify(err error) awserr.Fault {
	var refused *AckError
	if errors.As(err, &refused) {
		f := refused.fault()
		var skip *skipped
		if errors.As(err, &skip) && f.Class != awserr.RecordFault { // it was tried often enough
			f.Class, f.Party = awserr.RecordFault, awserr.Record
		}
		return f
	}
	for _, own := range []error{errStale, errLate, errServiceEnded, errAcks} {
		if errors.Is(err, own) {
			return awserr.Fault{Class: awserr.Transient, Party: awserr.Service, Code: awserr.CodeCut, Message: err.Error()}
		}
	}
	return awserr.Classify(err, s.subject)
}

// fail ends the stream for good: what is in memory is dropped for the reason, or stays in the spool.
func (s *Stream) fail(t Trouble, reason string) {
	if s.phase.failure != nil {
		return
	}
	t.Count = max(t.Count, 1)
	s.phase.failure = &failedError{trouble: t}
	s.abandon(reason)
	s.space.Broadcast()
	s.settled.Broadcast()
	s.work.Broadcast()
	s.wakeReporter()
}
