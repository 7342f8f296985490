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

// inboxSink is a plain sink whose pad has an inbox, open from Start to Stop.
type inboxSink struct {
	plainHooks
	pad    *gst.Pad
	take   func(v *gst.View) gst.Flow
	events journal
}

// newInboxSink gives a harness in front of one.
func newInboxSink(t *testing.T, take func(v *gst.View) gst.Flow) (*inboxSink, *gsttest.Harness) {
	s := &inboxSink{take: take}
	name := define(t, gst.Class{Kind: gst.KindPlain, Pads: []gst.PadTemplate{sinkAny}, New: func(e *gst.Element) any {
		s.e = e
		s.pad = e.NewPad("sink", "sink", gst.PadFuncs{Take: func(v *gst.View) gst.Flow { return s.take(v) }, Event: s.event})
		s.start = func() error { return s.pad.Inbox().Open() }
		s.stop = func() { s.pad.Inbox().Close() }
		s.changeState = func(c gst.StateChange) gst.StateChangeReturn {
			if c == gst.PausedToReady {
				s.pad.Inbox().Refuse(gst.FlowFlushing)
			}
			return e.ParentChangeState(c)
		}
		e.AddPad(s.pad)
		return s
	}})
	h := gsttest.NewPads(t, newElement(t, name), "sink", "")
	h.SetSrcCaps("application/x-test")
	return s, h
}

func (s *inboxSink) event(_ *gst.Pad, ev gst.Event) bool {
	if ev.IsSerialized() {
		s.pad.Inbox().Settle()
	}
	s.events.event(ev)
	ev.Unref()
	return true
}

// All buffers come, in order and whole, before the events behind them; none is kept.
func TestAnInboxKeepsTheOrder(t *testing.T) {
	gsttest.LeakCheck(t)
	gsttest.Goroutines(t)
	var got []string // of the goroutine, and of the streaming thread when it has settled
	s, h := newInboxSink(t, nil)
	s.take = func(v *gst.View) gst.Flow {
		if rand.IntN(10) == 0 {
			time.Sleep(50 * time.Microsecond) // so that the ring is full at times
		}
		got = append(got, fmt.Sprint(string(v.Memory(0)), v.PTS(), v.Size()))
		return gst.FlowOK
	}
	var want []string
	for i := range 2000 {
		require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(uint64(i), fmt.Appendf(nil, "<%d>", i))))
		want = append(want, fmt.Sprint(fmt.Sprintf("<%d>", i), i, len(fmt.Sprintf("<%d>", i))))
		if i%500 == 499 {
			h.PushEvent(gst.NewGap(uint64(i), 1))
			require.Equal(t, want, got)
		}
	}
	h.Close()
}

// A full inbox lets the streaming thread wait, until there is room or the inbox refuses.
func TestAFullInbox(t *testing.T) {
	gsttest.LeakCheck(t)
	var taken atomic.Int64
	let := make(chan struct{})
	const most = 32
	s, h := newInboxSink(t, func(*gst.View) gst.Flow { <-let; taken.Add(1); return gst.FlowOK })
	var pushed atomic.Int64
	flows := make(chan gst.Flow)
	push := func() {
		for range most + 20 {
			flow := h.Push(gsttest.FrameAt(0, []byte("x")))
			if flow != gst.FlowOK {
				flows <- flow
				return
			}
			pushed.Add(1)
		}
		flows <- gst.FlowOK
	}
	defer func() { // whatever comes of it, what blocks is let go
		select {
		case <-let:
		default:
			close(let)
		}
	}()
	go push()
	require.Eventually(t, func() bool { return pushed.Load() == most }, 5*time.Second, time.Millisecond)
	for range most + 12 {
		let <- struct{}{}
	}
	require.Equal(t, gst.FlowOK, <-flows)
	require.EqualValues(t, most+20, pushed.Load())
	require.False(t, s.pad.Inbox().SettleWithin(10*time.Millisecond))

	go push()
	s.pad.Inbox().Refuse(gst.FlowFlushing)
	require.Equal(t, gst.FlowFlushing, <-flows)
	s.pad.Inbox().Resume(gst.FlowError)
	require.Equal(t, gst.FlowFlushing, h.Push(gsttest.FrameAt(0, []byte("x"))), "it answers something else")
	close(let)
	s.pad.Inbox().Settle()
	require.Equal(t, pushed.Load(), taken.Load(), "what came is dealt with")
	s.pad.Inbox().Resume(gst.FlowFlushing)
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("x"))))
	h.Close()
}

// What the goroutine answers the streaming thread hears with a later buffer; those between are dealt with.
func TestAnInboxAnswers(t *testing.T) {
	gsttest.LeakCheck(t)
	var n atomic.Int64
	s, h := newInboxSink(t, func(*gst.View) gst.Flow {
		if n.Add(1) >= 3 {
			return gst.FlowEOS
		}
		return gst.FlowOK
	})
	pushed := 0
	flow := gst.FlowOK
	for ; flow == gst.FlowOK; pushed++ {
		flow = h.Push(gsttest.FrameAt(0, []byte("x")))
	}
	require.Equal(t, gst.FlowEOS, flow)
	s.pad.Inbox().Settle()
	require.EqualValues(t, pushed-1, n.Load())
	s.pad.Inbox().Refuse(gst.FlowError)
	require.Equal(t, gst.FlowError, h.Push(gsttest.FrameAt(0, []byte("x"))))
	require.Equal(t, gst.StateChangeSuccess, h.Element().SetState(gst.StateNull))
	n.Store(-10)
	h.Play()
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("x"))), "it begins anew")
	h.Close()
}

// A prompt inbox answers each buffer itself, and a wait for that answer ends as one for room does.
func TestAPromptInbox(t *testing.T) {
	gsttest.LeakCheck(t)
	var n atomic.Int64
	let := make(chan gst.Flow, 10)
	s, h := newInboxSink(t, func(*gst.View) gst.Flow { n.Add(1); return <-let })
	require.Equal(t, gst.StateChangeSuccess, h.Element().SetState(gst.StateNull))
	s.pad.Inbox().SetPrompt(true)
	h.Play()
	h.SetSrcCaps("application/x-test")
	for i, want := range []gst.Flow{gst.FlowOK, gst.FlowOK, gst.FlowEOS} {
		let <- want
		require.Equal(t, want, h.Push(gsttest.FrameAt(0, []byte("x"))))
		require.EqualValues(t, i+1, n.Load())
	}
	s.pad.Inbox().Resume(gst.FlowEOS)
	flow := make(chan gst.Flow)
	go func() { flow <- h.Push(gsttest.FrameAt(0, []byte("x"))) }()
	require.Eventually(t, func() bool { return n.Load() == 4 }, 5*time.Second, time.Millisecond)
	s.pad.Inbox().Refuse(gst.FlowFlushing)
	require.Equal(t, gst.FlowFlushing, <-flow)
	let <- gst.FlowOK
	h.Close()
}

// A prompt sink that waits for its answer changes states at once, and takes no buffer twice.
func TestAPromptSinkPauses(t *testing.T) {
	gsttest.LeakCheck(t)
	room := make(chan struct{})
	name, made := defineInboxBase(t, room)
	p := gsttest.Parse(t, "fakesrc sizetype=fixed filltype=pattern-span num-buffers=15 ! "+name+" name=s")
	made().e.Inbox().SetPrompt(true)
	for range 5 {
		p.Play()
		p.Settle(gst.StatePlaying)
		room <- struct{}{}
		room <- struct{}{}
		require.NotEqual(t, gst.StateChangeFailure, p.SetState(gst.StatePaused))
		p.Settle(gst.StatePaused)
	}
	p.Play()
	close(room)
	p.Await(gst.MessageEOS)
	s := made()
	require.EqualValues(t, 15, s.rendered.Load()+s.direct.Load())
	require.Equal(t, gst.StateChangeSuccess, p.SetState(gst.StateNull))
}

// A buffer comes with its running time, also before the segment, and the wall clock of running time 0.
func TestTimesInAnInbox(t *testing.T) {
	gsttest.LeakCheck(t)
	type times struct {
		running, unsigned string
		zero              bool
	}
	var got []times
	s, h := newInboxSink(t, func(v *gst.View) gst.Flow { return gst.FlowOK })
	s.take = func(v *gst.View) gst.Flow {
		running, ok := v.SignedRunningTime()
		_, zero := v.UnixZero()
		unsigned := "none"
		if v.RunningTime() != gst.ClockTimeNone {
			unsigned = fmt.Sprint(v.RunningTime())
		}
		got = append(got, times{fmt.Sprint(running, ok), unsigned, zero})
		if zero {
			at, _ := v.UnixZero()
			require.WithinDuration(t, time.Now(), time.Unix(0, at), time.Hour)
		}
		return gst.FlowOK
	}
	segment := gst.NewTimeSegment()
	segment.SetStart(1000)
	segment.SetBase(50)
	h.PushEvent(gst.NewSegmentEvent(&segment))
	for _, pts := range []uint64{1000, 1007, 990} {
		h.Push(gsttest.FrameAt(pts, []byte("x")))
	}
	h.Push(gsttest.FrameAt(gst.ClockTimeNone, []byte("x")))
	s.pad.Inbox().Settle()
	require.Equal(t, times{"50 true", "50", got[0].zero}, got[0])
	require.Equal(t, times{"57 true", "57", got[0].zero}, got[1])
	require.Equal(t, times{"40 true", "none", got[0].zero}, got[2])
	require.Equal(t, "none", got[3].unsigned)
	require.Contains(t, got[3].running, "false")
	h.PushEvent(gst.NewFlushStart())
	h.PushEvent(gst.NewFlushStop(true))
	h.PushEvent(gst.NewSegmentEvent(&segment))
	h.Push(gsttest.FrameAt(1000, []byte("x")))
	s.pad.Inbox().Settle()
	require.Equal(t, "50 true", got[4].running)
	h.Close()
}

// A buffer is not kept for longer than a moment when no other comes.
func TestAnInboxGivesBack(t *testing.T) {
	gsttest.LeakCheck(t)
	_, h := newInboxSink(t, func(*gst.View) gst.Flow { return gst.FlowOK })
	b := gst.NewBuffer([]byte("x"))
	require.Equal(t, gst.FlowOK, h.PushBuffer(b.Ref()))
	require.Eventually(t, b.IsWritable, 5*time.Second, 10*time.Millisecond, "nobody else has it")
	b.Unref()
	for range 3 { // and it goes on after that
		require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("x"))))
	}
	h.Close()
}

// Buffers, settling, refusing and restarts at once, from several threads.
func TestAnInboxUnderStress(t *testing.T) {
	gsttest.LeakCheck(t)
	gsttest.Goroutines(t)
	var taken atomic.Int64
	s, h := newInboxSink(t, func(*gst.View) gst.Flow { taken.Add(1); return gst.FlowOK })
	for range gsttest.Rounds(30, 2000) {
		var pushing sync.WaitGroup
		var pushed int64
		taken.Store(0)
		pushing.Go(func() {
			for range 300 {
				if h.Push(gsttest.FrameAt(0, []byte("x"))) == gst.FlowOK {
					pushed++
				}
			}
		})
		pushing.Go(func() {
			for range 20 {
				s.pad.Inbox().SettleWithin(time.Millisecond)
				s.pad.Inbox().Refuse(gst.FlowFlushing)
				s.pad.Inbox().Resume(gst.FlowFlushing)
			}
		})
		pushing.Wait()
		require.Equal(t, gst.StateChangeSuccess, h.Element().SetState(gst.StateNull))
		require.Equal(t, pushed, taken.Load())
		h.Play()
		h.SetSrcCaps("application/x-test")
	}
	h.Close()
}

// inboxBase is a sink on the base class with an inbox, which waits for room while it has none.
type inboxBase struct {
	hooks
	room             chan struct{}
	rendered, direct atomic.Int64
	bytes            atomic.Int64
}

func (s *inboxBase) Render(v *gst.View) gst.Flow {
	<-s.room
	s.rendered.Add(1)
	s.bytes.Add(int64(v.Memory(0)[0]))
	return gst.FlowOK
}

func (s *inboxBase) TryRender(v *gst.View) (gst.Flow, bool) {
	select {
	case <-s.room:
		s.direct.Add(1)
		s.bytes.Add(int64(v.Memory(0)[0]))
		return gst.FlowOK, true
	default:
		return gst.FlowOK, false
	}
}

func defineInboxBase(t *testing.T, room chan struct{}) (name string, made func() *inboxBase) {
	var last *inboxBase
	name = define(t, gst.Class{Kind: gst.KindSink, Inbox: true, New: func(e *gst.Element) any {
		last = &inboxBase{room: room}
		last.e = e
		return last
	}})
	return name, func() *inboxBase { return last }
}

// Buffers that come fast are taken at once, others by the goroutine; all are dealt with before the end of the stream.
func TestASinkWithAnInbox(t *testing.T) {
	gsttest.LeakCheck(t)
	gsttest.Goroutines(t)
	room := make(chan struct{})
	close(room)
	name, made := defineInboxBase(t, room)
	for line, check := range map[string]func(s *inboxBase){
		"fakesrc num-buffers=5000 sizetype=fixed filltype=pattern": func(s *inboxBase) {
			require.Greater(t, s.direct.Load(), int64(2500))
			require.EqualValues(t, 5000, s.direct.Load()+s.rendered.Load())
		},
		"fakesrc num-buffers=10 sizetype=fixed filltype=pattern datarate=204800 format=time ! identity sync=true": func(s *inboxBase) { // 50 a second
			require.EqualValues(t, 10, s.rendered.Load())
		},
	} {
		gsttest.Parse(t, line+" ! "+name+" name=s").Run()
		check(made())
	}
}

// A sink whose inbox is full changes states at once: up, down, and to the end.
func TestAFullInboxDoesNotHoldUpStates(t *testing.T) {
	gsttest.LeakCheck(t)
	gsttest.Goroutines(t)
	room := make(chan struct{})
	name, made := defineInboxBase(t, room)
	p := gsttest.Parse(t, "fakesrc sizetype=fixed filltype=pattern ! "+name+" name=s")
	defer func() { // whatever comes of it, what blocks is let go
		close(room)
		require.Equal(t, gst.StateChangeSuccess, p.SetState(gst.StateNull))
	}()
	for range 20 {
		p.Play()
		p.Settle(gst.StatePlaying)
		for range 40 { // more than it holds: the streaming thread waits again
			room <- struct{}{}
		}
		require.NotEqual(t, gst.StateChangeFailure, p.SetState(gst.StatePaused))
		p.Settle(gst.StatePaused)
	}
	s := made()
	require.Eventually(t, func() bool { return s.rendered.Load()+s.direct.Load() == 800 }, 5*time.Second, time.Millisecond)
}
