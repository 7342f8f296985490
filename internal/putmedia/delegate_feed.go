package putmedia

import (
	"context"
	"fmt"
	"time"

	"gst-kinesis/internal/awserr"
)

// openTimeout is how long opening a producer may take after the stream was found.
const openTimeout = 30 * time.Second

// task is what the feeder does next.
type task int8

const (
	taskOver   task = iota // nothing any more
	taskOpen               // a producer for the fragment
	taskRetire             // the producer there is
	taskGive               // the fragment's next frame
	taskEnd                // the fragment
)

// feed is the feeder: it finds the stream at once, so that what is wrong is known before there is a frame, opens producers, and gives them
// what waits, in order.
func (d *Delegate) feed() {
	defer close(d.fed)
	var place Place
	known := false
	for {
		if !known {
			found, err := d.locate()
			if err != nil {
				if !d.suffer(err) {
					return
				}
				continue
			}
			place, known = found, true
		}
		d.mu.Lock()
		what, g := d.await()
		c := d.care
		d.mu.Unlock()
		switch what {
		case taskOver:
			return
		case taskOpen:
			if err := d.openFor(g.layout, place); err != nil {
				known = false
				if !d.suffer(err) {
					return
				}
			}
		case taskRetire:
			d.retire(c)
			known = known && c.due != dueStuck
		case taskGive:
			if err := d.give(c, g); err != nil {
				known = false
				if !d.suffer(err) {
					return
				}
			}
		case taskEnd:
			d.end(c, g)
		}
	}
}

// await waits until there is something to do.
func (d *Delegate) await() (task, *charge) {
	for {
		if d.phase.failure != nil || d.phase.leaving || d.phase.closing && len(d.line) == 0 {
			return taskOver, nil
		}
		if what, g := d.first(); what != taskOver {
			return what, g
		}
		d.work.Wait()
	}
}

// first is what is to be done for the first fragment that a producer has not had all of.
func (d *Delegate) first() (task, *charge) {
	c := d.care
	for _, g := range d.line {
		for g.next < len(g.entries) && g.entries[g.next].gone {
			g.next++
		}
		waits := g.next < len(g.entries)
		switch {
		case !waits && (g.care != c || g.endTold || !g.ended):
			continue
		case c == nil:
			return taskOpen, g
		case g.care == nil && (g.layout != c.layout || g.apart && c.begun || c.due != ""):
			if c.due == "" {
				c.due = "the tracks or the times change"
			}
			return taskRetire, g
		case waits:
			return taskGive, g
		}
		return taskEnd, g
	}
	if c != nil && c.due == dueStuck {
		return taskRetire, nil
	}
	return taskOver, nil
}

// locate finds the stream, and tells when nobody answers.
func (d *Delegate) locate() (Place, error) {
	ctx, cancel := context.WithTimeout(d.base, d.settings.CompletionTimeout)
	defer cancel()
	defer time.AfterFunc(silence, func() { d.noteSilence("finding the stream") }).Stop()
	return d.client.Locate(ctx) //nolint:wrapcheck // it says what it is about
}

// openFor opens a producer, when those before are gone: the service takes one connection at a time.
func (d *Delegate) openFor(l *layout, place Place) error {
	d.awaitGone()
	if err := d.base.Err(); err != nil {
		return fmt.Errorf("opening a producer: %w", err)
	}
	ctx, cancel := context.WithTimeout(d.base, openTimeout)
	defer cancel()
	defer time.AfterFunc(silence, func() { d.noteSilence("opening the producer") }).Stop()
	c := &care{layout: l, place: place, refused: -1}
	p, expires, err := d.client.Open(ctx, l.tracks, func(r Report) { d.hear(c, r) })
	if err != nil {
		return err //nolint:wrapcheck // it says what it is about
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	c.p, c.opened, c.heard = p, d.now(), d.now()
	if !expires.IsZero() {
		c.expires = c.opened + time.Until(expires)
	}
	if d.phase.leaving || d.phase.failure != nil {
		d.letGo(c)
		return nil
	}
	d.care = c
	return nil
}

// awaitGone waits for producers that were given up, no longer than they may take.
func (d *Delegate) awaitGone() {
	d.mu.Lock()
	before := d.before
	d.before = nil
	d.mu.Unlock()
	t := time.NewTimer(d.settings.StopTimeout + openTimeout)
	defer t.Stop()
	for _, done := range before {
		select {
		case <-done:
		case <-t.C:
			return
		case <-d.base.Done():
			return
		}
	}
}

// give gives a fragment's next frame; an error is one for which the producer was given up.
func (d *Delegate) give(c *care, g *charge) error {
	f, i, first := d.takeNext(c, g)
	if f == nil {
		return nil
	}
	if i == 0 {
		d.tag(c, g, first)
	}
	err := c.p.Put(f, i == 0)
	d.pool.give(f)
	d.mu.Lock()
	defer d.unlockTelling()
	g.next = i + 1
	if err == nil || c.over {
		return nil
	}
	fault := awserr.Classify(err, d.subject)
	if fault.Class != awserr.RecordFault {
		d.abandon(c, fault.Code)
		return err //nolint:wrapcheck // it says what it is about
	}
	d.note(d.troubleOf(fault, err, 0))
	last := i + 1
	if i == 0 { // without its first frame a fragment is none
		last = len(g.entries)
		if d.open == g {
			d.open = nil
		}
		g.closed = true
	}
	d.dropEntries(g, i, last, fault.Code, 0)
	if g.left == 0 && g.closed {
		d.forget(g)
	}
	return nil
}

// takeNext takes a fragment's next frame, which from here on is in no memory that is counted; nil if there is none any more. first says that
// the producer has had none.
func (d *Delegate) takeNext(c *care, g *charge) (f *Frame, i int, first bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.over || g.next >= len(g.entries) || g.entries[g.next].gone { // meanwhile
		return nil, 0, false
	}
	i = g.next
	e := &g.entries[i]
	f, e.frame = e.frame, nil
	d.memory -= f.memory()
	d.space.Broadcast()
	if i == 0 {
		if last := d.lastOf(c); last != nil && last.sentAt == 0 {
			last.sentAt = d.now()
		}
		g.care, g.begun = c, d.now()
	}
	f.DTS = max(f.DTS, c.dts)
	c.dts, e.dts = f.DTS, f.DTS
	first, c.begun = !c.begun, true
	return f, i, first
}

// tag gives a fragment's tags and events before its first frame. The events of a producer's first fragment go with the one that comes next.
func (d *Delegate) tag(c *care, g *charge, first bool) {
	for _, t := range g.tags {
		d.noteMetadata(c.p.Tag(t))
	}
	d.deferred = append(d.deferred, g.events...)
	if first {
		return
	}
	for _, e := range d.deferred {
		d.noteMetadata(c.p.Signal(e))
	}
	d.deferred = nil
}

func (d *Delegate) noteMetadata(err error) {
	if err == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.note(d.troubleOf(awserr.Fault{Class: awserr.RecordFault, Party: awserr.Caller, Code: "Metadata", Message: fmt.Sprint(err),
		Remedy: "the fragment is sent without them"}, err, 0))
}

// end tells the producer that nothing follows a fragment.
func (d *Delegate) end(c *care, g *charge) {
	d.mu.Lock()
	g.endTold, g.sentAt = true, d.now()
	d.mu.Unlock()
	if err := c.p.EndFragment(); err != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		if !c.over {
			d.note(d.troubleOf(awserr.Classify(err, d.subject), err, 0))
		}
	}
}

// dueStuck is why a producer is changed of which nothing is heard.
const dueStuck = "it acknowledges nothing"

// retire waits until a producer has stored what it has, and closes it. When what waits meanwhile takes all the memory there is, or the time of a
// Flush or of Close is over, what is left is given up.
func (d *Delegate) retire(c *care) {
	d.mu.Lock()
	if c.due == dueStuck {
		d.abandon(c, ReasonUnacknowledged)
	}
	last := d.lastOf(c)
	if last != nil && !last.endTold && !c.over {
		last.endTold, last.sentAt = true, d.now()
		d.mu.Unlock()
		_ = c.p.EndFragment() // it may be ended
		d.mu.Lock()
	}
	for d.owes(c) && !c.over && !d.phase.leaving && d.phase.failure == nil {
		d.work.Wait()
	}
	if c.over || d.phase.leaving || d.phase.failure != nil {
		d.unlockTelling()
		return
	}
	d.letGo(c)
	d.unlockTelling()
}

// lastOf is the last fragment that a producer has.
func (d *Delegate) lastOf(c *care) (last *charge) {
	for _, g := range d.line {
		if g.care == c {
			last = g
		}
	}
	return last
}

// owes reports whether a producer has something that is neither stored nor given up.
func (d *Delegate) owes(c *care) bool { return d.lastOf(c) != nil }

// letGo lets a producer close behind, with the lock held. Whoever opens the next one waits for that.
func (d *Delegate) letGo(c *care) {
	c.over = true
	if d.care == c {
		d.care = nil
	}
	d.disconnect(c, c.due)
	p, gone := c.p, make(chan struct{})
	d.before = append(d.before, gone)
	go func() { // bounded by the producer's own time to stop
		defer close(gone)
		p.Close()
		sent := p.Sent()
		d.mu.Lock()
		defer d.mu.Unlock()
		d.sent += sent
	}()
	d.work.Broadcast()
	d.settled.Broadcast()
}

// abandon gives up all that a producer has, and what of the fragment under way waits, with the lock held.
func (d *Delegate) abandon(c *care, reason string) {
	if c.over {
		return
	}
	if c.due == "" && d.owes(c) {
		c.due = reason
	}
	for _, g := range append([]*charge(nil), d.line...) {
		if g.care != c {
			continue
		}
		d.dropEntries(g, 0, len(g.entries), reason, 0)
		if g == d.open {
			d.open = nil
			g.closed = true
		}
		d.forget(g)
	}
	d.letGo(c)
}
