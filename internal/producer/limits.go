package producer

import (
	"time"

	"gst-kinesis/internal/limit"
)

const (
	// gatherTokens is how long a lane lets its shard's tanks fill before it goes
	// on: not a request for each record that fits.
	gatherTokens = 50 * time.Millisecond
	// limitJitter divides the wait: up to so much of it is added, so that those
	// who wait for the same tanks do not all come at once.
	limitJitter = 8
)

// withinLimits takes what a record adds to a request out of its shard's tanks. When
// there is no room the lane waits until there is.
func (p *Producer) withinLimits(l *lane, s step, now instant) bool {
	rate := p.settings.RateLimit
	if l.tanks == nil || rate == limit.Off {
		return true
	}
	at := p.started.Add(now)
	if l.tanks.Take(at, rate, s.units, s.bytes) {
		return true
	}
	first, all := l.tanks.Wait(at, rate, s.units, s.bytes), l.tanks.Wait(at, rate, l.share(), l.bytes)
	wait := max(first, min(all, gatherTokens), leastSleep) // never none at all: the dispatcher would look again and again
	l.until = now + wait + time.Duration(p.random.Int64N(int64(wait)/limitJitter+1))
	return false
}

// throttled takes note that the service refused a record for its shard's limits.
func (p *Producer) throttled(l *lane, now instant) {
	if !l.throttled && l.tanks != nil && p.settings.RateLimit != limit.Off {
		l.tanks.Throttled(p.started.Add(now))
	}
	l.throttled = true
}
