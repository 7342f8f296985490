package interleave

import (
	"context"
	"errors"
	"time"
)

// ErrClosed is the error of Put after Close.
var ErrClosed = errors.New("the queue of frames is closed")

// Track is one of the tracks of a Queue. All methods are safe for concurrent use.
type Track[F any] struct {
	q    *Queue[F]
	rank int

	// Under q.mu.
	entries  []entry[F]
	begin    int   // of entries
	last     int64 // the time of the latest frame that was put
	position int64 // nothing before it comes any more
	begun    bool
	ended    bool
	gone     bool
}

type entry[F any] struct {
	frame F
	time  int64
	size  int
	at    time.Time
}

// Put puts a frame of a time, in any unit that all tracks share, and of so many bytes. Where there is no
// other track to wait for, it says direct instead, and the frame is not taken: the caller
// sends it before it puts the next one.
//
// Where the queue is full and nobody takes frames off it, Put waits until ctx is done, and
// returns its cause; the frame was not taken then.
func (t *Track[F]) Put(ctx context.Context, f F, at int64, size int) (direct bool, err error) {
	q := t.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.full(size) {
		q.await(ctx, func() bool { return !t.full(size) || q.closed })
		if t.full(size) && !q.closed {
			return false, context.Cause(ctx)
		}
	}
	if q.closed {
		return false, ErrClosed
	}
	t.begun = true
	at = max(at, t.last) // in the track's own order
	t.last, t.position = at, max(t.position, at)
	if q.count == 0 && !q.busy && t.alone() {
		return true, nil
	}
	if t.begin > 0 && len(t.entries) == cap(t.entries) {
		n := copy(t.entries, t.entries[t.begin:])
		clear(t.entries[n:])
		t.entries, t.begin = t.entries[:n], 0
	}
	t.entries = append(t.entries, entry[F]{frame: f, time: at, size: size, at: time.Now()})
	q.bytes += int64(size)
	q.count++
	q.poke()
	return false, nil
}

// full reports whether there is no room; a track of which nothing waits always has some.
func (t *Track[F]) full(size int) bool {
	return t.head() != nil && t.q.bytes+int64(size) > t.q.settings.MostBytes
}

// alone reports whether no other track can have a frame.
func (t *Track[F]) alone() bool {
	for _, o := range t.q.tracks {
		if o != t && !o.ended {
			return false
		}
	}
	return true
}

// Advance says that no frame comes before a time.
func (t *Track[F]) Advance(at int64) {
	t.change(func() {
		t.position = max(t.position, at)
		t.begun = true
	})
}

// End says that no frame comes at all, until Reopen.
func (t *Track[F]) End() { t.change(func() { t.ended = true }) }

// Reopen says that frames come again, of any time: after End, and after a flush.
func (t *Track[F]) Reopen() { t.change(func() { t.ended, t.position, t.last = false, never, never }) }

// Remove ends the track for good. What waits of it leaves in its turn.
func (t *Track[F]) Remove() {
	t.change(func() {
		t.ended, t.gone = true, true
		if t.head() == nil {
			t.q.forget(t)
		}
	})
}

func (t *Track[F]) change(f func()) {
	t.q.mu.Lock()
	defer t.q.mu.Unlock()
	f()
	t.q.poke()
}

func (t *Track[F]) head() *entry[F] {
	if t.begin == len(t.entries) {
		return nil
	}
	return &t.entries[t.begin]
}

func (t *Track[F]) pop() entry[F] {
	e := t.entries[t.begin]
	t.entries[t.begin] = entry[F]{}
	if t.begin++; t.begin == len(t.entries) {
		t.entries, t.begin = t.entries[:0], 0
	}
	return e
}
