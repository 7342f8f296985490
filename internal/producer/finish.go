package producer

import "time"

// finish frees what the request held: records that are done go to the pool, the
// others to the fronts of their lanes, which may be used again.
func (p *Producer) finish(q *request) {
	var done, dead list
	p.mu.Lock()
	now := p.now()
	for i := len(q.records) - 1; i >= 0; i-- {
		switch r := q.records[i]; {
		case r.state == lost && (r.kept || p.becomesLetter(r.reason)):
			dead.pushFront(r)
		case r.state != again:
			done.pushBack(r)
		case r.isHusk():
			p.lose(r, r.message.reason)
			dead.pushFront(r)
		case q.cutReason != "" && r.seq <= q.cutUpTo: // cut since it was settled
			p.lose(r, q.cutReason)
			dead.pushFront(r)
		default:
			r.state = pending
			p.lanes.putBack(r)
			p.waiting++
			p.bytes += r.size()
		}
	}
	for _, l := range q.lanes {
		p.rest(l, now)
	}
	cut := q.cutReason != ""
	p.flying.end(q)
	if p.spool != nil && cut { // no longer in the pager's way
		p.wakePager()
	}
	p.health.countSilent(p.flying.requests)
	if p.health.ledger.HasTold() {
		p.wakeReporter()
	}
	p.telling++
	p.mu.Unlock()
	p.pool.give(&done)
	p.bury(&dead)
	p.poke()
}

// A lane that failed more often than gatherFrom in a row ends its back-off on a
// grid, so that many failing lanes do not make as many small requests.
const (
	gatherFrom = 2
	gatherGrid = 250 * time.Millisecond
)

// rest ends a lane's request: after failures it backs off and takes fewer records
// at a time, after success more.
func (p *Producer) rest(l *lane, now instant) {
	l.held--
	switch {
	case l.bad > 0:
		if l.failing++; l.failing == 1 {
			p.health.lanesFailing++
		}
		l.until = now + l.badWait.Wait(l.failing, p.random)
		if l.failing > gatherFrom { // so that failing lanes share requests
			l.until = (l.until + gatherGrid - 1) / gatherGrid * gatherGrid
		}
		switch {
		case !l.throttled:
		case l.ok > 0: // that much the shard takes
			l.window = l.ok
		default:
			l.window = max(1, min(l.window, l.bad)/2)
		}
	case l.ok > 0:
		if l.failing > 0 {
			p.health.lanesFailing--
		}
		l.failing = 0
		l.window = min(2*l.window, l.most)
	}
	l.ok, l.bad, l.throttled = 0, 0, false
	p.forgive(l)
}

// forgive forgets the failures of a lane that holds nothing any more.
func (p *Producer) forgive(l *lane) {
	if l.waiting.n > 0 || l.held > 0 {
		return
	}
	if l.failing > 0 {
		l.failing = 0
		p.health.lanesFailing--
	}
	p.lanes.leave(l)
}
