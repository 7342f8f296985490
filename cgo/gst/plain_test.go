package gst_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

// plainHooks is the Go half of a plain element with the optional methods that one has.
type plainHooks struct {
	e           *gst.Element
	start       func() error
	stop        func()
	changeState func(gst.StateChange) gst.StateChangeReturn
	request     func(template, name string, caps gst.Caps) *gst.Pad
	release     func(*gst.Pad)
	free        func()
}

func (p *plainHooks) Start() error {
	if p.start != nil {
		return p.start()
	}
	return nil
}

func (p *plainHooks) Stop() {
	if p.stop != nil {
		p.stop()
	}
}

func (p *plainHooks) ChangeState(c gst.StateChange) gst.StateChangeReturn {
	if p.changeState != nil {
		return p.changeState(c)
	}
	return p.e.ParentChangeState(c)
}

func (p *plainHooks) RequestPad(template, name string, caps gst.Caps) *gst.Pad {
	if p.request == nil {
		return nil
	}
	return p.request(template, name, caps)
}

func (p *plainHooks) ReleasePad(pad *gst.Pad) {
	if p.release != nil {
		p.release(pad)
	}
	p.e.RemovePad(pad)
}

func (p *plainHooks) Free() {
	if p.free != nil {
		p.free()
	}
}

var (
	sometimesSrc = gst.PadTemplate{Name: "src_%u", Direction: gst.PadSrc, Presence: gst.PadSometimes, Caps: "application/x-part"}
	requestSrc   = gst.PadTemplate{Name: "src_%u", Direction: gst.PadSrc, Presence: gst.PadRequest, Caps: "ANY"}
)

func definePlain(t testing.TB, pads []gst.PadTemplate, made func(*plainHooks)) string {
	t.Helper()
	return define(t, gst.Class{Kind: gst.KindPlain, Pads: pads, New: func(e *gst.Element) any {
		p := &plainHooks{e: e}
		made(p)
		return p
	}})
}

// startStream sends what must come before the first buffer of a pad.
func startStream(p *gst.Pad, caps string) {
	p.PushEvent(gst.NewStreamStart("stream/" + p.Name()))
	c, err := gst.ParseCaps(caps)
	if err != nil {
		panic(err)
	}
	p.PushEvent(gst.NewCapsEvent(c))
	c.Unref()
	s := gst.NewTimeSegment()
	p.PushEvent(gst.NewSegmentEvent(&s))
}

// demux makes a pad for each first byte it sees, and tells after the second that these are all.
type demux struct {
	plainHooks
	mu       sync.Mutex
	outs     map[byte]*gst.Pad
	combiner gst.FlowCombiner
}

func defineDemux(t testing.TB, freed *atomic.Int64) string {
	return define(t, gst.Class{Kind: gst.KindPlain, Pads: []gst.PadTemplate{sinkAny, sometimesSrc}, New: func(e *gst.Element) any {
		d := &demux{outs: map[byte]*gst.Pad{}, combiner: gst.NewFlowCombiner()}
		d.e = e
		d.free = func() { d.combiner.Free(); freed.Add(1) }
		d.stop = d.clear
		e.AddPad(e.NewPad("sink", "sink", gst.PadFuncs{Chain: d.chain, Event: d.event}))
		return d
	}})
}

func (d *demux) clear() {
	d.mu.Lock()
	outs := d.outs
	d.outs = map[byte]*gst.Pad{}
	d.mu.Unlock()
	for _, p := range outs {
		d.combiner.Remove(p)
		d.e.RemovePad(p)
	}
}

func (d *demux) out(k byte) *gst.Pad {
	d.mu.Lock()
	p := d.outs[k]
	d.mu.Unlock()
	if p != nil {
		return p
	}
	p = d.e.NewPad("src_%u", fmt.Sprintf("src_%d", k), gst.PadFuncs{})
	d.e.AddPad(p)
	startStream(p, "application/x-part")
	d.combiner.Add(p)
	d.mu.Lock()
	d.outs[k] = p
	n := len(d.outs)
	d.mu.Unlock()
	if n == 2 {
		d.e.NoMorePads()
	}
	return p
}

func (d *demux) chain(_ *gst.Pad, b gst.Buffer) gst.Flow {
	p := d.out(b.Bytes()[0])
	return d.combiner.Update(p, p.Push(b))
}

func (d *demux) event(_ *gst.Pad, ev gst.Event) bool {
	if ev.Type() != gst.EventEOS {
		ev.Unref()
		return true
	}
	defer ev.Unref()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.outs {
		p.PushEvent(gst.NewEOS())
	}
	return true
}

func TestSometimesPadsAndFlowCombining(t *testing.T) {
	gsttest.LeakCheck(t)
	var freed atomic.Int64
	var seen sync.Map
	sink := defineSink(t, func(v *gst.View) gst.Flow { seen.Store(v.Memory(0)[0], true); return gst.FlowOK })
	bin := parseBin(t, "identity ! "+defineDemux(t, &freed)+" name=d")
	h := gsttest.NewPads(t, bin, "sink", "")
	d := bin.ByName("d")
	t.Cleanup(d.Unref)
	var added []string
	all := 0
	d.Connect("pad-added", func(args []any) any {
		pad := args[1].(*gst.Object)
		added = append(added, pad.Name())
		if pad.Name() == "src_3" {
			return nil // stays unlinked
		}
		s := newElement(t, sink)
		require.NoError(t, s.Set("async", false))
		require.True(t, bin.Add(s))
		require.True(t, s.SyncState())
		peer := s.StaticPad("sink")
		defer peer.Unref()
		require.NoError(t, pad.LinkPad(peer))
		return nil
	})
	d.Connect("no-more-pads", func([]any) any { all++; return nil })
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowNotLinked, h.Push(gsttest.FrameAt(0, []byte{3})), "all pads are unlinked")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte{1})))
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte{3})), "one of two is")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte{2})))
	require.Equal(t, []string{"src_3", "src_1", "src_2"}, added)
	require.Equal(t, 1, all)
	_, one := seen.Load(byte(1))
	_, three := seen.Load(byte(3))
	require.True(t, one)
	require.False(t, three)
	require.Len(t, pads(t, d), 4)
	require.Equal(t, gst.StateChangeSuccess, bin.SetState(gst.StateNull))
	require.Len(t, pads(t, d), 1, "sometimes pads go with the stream")
}

// pads gives an element's pads, borrowed until the test ends.
func pads(t testing.TB, e *gst.Object) []*gst.Object {
	t.Helper()
	list := e.Pads()
	for _, p := range list {
		t.Cleanup(p.Unref)
	}
	return list
}

func TestFreeComesWithTheElementsEnd(t *testing.T) {
	gsttest.LeakCheck(t)
	var freed atomic.Int64
	e, err := gst.NewElement(defineDemux(t, &freed), "")
	require.NoError(t, err)
	require.Zero(t, freed.Load())
	e.Unref()
	require.Equal(t, int64(1), freed.Load())
}

// A tee on request pads.
func TestRequestPads(t *testing.T) {
	gsttest.LeakCheck(t)
	var outs []*gst.Pad
	var released []string
	n := 0
	name := definePlain(t, []gst.PadTemplate{sinkAny, requestSrc}, func(p *plainHooks) {
		p.request = func(template, name string, caps gst.Caps) *gst.Pad {
			require.Equal(t, "src_%u", template)
			if name == "" {
				name = fmt.Sprintf("src_%d", n)
				n++
			}
			pad := p.e.NewPad(template, name, gst.PadFuncs{})
			outs = append(outs, pad)
			return pad
		}
		p.release = func(pad *gst.Pad) { released = append(released, pad.Name()) }
		p.e.AddPad(p.e.NewPad("sink", "sink", gst.PadFuncs{
			Chain: func(_ *gst.Pad, b gst.Buffer) gst.Flow {
				for _, out := range outs {
					out.Push(b.Ref())
				}
				b.Unref()
				return gst.FlowOK
			},
		}))
	})
	var got []string
	var mu sync.Mutex
	sink := defineSink(t, func(v *gst.View) gst.Flow {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, string(v.Memory(0)))
		return gst.FlowOK
	})
	p := gsttest.Parse(t, fmt.Sprintf("%s ! %s name=x x. ! queue ! %s x.src_9 ! queue ! %s", countingSource(t, 1, false), name, sink, sink))
	p.Run()
	require.Len(t, got, 2)
	x := p.Element("x")
	require.Len(t, pads(t, x), 3)
	require.Equal(t, "src_0", outs[0].Name())
	require.Equal(t, "src_9", outs[1].Name())
	require.True(t, outs[0].IsLinked())
	require.Nil(t, x.RequestPad("src_9"), "there is one of that name")
	require.Nil(t, x.RequestPad("nothing_%u"))
	outs = outs[:2]
	extra := x.RequestPad("src_%u")
	require.Equal(t, "src_1", extra.Name())
	x.ReleasePad(extra)
	extra.Unref()
	require.Equal(t, []string{"src_1"}, released)
	outs = outs[:2]
}

// A source with a pad task of its own, live: NO_PREROLL.
func TestPadTaskAndNoPreroll(t *testing.T) {
	gsttest.LeakCheck(t)
	var changes []gst.StateChange
	name := definePlain(t, []gst.PadTemplate{srcAny}, func(p *plainHooks) {
		n := byte(0)
		p.e.SetSourceFlag()
		p.e.AddPad(p.e.NewPad("src", "src", gst.PadFuncs{
			Activate: func(pad *gst.Pad, active bool) bool {
				if active {
					n = 0
					return pad.StartTask()
				}
				return pad.StopTask()
			},
			Task: func(pad *gst.Pad) bool {
				if n == 0 {
					startStream(pad, "application/x-part")
				}
				if n++; n > 5 {
					pad.PushEvent(gst.NewEOS())
					return false
				}
				return pad.Push(gsttest.FrameAt(uint64(n), []byte{n}).Buffer()) == gst.FlowOK
			},
		}))
		p.changeState = func(c gst.StateChange) gst.StateChangeReturn {
			changes = append(changes, c)
			r := p.e.ParentChangeState(c)
			if r == gst.StateChangeSuccess && (c == gst.ReadyToPaused || c == gst.PlayingToPaused) {
				return gst.StateChangeNoPreroll
			}
			return r
		}
	})
	var got []byte
	sink := defineSink(t, func(v *gst.View) gst.Flow { got = append(got, v.Memory(0)...); return gst.FlowOK })
	p := gsttest.Parse(t, name+" name=s ! "+sink)
	require.True(t, p.Element("s").IsSource())
	require.Equal(t, gst.StateChangeNoPreroll, p.SetState(gst.StatePaused))
	p.Run()
	require.Equal(t, []byte{1, 2, 3, 4, 5}, got)
	require.Equal(t, gst.StateChangeNoPreroll, p.SetState(gst.StatePaused))
	p.SetState(gst.StateNull)
	require.Equal(t, []gst.StateChange{gst.NullToReady, gst.ReadyToPaused, gst.PausedToPlaying, gst.PlayingToPaused, gst.PausedToReady, gst.ReadyToNull}, changes)
}

// A task that is never told to stop is stopped with its pad, and PauseTask keeps it from its next round.
func TestPadTaskEndsWithItsPad(t *testing.T) {
	gsttest.LeakCheck(t)
	rounds := make(chan int, 1000)
	name := definePlain(t, []gst.PadTemplate{srcAny}, func(p *plainHooks) {
		n := 0
		pad := p.e.NewPad("src", "src", gst.PadFuncs{Task: func(pad *gst.Pad) bool {
			n++
			rounds <- n
			if n == 3 {
				pad.PauseTask()
			}
			return n < 10
		}})
		p.e.AddPad(pad)
		p.changeState = func(c gst.StateChange) gst.StateChangeReturn {
			r := p.e.ParentChangeState(c)
			if c == gst.PausedToPlaying {
				pad.StartTask()
			}
			return r
		}
	})
	e := newElement(t, name)
	require.Equal(t, gst.StateChangeSuccess, e.SetState(gst.StatePlaying))
	for i := range 3 {
		require.Equal(t, i+1, <-rounds)
	}
	require.Equal(t, gst.StateChangeSuccess, e.SetState(gst.StateNull))
	require.Empty(t, rounds)
}

// A plain element as a sink: the pipeline waits for its EOS message.
func TestPlainSinkPostsEOS(t *testing.T) {
	gsttest.LeakCheck(t)
	var got []string
	sink := definePlain(t, []gst.PadTemplate{sinkAny}, func(p *plainHooks) {
		p.e.SetSinkFlag()
		p.e.AddPad(p.e.NewPad("sink", "sink", gst.PadFuncs{
			Chain: func(pad *gst.Pad, b gst.Buffer) gst.Flow {
				got = append(got, fmt.Sprint(pad.Element().Name(), b.Size()))
				b.Unref()
				return gst.FlowOK
			},
			ChainList: func(_ *gst.Pad, l gst.BufferList) gst.Flow {
				got = append(got, fmt.Sprint("list", l.Len()))
				l.Unref()
				return gst.FlowOK
			},
			Event: func(_ *gst.Pad, ev gst.Event) bool {
				if ev.Type() == gst.EventEOS {
					p.e.PostEOS(ev.Seqnum())
				}
				ev.Unref()
				return true
			},
			Query: func(pad *gst.Pad, q gst.Query) bool { return pad.QueryDefault(q) },
		}))
	})
	p := gsttest.Parse(t, countingSource(t, 2, false)+" ! "+sink+" name=s")
	require.True(t, p.Element("s").IsSink())
	p.Run()
	require.Equal(t, []string{"s1", "s1"}, got)

	got = nil
	h := gsttest.NewPads(t, newElement(t, sink), "sink", "")
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowOK, h.PushList(gst.NewBufferList(gst.NewBuffer([]byte("a")), gst.NewBuffer([]byte("b")))))
	require.Equal(t, []string{"list2"}, got)
}

func TestPlainStartAndStop(t *testing.T) {
	gsttest.LeakCheck(t)
	var calls []string
	var fail error
	name := definePlain(t, []gst.PadTemplate{sinkAny}, func(p *plainHooks) {
		p.start = func() error { calls = append(calls, "start"); return fail }
		p.stop = func() { calls = append(calls, "stop") }
		p.e.AddPad(p.e.NewPad("sink", "sink", gst.PadFuncs{}))
	})
	e := newElement(t, name)
	require.Equal(t, gst.StateChangeSuccess, e.SetState(gst.StatePlaying))
	require.Equal(t, gst.StateChangeSuccess, e.SetState(gst.StateNull))
	require.Equal(t, []string{"start", "stop"}, calls)
	fail = gst.ErrMap
	require.Equal(t, gst.StateChangeFailure, e.SetState(gst.StatePlaying))
	require.Equal(t, gst.StateChangeSuccess, e.SetState(gst.StateNull))
	require.Equal(t, []string{"start", "stop", "start"}, calls, "what did not start is not stopped")
}

func TestPadsOfOneName(t *testing.T) {
	gsttest.LeakCheck(t)
	var first, second bool
	var none *gst.Pad
	newElement(t, definePlain(t, []gst.PadTemplate{sinkAny}, func(p *plainHooks) {
		first = p.e.AddPad(p.e.NewPad("sink", "sink", gst.PadFuncs{}))
		second = p.e.AddPad(p.e.NewPad("sink", "sink", gst.PadFuncs{}))
		none = p.e.NewPad("nothing", "", gst.PadFuncs{})
	}))
	require.True(t, first)
	require.False(t, second)
	require.Nil(t, none)
}

func TestPadQueriesAndEvents(t *testing.T) {
	gsttest.LeakCheck(t)
	var sink, src *gst.Pad
	unlinked := make(chan string, 4)
	name := definePlain(t, []gst.PadTemplate{sinkAny, srcAny}, func(p *plainHooks) {
		sink = p.e.NewPad("sink", "sink", gst.PadFuncs{
			Chain:    func(_ *gst.Pad, b gst.Buffer) gst.Flow { return src.Push(b) },
			Event:    func(pad *gst.Pad, ev gst.Event) bool { return pad.EventDefault(ev) },
			Unlinked: func(pad *gst.Pad) { unlinked <- pad.Name() },
		})
		src = p.e.NewPad("src", "src", gst.PadFuncs{Query: func(pad *gst.Pad, q gst.Query) bool {
			if q.Type() == gst.QueryURI {
				q.SetURI("kinesis://here")
				return true
			}
			return pad.QueryDefault(q)
		}})
		p.e.AddPad(sink)
		p.e.AddPad(src)
	})
	h := gsttest.New(t, name)
	h.SetSinkCaps("application/x-test")
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("x"))))
	require.Equal(t, "x", string(h.Pull().Data))
	c := sink.CurrentCaps()
	require.Equal(t, "application/x-test", c.String())
	c.Unref()
	c = src.PeerCaps()
	require.Equal(t, "application/x-test", c.Name())
	c.Unref()
	q := gst.NewURIQuery()
	require.True(t, h.QueryFromDownstream(q))
	require.Equal(t, "kinesis://here", q.URI())
	q.Unref()
	h.SetUpstream(true, 5e6)
	q = gst.NewLatencyQuery()
	require.True(t, sink.PeerQuery(q))
	live, lo, _ := q.Latency()
	require.True(t, live)
	require.Equal(t, uint64(5e6), lo)
	q.Unref()
	require.True(t, sink.Same(sink))
	require.False(t, sink.Same(src))
	src.NeedsReconfigure()
	require.False(t, src.NeedsReconfigure())
	h.PushUpstreamEvent(gst.NewReconfigure())
	h.Close()
	require.Equal(t, "sink", <-unlinked)
}
