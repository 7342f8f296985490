package producer

import (
	"context"
	"fmt"
	"time"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/trouble"
)

// health is how the stream fares, guarded by the producer's mu.
type health struct {
	proven       bool    // something was delivered: no longer "at start"
	firstTry     instant // when the first request was formed; -1 before
	lasting      instant // since when errors are permanent; -1 if they are not
	chances      int     // second chances given since the last answer
	refusals     int     // records refused since the last delivery
	silent       int     // requests under way that nobody answers
	lanesFailing int     // lanes that back off
	outage       outage
	latest       Trouble // of the failures of whole requests
	ledger       trouble.Ledger
}

// outage is what whole requests fail of, one after another.
type outage struct {
	failures int
	raised   instant // the latest failure; what was sent before it tells nothing new
	until    instant // backs off until then
}

func newHealth() health {
	return health{firstTry: -1, lasting: -1, ledger: trouble.NewLedger()}
}

// prove takes note of a delivery.
func (h *health) prove() { h.proven, h.refusals = true, 0 }

// answered takes note that the service answers and knows us.
func (h *health) answered(now instant) {
	h.outage.failures = 0
	h.lasting, h.chances = -1, 0
	h.ledger.Answered(now)
}

// isWell reports whether nothing is failing.
func (h *health) isWell() bool {
	return h.outage.failures == 0 && h.lasting < 0 && h.silent == 0 && h.lanesFailing == 0
}

func (h *health) countSilent(requests []*request) {
	h.silent = 0
	for _, q := range requests {
		if q.silent {
			h.silent++
		}
	}
}

// secondChances is how often expired credentials and a skewed clock may be met
// in a row before they are believed: the first time credentials are refreshed, or
// the SDK has learned the skew from the answer.
const secondChances = 2

// suffer takes note of a failed request and lets all sending back off.
func (p *Producer) suffer(q *request, t Trouble, now instant) {
	p.health.latest = t
	p.backOff(q, t.Class, now)
	p.note(t, now)
}

// backOff raises the outage, once for all the requests that were under way together.
func (p *Producer) backOff(q *request, class awserr.Class, now instant) {
	o := &p.health.outage
	if q.sent < o.raised {
		return
	}
	o.failures++
	o.raised = now
	o.until = now + trouble.BackoffFor(class).Wait(o.failures, p.random)
	p.pace.flight = 1
}

// sufferLasting takes note of an error that stays until somebody mends it, with
// the consequences that depend on how far the stream has come. It returns what
// is to be called without the lock.
func (p *Producer) sufferLasting(q *request, t Trouble, now instant, dead *list) (after func()) {
	h := &p.health
	fresh := q.sent >= h.outage.raised
	if t.Class == awserr.Expired && fresh { // after the chances too: whoever rotates them may be late
		after = p.hooks.refresh
	}
	if t.Class != awserr.Permanent && (h.chances < secondChances || !fresh) {
		if fresh {
			h.chances++
		}
		h.latest = t
		p.backOff(q, t.Class, now)
		return after
	}
	h.latest = t
	if h.lasting < 0 {
		h.lasting = now
	}
	switch {
	case p.phase.closing, p.phase.draining > 0 && h.proven:
		p.backOff(q, t.Class, now)
		p.giveUpDraining(t, now, dead)
	case !h.proven, now-h.lasting >= p.settings.PermanentGrace:
		p.fail(t, t.Code, dead)
	default:
		p.suffer(q, t, now)
	}
	return after
}

// giveUpDraining drops what a permanent error keeps from being drained.
func (p *Producer) giveUpDraining(t Trouble, now instant, dead *list) {
	upTo := p.phase.drainUpTo
	p.phase.leaving = true
	n := p.loseWaiting(upTo, t.Code, dead)
	for _, q := range p.flying.requests {
		q.cut(t.Code, upTo)
	}
	t.Reason, t.Records = t.Code, t.Records+n
	p.note(t, now)
}

// fail ends the stream for good: everything held is dropped for the reason.
func (p *Producer) fail(t Trouble, reason string, dead *list) {
	if p.phase.failure != nil {
		return
	}
	t.Count = max(t.Count, 1)
	p.phase.failure = &failedError{trouble: t}
	p.loseWaiting(p.seq, reason, dead)
	for _, q := range p.flying.requests {
		q.cut(reason, p.seq)
	}
	p.space.Broadcast()
	p.settled.Broadcast()
	p.wakeReporter()
}

// watch looks for requests that go unanswered and for the end of start-timeout.
func (p *Producer) watch(now instant, dead *list) {
	if p.phase.failure != nil {
		return
	}
	h := &p.health
	for _, q := range p.flying.requests {
		if !q.silent && now-q.sent >= p.silence(q) {
			q.silent = true
			h.silent++
			p.note(p.silenceOf(q, now), now)
		}
	}
	if limit := p.settings.StartTimeout; limit > 0 && !h.proven && h.firstTry >= 0 && now-h.firstTry >= limit {
		t := h.latest
		if t.Code == "" {
			t = p.silenceOf(nil, now)
		}
		t.Reason = ReasonStartTimeout
		p.fail(t, ReasonStartTimeout, dead)
	}
}

// nextWatch returns when watch has something to do.
func (p *Producer) nextWatch() instant {
	next := never
	if p.phase.failure != nil {
		return next
	}
	for _, q := range p.flying.requests {
		if !q.silent {
			next = min(next, q.sent+p.silence(q))
		}
	}
	if limit := p.settings.StartTimeout; limit > 0 && !p.health.proven && p.health.firstTry >= 0 {
		next = min(next, p.health.firstTry+limit)
	}
	return next
}

// silenceOf is the trouble of a request that nobody answers.
func (p *Producer) silenceOf(q *request, now instant) Trouble {
	fault := awserr.Classify(context.DeadlineExceeded, p.subject)
	fault.Message = "no answer"
	records := 0
	if q != nil {
		fault.Message = fmt.Sprintf("no answer for %v to a request of %d bytes", (now - q.sent).Round(time.Millisecond), q.bytes)
		records = len(q.records)
	}
	return p.troubleOf(fault, nil, records)
}

// troubleOf puts a fault into the words of the observer.
func (p *Producer) troubleOf(f awserr.Fault, err error, records int) Trouble {
	return Trouble{Fault: f, Err: err, Count: 1, Records: records, Stream: p.subject.Stream, Region: p.subject.Region}
}

// settleCheck takes note of credentials that are not to be had, or of a check that failed.
func (p *Producer) settleCheck(fault awserr.Fault, err error, n int) (wait time.Duration, again bool) {
	var dead list
	p.mu.Lock()
	t := p.troubleOf(fault, err, 0)
	switch {
	case p.health.proven || p.phase.failure != nil || p.phase.closing:
	case fault.Class.Lasting():
		p.health.latest = t
		p.fail(t, t.Code, &dead)
	default:
		p.health.latest = t
		p.note(t, p.now())
		wait, again = trouble.BackoffFor(fault.Class).Wait(n, p.random), true
	}
	if dead.n > 0 {
		p.telling++
	}
	p.mu.Unlock()
	if dead.n > 0 {
		p.bury(&dead)
	}
	return wait, again
}

// sleep waits on the producer's clock; it reports false if the producer ends.
func (p *Producer) sleep(d time.Duration) bool {
	over := make(chan struct{})
	timer := p.clock.AfterFunc(d, func() { close(over) })
	defer timer.Stop()
	select {
	case <-over:
		return true
	case <-p.base.Done():
		return false
	}
}
