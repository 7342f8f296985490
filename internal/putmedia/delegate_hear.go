package putmedia

import (
	"slices"
	"time"

	"gst-kinesis/internal/awserr"
)

// hear takes what a producer tells.
func (d *Delegate) hear(c *care, r Report) {
	d.mu.Lock()
	if c.over || d.phase.over {
		d.mu.Unlock()
		return
	}
	d.hearing.Add(1)
	defer d.hearing.Done()
	switch r.Kind {
	case ReportAck:
		d.acknowledge(c, r)
		return
	case ReportRefused:
		c.refused = r.DTS
	case ReportLost:
		d.lose(c, r.DTS)
	case ReportTrouble:
		d.bear(r.Fault)
	}
	d.unlockTelling()
}

// acknowledge takes note of an acknowledgement, and tells it. It gives mu back.
func (d *Delegate) acknowledge(c *care, r Report) {
	a, now := r.Ack, d.now()
	c.heard = now
	up, down := d.connect(c, r.Upload)
	if g := d.chargeOf(c, a); g != nil {
		a.Latency, a.ProducerTime = now-g.begun, g.timecode
		if !r.Ignored {
			c.connection.Fragments += d.onConnection(g, r.Upload)
		}
	}
	d.mu.Unlock()
	if down != nil {
		d.observer.Disconnected(*down)
	}
	if up != nil {
		d.observer.Connected(*up)
	}
	if a.Type != Idle {
		d.observer.Acked(a) // before what comes of it: the last one is heard of before Flush returns
	}
	d.mu.Lock()
	if !c.over && !d.phase.over {
		d.count(c, d.chargeOf(c, a), r, a)
		c.refused = -1
	}
	d.unlockTelling()
}

// count does what an acknowledgement says. Of a fragment that the producer sends again by another connection it says nothing: what of it came by
// the one that ended may be a part.
func (d *Delegate) count(c *care, g *charge, r Report, a Ack) {
	if r.Ignored {
		g = nil
	}
	switch a.Type {
	case Buffering:
		d.tally.buffering++
		d.prove(d.now())
	case Received:
		d.tally.received++
		d.prove(d.now())
		if g != nil {
			g.received = true
			c.connection.Bytes += g.count.Bytes
			if c.place.Retention == 0 {
				d.persist(c, g, a)
			}
		}
	case Persisted:
		d.tally.persisted++
		d.prove(d.now())
		if g != nil {
			d.persist(c, g, a)
		}
	case Failed:
		d.tally.errors++
		d.refuseCharge(c, g, a, r.Retried || r.Ignored)
	case Idle:
	}
}

// connect takes note of the connection that an acknowledgement came by; a new one means that the one before has ended.
func (d *Delegate) connect(c *care, upload uint64) (up, down *Connection) {
	if upload <= c.upload {
		return nil, nil
	}
	if c.upload != 0 {
		ended := c.connection
		ended.Reason, ended.Lasted = "the producer opened another one", d.now()-c.connected
		down = &ended
	}
	d.tally.sessions++
	c.upload, c.connected = upload, d.now()
	c.connection = Connection{Number: int(d.tally.sessions), Endpoint: c.place.Endpoint}
	now := c.connection
	return &now, down
}

// onConnection notes by which connection a fragment was sent, and counts it for that.
func (d *Delegate) onConnection(g *charge, upload uint64) int {
	if g.upload == upload {
		return 0
	}
	if g.upload != 0 {
		d.tally.resent++
		if g.received {
			d.books.PossibleDuplicates++
		}
	}
	g.upload = upload
	return 1
}

// chargeOf finds the fragment that an acknowledgement is about.
func (d *Delegate) chargeOf(c *care, a Ack) *charge {
	for _, g := range d.line {
		if g.care == c && (a.HasTimecode && g.timecode == a.Timecode || !a.HasTimecode && a.Type == Failed && !g.received) {
			return g
		}
	}
	return nil
}

// persist takes a fragment off the books that the service has stored, once all of it was given. Those before it that belong to the same
// connection, or of which nothing was ever heard, the producer has forgotten.
func (d *Delegate) persist(c *care, g *charge, a Ack) {
	if !g.closed || !g.given() {
		return
	}
	for _, older := range slices.Clone(d.line) {
		if older == g {
			break
		}
		switch {
		case older.care != c || older.left == 0:
		case older.upload == 0 || older.upload == g.upload:
			d.giveUp(older)
		case older.overtaken == 0:
			older.overtaken = d.now()
		}
	}
	d.tally.latency = a.Latency
	d.health.failures = 0
	var sum Count
	for i := range g.entries {
		if e := &g.entries[i]; !e.gone {
			sum.add(Count{Frames: 1, Bytes: e.bytes})
			if e.token != nil {
				d.stored = append(d.stored, e.token)
			}
			e.gone, e.token = true, nil
		}
	}
	g.left = 0
	d.books.InFlight.sub(sum)
	d.books.Persisted.add(sum)
	d.books.FragmentsPersisted++
	d.forget(g)
}

// given reports whether the producer has had all of a fragment that was not given up.
func (g *charge) given() bool {
	return !slices.ContainsFunc(g.entries[g.next:], func(e entry) bool { return !e.gone })
}

// giveUp drops what is left of a fragment as unacknowledged.
func (d *Delegate) giveUp(g *charge) {
	d.dropEntries(g, 0, len(g.entries), ReasonUnacknowledged, 0)
	if g == d.open {
		d.open = nil
		g.closed = true
	}
	d.forget(g)
}

// refuseCharge does what the producer does about a refusal: it sends the fragment again, or skips it. One without a timecode is about all that
// it has sent and that was not stored.
func (d *Delegate) refuseCharge(c *care, g *charge, a Ack, retried bool) {
	e := &AckError{Ack: a}
	fault := e.fault()
	if retried && fault.Class == awserr.RecordFault {
		fault.Class, fault.Party = awserr.Transient, awserr.Service
	}
	d.tally.failures++
	if fault.Class == awserr.RecordFault {
		d.note(d.troubleOf(fault, e, 0))
	} else {
		d.bear(fault)
	}
	if retried || g == nil {
		return
	}
	skipped := []*charge{g}
	if !a.HasTimecode && c.refused >= 0 {
		for _, other := range d.line {
			if other != g && other.care == c && time.Duration(other.entries[0].dts).Truncate(time.Millisecond) <= c.refused {
				skipped = append(skipped, other)
			}
		}
	}
	for _, g := range skipped {
		d.dropEntries(g, 0, len(g.entries), "", a.ErrorID)
		d.books.FragmentsSkipped++
		g.refusal = a.ErrorID
		if g == d.open { // what still comes of it goes the same way
			d.open, d.refusal = nil, a.ErrorID
			g.closed = true
		}
		d.forget(g)
	}
}

// lose drops the oldest frame of a time, which the producer gave up. The end of a fragment has a time too, and is none of ours.
func (d *Delegate) lose(c *care, dts time.Duration) {
	for _, g := range d.line {
		if g.care != c {
			continue
		}
		for i := range g.next {
			if e := &g.entries[i]; !e.gone && time.Duration(e.dts).Truncate(time.Millisecond) == dts {
				d.dropEntries(g, i, i+1, ReasonStorage, 0)
				if g.left == 0 && g.closed {
					d.forget(g)
				}
				return
			}
		}
	}
}

// prove takes note that the service takes what is sent.
func (d *Delegate) prove(now time.Duration) {
	d.health.proven = true
	d.health.lasting, d.health.chances, d.health.failures = -1, 0, 0
	d.probe.again, d.probe.told = 0, false
	d.health.ledger.Answered(now)
	if d.health.ledger.HasTold() {
		d.wakeReporter()
	}
}
