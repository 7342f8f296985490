package gst_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

// countingSource gives n buffers and ends.
func countingSource(t testing.TB, n int, live bool) string {
	t.Helper()
	return define(t, gst.Class{Kind: gst.KindSource, Live: live, New: func(*gst.Element) any {
		i := 0
		return createFunc(func() (gst.Buffer, gst.Flow) {
			if i == n {
				return gst.Buffer{}, gst.FlowEOS
			}
			i++
			return gsttest.FrameAt(uint64(i-1)*uint64(time.Millisecond), []byte{byte(i)}).Buffer(), gst.FlowOK
		})
	}})
}

func TestSource(t *testing.T) {
	gsttest.LeakCheck(t)
	var got []byte
	sink := defineSink(t, func(v *gst.View) gst.Flow { got = append(got, v.Memory(0)...); return gst.FlowOK })
	p := gsttest.Parse(t, countingSource(t, 5, false)+" ! "+sink)
	p.Run()
	require.Equal(t, []byte{1, 2, 3, 4, 5}, got)
}

func TestSourceInAHarness(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.New(t, countingSource(t, 3, false))
	h.Play()
	for i := range 3 {
		require.Equal(t, []byte{byte(i + 1)}, h.Pull().Data)
	}
	h.AwaitEvent(gst.EventEOS).Unref()
	require.Equal(t, 3, h.Received())
}

func TestLiveSource(t *testing.T) {
	gsttest.LeakCheck(t)
	var known, live atomic.Bool
	var e *gst.Element
	sink := define(t, gst.Class{Kind: gst.KindSink, New: func(x *gst.Element) any {
		e = x
		return renderFunc(func(*gst.View) gst.Flow {
			l, k := e.UpstreamLive()
			live.Store(l)
			known.Store(k)
			return gst.FlowOK
		})
	}})
	for _, isLive := range []bool{true, false} {
		known.Store(false)
		p := gsttest.Parse(t, countingSource(t, 3, isLive)+" ! "+sink)
		want := gst.StateChangeAsync
		if isLive {
			want = gst.StateChangeNoPreroll
		}
		require.Equal(t, want, p.SetState(gst.StatePaused))
		p.Run()
		require.True(t, known.Load())
		require.Equal(t, isLive, live.Load())
		p.Close()
	}
	free := newElement(t, sink)
	_ = free
	_, k := e.UpstreamLive()
	require.False(t, k, "nobody is upstream")
}

// blockingSource waits for its channel, or for Unlock.
type blockingSource struct {
	hookedSource
	mu       sync.Mutex
	in       chan gst.Buffer
	flushing chan struct{}
}

func newBlockingSource(e *gst.Element, in chan gst.Buffer) *blockingSource {
	s := &blockingSource{in: in, flushing: make(chan struct{})}
	s.e = e
	s.create = func() (gst.Buffer, gst.Flow) {
		s.mu.Lock()
		flushing := s.flushing
		s.mu.Unlock()
		select {
		case b := <-s.in:
			return b, gst.FlowOK
		case <-flushing:
			return gst.Buffer{}, gst.FlowFlushing
		}
	}
	s.unlock = func(on bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if on {
			close(s.flushing)
		} else {
			s.flushing = make(chan struct{})
		}
	}
	return s
}

func TestUnlockEndsCreate(t *testing.T) {
	gsttest.LeakCheck(t)
	in := make(chan gst.Buffer)
	name := define(t, gst.Class{Kind: gst.KindSource, Live: true, New: func(e *gst.Element) any { return newBlockingSource(e, in) }})
	p := gsttest.Parse(t, name+" ! fakesink sync=false")
	for range 3 {
		p.Play()
		in <- gsttest.FrameAt(0, []byte("x")).Buffer()
		require.Equal(t, gst.StateChangeSuccess, p.SetState(gst.StateNull), "it blocks in Create and goes down")
	}
}

// providingSource has caps and a latency of its own.
type providingSource struct {
	hookedSource
	caps string
}

func (p *providingSource) Caps() gst.Caps {
	c, err := gst.ParseCaps(p.caps)
	if err != nil {
		return gst.Caps{}
	}
	return c
}

func TestSourceCapsAndLatency(t *testing.T) {
	gsttest.LeakCheck(t)
	var told string
	name := define(t, gst.Class{Kind: gst.KindSource, Live: true, New: func(e *gst.Element) any {
		s := &providingSource{caps: "video/x-test,width=[1,100]"}
		s.e = e
		n := 0
		s.create = func() (gst.Buffer, gst.Flow) {
			switch n++; n {
			case 1:
				return gsttest.FrameAt(0, []byte("a")).Buffer(), gst.FlowOK
			case 2:
				s.caps = "video/x-test,width=7"
				c := s.Caps()
				defer c.Unref()
				if !e.SetSourceCaps(c) {
					return gst.Buffer{}, gst.FlowNotNegotiated
				}
				return gsttest.FrameAt(1, []byte("b")).Buffer(), gst.FlowOK
			}
			return gst.Buffer{}, gst.FlowEOS
		}
		s.setCaps = func(in, out gst.Caps) error {
			require.True(t, in.IsNil())
			told += out.String() + ";"
			return nil
		}
		s.query = func(d gst.PadDirection, q gst.Query) bool {
			if q.Type() == gst.QueryLatency {
				q.SetLatency(true, 40e6, gst.ClockTimeNone)
				return true
			}
			return e.ParentQuery(d, q)
		}
		return s
	}})
	h := gsttest.New(t, name)
	h.Play()
	require.Equal(t, "a", string(h.Pull().Data))
	require.Equal(t, "b", string(h.Pull().Data))
	require.Equal(t, "video/x-test, width=(int)1;video/x-test, width=(int)7;", told)
	q := gst.NewLatencyQuery()
	defer q.Unref()
	require.True(t, h.QueryFromDownstream(q))
	live, lo, hi := q.Latency()
	require.True(t, live)
	require.Equal(t, uint64(40e6), lo)
	require.Equal(t, gst.ClockTimeNone, hi)
}

func TestSourceThatBreaksItsWord(t *testing.T) {
	gsttest.LeakCheck(t)
	name := define(t, gst.Class{Kind: gst.KindSource, New: func(*gst.Element) any {
		return createFunc(func() (gst.Buffer, gst.Flow) { return gst.Buffer{}, gst.FlowOK })
	}})
	p := gsttest.Parse(t, name+" ! fakesink")
	p.Play()
	require.Equal(t, gst.LibraryFailed, p.Await(gst.MessageError).Err.Code)

	name = define(t, gst.Class{Kind: gst.KindSource, New: func(*gst.Element) any {
		return createFunc(func() (gst.Buffer, gst.Flow) { return gst.NewBuffer([]byte("x")), gst.FlowEOS })
	}})
	gsttest.Parse(t, name+" ! fakesink").Run() // the buffer is given back
}

func TestSourceSeesEventsFromDownstream(t *testing.T) {
	gsttest.LeakCheck(t)
	seen := make(chan string, 10)
	in := make(chan gst.Buffer)
	name := define(t, gst.Class{Kind: gst.KindSource, New: func(e *gst.Element) any {
		s := newBlockingSource(e, in)
		s.event = func(ev gst.Event) bool {
			if ev.Type() == gst.EventCustomUpstream {
				seen <- ev.Structure().Str("say")
			}
			return e.ParentEvent(ev)
		}
		return s
	}})
	h := gsttest.New(t, name)
	h.Play()
	in <- gst.NewBuffer([]byte("x"))
	h.Pull()
	h.PushUpstreamEvent(gst.NewCustomEvent(gst.EventCustomUpstream, gst.NewStructure("x", gst.Field{Name: "say", Value: "hello"})))
	require.Equal(t, "hello", <-seen)
}
