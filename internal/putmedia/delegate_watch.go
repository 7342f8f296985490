package putmedia

import (
	"context"
	"time"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/trouble"
)

// probe is the look whether the service can be reached, while a producer says nothing.
type probe struct {
	under bool          // it is under way
	found bool          // the last one found the service
	told  bool          // that nothing is acknowledged though it was
	again time.Duration // how long to wait before the next, of one that did not
	at    time.Duration // when the last one ended; 0: there was none
}

// Bounds of the wait between two probes, which cost two calls of the control plane.
const (
	leastProbe = time.Second
	mostProbe  = 30 * time.Second
)

// ageMargin is how much longer than a producer keeps a frame that is waited for its acknowledgement.
const ageMargin = 10 * time.Second

// watch looks after what nobody tells, once a second.
func (d *Delegate) watch() {
	t := time.NewTicker(lookInterval)
	defer t.Stop()
	trimmed := d.now()
	for {
		select {
		case <-t.C:
		case <-d.quit:
			return
		}
		d.endSilent()
		if now := d.now(); now-trimmed >= time.Minute {
			d.pool.trim()
			trimmed = now
		}
		if d.look() {
			d.running.Go(d.seek)
		}
	}
}

// endSilent ends the fragment under way when nothing comes any more.
func (d *Delegate) endSilent() {
	if !d.putting.TryLock() {
		return // something comes
	}
	defer d.putting.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open != nil && d.now()-d.lastPut >= d.settings.Silence {
		d.closeOpen(true)
		d.work.Broadcast()
	}
}

// look settles what is overdue, and reports whether the service is to be sought.
func (d *Delegate) look() (seek bool) {
	d.mu.Lock()
	defer d.unlockTelling()
	now := d.now()
	d.settleOld(now)
	if d.isStartOver(now) && d.phase.failure == nil {
		t := d.health.latest
		if t.Code == "" {
			t = d.troubleOf(awserr.Classify(context.DeadlineExceeded, d.subject), nil, 0)
			t.Message = "nothing was acknowledged within start-timeout"
		}
		t.Reason = ReasonStartTimeout
		d.fail(t, ReasonStartTimeout)
	}
	c := d.care
	if c == nil || d.phase.failure != nil || d.phase.over {
		return false
	}
	if c.expires != 0 && now >= max(c.expires-expiryMargin, c.opened+expiryMargin/4) && c.due == "" {
		c.due = "its credentials end"
		d.work.Broadcast()
	}
	return d.isSilent(c, now)
}

// isSilent looks after a producer of which no acknowledgement comes, and reports whether the service is to be sought.
func (d *Delegate) isSilent(c *care, now time.Duration) bool {
	p, waits := &d.probe, d.waitsFor(c, now)
	found := p.found && p.at > now-waits
	interval := p.again
	if p.found {
		interval = mostProbe
	}
	switch {
	case waits < silence:
		return false
	case found && waits >= 2*d.settings.Staleness && c.due != dueStuck: // the producer itself begins anew after one
		c.due = dueStuck
		d.work.Broadcast()
	case found && waits >= d.settings.Staleness && !p.told:
		p.told = true
		f := awserr.Fault{Class: awserr.Transient, Party: awserr.Service, Code: awserr.CodeCut, Message: errStale.Error()}
		t := d.troubleOf(f, errStale, 0)
		d.ail(t)
		d.note(t)
	}
	if p.under || p.at != 0 && now-p.at < interval {
		return false
	}
	p.under = true
	return true
}

// waitsFor is how long an acknowledgement is due: the first of a fragment, or one of a fragment that was sent.
func (d *Delegate) waitsFor(c *care, now time.Duration) time.Duration {
	for _, g := range d.line {
		switch {
		case g.care != c:
		case g.upload == 0:
			return now - max(g.begun, c.heard)
		case g.sentAt != 0:
			return now - max(g.sentAt, c.heard)
		}
	}
	return 0
}

// settleOld drops what the producer cannot have any more, or what was overtaken long ago.
func (d *Delegate) settleOld(now time.Duration) {
	if len(d.line) == 0 {
		return
	}
	newest := d.line[len(d.line)-1].latest
	for len(d.line) > 0 {
		g := d.line[0]
		old := d.settings.Outage != Block && time.Duration(newest-g.latest) > d.buffer+ageMargin
		if g.care == nil || !old && (g.overtaken == 0 || now-g.overtaken < d.settings.Staleness) {
			return
		}
		d.giveUp(g)
	}
}

// seek finds the stream, to learn why a producer says nothing.
func (d *Delegate) seek() {
	_, err := d.locate()
	if err != nil {
		d.judge(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p := &d.probe
	p.under, p.found, p.at = false, err == nil, d.now()
	if p.again = min(max(2*p.again, leastProbe), mostProbe); err == nil {
		p.again = 0
	}
}

// bear takes note of an error that a producer told.
func (d *Delegate) bear(f awserr.Fault) {
	t := d.troubleOf(f, nil, 0)
	d.ail(t)
	if f.Class.Lasting() {
		d.endure(t)
		return
	}
	d.note(t)
}

// ail takes note that the stream fails until something is acknowledged.
func (d *Delegate) ail(t Trouble) {
	d.health.latest = t
	d.health.failures = max(d.health.failures, 1)
}

// endure bears an error that stays until somebody mends it, for permanent-grace once the stream has worked.
func (d *Delegate) endure(t Trouble) {
	h, now := &d.health, d.now()
	if h.lasting < 0 {
		h.lasting = now
	}
	if !h.proven || now-h.lasting >= d.settings.PermanentGrace {
		d.fail(t, t.Code)
		return
	}
	d.note(t)
}

// suffer takes note of an error and waits before the next try; false when the stream ends.
func (d *Delegate) suffer(err error) bool {
	wait, again := d.judge(err)
	if !again {
		return false
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return true
		case <-d.wake: // Close looks whether there is a point in waiting
			if d.isPointless() {
				return false
			}
		case <-d.quit:
			return false
		}
	}
}

// judge says how long to wait after an error, or that the stream cannot go on.
func (d *Delegate) judge(err error) (wait time.Duration, again bool) {
	fault := awserr.Classify(err, d.subject)
	d.mu.Lock()
	defer d.unlockTelling()
	h := &d.health
	if d.phase.failure != nil || d.base.Err() != nil {
		return 0, false
	}
	h.failures++
	d.tally.failures++
	t := d.troubleOf(fault, err, 0)
	h.latest = t
	if fault.Class == awserr.Expired {
		d.client.RefreshCredentials()
	}
	switch {
	case fault.Class.Lasting() && fault.Class != awserr.Permanent && h.chances < secondChances:
		h.chances++
	case fault.Class.Lasting() && h.proven && (d.phase.closing || d.phase.draining > 0):
		d.note(t)
		d.phase.leaving = d.phase.closing
		d.abandonAll(t.Code)
	case fault.Class.Lasting():
		d.endure(t)
	default:
		d.note(t)
	}
	return trouble.BackoffFor(fault.Class).Wait(max(h.failures, 1), d.random), d.phase.failure == nil
}

func (d *Delegate) isStartOver(now time.Duration) bool {
	limit := d.settings.StartTimeout
	return limit > 0 && !d.health.proven && d.phase.since >= 0 && now-d.phase.since >= limit
}

// isPointless reports whether there is nothing to send any more.
func (d *Delegate) isPointless() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.phase.closing && len(d.line) == 0
}

// fail ends the stream for good.
func (d *Delegate) fail(t Trouble, reason string) {
	if d.phase.failure != nil {
		return
	}
	t.Count = max(t.Count, 1)
	d.phase.failure = &failedError{trouble: t}
	d.abandonAll(reason)
	d.wakeReporter()
}
