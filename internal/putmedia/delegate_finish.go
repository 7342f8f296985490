package putmedia

import (
	"context"
	"fmt"
	"time"

	"gst-kinesis/internal/awserr"
)

// Flush is as Stream has it.
func (d *Delegate) Flush(ctx context.Context) error {
	d.putting.Lock()
	d.mu.Lock()
	d.closeOpen(true)
	upTo := d.seq
	d.phase.draining++
	d.work.Broadcast()
	d.mu.Unlock()
	d.putting.Unlock()
	defer context.AfterFunc(ctx, d.stir)()
	late := false
	if wait := d.settings.DrainTimeout; wait >= 0 {
		t := time.AfterFunc(wait, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			late = true
			d.settled.Broadcast()
		})
		defer t.Stop()
	}
	d.mu.Lock()
	defer d.unlockTelling()
	defer func() { d.phase.draining-- }()
	for d.holds(upTo) && ctx.Err() == nil && !late {
		d.settled.Wait()
	}
	switch {
	case d.phase.failure != nil:
		return d.phase.failure
	case !d.holds(upTo):
		d.awaitWord()
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("draining the stream: %w", context.Cause(ctx))
	}
	d.noteLeft(ReasonDrain, "drain-timeout was over before all was stored")
	d.abandonAll(ReasonDrain)
	d.awaitWord()
	return fmt.Errorf("draining the stream: %w", ErrDrainTimeout)
}

// holds reports whether there are fragments up to a number that are neither stored nor given up.
func (d *Delegate) holds(upTo uint64) bool {
	return d.phase.failure == nil && len(d.line) > 0 && d.line[0].born <= upTo
}

// awaitWord waits until the reporter has told of all losses.
func (d *Delegate) awaitWord() {
	d.health.ledger.Hurry()
	d.wakeReporter()
	for d.health.ledger.Hurries() && !d.phase.over {
		d.settled.Wait()
	}
}

// stir lets Flush and Close look again.
func (d *Delegate) stir() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settled.Broadcast()
}

// abandonAll gives up all there is, with the lock held.
func (d *Delegate) abandonAll(reason string) {
	if d.care != nil {
		d.abandon(d.care, reason)
	}
	for _, g := range d.line {
		d.dropEntries(g, 0, len(g.entries), reason, 0)
		g.closed = true
	}
	d.line, d.open = nil, nil
	d.work.Broadcast()
	d.space.Broadcast()
	d.settled.Broadcast()
}

// leastGone is how long Close waits at least for the last producer to be gone.
const leastGone = time.Second

// Close is as Stream has it. A producer that does not end within stop-timeout ends behind, within a time of its own.
func (d *Delegate) Close() {
	d.mu.Lock()
	first := !d.phase.closing
	d.phase.closing = true
	d.space.Broadcast() // Puts that wait
	d.mu.Unlock()
	if !first {
		<-d.closed
		return
	}
	began := d.now()
	d.leave()
	d.cancel()
	d.awaitLast(max(d.settings.StopTimeout-(d.now()-began), leastGone))
	close(d.quit)
	d.running.Wait()
	d.mu.Lock()
	d.phase.over = true
	d.settled.Broadcast()
	d.unlockTelling()
	d.hearing.Wait()
	close(d.closed)
}

// leave lets what is left be stored, within stop-timeout, and gives up the rest.
func (d *Delegate) leave() {
	d.putting.Lock()
	d.mu.Lock()
	d.closeOpen(true)
	d.work.Broadcast()
	d.mu.Unlock()
	d.putting.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
	late := false
	t := time.AfterFunc(d.settings.StopTimeout, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		late = true
		d.settled.Broadcast()
	})
	defer t.Stop()
	d.mu.Lock()
	defer d.unlockTelling()
	for d.phase.failure == nil && len(d.line) > 0 && !late && !d.phase.leaving {
		d.settled.Wait()
	}
	d.phase.leaving = true
	if len(d.line) > 0 && d.phase.failure == nil {
		d.noteLeft(ReasonStop, "stop-timeout was over before all was stored")
	}
	d.abandonAll(ReasonStop)
}

// awaitLast waits for the feeder and for producers to be gone, for a time.
func (d *Delegate) awaitLast(limit time.Duration) {
	t := time.NewTimer(limit)
	defer t.Stop()
	d.mu.Lock()
	if d.care != nil {
		d.letGo(d.care)
	}
	d.unlockTelling()
	select {
	case <-d.fed:
	case <-t.C:
		return
	}
	d.mu.Lock()
	before := d.before
	d.before = nil
	d.mu.Unlock()
	for _, gone := range before {
		select {
		case <-gone:
		case <-t.C:
			return
		}
	}
}

// note lets the reporter tell a trouble, with the lock held.
func (d *Delegate) note(t Trouble) {
	if d.health.ledger.Note(t, d.now()) {
		d.wakeReporter()
	}
}

// noteDrops tells that frames were dropped, with the lock held.
func (d *Delegate) noteDrops(reason string, frames int) {
	t := d.troubleOf(d.dropFault(reason), nil, frames)
	t.Reason = reason
	d.note(t)
}

// dropFault says why frames are dropped, where it is otherwise than with a Stream.
func (d *Delegate) dropFault(reason string) awserr.Fault {
	f := dropFault(reason, d.health.latest.Fault)
	switch reason {
	case ReasonStorage:
		f.Remedy = "raise storage-size or buffer-duration, or set engine=native with spool-directory so that an outage is kept on disk"
	case ReasonUnacknowledged:
		f.Message = "frames were sent and never acknowledged, though later ones were: the service may or may not have them"
		f.Remedy = "engine=native sends again what was not acknowledged"
	}
	return f
}

// noteLeft tells that a time-out left something, with the lock held.
func (d *Delegate) noteLeft(reason, message string) {
	f := dropFault(reason, d.health.latest.Fault)
	f.Message = message
	t := d.troubleOf(f, nil, int(d.books.InFlight.Frames))
	t.Reason = reason
	d.note(t)
}

func (d *Delegate) noteSilence(doing string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := awserr.Classify(context.DeadlineExceeded, d.subject)
	f.Message = fmt.Sprintf("no answer for %v to %s", silence, doing)
	t := d.troubleOf(f, nil, 0)
	d.ail(t)
	d.note(t)
}

// noteOnce tells something worth knowing, the first time.
func (d *Delegate) noteOnce(n Notice) {
	d.mu.Lock()
	known := d.noticed[n.Code]
	d.noticed[n.Code] = true
	d.mu.Unlock()
	if !known {
		d.observer.Noticed(n)
	}
}

func (d *Delegate) troubleOf(f awserr.Fault, err error, frames int) Trouble {
	return Trouble{Fault: f, Err: err, Count: 1, Records: frames, Stream: d.subject.Stream, Region: d.subject.Region}
}

func (d *Delegate) wakeReporter() { d.reporter.Wake() }

// unlockTelling gives mu back and tells what was stored and given up.
func (d *Delegate) unlockTelling() {
	losses, stored, ended := d.leaving, d.stored, d.ended
	d.leaving, d.stored, d.ended = nil, nil, nil
	d.mu.Unlock()
	d.tellOf(losses, stored)
	for _, c := range ended {
		d.observer.Disconnected(c)
	}
}

func (d *Delegate) tellOf(losses []loss, stored []any) {
	if len(stored) > 0 {
		d.observer.Settled(stored)
	}
	for _, l := range losses {
		d.observer.Dropped(l.reason, l.frames, l.pts, l.tokens)
	}
}

// disconnect notes that a producer's connection ends, to be told.
func (d *Delegate) disconnect(c *care, reason string) {
	if c.upload == 0 {
		return
	}
	ended := c.connection
	if reason == "" {
		reason = "the stream ends"
	}
	ended.Reason, ended.Lasted = reason, d.now()-c.connected
	d.ended = append(d.ended, ended)
	c.upload = 0
}
