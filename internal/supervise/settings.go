package supervise

import (
	"math/rand/v2"
	"time"
)

// Forever as Settings.RetryFor tries without end.
const Forever time.Duration = -1

// The defaults of Settings.
const (
	DefaultStall     = 5 * time.Second
	DefaultStopLimit = 5 * time.Second
	DefaultBackoff   = 250 * time.Millisecond
	DefaultMaxDelay  = 30 * time.Second
	// leastStart is the least time for a start: a camera may take this long to answer, negotiate, fall back to another transport, and send a key frame.
	leastStart = 15 * time.Second
	// look is how often the source is looked at, at most.
	look = 100 * time.Millisecond
)

// Settings of a Supervisor. The zero value retries never; Default has the usual ones.
type Settings struct {
	// Stall is the silence after which a playing source counts as lost; 0: never.
	Stall time.Duration
	// StartLimit is the silence after which a start counts as failed; 0: three times Stall, at least 15 s.
	StartLimit time.Duration
	// RetryFor bounds how long a source may stay lost; 0: it is given up at once, Forever: no bound.
	RetryFor time.Duration
	// StopLimit bounds how long a Stop or Start of the source is waited for.
	StopLimit time.Duration
	// Backoff is the first pause before a start; it doubles up to MaxDelay. Each is shortened at random to no less than half.
	Backoff, MaxDelay time.Duration

	// Now, Timer and Random are the time and the jitter's source (0 to 1); nil is the system's.
	Now    func() time.Time
	Timer  func(time.Duration) <-chan time.Time
	Random func() float64
}

// Default gives the usual settings: a stall after 5 s, retries for ever.
func Default() Settings {
	return Settings{Stall: DefaultStall, RetryFor: Forever}
}

func (s *Settings) fill() {
	if s.StartLimit <= 0 {
		s.StartLimit = max(leastStart, 3*s.Stall)
	}
	setDefault(&s.StopLimit, DefaultStopLimit)
	setDefault(&s.Backoff, DefaultBackoff)
	setDefault(&s.MaxDelay, DefaultMaxDelay)
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Timer == nil {
		s.Timer = time.After
	}
	if s.Random == nil {
		s.Random = rand.Float64
	}
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d <= 0 {
		*d = value
	}
}

// interval is how often the source is looked at: often enough that a stall is seen in time.
func (s *Settings) interval() time.Duration {
	d := look
	if s.Stall > 0 {
		d = min(d, s.Stall/4)
	}
	return max(d, time.Millisecond)
}

// delay is the pause before try n, counted from 0.
func (s *Settings) delay(n int) time.Duration {
	d := s.MaxDelay
	if n < 30 && s.Backoff<<n < d {
		d = s.Backoff << n
	}
	return d/2 + time.Duration(s.Random()*float64(d/2))
}
