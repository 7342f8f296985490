package pipeline

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/internal/supervise"
)

// heard keeps what a pipeline tells.
type heard struct {
	mu       sync.Mutex
	lost     []supervise.Loss
	back     int
	stuck    []string
	warnings []string
	acks     int
	changed  chan struct{}
}

func (h *heard) note(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

func (h *heard) Acks(_ string, acks []Ack) { h.note(func() { h.acks += len(acks) }) }
func (h *heard) Warning(m *gst.Message) {
	h.note(func() { h.warnings = append(h.warnings, m.Err.Text) })
}
func (h *heard) Info(*gst.Message)               {}
func (h *heard) Lost(_ string, l supervise.Loss) { h.note(func() { h.lost = append(h.lost, l) }) }
func (h *heard) Stuck(_, doing string)           { h.note(func() { h.stuck = append(h.stuck, doing) }) }
func (h *heard) Back(string, time.Duration)      { h.note(func() { h.back++ }) }
func (h *heard) losses() []supervise.Loss {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]supervise.Loss(nil), h.lost...)
}

func (h *heard) backs() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.back
}

func (h *heard) hangs() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.stuck)
}

func (h *heard) last(t *testing.T) supervise.Loss {
	t.Helper()
	all := h.losses()
	require.NotEmpty(t, all)
	return all[len(all)-1]
}

// fast is a supervision that does not wait long.
func fast() supervise.Settings {
	return supervise.Settings{
		Stall: 300 * time.Millisecond, StartLimit: time.Second, RetryFor: supervise.Forever, StopLimit: 200 * time.Millisecond,
		Backoff: 10 * time.Millisecond, MaxDelay: 40 * time.Millisecond,
	}
}

// flow is what arrives at a sink, in order.
type flow struct {
	mu      sync.Mutex
	buffers int
	events  []gst.EventType
	content map[string]int
	back    bool // a time stamp was earlier than the one before
	pts     uint64
	hold    chan struct{} // buffers wait for it
}

// tap looks at a sink's pad until the pipeline is closed.
func tap(t *testing.T, p *Pipeline, element string) *flow {
	t.Helper()
	f := &flow{content: map[string]int{}}
	e := p.o.ByName(element)
	require.NotNil(t, e)
	defer e.Unref()
	pad := e.StaticPad("sink")
	defer pad.Unref()
	pad.ProbeBuffers(func(b gst.Buffer) gst.ProbeReturn {
		f.mu.Lock()
		hold := f.hold
		f.buffers++
		f.content[string(b.Bytes())]++
		f.back = f.back || b.PTS() < f.pts
		f.pts = b.PTS()
		f.mu.Unlock()
		if hold != nil {
			<-hold
		}
		return gst.ProbeOK
	})
	pad.ProbeEvents(func(ev gst.Event) gst.ProbeReturn {
		f.mu.Lock()
		f.events = append(f.events, ev.Type())
		f.mu.Unlock()
		return gst.ProbeOK
	})
	return f
}

func (f *flow) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.buffers
}

func (f *flow) seen(e gst.EventType) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.events {
		if x == e {
			n++
		}
	}
	return n
}

// await waits for a condition that another thread brings about.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(gsttest.Limit)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it did not come: " + what)
		}
	}
}

func (f *flow) more(t *testing.T, n int) {
	t.Helper()
	from := f.count()
	await(t, fmt.Sprintf("%d more buffers", n), func() bool { return f.count() >= from+n })
}

// playing is a pipeline that runs.
type playing struct {
	*Pipeline
	heard *heard
	cam   *cam
	stop  context.CancelFunc
	force chan struct{}
	ended chan Outcome
	once  sync.Once
	out   Outcome
}

// play runs a line; its end is waited for when the test ends. Leaks of goroutines and of objects fail the test.
func play(t *testing.T, line string, set supervise.Settings, before ...func(*playing)) *playing {
	t.Helper()
	gsttest.Goroutines(t)
	gsttest.LeakCheck(t)
	h := &heard{changed: make(chan struct{}, 1)}
	p, err := Open(line, Settings{Supervise: set, Acks: true}, h)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	r := &playing{Pipeline: p, heard: h, cam: testcam.get(t), stop: cancel, force: make(chan struct{}), ended: make(chan Outcome, 1)}
	for _, f := range before {
		f(r)
	}
	go func() { r.ended <- p.Run(ctx, r.force) }()
	t.Cleanup(func() { r.end(t); p.Close() })
	await(t, "the start", func() bool { return p.o.Current() >= gst.StatePaused && (!r.cam.live || len(p.Sources()) > 0) })
	return r
}

// end interrupts the run and gives how it ended.
func (r *playing) end(t *testing.T) Outcome {
	t.Helper()
	r.stop()
	return r.outcome(t)
}

// outcome waits for the end.
func (r *playing) outcome(t *testing.T) Outcome {
	t.Helper()
	r.once.Do(func() {
		select {
		case r.out = <-r.ended:
		case <-time.After(gsttest.Limit):
			t.Error("the run does not end")
		}
	})
	return r.out
}
