package producer

import (
	"cmp"
	"slices"
	"time"
)

const (
	// trimInterval is how long memory may lie idle.
	trimInterval = 10 * time.Second
	// leastSleep keeps the dispatcher from spinning.
	leastSleep = 50 * time.Microsecond
)

// dispatch forms requests whenever there are enough records, or the oldest has
// lingered, and somebody may send them.
func (p *Producer) dispatch() {
	timer := p.clock.AfterFunc(trimInterval, p.poke)
	defer timer.Stop()
	trim := trimInterval
	for {
		var dead list
		p.mu.Lock()
		p.poked = false
		now := p.now()
		p.expire(now, &dead)
		p.watch(now, &dead)
		formed := p.formAll(now)
		wakeAt := p.nextLook(now)
		dead.append(&p.husks)
		if dead.n > 0 {
			p.telling++
		}
		p.mu.Unlock()

		for _, q := range formed { // never blocks: there is room for max-in-flight
			p.work <- q
		}
		if dead.n > 0 {
			p.bury(&dead)
		}
		if now >= trim {
			p.trim()
			trim = now + trimInterval
		}
		timer.Reset(max(min(wakeAt, trim)-now, leastSleep))
		select {
		case <-p.wake:
		case <-p.quit:
			return
		}
	}
}

// formAll forms all requests that are due.
func (p *Producer) formAll(now instant) []*request {
	formed := p.formed[:0]
	p.turn.queued = false
	for p.isDue(now) && p.hasTurn() {
		if q := p.form(now); len(q.records) > 0 {
			p.turn.have = false
			formed = append(formed, q)
		} else { // the shards' limits are reached; their lanes wait now
			p.flying.end(q)
		}
	}
	p.formed = formed
	return formed
}

// trim frees memory that lay idle.
func (p *Producer) trim() {
	p.pool.trim()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flying.trim()
}

// poke wakes the dispatcher.
func (p *Producer) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// wantsDispatch reports whether a record that came into a lane is a reason to
// wake the dispatcher, and remembers that it is being woken.
func (p *Producer) wantsDispatch(l *lane) bool {
	if p.poked || l.held > 0 || len(p.flying.requests) >= p.pace.flight {
		return false
	}
	p.poked = l.waiting.n == 1 || p.hurries() ||
		p.isEnough(p.waiting, p.bytes)
	return p.poked
}

// hurries reports whether records are not to wait for company.
func (p *Producer) hurries() bool {
	return p.settings.Linger == 0 || p.phase.draining > 0 || p.phase.closing
}

// mayFly reports whether one more request may be sent. While the service fails
// requests as a whole there is one at a time, after the back-off.
func (p *Producer) mayFly(now instant) bool {
	if p.phase.failure != nil || p.waiting == 0 {
		return false
	}
	if p.health.outage.failures > 0 {
		return len(p.flying.requests) == 0 && now >= p.health.outage.until
	}
	return len(p.flying.requests) < p.pace.flight
}

// isDue reports whether a request should be formed now, and leaves the lanes that
// are ready in p.lanes.ready.
func (p *Producer) isDue(now instant) bool {
	if !p.mayFly(now) {
		return false
	}
	ready, records, bytes, oldest := p.lanes.ready[:0], 0, 0, now
	for _, l := range p.lanes.active {
		if !l.isReady(now) {
			continue
		}
		ready = append(ready, l)
		records += l.share()
		bytes += l.bytes
		oldest = min(oldest, l.waiting.head.accepted)
	}
	p.lanes.ready = ready
	p.turn.bytes = min(bytes, p.target())
	return len(ready) > 0 && (p.hurries() || now-oldest >= p.settings.Linger ||
		p.isEnough(records, bytes))
}

// isEnough reports whether records fill a request. How many it takes of those that
// are aggregated is found out by trying.
func (p *Producer) isEnough(records, bytes int) bool {
	return bytes >= p.target() || p.packer == nil && records >= p.settings.MaxBatchRecords
}

// form takes records out of the ready lanes, those with the oldest records first,
// into a request. It takes a lane's records together, so that under load
// requests hold few lanes each and more of them can be under way at a time.
func (p *Producer) form(now instant) *request {
	ready := p.lanes.ready
	slices.SortFunc(ready, func(a, b *lane) int { return cmp.Compare(a.waiting.head.seq, b.waiting.head.seq) })
	q := p.flying.begin(now)
	for _, l := range ready {
		if !p.load(q, l) {
			break
		}
	}
	if p.packer != nil {
		p.packer.Reset()
	} else if len(q.lanes) > 1 { // in the order they came
		slices.SortFunc(q.records, func(a, b *Record) int { return cmp.Compare(a.seq, b.seq) })
	}
	if p.health.firstTry < 0 {
		p.health.firstTry = now
	}
	return q
}

// load moves records of a lane into a request; it reports whether there is room
// for more. The first record always fits.
func (p *Producer) load(q *request, l *lane) bool {
	unit := -1 // the lane's first
	for left := p.shareOf(l); left > 0; left-- {
		if p.skipHusks(l); l.waiting.n == 0 {
			return true
		}
		s := p.stepOf(q, l, unit, l.waiting.head)
		switch {
		case len(q.records) > 0 && (q.bytes+s.bytes > p.target() || len(q.units)+s.units > p.settings.MaxBatchRecords):
			return false
		case unit >= 0 && s.units > 0 && p.settings.Ordering == Strict: // one of a key under way
			return true
		case !p.withinLimits(l, s, q.sent):
			return true
		}
		if unit < 0 {
			unit = len(q.units)
			l.held++
			q.lanes = append(q.lanes, l)
		}
		p.take(q, p.depart(l, q.sent), s)
	}
	return true
}

// shareOf is how many records of a lane a request may take.
func (p *Producer) shareOf(l *lane) int {
	if p.packer != nil && p.settings.Ordering == Strict {
		return l.waiting.n // as many as make one aggregate
	}
	return l.share()
}

// depart takes the first record out of a lane, to be sent.
func (p *Producer) depart(l *lane, now instant) *Record {
	r := p.lanes.pop(l)
	p.waiting--
	p.bytes -= r.size()
	if r.tries++; r.tries == 1 {
		p.figures.buffering.add(now - r.accepted)
	}
	if r.unsure {
		r.unsure = false
		p.books.PossibleDuplicates++
	}
	return r
}

// expire drops what has become too old.
func (p *Producer) expire(now instant, dead *list) {
	ttl := p.settings.RecordTTL
	if ttl == 0 || p.waiting == 0 {
		return
	}
	for _, l := range slices.Backward(p.lanes.active) { // as in loseWaiting
		for l.waiting.n > 0 && now-l.waiting.head.accepted >= ttl {
			p.loseFirst(l, ReasonTTL, dead)
			p.noteOld()
		}
	}
}

// nextLook returns when the dispatcher has something to do even if nothing
// happens until then.
func (p *Producer) nextLook(now instant) instant {
	next := p.nextWatch()
	if p.waiting == 0 || p.phase.failure != nil {
		return next
	}
	flies := p.mayFly(now)
	if o := p.health.outage; o.failures > 0 && len(p.flying.requests) == 0 && now < o.until {
		next = min(next, o.until)
	}
	for _, l := range p.lanes.active {
		first := l.waiting.head.accepted
		if ttl := p.settings.RecordTTL; ttl > 0 {
			next = min(next, first+ttl)
		}
		if flies && l.held == 0 && !p.turn.queued {
			next = min(next, max(l.until, first+p.settings.Linger))
		}
	}
	return next
}
