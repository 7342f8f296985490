package interleave

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// Settings bound what a Queue holds. Times count from when a frame came.
type Settings struct {
	// Wait is how long a frame waits for a track of which nothing is known.
	Wait time.Duration
	// Begin is how long it waits for a track that has not had its first frame yet.
	Begin time.Duration
	// MostBytes is how many bytes may wait. Beyond it frames leave without waiting for others,
	// and where nobody takes them Put waits.
	MostBytes int64
}

// never is a time before all others.
const never = math.MinInt64

// Queue is the line. All methods but Next are safe for concurrent use; Next is one goroutine's.
type Queue[F any] struct {
	settings Settings
	wake     chan struct{} // Next looks again
	timer    *time.Timer   // of Next

	mu     sync.Mutex
	moved  sync.Cond // something left, or ended
	tracks []*Track[F]
	bytes  int64
	count  int
	busy   bool // Next gave a frame and has not been called since
	hurry  int  // Puts and Drains that wait: nothing else is waited for
	closed bool
}

// New makes a queue without tracks. Close ends it.
func New[F any](s Settings) *Queue[F] {
	q := &Queue[F]{settings: s, wake: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	q.timer.Stop()
	q.moved.L = &q.mu
	return q
}

// Add adds a track. Frames of others wait for its first one, at most Settings.Begin. Of frames of one time that of the lowest rank goes first.
func (q *Queue[F]) Add(rank int) *Track[F] {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := &Track[F]{q: q, rank: rank, position: never, last: never}
	q.tracks = append(q.tracks, t)
	slices.SortStableFunc(q.tracks, func(a, b *Track[F]) int { return a.rank - b.rank })
	return t
}

// SetWait changes Settings.Wait and Begin.
func (q *Queue[F]) SetWait(wait, begin time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.settings.Wait, q.settings.Begin = wait, begin
	q.poke()
}

// Next waits for the next frame of the line. It is false when ctx is done, or the queue is closed
// and empty. That it is called again says that the frame before was dealt with.
func (q *Queue[F]) Next(ctx context.Context) (F, bool) {
	for {
		q.mu.Lock()
		q.busy = false
		q.moved.Broadcast()
		e, wait, ready := q.take(time.Now())
		over := q.closed && q.count == 0
		q.mu.Unlock()
		switch {
		case ready:
			return e.frame, true
		case over || ctx.Err() != nil:
			var none F
			return none, false
		}
		if wait > 0 {
			q.timer.Reset(wait)
		}
		select {
		case <-q.wake:
		case <-q.timer.C:
		case <-ctx.Done():
		}
		q.timer.Stop()
	}
}

// take takes the frame that may leave; where there is none it says how long to wait, 0 for until something comes.
func (q *Queue[F]) take(now time.Time) (e entry[F], wait time.Duration, ready bool) {
	first, oldest := (*Track[F])(nil), now
	for _, t := range q.tracks {
		if h := t.head(); h != nil {
			if first == nil || h.time < first.head().time {
				first = t
			}
			if h.at.Before(oldest) {
				oldest = h.at
			}
		}
	}
	if first == nil {
		return e, 0, false
	}
	if bound := q.patience(first); bound > 0 {
		if wait = bound - now.Sub(oldest); wait > 0 {
			return e, wait, false
		}
	}
	e = first.pop()
	q.bytes -= int64(e.size)
	q.count--
	q.busy = true
	if first.gone && first.head() == nil {
		q.forget(first)
	}
	q.moved.Broadcast()
	return e, 0, true
}

// patience is how long the head of a track, the earliest of all, may have to wait for others; 0: it may leave.
func (q *Queue[F]) patience(first *Track[F]) time.Duration {
	if q.closed || q.hurry > 0 || q.bytes > q.settings.MostBytes {
		return 0
	}
	bound, at := time.Duration(0), first.head().time
	for _, t := range q.tracks {
		switch {
		case t == first || t.ended || t.head() != nil || t.position >= at:
		case !t.begun:
			return q.settings.Begin
		default:
			bound = q.settings.Wait
		}
	}
	return bound
}

// Drain lets all frames leave, in order, and waits until they were dealt with, or ctx is done,
// whose cause it returns then.
func (q *Queue[F]) Drain(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.await(ctx, func() bool { return q.count == 0 && !q.busy })
	if q.count > 0 || q.busy {
		return context.Cause(ctx)
	}
	return nil
}

// await waits with the lock held, and lets frames leave meanwhile.
func (q *Queue[F]) await(ctx context.Context, done func() bool) {
	if done() || ctx.Err() != nil {
		return
	}
	q.hurry++
	defer func() { q.hurry-- }()
	defer context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.moved.Broadcast()
	})()
	q.poke()
	for !done() && ctx.Err() == nil {
		q.moved.Wait()
	}
}

// Close lets Next give what is left, and then end. Put takes nothing any more.
func (q *Queue[F]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.moved.Broadcast()
	q.poke()
}

// Waiting is how many frames and bytes wait.
func (q *Queue[F]) Waiting() (frames int, bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count, q.bytes
}

func (q *Queue[F]) forget(t *Track[F]) {
	q.tracks = slices.DeleteFunc(q.tracks, func(o *Track[F]) bool { return o == t })
}

func (q *Queue[F]) poke() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
