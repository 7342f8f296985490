package putmedia

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gst-kinesis/internal/awserr"
)

// lookInterval is how often an open session is looked after.
const lookInterval = time.Second

// supervise is the supervisor: it finds the stream at once, so that what is wrong is known
// before there is a frame, and then runs one session after another while there is something
// to send.
func (s *Stream) supervise() {
	var place Place
	known := false
	last := time.Duration(-sessionInterval)
	for {
		if !known {
			found, err := s.locate()
			if err != nil {
				if !s.suffer(err) {
					return
				}
				continue
			}
			place, known = found, true
		}
		f := s.awaitWork()
		if f == nil {
			return
		}
		s.rest(last + sessionInterval - s.now())
		last = s.now()
		err := s.perform(place, f)
		if err == nil {
			continue
		}
		known = !relocates(err)
		if !s.suffer(err) {
			return
		}
	}
}

// sessionInterval is how far apart sessions begin at least: the service takes 5 a second.
const sessionInterval = 250 * time.Millisecond

// cutInterval is how long after a connection was cut the next is opened: the service takes one at a time, and has to see that
// it is gone.
const cutInterval = 50 * time.Millisecond

// rest waits, or until the stream ends.
func (s *Stream) rest(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.quit:
	}
}

// locate finds the stream, and tells when nobody answers.
func (s *Stream) locate() (Place, error) {
	bound, done := context.WithTimeout(s.base, s.settings.CompletionTimeout)
	defer done()
	ctx, cancel := context.WithCancelCause(bound)
	defer cancel(nil)
	t := time.AfterFunc(silence, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.noteSilence("finding the stream")
	})
	defer t.Stop()
	s.running.Go(func() { s.boundStart(ctx, cancel) })
	place, err := s.client.Locate(ctx)
	if err != nil && errors.Is(context.Cause(ctx), errNoStart) {
		err = fmt.Errorf("finding the stream: %w", errNoStart)
	}
	return place, err //nolint:wrapcheck // it says what it is about
}

// errNoStart is that start-timeout is over.
var errNoStart = fmt.Errorf("nothing was acknowledged within start-timeout: %w", context.DeadlineExceeded)

// boundStart ends what is waited for when start-timeout is over; it returns when that has ended.
func (s *Stream) boundStart(ctx context.Context, end context.CancelCauseFunc) {
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		s.mu.Lock()
		over := s.isStartOver(s.now())
		s.mu.Unlock()
		if over {
			end(errNoStart)
		}
	}
}

// silence is how long nobody answers before that is a trouble.
const silence = 2 * time.Second

func (s *Stream) noteSilence(doing string) {
	f := awserr.Classify(context.DeadlineExceeded, s.subject)
	f.Message = fmt.Sprintf("no answer for %v to %s", silence, doing)
	t := s.troubleOf(f, nil, 0)
	s.health.latest = t
	s.note(t)
}

// relocates reports whether an error is a reason to ask again where media go to.
func relocates(err error) bool {
	var refused *AckError
	return !errors.As(err, &refused)
}

// poke wakes the supervisor.
func (s *Stream) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// awaitWork waits until there is something to send, and returns the fragment that comes
// first; nil when the stream ends.
func (s *Stream) awaitWork() *fragment {
	var l loader
	defer func() { l.close(s) }()
	for {
		s.mu.Lock()
		var f *fragment
		if len(s.front) > 0 {
			f = s.front[0]
		}
		over := s.phase.failure != nil || s.phase.leaving || s.phase.closing && f == nil && !s.gap.exists()
		load := f == nil && s.gap.exists() && !over
		s.mu.Unlock()
		switch {
		case over:
			return nil
		case f != nil:
			return f
		case load && s.load(&l):
			continue
		}
		if !s.sleep(lookInterval, load) {
			return nil
		}
	}
}

// sleep waits until somebody pokes, and at most so long if timed; false when the stream ends.
func (s *Stream) sleep(d time.Duration, timed bool) bool {
	var after <-chan time.Time
	if timed {
		t := time.NewTimer(d)
		defer t.Stop()
		after = t.C
	}
	select {
	case <-s.wake:
		return true
	case <-after:
		return true
	case <-s.quit:
		return false
	}
}

// perform runs one session and looks after it.
func (s *Stream) perform(place Place, f *fragment) error {
	n, err := s.newSession(f)
	if err != nil {
		return err
	}
	n.keepsNothing = place.Retention == 0
	s.mu.Lock()
	s.session = n
	s.tally.sessions++
	n.number = int(s.tally.sessions)
	s.mu.Unlock()
	ended := make(chan error, 1)
	s.running.Go(func() { ended <- n.run(place) })
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for err = errPending; errors.Is(err, errPending); {
		select {
		case err = <-ended:
		case <-ticker.C:
			s.look(n)
		case <-s.wake: // Flush or Close
			s.look(n)
		}
	}
	n.cancel(errCut)
	var refused *AckError
	switch {
	case errors.Is(err, errTracks):
		err = nil
		s.rest(cutInterval)
	case errors.As(err, &refused) && s.refused(n, refused):
		err = &skipped{refused}
	}
	s.leaveSession(n, place, err)
	return err
}

var errPending = errors.New("the session goes on")

// skipped is a refusal over which a fragment was skipped.
type skipped struct{ *AckError }

// Unwrap returns the refusal.
func (e *skipped) Unwrap() error { return e.AckError }

// leaveSession forgets a session that has ended.
func (s *Stream) leaveSession(n *session, place Place, err error) {
	s.mu.Lock()
	n.cut = true
	s.work.Broadcast()
	for n.writing { // it ends soon: its connection is closed
		s.work.Wait()
	}
	s.session = nil
	for _, f := range s.front {
		if f.session == n {
			f.forget()
			f.backlog = f.backlog || err != nil
			s.tally.resent++
		}
	}
	c := Connection{
		Number: n.number, Endpoint: place.Endpoint, RequestID: n.requestID, Lasted: s.now() - n.opened, Fragments: n.fragments, Bytes: n.bytes,
		Reason: n.leave,
	}
	answered := n.answered
	s.work.Broadcast()
	s.settled.Broadcast()
	s.mu.Unlock()
	n.loader.close(s)
	if err != nil {
		c.Reason = err.Error()
	}
	if answered {
		s.observer.Disconnected(c)
	}
}

// look looks after an open session: whether it is stale, late or old, and whether the
// fragment under way is to be ended.
func (s *Stream) look(n *session) {
	s.endSilent()
	s.tidy()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if err := n.stale(now); err != nil {
		n.cancel(err)
	}
	if !n.answered && !n.silent && now-n.opened >= silence {
		n.silent = true
		s.noteSilence("PutMedia")
	}
	switch {
	case n.finished && now >= n.leaveBy:
		n.cancel(errCut)
	case n.leave != "":
	case s.isStartOver(now):
		n.cancel(errStale)
	case now-n.opened >= s.settings.SessionDuration:
		n.leaveFor("it is as old as session-duration")
	case n.expires != 0 && now >= n.expires-expiryMargin && now-n.opened > lookInterval:
		n.leaveFor("its credentials end")
	}
	s.work.Broadcast() // for leaveBy
}

// expiryMargin is how long before its credentials end a session is ended: a fragment's
// length and the time to store it.
const expiryMargin = 45 * time.Second

// Errors for which a session is opened anew.
var (
	errStale = errors.New("the service does not acknowledge what it was sent")
	errLate  = errors.New("what waits to be sent is older than max-latency")
)

// stale says why a session is to be opened anew.
func (n *session) stale(now time.Duration) error {
	s := n.s
	for _, f := range s.front {
		if f.session != n || !s.settings.Acks {
			continue
		}
		since := max(f.begun, n.ackedAt)
		if f.sent {
			since = max(since, f.sentAt)
		}
		if (f.sent || n.ackedAt < f.begun) && now-since >= s.settings.Staleness {
			return fmt.Errorf("%w: nothing for %v", errStale, (now - since).Round(time.Second))
		}
	}
	if n.moved || now-n.opened < s.settings.MaxLatency {
		return nil
	}
	if f := n.at; f != nil && !f.backlog && n.next < len(f.frames) && now-f.frames[n.next].accepted >= s.settings.MaxLatency {
		n.moved = true
		return errLate
	}
	return nil
}

// endSilent ends the fragment under way when nothing comes any more, so that it is stored.
func (s *Stream) endSilent() {
	if !s.putting.TryLock() {
		return // something comes
	}
	defer s.putting.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != nil && s.now()-s.lastPut >= s.settings.Silence {
		s.closeOpen(true)
		s.work.Broadcast()
	}
}
