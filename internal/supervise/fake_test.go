package supervise_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/supervise"
)

// fake is a source that does what a test says; time is the bubble's.
type fake struct {
	mu      sync.Mutex
	buffers uint64
	last    time.Time
	eos     bool
	flowing bool
	up      bool // what a start leads to
	started bool
	starts  []time.Time
	stops   int
	startup error         // what Start gives
	hang    chan struct{} // Stop blocks until it is closed
	onStart func()
}

func newFake() *fake { return &fake{last: time.Now(), up: true, flowing: true, started: true} }

// flow counts a buffer every 40 ms while data flows, until the bubble's end.
func (f *fake) flow(done <-chan struct{}) {
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		f.mu.Lock()
		if f.started && f.flowing {
			f.buffers++
			f.last = time.Now()
		}
		f.mu.Unlock()
	}
}

func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) Start() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.starts = append(f.starts, time.Now())
	f.last, f.eos = time.Now(), false
	if f.onStart != nil {
		f.onStart()
	}
	if f.startup != nil {
		return f.startup
	}
	f.started, f.flowing = true, f.up
	return nil
}

func (f *fake) Stop() error {
	f.mu.Lock()
	f.stops++
	f.started, f.flowing = false, false
	hang := f.hang
	f.mu.Unlock()
	if hang != nil {
		<-hang
	}
	return nil
}

func (f *fake) Silence() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Since(f.last)
}

func (f *fake) EOS() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.eos
}

func (f *fake) Buffers() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.buffers
}

// record keeps what is told.
type record struct {
	mu    sync.Mutex
	lost  []supervise.Loss
	stuck []string
	back  []time.Duration
}

func (r *record) Lost(l supervise.Loss) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = append(r.lost, l)
}

func (r *record) Stuck(doing string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stuck = append(r.stuck, doing)
}

func (r *record) Back(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.back = append(r.back, d)
}

func (r *record) losses() []supervise.Loss {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]supervise.Loss(nil), r.lost...)
}

// rig is a supervisor of a fake in a bubble of time.
type rig struct {
	*fake
	*supervise.Supervisor
	told *record
}

// bubble runs a test in a bubble where time passes when nothing else happens. Jitter is the whole pause.
func bubble(t *testing.T, set supervise.Settings, f func(t *testing.T, r *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		set.Random = func() float64 { return 1 }
		src, told := newFake(), &record{}
		r := &rig{fake: src, Supervisor: supervise.New(src, set, told), told: told}
		done := make(chan struct{})
		go src.flow(done)
		r.Supervisor.Start()
		f(t, r)
		r.Supervisor.Close()
		close(done)
	})
}

// pass lets time go by and everything settle.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (r *rig) playing(t *testing.T) {
	t.Helper()
	pass(500 * time.Millisecond)
	require.Equal(t, supervise.Playing, r.Stats().State)
}
