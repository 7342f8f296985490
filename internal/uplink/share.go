package uplink

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Class is what kind of data is sent.
type Class int8

const (
	// Live is what was accepted just now.
	Live Class = iota
	// Backlog is what an outage left behind.
	Backlog
)

// Links hands out the links of a process by their names. The zero value is ready for
// use, by several goroutines at once.
type Links struct {
	mu    sync.Mutex
	links map[string]*link
}

// Join returns a share of the link of a group's name; with "" of one that nobody else
// shares. It has no bandwidth of its own and priority 0 until they are set.
func (ls *Links) Join(group string) *Share {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	s := &Share{links: ls, group: group}
	if group == "" {
		s.link = &link{filled: time.Now()}
	} else if s.link = ls.links[group]; s.link == nil {
		if ls.links == nil {
			ls.links = make(map[string]*link)
		}
		s.link = &link{filled: time.Now()}
		ls.links[group] = s.link
	}
	l := s.link
	l.mu.Lock()
	defer l.mu.Unlock()
	l.members = append(l.members, s)
	l.settle(time.Now())
	return s
}

// Share is one user's part of a link. All methods are safe for concurrent use.
//
// Lock order: Links.mu before link.mu. Neither is held across a call but those of notify,
// which must not block.
type Share struct {
	links *Links
	link  *link
	group string
	burst atomic.Int64 // of the link, bytes; 0: without limit
	rate  atomic.Int64 // of the link, bytes a second
	sent  atomic.Int64

	// Under link.mu.
	bandwidth float64 // bytes a second, as set; 0: has no say
	priority  int
	credit    float64 // granted to Begin and not written yet
	begin     *claim  // of Begin, while it waits
	granted   bool    // and was granted since
	waited    time.Duration
}

// Leave gives the share back. Claims that wait are granted: whoever sends still is
// about to end.
func (s *Share) Leave() {
	s.links.mu.Lock()
	defer s.links.mu.Unlock()
	l := s.link
	l.mu.Lock()
	defer l.mu.Unlock()
	l.members = slices.DeleteFunc(l.members, func(m *Share) bool { return m == s })
	for _, c := range slices.Clone(l.queue) {
		if c.share == s {
			l.queue = slices.DeleteFunc(l.queue, func(d *claim) bool { return d == c })
			c.grant()
		}
	}
	s.burst.Store(0)
	s.rate.Store(0)
	if len(l.members) > 0 {
		l.settle(time.Now())
		return
	}
	if l.timer != nil {
		l.timer.Stop()
	}
	if s.group != "" && s.links.links[s.group] == l {
		delete(s.links.links, s.group)
	}
}

// SetBandwidth sets what the link may carry, in bits a second; 0 leaves it to the
// other members. Of several values the least holds. It takes effect at once.
func (s *Share) SetBandwidth(bits uint64) {
	s.change(func() { s.bandwidth = float64(bits) / 8 })
}

// SetPriority sets who goes first when there is not enough for all: the higher one.
func (s *Share) SetPriority(p int) { s.change(func() { s.priority = p }) }

func (s *Share) change(f func()) {
	s.link.mu.Lock()
	defer s.link.mu.Unlock()
	f()
	if slices.Contains(s.link.members, s) {
		s.link.settle(time.Now())
	}
}

// Burst is how many bytes a request should have at most for others not to wait long:
// half a second's worth. 0 is without limit.
func (s *Share) Burst() int { return int(s.burst.Load()) }

// Duration is how long so many bytes take on the link if nobody else sends.
func (s *Share) Duration(bytes int) time.Duration {
	rate := s.rate.Load()
	if rate == 0 {
		return 0
	}
	return time.Duration(float64(bytes) / float64(rate) * float64(time.Second))
}

// Begin asks to send a request of about so many bytes now and reports whether it may
// begin. If not, notify is called once when asking again has a point; it must neither
// block nor call the share. What is granted is kept for the caller until it is written.
func (s *Share) Begin(class Class, bytes int, notify func()) bool {
	if s.rate.Load() == 0 {
		return true
	}
	l := s.link
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if c := s.begin; c != nil {
		c.class, c.bytes = class, min(float64(bytes), l.burst())
		l.serve(now)
	} else if !s.granted && l.rate > 0 {
		waits := false
		c := &claim{share: s, class: class, bytes: min(float64(bytes), l.burst())}
		c.grant = func() {
			s.begin, s.granted = nil, true
			s.credit = min(s.credit+c.bytes, 2*l.burst())
			s.waited += time.Since(c.since)
			if waits {
				notify()
			}
		}
		s.begin = c
		l.claim(c, now)
		waits = true
	}
	if s.begin != nil {
		return false
	}
	s.granted = false
	return true
}

// Take waits until so many bytes may be sent, or until ctx is done, whose cause it
// returns then. What is granted is kept for the caller until it is written.
func (s *Share) Take(ctx context.Context, class Class, bytes int) error {
	if s.rate.Load() == 0 {
		return context.Cause(ctx)
	}
	keep := func() { s.credit += float64(bytes) }
	if !s.wait(ctx.Done(), &claim{share: s, class: class, bytes: float64(bytes)}, keep) {
		return context.Cause(ctx)
	}
	return nil
}

// wait waits until a claim is granted, or done; taken is called with the grant.
func (s *Share) wait(done <-chan struct{}, c *claim, taken func()) bool {
	granted := make(chan struct{})
	c.grant = func() {
		taken()
		s.waited += time.Since(c.since)
		close(granted)
	}
	l := s.link
	l.mu.Lock()
	l.claim(c, time.Now())
	l.mu.Unlock()
	select {
	case <-granted:
		return true
	case <-done:
		l.mu.Lock()
		l.withdraw(c, time.Now())
		l.mu.Unlock()
		return false
	}
}

// Stats are what a share did.
type Stats struct {
	// Sent are the bytes written to its connections.
	Sent int64
	// Waited is how long claims waited, one after another.
	Waited time.Duration
	// Bandwidth is what the link may carry now, in bits a second; 0 is without limit.
	Bandwidth int64
}

// Stats returns what the share did so far.
func (s *Share) Stats() Stats {
	s.link.mu.Lock()
	defer s.link.mu.Unlock()
	return Stats{Sent: s.sent.Load(), Waited: s.waited, Bandwidth: 8 * s.rate.Load()}
}
