package limit

import (
	"sync"
	"time"

	"gst-kinesis/internal/shard"
)

// The closed loop: like TCP's, a throttle takes away a part and quiet gives back a
// little at a time, so that several writers of a shard come to equal parts.
const (
	// lowerTo is what a throttle leaves of the rate.
	lowerTo = 0.8
	// leastFactor is as low as throttles bring it.
	leastFactor = 0.05
	// raise is what quiet adds to the rate, as a part of the whole, in a second.
	raise = 0.05
	// lowerInterval is how long throttles count as one: they concern requests
	// that were under way together.
	lowerInterval = 250 * time.Millisecond
)

// tank holds what may be sent now. It refills at rate a second up to its size.
type tank struct{ level, size, rate float64 }

func (t *tank) fill(seconds, factor float64) {
	t.level = min(t.size, t.level+seconds*factor*t.rate)
}

// wait is the time in seconds until there is enough, or until the tank is full,
// which is enough for anything.
func (t *tank) wait(need, factor float64) float64 {
	return max(0, min(need, t.size)-t.level) / (t.rate * factor)
}

// Shard is the limiter of one shard.
type Shard struct {
	mu        sync.Mutex
	records   tank
	bytes     tank
	filled    time.Time
	factor    float64 // of the shard's limits, by the closed loop: at most 1
	lowered   time.Time
	throttles int64
}

func newShard(now time.Time) *Shard {
	full := func(size, rate float64) tank { return tank{level: size, size: size, rate: rate} }
	return &Shard{
		records: full(shard.WriteRecordsPerSecond, shard.WriteRecordsPerSecond),
		bytes:   full(shard.WriteBurstBytes, shard.WriteBytesPerSecond),
		filled:  now,
		factor:  1,
	}
}

// fill brings the tanks and the rate up to now. Clocks of several producers may
// differ by a little: an earlier time than the last changes nothing.
func (s *Shard) fill(now time.Time) {
	d := now.Sub(s.filled)
	if d <= 0 {
		return
	}
	s.filled = now
	if quiet := now.Sub(s.lowered); s.factor < 1 && quiet > lowerInterval {
		s.factor = min(1, s.factor+raise*min(d, quiet-lowerInterval).Seconds())
	}
	s.records.fill(d.Seconds(), s.factor)
	s.bytes.fill(d.Seconds(), s.factor)
}

// Take takes some records of so many bytes together, data and partition keys, if there
// is room for them now; 0 records for bytes that join one. With Off there always is.
func (s *Shard) Take(now time.Time, r Rate, records, bytes int) bool {
	if r == Off {
		return true
	}
	w := r.weight()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fill(now)
	n := w * float64(records)
	if s.records.wait(n, 1) > 0 || s.bytes.wait(w*float64(bytes), 1) > 0 {
		return false
	}
	s.records.level -= n
	s.bytes.level -= w * float64(bytes)
	return true
}

// Wait returns how long it takes until there is room for some records of so many
// bytes together, if nobody else takes it; more than fit at all count as those.
func (s *Shard) Wait(now time.Time, r Rate, records, bytes int) time.Duration {
	if r == Off {
		return 0
	}
	w := r.weight()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fill(now)
	seconds := max(s.records.wait(w*float64(records), s.factor), s.bytes.wait(w*float64(bytes), s.factor))
	return time.Duration(seconds * float64(time.Second))
}

// Throttled takes note that the service refused records for the shard's limits: its
// tanks are empty, and others fill theirs from them too.
func (s *Shard) Throttled(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fill(now)
	s.throttles++
	s.records.level = min(s.records.level, 0)
	s.bytes.level = min(s.bytes.level, 0)
	if now.Sub(s.lowered) >= lowerInterval {
		s.lowered = now
		s.factor = max(leastFactor, s.factor*lowerTo)
	}
}

// State is how a shard's limiter stands.
type State struct {
	// Factor is the part of the shard's limits in use, 0 to 1.
	Factor float64
	// Throttles counts the throttled answers.
	Throttles int64
}

// State returns how the limiter stands.
func (s *Shard) State(now time.Time) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fill(now)
	return State{Factor: s.factor, Throttles: s.throttles}
}
