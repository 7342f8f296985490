package gst_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

// careful is the Go half of every kind for the stress tests: it blocks, it is unlocked, and it fails the test when its calls come in an order that
// elements may not see.
type careful struct {
	hooks
	t        testing.TB
	mu       sync.Mutex
	started  bool
	flushing chan struct{}
	work     chan int // what Start begins and Stop waits for
	done     chan struct{}
}

func newCareful(t testing.TB, e *gst.Element) *careful {
	c := &careful{t: t, flushing: make(chan struct{})}
	c.e = e
	c.start, c.stop, c.unlock = c.begin, c.end, c.release
	return c
}

func (c *careful) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started {
		c.t.Error("Start twice")
	}
	c.started = true
	c.work, c.done = make(chan int, 1), make(chan struct{})
	go func(work chan int, done chan struct{}) {
		defer close(done)
		for range work {
		}
	}(c.work, c.done)
	return nil
}

func (c *careful) end() {
	c.mu.Lock()
	work, done := c.work, c.done
	if !c.started {
		c.t.Error("Stop without Start")
	}
	c.started, c.work = false, nil
	c.mu.Unlock()
	close(work)
	<-done
}

func (c *careful) release(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.flushing:
		if !on {
			c.flushing = make(chan struct{})
		}
	default:
		if on {
			close(c.flushing)
		}
	}
}

// do is one round of work, which blocks now and then; false when it was unlocked.
func (c *careful) do(n int) bool {
	c.mu.Lock()
	work, flushing, started := c.work, c.flushing, c.started
	c.mu.Unlock()
	if !started {
		c.t.Error("data before Start or after Stop")
		return false
	}
	select {
	case work <- n:
		return true
	case <-flushing:
		return false
	}
}

type carefulSink struct{ *careful }

func (c carefulSink) Render(v *gst.View) gst.Flow {
	for !c.do(v.Size()) {
		if r := c.e.WaitPreroll(v); r != gst.FlowOK {
			return r
		}
	}
	return gst.FlowOK
}

// carefulInbox is a sink with an inbox: only going down ends its waiting.
type carefulInbox struct{ *careful }

func (c carefulInbox) Start() error {
	c.release(false)
	return c.begin()
}

func (c carefulInbox) Unlock(flushing bool) {
	if next := c.e.NextState(); flushing && (next == gst.StateReady || next == gst.StateNull) {
		c.release(true)
	}
}

func (c carefulInbox) Render(v *gst.View) gst.Flow {
	if !c.do(v.Size()) {
		return gst.FlowFlushing
	}
	return gst.FlowOK
}

func (c carefulInbox) TryRender(v *gst.View) (gst.Flow, bool) {
	c.mu.Lock()
	work := c.work
	c.mu.Unlock()
	select {
	case work <- v.Size():
		return gst.FlowOK, true
	default:
		return gst.FlowOK, false
	}
}

type carefulInPlace struct{ *careful }

func (c carefulInPlace) TransformInPlace(v *gst.View) gst.Flow {
	if v.Map(true) != nil {
		return gst.FlowError
	}
	c.do(v.Size())
	return gst.FlowOK
}

type carefulGenerate struct {
	*careful
	n int
}

func (c *carefulGenerate) Generate(in *gst.View, out *gst.Outputs) gst.Flow {
	c.do(in.Size())
	switch c.n++; c.n % 3 {
	case 0:
		out.Pass()
	case 1:
		out.Wrap([]byte("<"), []byte(">"))
		out.Push(in.Buffer().Region(0, 1))
	}
	return gst.FlowOK
}

type carefulSource struct {
	*careful
	n uint64
}

func (c *carefulSource) Create() (gst.Buffer, gst.Flow) {
	if !c.do(1) {
		return gst.Buffer{}, gst.FlowFlushing
	}
	c.n++
	return gsttest.FrameAt(c.n*1000, []byte("abcdef")).Buffer(), gst.FlowOK
}

// carefulLine gives a pipeline with an element of each kind.
func carefulLine(t testing.TB) string {
	kind := func(k gst.Kind, live bool, wrap func(*careful) any) string {
		return define(t, gst.Class{Kind: k, Live: live, New: func(e *gst.Element) any { return wrap(newCareful(t, e)) }})
	}
	src := kind(gst.KindSource, true, func(c *careful) any { return &carefulSource{careful: c} })
	inPlace := kind(gst.KindInPlace, false, func(c *careful) any { return carefulInPlace{c} })
	generate := kind(gst.KindGenerate, false, func(c *careful) any { return &carefulGenerate{careful: c} })
	sink := kind(gst.KindSink, false, func(c *careful) any { return carefulSink{c} })
	inbox := define(t, gst.Class{Kind: gst.KindSink, Inbox: true, New: func(e *gst.Element) any { return carefulInbox{newCareful(t, e)} }})
	return fmt.Sprintf("%s ! application/x-test ! %s ! tee name=t ! queue ! %s ! %s async=false t. ! queue leaky=2 ! %s async=false t. ! queue ! %s async=false",
		src, inPlace, generate, sink, sink, inbox)
}

func TestStateChangesInAnyOrder(t *testing.T) {
	gsttest.LeakCheck(t)
	gsttest.Goroutines(t)
	line := carefulLine(t)
	p := gsttest.Parse(t, line)
	gsttest.States(t, p.Object, gsttest.Rounds(60, 3000))
	require.Nil(t, p.Message(0, gst.MessageError))
	for _, name := range []string{definePropertySink(t, nil), countingSource(t, 5, false), defineInPlace(t, ok), defineGenerate(t, pass)} {
		gsttest.States(t, newElement(t, name), 30)
	}
}

func TestStateChangesUnderStress(t *testing.T) {
	gsttest.LeakCheck(t)
	gsttest.Goroutines(t)
	line := carefulLine(t)
	gsttest.Stress(t)
	p := gsttest.Parse(t, line)
	gsttest.States(t, p.Object, gsttest.Rounds(40, 2000))
	require.Nil(t, p.Message(0, gst.MessageError))
}

func TestLivesEndFlat(t *testing.T) {
	gsttest.Goroutines(t)
	line := carefulLine(t)
	gsttest.Flat(t, gsttest.Rounds(1000, 20000), 512, func(i int) {
		p, err := gst.Parse(line)
		require.NoError(t, err)
		p.SetState([]gst.State{gst.StateReady, gst.StatePaused, gst.StatePlaying, gst.StatePlaying}[i%4])
		p.SetState(gst.StateNull)
		p.Unref()
	})
}

// Flushes, segments and caps come from another thread while buffers flow.
func TestFlushesAndCapsChangesWhileDataFlows(t *testing.T) {
	gsttest.LeakCheck(t)
	gsttest.Goroutines(t)
	kind := func(k gst.Kind, wrap func(*careful) any) string {
		return define(t, gst.Class{Kind: k, New: func(e *gst.Element) any { return wrap(newCareful(t, e)) }})
	}
	inPlace := kind(gst.KindInPlace, func(c *careful) any { return carefulInPlace{c} })
	generate := kind(gst.KindGenerate, func(c *careful) any { return &carefulGenerate{careful: c} })
	sink := kind(gst.KindSink, func(c *careful) any { return carefulSink{c} })
	inbox := define(t, gst.Class{Kind: gst.KindSink, Inbox: true, New: func(e *gst.Element) any { return carefulInbox{newCareful(t, e)} }})
	h := gsttest.NewPads(t, parseBin(t, inPlace+" ! queue ! "+generate+" ! tee name=t ! queue ! "+sink+" async=false t. ! queue ! "+inbox+" async=false"), "sink", "")
	h.SetSrcCaps("application/x-test,n=0")
	gsttest.Stress(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var pushed atomic.Int64
	var streaming sync.Mutex // the stream lock of a seek: no buffer comes between a flush and its segment
	push := func(i uint64) bool {
		streaming.Lock()
		defer streaming.Unlock()
		switch r := h.Push(gsttest.FrameAt(i, []byte("abc"))); r {
		case gst.FlowOK:
			pushed.Add(1)
		case gst.FlowFlushing:
		default:
			t.Errorf("pushing: %v", r)
			return false
		}
		if i%16 != 0 {
			return true
		}
		c, err := gst.ParseCaps(fmt.Sprintf("application/x-test,n=%d", i))
		if err != nil {
			t.Error(err)
			return false
		}
		defer c.Unref()
		h.PushEvent(gst.NewCapsEvent(c))
		h.PushEvent(gst.NewGap(i, 1))
		return true
	}
	wg.Go(func() {
		for i := uint64(0); ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if !push(i) {
				return
			}
		}
	})
	for range gsttest.Rounds(100, 5000) {
		h.PushEvent(gst.NewFlushStart()) // ends a push that blocks
		streaming.Lock()
		h.PushEvent(gst.NewFlushStop(true))
		s := gst.NewTimeSegment()
		h.PushEvent(gst.NewSegmentEvent(&s))
		streaming.Unlock()
	}
	close(stop)
	wg.Wait()
	require.Nil(t, h.Message(0, gst.MessageError))
	t.Log(pushed.Load(), "buffers went through")
}

// What several threads may do to a running pipeline at once.
func TestManyHandsOnOnePipeline(t *testing.T) {
	gsttest.LeakCheck(t)
	gsttest.Goroutines(t)
	name := define(t, gst.Class{Kind: gst.KindSink, Properties: properties, New: func(e *gst.Element) any {
		s := &handledSink{carefulSink: carefulSink{newCareful(t, e)}, settings: gst.NewStore(e, properties)}
		s.settings.Changed = func(string) { s.settings.Get() }
		return s
	}})
	p := gsttest.Parse(t, countingSource(t, 1<<30, true)+" name=src ! queue name=q ! "+name+" name=s async=false")
	s := p.Element("s")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	hand := func(f func(r *rand.Rand)) {
		wg.Go(func() {
			for r := rand.New(rand.NewPCG(1, 2)); ; {
				select {
				case <-stop:
					return
				default:
					f(r)
				}
			}
		})
	}
	hand(func(r *rand.Rand) { s.Set("live", r.IntN(100)) })
	hand(func(r *rand.Rand) { s.Set("text", fmt.Sprint(r.IntN(100))) })
	hand(func(*rand.Rand) { s.Get("stats"); s.Get("text"); s.Get("structure") })
	hand(func(*rand.Rand) { p.Dot() })
	hand(func(*rand.Rand) {
		q := gst.NewLatencyQuery()
		p.Query(q)
		q.Unref()
	})
	hand(func(*rand.Rand) { p.SendEvent(gst.NewCustomEvent(gst.EventCustomUpstream, say("x"))) })
	hand(func(*rand.Rand) {
		for p.Message(time.Millisecond, gst.MessageAny) != nil {
		}
	})
	gsttest.States(t, p.Object, gsttest.Rounds(60, 3000))
	close(stop)
	wg.Wait()
}

type handledSink struct {
	carefulSink
	settings *gst.Store[settings]
}

func (h *handledSink) ReadProperty(string) any { return nil }
