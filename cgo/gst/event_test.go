package gst_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

// journal notes what happens, from any thread.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

// event notes an event with what it carries.
func (j *journal) event(ev gst.Event) {
	switch ev.Type() {
	case gst.EventStreamStart:
		j.note("stream-start %s", ev.StreamID())
	case gst.EventCaps:
		j.note("caps %s", ev.Caps())
	case gst.EventSegment:
		s := ev.Segment()
		j.note("segment %v %d", s.IsTime(), s.ToRunningTime(7e9))
	case gst.EventGap:
		at, d := ev.Gap()
		j.note("gap %d %d", at, d)
	case gst.EventFlushStart:
		j.note("flush-start")
	case gst.EventFlushStop:
		j.note("flush-stop %v", ev.FlushStop())
	case gst.EventEOS:
		j.note("eos")
	case gst.EventCustomDownstream, gst.EventCustomOOB, gst.EventCustomBoth, gst.EventCustomUpstream:
		j.note("custom %s", ev.Structure().Str("say"))
	}
}

func defineListeningSink(t testing.TB, j *journal) string {
	t.Helper()
	return define(t, gst.Class{Kind: gst.KindSink, New: func(e *gst.Element) any {
		s := &hookedSink{render: func(v *gst.View) gst.Flow { j.note("buffer %d", v.RunningTime()); return gst.FlowOK }}
		s.e = e
		s.event = func(ev gst.Event) bool { j.event(ev); return e.ParentEvent(ev) }
		return s
	}})
}

func say(what string) *gst.Structure {
	return gst.NewStructure("x-test", gst.Field{Name: "say", Value: what})
}

func TestEventsDownstream(t *testing.T) {
	gsttest.LeakCheck(t)
	var j journal
	h := gsttest.New(t, defineListeningSink(t, &j))
	caps, err := gst.ParseCaps("application/x-test,k=1")
	require.NoError(t, err)
	segment := gst.NewTimeSegment()
	segment.SetStart(5e9)
	segment.SetBase(1e9)
	require.True(t, h.PushEvent(gst.NewStreamStart("a/stream")))
	require.True(t, h.PushEvent(gst.NewCapsEvent(caps)))
	caps.Unref()
	require.True(t, h.PushEvent(gst.NewSegmentEvent(&segment)))
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(6e9, []byte("x"))))
	require.True(t, h.PushEvent(gst.NewGap(8e9, 1e9)))
	require.True(t, h.PushEvent(gst.NewCustomEvent(gst.EventCustomDownstream, say("down"))))
	require.True(t, h.PushEvent(gst.NewCustomEvent(gst.EventCustomOOB, say("oob"))))
	require.True(t, h.PushEvent(gst.NewFlushStart()))
	require.Equal(t, gst.FlowFlushing, h.Push(gsttest.FrameAt(6e9, []byte("x"))))
	require.True(t, h.PushEvent(gst.NewFlushStop(true)))
	second := gst.NewTimeSegment()
	require.True(t, h.PushEvent(gst.NewSegmentEvent(&second)))
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(2e9, []byte("x"))))
	require.True(t, h.PushEvent(gst.NewEOS()))
	h.AwaitMessage(gst.MessageEOS)
	require.Equal(t, []string{
		"stream-start a/stream", "caps application/x-test, k=(int)1", "segment true 3000000000", "buffer 2000000000", "gap 8000000000 1000000000",
		"custom down", "custom oob", "flush-start", "flush-stop true", "segment true 7000000000", "buffer 2000000000", "eos",
	}, j.take())
}

func TestAnEventReadAsAnother(t *testing.T) {
	gsttest.LeakCheck(t)
	ev := gst.NewEOS()
	defer ev.Unref()
	require.True(t, ev.Caps().IsNil())
	at, d := ev.Gap()
	require.Zero(t, at+d)
	require.Empty(t, ev.StreamID())
	s := ev.Segment()
	require.False(t, s.IsTime())
	require.False(t, ev.FlushStop())
	require.Nil(t, ev.Structure())
	require.NotZero(t, ev.Seqnum())
}

// listeningTransform hears both directions.
type listeningTransform struct {
	hookedGenerate
	j *journal
}

func (l *listeningTransform) SrcEvent(ev gst.Event) bool {
	l.j.note("up")
	l.j.event(ev)
	return l.e.ParentSrcEvent(ev)
}

func TestEventsThroughATransform(t *testing.T) {
	gsttest.LeakCheck(t)
	var j journal
	h := gsttest.New(t, define(t, gst.Class{Kind: gst.KindGenerate, New: func(e *gst.Element) any {
		l := &listeningTransform{j: &j}
		l.e = e
		l.generate = func(_ *gst.View, out *gst.Outputs) gst.Flow { out.Pass(); return gst.FlowOK }
		l.event = func(ev gst.Event) bool {
			if ev.Type() == gst.EventCustomDownstream {
				defer ev.Unref() // swallowed, and another one sent
				return e.ParentEvent(gst.NewCustomEvent(gst.EventCustomDownstream, say("instead")))
			}
			return e.ParentEvent(ev)
		}
		return l
	}}))
	h.SetSrcCaps("application/x-test")
	require.True(t, h.PushEvent(gst.NewCustomEvent(gst.EventCustomDownstream, say("down"))))
	ev := h.AwaitEvent(gst.EventCustomDownstream)
	require.Equal(t, "instead", ev.Structure().Str("say"))
	ev.Unref()
	h.PushUpstreamEvent(gst.NewCustomEvent(gst.EventCustomUpstream, say("up there")))
	ev = h.AwaitUpstreamEvent(gst.EventCustomUpstream)
	require.Equal(t, "up there", ev.Structure().Str("say"))
	ev.Unref()
	require.Contains(t, j.take(), "custom up there")
}

func TestSendEvent(t *testing.T) {
	gsttest.LeakCheck(t)
	var j journal
	name := define(t, gst.Class{Kind: gst.KindSink, New: func(e *gst.Element) any {
		s := &hookedSink{render: func(*gst.View) gst.Flow { return gst.FlowOK }}
		s.e = e
		s.sendEvent = func(ev gst.Event) bool { j.event(ev); return e.ParentSendEvent(ev) }
		return s
	}})
	h := gsttest.New(t, name)
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("x"))))
	require.True(t, h.Element().SendEvent(gst.NewCustomEvent(gst.EventCustomUpstream, say("from a program"))))
	require.Equal(t, []string{"custom from a program"}, j.take())
	h.AwaitUpstreamEvent(gst.EventCustomUpstream).Unref()
}

func TestEOSWithoutBuffers(t *testing.T) {
	gsttest.LeakCheck(t)
	var j journal
	p := gsttest.Parse(t, countingSource(t, 0, false)+" ! "+defineListeningSink(t, &j))
	p.Run()
	require.Contains(t, j.take(), "eos")
	h := gsttest.New(t, defineGenerate(t, func(_ *gst.View, out *gst.Outputs) gst.Flow { out.Pass(); return gst.FlowOK }))
	require.True(t, h.PushEvent(gst.NewStreamStart("x")))
	require.True(t, h.PushEvent(gst.NewEOS()))
	h.AwaitEvent(gst.EventEOS).Unref()
}

// A sink that drains in its EOS is ended by Unlock, whatever state change is on its way, and by a flush.
func TestUnlockEndsADrain(t *testing.T) {
	gsttest.LeakCheck(t)
	draining := make(chan struct{}, 1)
	unlocked := make(chan struct{}, 4)
	name := define(t, gst.Class{Kind: gst.KindSink, New: func(e *gst.Element) any {
		s := &hookedSink{render: func(*gst.View) gst.Flow { return gst.FlowOK }}
		s.e = e
		s.event = func(ev gst.Event) bool {
			if ev.Type() == gst.EventEOS {
				draining <- struct{}{}
				<-unlocked
			}
			return e.ParentEvent(ev)
		}
		s.unlock = func(on bool) {
			if on {
				unlocked <- struct{}{}
			}
		}
		return s
	}})
	for n := range 40 {
		p := gsttest.Parse(t, countingSource(t, n%2, n%3 == 0)+" ! "+name)
		p.Play()
		<-draining
		require.Equal(t, gst.StateChangeSuccess, p.SetState(gst.StateNull))
		p.Close()
		for len(unlocked) > 0 {
			<-unlocked
		}
	}

	h := gsttest.New(t, name)
	h.SetSrcCaps("application/x-test")
	done := make(chan bool)
	go func() { done <- h.PushEvent(gst.NewEOS()) }()
	<-draining
	require.True(t, h.PushEvent(gst.NewFlushStart()))
	<-done
	require.True(t, h.PushEvent(gst.NewFlushStop(true)))
}

func TestUnlockEndsRender(t *testing.T) {
	gsttest.LeakCheck(t)
	rendering := make(chan struct{}, 1)
	var mu sync.Mutex
	flushing := make(chan struct{})
	var after gst.Flow
	name := define(t, gst.Class{Kind: gst.KindSink, New: func(e *gst.Element) any {
		s := &hookedSink{}
		s.e = e
		s.unlock = func(on bool) {
			mu.Lock()
			defer mu.Unlock()
			if on {
				close(flushing)
			} else {
				flushing = make(chan struct{})
			}
		}
		s.render = func(v *gst.View) gst.Flow {
			mu.Lock()
			wait := flushing
			mu.Unlock()
			rendering <- struct{}{}
			<-wait
			after = e.WaitPreroll(v)
			return after
		}
		return s
	}})
	p := gsttest.Parse(t, countingSource(t, 1, true)+" ! "+name+" async=false")
	p.Play()
	<-rendering
	require.NotEqual(t, gst.StateChangeFailure, p.SetState(gst.StatePaused)) // Unlock; WaitPreroll waits
	p.Play()                                                                 // and goes on
	p.Await(gst.MessageEOS)
	require.Equal(t, gst.FlowOK, after)
	p = gsttest.Parse(t, countingSource(t, 1, true)+" ! "+name+" async=false")
	p.Play()
	<-rendering
	require.Equal(t, gst.StateChangeSuccess, p.SetState(gst.StateNull))
	require.Equal(t, gst.FlowFlushing, after)
}

func TestRunningTimeOutsideTheSegment(t *testing.T) {
	s := gst.NewTimeSegment()
	s.SetStart(5e9)
	s.SetBase(1e9)
	for position, want := range map[uint64]int64{5e9: 1e9, 7e9: 3e9, 3e9: -1e9, 0: -4e9} {
		got, ok := s.RunningTime(position)
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	_, ok := s.RunningTime(gst.ClockTimeNone)
	require.False(t, ok)
}
