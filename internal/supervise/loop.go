package supervise

import (
	"errors"
	"time"
)

// run is the supervisor's goroutine: watch, recover, watch again.
func (s *Supervisor) run() {
	defer close(s.done)
	for {
		l := s.watch()
		if l == nil || !s.again(l) {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stats.State != GivenUp {
		s.stats.State = Ended
	}
}

// watch looks at the source until it is lost; nil when the supervisor is closed.
func (s *Supervisor) watch() *Loss {
	for {
		select {
		case <-s.ctx.Done():
			return nil
		case err := <-s.fail:
			return s.loss(CauseError, err)
		case <-s.set.Timer(s.set.interval()):
			if cause := s.look(); cause != "" {
				return s.loss(cause, nil)
			}
		}
	}
}

// look takes note of data that flows, and says what is wrong; "" where nothing is.
func (s *Supervisor) look() Cause {
	if s.playedAt.IsZero() && s.src.Buffers() > s.base {
		s.flows()
	}
	silence := s.src.Silence()
	switch {
	case s.src.EOS():
		return CauseEOS
	case s.playedAt.IsZero() && (silence > s.set.StartLimit || s.late()):
		return CauseNoData
	case !s.playedAt.IsZero() && s.set.Stall > 0 && silence > s.set.Stall:
		return CauseStall
	}
	return ""
}

// flows notes that data flows, for the first time or again.
func (s *Supervisor) flows() {
	now := s.set.Now()
	s.playedAt = now
	s.tries = 0
	s.mu.Lock()
	s.stats.State = Playing
	back := !s.since.IsZero()
	var down time.Duration
	if back {
		down = now.Sub(s.since)
		s.stats.Downtime += down
		s.stats.Reconnects++
		s.since = time.Time{}
	}
	s.mu.Unlock()
	if back {
		s.obs.Back(down)
	}
}

// loss notes that the source is lost and decides whether, and when, it is started again.
func (s *Supervisor) loss(cause Cause, err error) *Loss {
	now := s.set.Now()
	if s.playedAt.IsZero() && s.src.Buffers() > s.base {
		s.flows() // it played for less than a look
	}
	l := &Loss{Cause: cause, Err: err, Silent: s.src.Silence(), Tries: s.tries}
	if !s.playedAt.IsZero() {
		l.Played = now.Sub(s.playedAt)
		if l.Played >= s.pause {
			s.attempt = 0 // it had recovered; one that comes and goes at once keeps its back-off
		}
	}
	s.playedAt = time.Time{}
	s.mu.Lock()
	if s.since.IsZero() {
		s.since = now
		s.stats.Losses++
	}
	l.Down = now.Sub(s.since)
	s.stats.State = Lost
	s.mu.Unlock()
	l.Next = s.next(l.Down, err)
	return l
}

// next is the pause before the next start; 0 where the source is given up.
func (s *Supervisor) next(down time.Duration, err error) time.Duration {
	left := s.left(down)
	if left <= 0 || s.src.Buffers() == 0 && errors.Is(err, ErrPermanent) {
		return 0
	}
	s.pause = s.set.delay(s.attempt)
	s.attempt++
	return max(min(s.pause, left), 1)
}

// left is what is left of RetryFor.
func (s *Supervisor) left(down time.Duration) time.Duration {
	if s.set.RetryFor < 0 {
		return s.set.MaxDelay
	}
	return s.set.RetryFor - down
}

// again stops the source and starts it after the pause, until a start is under way. False when it is given up or the supervisor closed.
func (s *Supervisor) again(l *Loss) bool {
	for {
		s.obs.Lost(*l)
		if l.Next == 0 {
			s.giveUp(l)
			return false
		}
		err, ok := s.bounded("stopping", s.src.Stop)
		if !ok || !s.sleep(l.Next) {
			return false
		}
		s.forget()
		if err == nil {
			s.base = s.src.Buffers()
			s.count()
			err, ok = s.bounded("starting", s.src.Start)
		}
		if !ok {
			return false
		}
		if err == nil {
			s.setState(Starting)
			return true
		}
		l = s.loss(CauseNotBegun, err)
	}
}

func (s *Supervisor) giveUp(l *Loss) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.State = GivenUp
	s.err = *l
}

func (s *Supervisor) count() {
	s.tries++
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Tries++
}

func (s *Supervisor) setState(st State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.State = st
}

// forget forgets what the source said before it was stopped.
func (s *Supervisor) forget() {
	select {
	case <-s.fail:
	default:
	}
}

// sleep waits; false when the supervisor is closed.
func (s *Supervisor) sleep(d time.Duration) bool {
	select {
	case <-s.ctx.Done():
		return false
	case <-s.set.Timer(d):
		return true
	}
}

// bounded runs f on a goroutine of its own. When f does not come back within StopLimit that is told once, and waited for on; the bound on the time
// lost goes on to hold. ok is false when the supervisor was closed or had to give up meanwhile: then f is left alone.
func (s *Supervisor) bounded(doing string, f func() error) (err error, ok bool) {
	back := make(chan error, 1)
	go func() { back <- f() }()
	select {
	case err := <-back:
		return err, true
	case <-s.ctx.Done():
		return nil, false
	case <-s.set.Timer(s.set.StopLimit):
		s.obs.Stuck(doing)
	}
	for {
		select {
		case err := <-back:
			return err, true
		case <-s.ctx.Done():
			return nil, false
		case <-s.set.Timer(s.set.interval()):
			if s.late() {
				l := s.loss(CauseError, errors.New(doing+" it does not come to an end"))
				l.Next = 0
				s.obs.Lost(*l)
				s.giveUp(l)
				return nil, false
			}
		}
	}
}

// late says that a source that is lost has been so for longer than RetryFor.
func (s *Supervisor) late() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.since.IsZero() && s.left(s.set.Now().Sub(s.since)) <= 0
}
