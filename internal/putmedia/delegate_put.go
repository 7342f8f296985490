package putmedia

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// Reserve returns a frame whose Data has the given length, to be filled and put.
func (d *Delegate) Reserve(size int) *Frame { return d.pool.take(size) }

// Release gives a frame back that is not put.
func (d *Delegate) Release(f *Frame) { d.pool.give(f) }

// Put is as Stream has it.
func (d *Delegate) Put(ctx context.Context, f *Frame) error {
	d.putting.Lock()
	defer d.putting.Unlock()
	c := &d.cutter
	if c.layout == nil || !c.layout.has(f.Track) {
		err := fmt.Errorf("putting a frame of track %d: %w", f.Track, ErrTrack)
		d.refuse(f)
		return err
	}
	open, refusal, err := d.enter(ctx, f)
	if err != nil {
		d.refuse(f)
		return err
	}
	var under *fragment
	if open != nil {
		under = &open.fragment
	}
	v := c.decide(&d.settings, under, f)
	switch {
	case v.reason == ReasonBeforeKey && refusal != 0: // the rest of a fragment that the service refused
		c.needsKey = true
		d.turnAway(f, "", refusal)
		return nil
	case v.reason != "":
		if f.Track == c.layout.video && !f.Discardable {
			c.needsKey = true
		}
		d.turnAway(f, v.reason, 0)
		return nil
	}
	d.insert(d.place(open, f, v), f, v.begins)
	return nil
}

// place gives a frame its fragment, and its time where that lies before the fragment's beginning, which producers refuse; a Stream need not.
func (d *Delegate) place(open *charge, f *Frame, v verdict) *charge {
	c := &d.cutter
	if v.begins {
		open = &charge{fragment: *c.begin(f), events: d.events}
		d.events = nil
	} else {
		c.place(f)
		if f.ms() < open.timecode {
			f.PTS, c.moved = open.timecode*1e6, true
		}
	}
	c.needsKey, c.lastPTS = false, f.PTS
	if v.forced {
		d.noteOnce(noticeForced())
	}
	if c.moved {
		d.noteOnce(noticeMoved())
	}
	return open
}

// enter waits for room where that is asked for, and returns the fragment that is open, or the error id for which the last one was refused.
func (d *Delegate) enter(ctx context.Context, f *Frame) (*charge, int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.settings.Outage == Block && !d.hasRoom(f) {
		defer context.AfterFunc(ctx, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.space.Broadcast()
		})()
		for !d.hasRoom(f) && !d.phase.closing && d.phase.failure == nil && ctx.Err() == nil {
			d.space.Wait()
		}
	}
	switch {
	case d.phase.failure != nil:
		return nil, 0, d.phase.failure
	case d.phase.closing:
		return nil, 0, ErrClosed
	case ctx.Err() != nil:
		return nil, 0, fmt.Errorf("waiting for room: %w", context.Cause(ctx))
	}
	return d.open, d.refusal, nil
}

// most is how much memory the frames may take that wait: all there may be before there is a producer, which has as much for itself. A frame that is being
// given is not among them.
func (d *Delegate) most() int64 {
	if d.care == nil || d.care.due != "" {
		return d.settings.StorageSize
	}
	return d.settings.StorageSize / 2
}

// hasRoom reports whether a frame fits; one alone always does.
func (d *Delegate) hasRoom(f *Frame) bool { return d.memory == 0 || d.memory+f.memory() <= d.most() }

// refuse takes back a frame that is not accepted.
func (d *Delegate) refuse(f *Frame) {
	d.mu.Lock()
	d.books.Refused.add(f.count())
	d.mu.Unlock()
	d.pool.give(f)
}

// turnAway drops a frame that comes, for a reason or for the error id of its fragment.
func (d *Delegate) turnAway(f *Frame, reason string, id int) {
	d.mu.Lock()
	d.books.Accepted.add(f.count())
	if id != 0 {
		d.books.skip(id, f.count())
		reason = strconv.Itoa(id)
	} else {
		d.books.drop(reason, f.count())
		d.noteDrops(reason, 1)
	}
	d.mu.Unlock()
	tokens, pts := withToken(nil, f), f.PTS
	d.pool.give(f)
	d.observer.Dropped(reason, 1, pts, tokens)
}

// insert takes a frame into its fragment and makes room for it, with putting held.
func (d *Delegate) insert(g *charge, f *Frame, begins bool) {
	d.mu.Lock()
	defer d.unlockTelling()
	now := d.now()
	f.accepted, d.lastPut = now, now
	if d.phase.since < 0 {
		d.phase.since = now
	}
	d.books.Accepted.add(f.count())
	if !begins && d.open != g || d.phase.failure != nil { // it was given up meanwhile
		d.cutter.needsKey = true
		d.lateFor(g, f)
		return
	}
	d.books.InFlight.add(f.count())
	if begins {
		d.refusal = 0
		d.closeOpen(false)
		d.seq++
		g.seq, g.born = d.seq, d.seq
		d.line = append(d.line, g)
		d.open = g
	}
	g.entries = append(g.entries, entry{frame: f, pts: f.PTS, bytes: int64(len(f.Data)), token: f.Token})
	g.left++
	g.has |= g.layout.one(f.Track)
	g.count.add(f.count())
	g.latest = max(g.latest, f.PTS)
	d.memory += f.memory()
	d.makeRoom()
	d.work.Broadcast()
}

// lateFor books a frame of a fragment that was given up while it came.
func (d *Delegate) lateFor(g *charge, f *Frame) {
	reason := ReasonBeforeKey
	switch {
	case d.phase.failure != nil:
		reason = d.phase.failure.trouble.Code
		d.books.drop(reason, f.count())
	case g.refusal != 0:
		reason = strconv.Itoa(g.refusal)
		d.books.skip(g.refusal, f.count())
	default:
		d.books.drop(reason, f.count())
		d.noteDrops(reason, 1)
	}
	d.leaving = append(d.leaving, loss{reason: reason, frames: 1, pts: f.PTS, tokens: withToken(nil, f)})
	d.pool.give(f)
}

// closeOpen closes the fragment under way; ended says that nothing follows it soon.
func (d *Delegate) closeOpen(ended bool) {
	if d.open == nil {
		return
	}
	d.open.closed, d.open.ended = true, ended
	_ = d.cutter.quiet.learn(&d.open.fragment) // so that fragments do not go on for a silent track; the producer announces it all the same
	if d.open.left == 0 {
		d.forget(d.open)
	}
	d.open = nil
}

// makeRoom keeps what waits within its bound, with putting held: the oldest goes, and where a producer is being changed what that has goes first.
func (d *Delegate) makeRoom() {
	for d.memory > d.most() && d.settings.Outage != Block {
		if c := d.care; c != nil && c.due != "" && d.owes(c) {
			d.abandon(c, ReasonStorage)
			continue
		}
		if !d.dropWaiting() {
			return
		}
	}
}

// dropWaiting gives up the oldest frames that wait, to the end of their fragment.
func (d *Delegate) dropWaiting() bool {
	for _, g := range d.line {
		from := g.next
		if g.care != nil && from < len(g.entries) && g.entries[from].frame == nil { // it is being given
			from++
		}
		if from >= len(g.entries) {
			continue
		}
		d.dropEntries(g, from, len(g.entries), ReasonStorage, 0)
		if g == d.open { // and what comes of it
			d.open = nil
			g.closed = true
			d.cutter.needsKey = true
		}
		if g.left == 0 {
			d.forget(g)
		}
		return true
	}
	return false
}

// dropEntries takes frames off the books that are in flight: for a reason, or for an error id. What has none left is the caller's to forget.
func (d *Delegate) dropEntries(g *charge, from, to int, reason string, id int) {
	var l loss
	for i := from; i < to; i++ {
		e := &g.entries[i]
		if e.gone {
			continue
		}
		n := Count{Frames: 1, Bytes: e.bytes}
		d.books.InFlight.sub(n)
		if id != 0 {
			d.books.skip(id, n)
		} else {
			d.books.drop(reason, n)
		}
		if l.frames == 0 {
			l.pts = e.pts
		}
		l.frames++
		if e.token != nil {
			l.tokens = append(l.tokens, e.token)
		}
		d.free(e)
		e.gone, e.token = true, nil
		g.left--
	}
	if l.frames == 0 {
		return
	}
	if l.reason = reason; id != 0 {
		l.reason = strconv.Itoa(id)
	} else {
		d.noteDrops(reason, l.frames)
	}
	d.leaving = append(d.leaving, l)
	d.settled.Broadcast()
	d.space.Broadcast()
	d.work.Broadcast()
}

// free gives the memory of a frame back that waits.
func (d *Delegate) free(e *entry) {
	if e.frame != nil {
		d.memory -= e.frame.memory()
		d.pool.give(e.frame)
		e.frame = nil
	}
}

// forget takes a fragment out of the line of which nothing is left.
func (d *Delegate) forget(g *charge) {
	if i := slices.Index(d.line, g); i >= 0 {
		d.line = slices.Delete(d.line, i, i+1)
	}
	d.settled.Broadcast()
	d.space.Broadcast()
	d.work.Broadcast()
}
