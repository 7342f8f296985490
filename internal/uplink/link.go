package uplink

import (
	"slices"
	"sync"
	"time"
)

const (
	// saved is how much of the bandwidth a quiet link keeps for later, in seconds.
	saved = 0.1
	// grant is as much as one claim gets at once, in seconds.
	grant = 0.5
	// leastGrant is what a claim may always get: a small record with its header.
	leastGrant = 16 << 10
	// patience is how long a claim is passed by others that go before it.
	patience = 5 * time.Second
)

// link is what several shares send on. A claim is granted while the level is above 0
// and takes the level as far below as it is large, so nobody has to know what fits.
type link struct {
	mu      sync.Mutex
	members []*Share
	rate    float64 // bytes a second; 0 is without limit
	level   float64 // bytes that may be sent now
	filled  time.Time
	queue   []*claim // those that wait, in the order they came
	timer   *time.Timer
}

// claim is a wish to send some bytes.
type claim struct {
	share *Share
	begun bool // what it belongs to is under way already
	class Class
	bytes float64
	since time.Time
	grant func() // is called with the link's lock held
}

// before reports whether the claim goes before another one that came earlier.
func (c *claim) before(d *claim, now time.Time) bool {
	if c.begun != d.begun {
		return c.begun
	}
	if c.begun || now.Sub(d.since) >= patience {
		return false
	}
	if c.class != d.class {
		return c.class < d.class
	}
	return c.share.priority > d.share.priority
}

// burst is the largest grant in bytes; 0 is without limit.
func (l *link) burst() float64 {
	if l.rate == 0 {
		return 0
	}
	return max(leastGrant, grant*l.rate)
}

// fill brings the level up to now.
func (l *link) fill(now time.Time) {
	l.level = min(saved*l.rate, l.level+now.Sub(l.filled).Seconds()*l.rate)
	l.filled = now
}

// settle takes the least bandwidth of the members that have one.
func (l *link) settle(now time.Time) {
	rate := 0.0
	for _, s := range l.members {
		if r := s.bandwidth; r > 0 && (rate == 0 || r < rate) {
			rate = r
		}
	}
	l.fill(now)
	if l.rate == 0 { // it was quiet as far as anybody knows
		l.level = saved * rate
	}
	l.rate = rate
	for _, s := range l.members {
		s.burst.Store(int64(l.burst()))
		s.rate.Store(int64(rate))
	}
	l.serve(now)
}

// claim asks for bandwidth; the grant may come before it returns.
func (l *link) claim(c *claim, now time.Time) {
	c.since = now
	l.queue = append(l.queue, c)
	l.serve(now)
}

// withdraw takes a claim back that was not granted.
func (l *link) withdraw(c *claim, now time.Time) {
	if i := slices.Index(l.queue, c); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
		l.serve(now)
	}
}

// serve grants what may go now, and comes back when more may.
func (l *link) serve(now time.Time) {
	l.fill(now)
	for len(l.queue) > 0 && (l.rate == 0 || l.level > 0) {
		first := 0
		for i, c := range l.queue {
			if c.before(l.queue[first], now) {
				first = i
			}
		}
		c := l.queue[first]
		l.queue = slices.Delete(l.queue, first, first+1)
		if l.rate > 0 {
			l.level -= c.bytes
		}
		c.grant()
	}
	if len(l.queue) == 0 {
		return
	}
	wait := time.Duration((1-l.level)/l.rate*float64(time.Second)) + time.Microsecond
	if l.timer == nil {
		l.timer = time.AfterFunc(wait, l.look)
	} else {
		l.timer.Reset(wait)
	}
}

func (l *link) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serve(time.Now())
}
