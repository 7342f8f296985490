package gst_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

func TestParse(t *testing.T) {
	gsttest.LeakCheck(t)
	for line, says := range map[string]string{
		"nosuchelement ! fakesink":              "nosuchelement",
		"fakesrc ! nosuchelement":               "nosuchelement",
		"fakesrc nosuchproperty=1 ! fakesink":   "nosuchproperty",
		"fakesrc !":                             "",
		"videotestsrc ! audio/x-raw ! fakesink": "link",
		"":                                      "",
		"fakesrc num-buffers=notanumber ! fakesink": "num-buffers",
	} {
		o, err := gst.Parse(line)
		require.Error(t, err, line)
		require.Nil(t, o)
		require.Contains(t, err.Error(), says)
	}
	for line, children := range map[string]int{"fakesrc ! fakesink": 2, "fakesink": 1, "fakesrc ! fakesink fakesrc ! fakesink": 4, "( fakesrc ! fakesink )": 1} {
		p := gsttest.Parse(t, line)
		require.True(t, p.IsBin())
		list := p.Children()
		require.Len(t, list, children, line)
		for _, c := range list {
			require.True(t, c.IsElement())
			c.Unref()
		}
		p.Close()
	}
	_, err := gst.NewElement("nosuchelement", "")
	require.ErrorContains(t, err, "nosuchelement")
	_, err = gst.ParseBin("nosuchelement")
	require.ErrorContains(t, err, "nosuchelement")
}

func TestObjects(t *testing.T) {
	gsttest.LeakCheck(t)
	p := gsttest.Parse(t, "videotestsrc name=src num-buffers=1 ! capsfilter name=f caps=video/x-raw,width=16,height=16 ! fakesink name=sink")
	src, f, sink := p.Element("src"), p.Element("f"), p.Element("sink")
	require.Nil(t, p.ByName("nothing"))
	require.Equal(t, "src", src.Name())
	require.Contains(t, src.Path(), "/GstVideoTestSrc:src")
	require.Equal(t, "videotestsrc", src.Factory())
	require.Equal(t, "Source/Video", src.Klass())
	require.True(t, src.IsSource())
	require.False(t, src.IsSink())
	require.True(t, sink.IsSink())
	require.False(t, src.IsBin())
	require.Nil(t, src.Children())
	require.False(t, src.Same(sink))

	pad := src.StaticPad("src")
	defer pad.Unref()
	require.Nil(t, src.StaticPad("nothing"))
	require.True(t, pad.IsPad())
	require.Nil(t, pad.Pads())
	require.True(t, pad.IsSrcPad())
	peer := pad.Peer()
	defer peer.Unref()
	require.Equal(t, "sink", peer.Name())
	require.ErrorContains(t, pad.LinkPad(peer), "linking")
	require.True(t, pad.UnlinkPad(peer))
	require.Nil(t, pad.Peer())
	require.NoError(t, pad.LinkPad(peer))

	c := f.Get("caps").(gst.Caps)
	require.Equal(t, "video/x-raw, width=(int)16, height=(int)16", c.String())
	c.Unref()
	caps, err := gst.ParseCaps("video/x-raw,width=8,height=8")
	require.NoError(t, err)
	require.NoError(t, f.Set("caps", caps))
	caps.Unref()
	p.Run()
	c = peer.PadCaps()
	require.Equal(t, int32(8), c.Structure(0).Get("width"))
	c.Unref()
	bus := p.Get("bus")
	require.Nil(t, bus, "no such property")
	clock := p.Get("delay")
	require.Equal(t, uint64(0), clock)
}

func TestBuildingAPipeline(t *testing.T) {
	gsttest.LeakCheck(t)
	bin := newElement(t, "pipeline")
	src, sink := newElement(t, "fakesrc"), newElement(t, "fakesink")
	require.NoError(t, src.Set("num-buffers", 3))
	require.True(t, bin.Add(src))
	require.True(t, bin.Add(sink))
	require.True(t, src.Link(sink))
	bus := bin.Bus()
	defer bus.Unref()
	bin.SetState(gst.StatePlaying)
	require.Equal(t, gst.MessageEOS, bus.Pop(gsttest.Limit, gst.MessageEOS|gst.MessageError).Type)
	sink.LockState(true)
	bin.SetState(gst.StateNull)
	s, _ := sink.GetState(0)
	require.NotEqual(t, gst.StateNull, s)
	sink.LockState(false)
	require.True(t, sink.SyncState())
	require.Equal(t, gst.StateChangeSuccess, sink.SetState(gst.StateNull))
	require.True(t, bin.Remove(sink))
	require.True(t, bin.Remove(src))
}

func TestBus(t *testing.T) {
	gsttest.LeakCheck(t)
	p := gsttest.Parse(t, "fakesrc num-buffers=1 name=src ! fakesink")
	require.Nil(t, p.Message(time.Millisecond, gst.MessageAny), "nothing yet")
	p.Play()
	seen := map[gst.MessageType]bool{}
	var states []string
	for {
		m := p.Message(gsttest.Limit, gst.MessageAny)
		require.NotNil(t, m)
		seen[m.Type] = true
		if m.Type == gst.MessageStateChanged && m.Source == p.Name() {
			states = append(states, m.Old.String()+">"+m.New.String())
		}
		if m.Type == gst.MessageEOS {
			break
		}
	}
	require.Equal(t, []string{"NULL>READY", "READY>PAUSED", "PAUSED>PLAYING"}, states)
	require.True(t, seen[gst.MessageAsyncDone])
	s, r := p.GetState(-1)
	require.Equal(t, gst.StatePlaying, s)
	require.Equal(t, gst.StateChangeSuccess, r)
}

func TestStatesOfAPipeline(t *testing.T) {
	gsttest.LeakCheck(t)
	p := gsttest.Parse(t, "fakesrc ! fakesink sync=true")
	require.Equal(t, gst.StateChangeAsync, p.SetState(gst.StatePaused))
	p.Settle(gst.StatePaused)
	p.To(gst.StateReady)
	p.Settle(gst.StateReady)
	q := gst.NewLatencyQuery()
	defer q.Unref()
	p.Play()
	p.Settle(gst.StatePlaying)
	require.True(t, p.Query(q))
	require.True(t, p.SendEvent(gst.NewEOS()))
	p.Await(gst.MessageEOS)
}

func TestProbes(t *testing.T) {
	gsttest.LeakCheck(t)
	p := gsttest.Parse(t, "fakesrc num-buffers=10 sizetype=fixed sizemax=7 name=s ! fakesink signal-handoffs=true name=f")
	pad := p.Element("s").StaticPad("src")
	defer pad.Unref()
	var buffers, eos, out, once atomic.Int64
	pad.ProbeBuffers(func(b gst.Buffer) gst.ProbeReturn {
		if b.Size() == 7 && buffers.Add(1)%2 == 0 {
			return gst.ProbeDrop
		}
		return gst.ProbeOK
	})
	pad.ProbeBuffers(func(gst.Buffer) gst.ProbeReturn { once.Add(1); return gst.ProbeRemove })
	removed := pad.ProbeBuffers(func(gst.Buffer) gst.ProbeReturn { t.Error("removed"); return gst.ProbeOK })
	pad.RemoveProbe(removed)
	pad.ProbeEvents(func(ev gst.Event) gst.ProbeReturn {
		if ev.Type() == gst.EventEOS {
			eos.Add(1)
		}
		return gst.ProbeOK
	})
	p.Element("f").Connect("handoff", func(args []any) any {
		require.Equal(t, 7, args[1].(gst.Buffer).Size())
		require.Equal(t, "sink", args[2].(*gst.Object).Name())
		out.Add(1)
		return nil
	})
	p.Run()
	require.Equal(t, []int64{10, 1, 5, 1}, []int64{buffers.Load(), eos.Load(), out.Load(), once.Load()})
}

func TestWatch(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.New(t, "identity")
	h.SetSrcCaps("application/x-test")
	pad := h.Element().StaticPad("src")
	defer pad.Unref()
	w := gst.NewWatch()
	defer w.Close()
	w.Add(pad)
	for i := range 3 {
		require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(uint64(i), []byte("x"))))
	}
	require.Equal(t, uint64(3), w.Buffers())
	require.Less(t, w.Silence(), gsttest.Limit)
	w.HoldEOS(true)
	require.False(t, w.EOS())
	h.PushEvent(gst.NewEOS())
	require.True(t, w.EOS())
	for ev, some := h.TryPullEvent(); some; ev, some = h.TryPullEvent() {
		require.NotEqual(t, gst.EventEOS, ev.Type(), "it is held")
		ev.Unref()
	}
	w.Reset()
	require.False(t, w.EOS())
	w.HoldEOS(false)
	h.PushEvent(gst.NewFlushStart())
	h.PushEvent(gst.NewFlushStop(true))
	h.PushEvent(gst.NewEOS())
	h.AwaitEvent(gst.EventEOS).Unref()
	require.False(t, w.EOS())
}

// uriSink is a GstURIHandler.
type uriSink struct {
	renderFunc
	uri string
}

func (u *uriSink) URI() string { return u.uri }

func (u *uriSink) SetURI(uri string) error {
	if strings.Contains(uri, "bad") {
		return fmt.Errorf("reading the URI %q: it is bad", uri)
	}
	u.uri = uri
	return nil
}

func TestURIHandler(t *testing.T) {
	gsttest.LeakCheck(t)
	plain := fmt.Sprintf("ggouri%d", classes.Load()) // a class of another round has another protocol
	secure := plain + "s"
	name := define(t, gst.Class{Kind: gst.KindSink, Rank: 256, URI: &gst.URISpec{Sink: true, Protocols: []string{plain, secure}},
		New: func(*gst.Element) any { return &uriSink{renderFunc: ok} }})
	e := newElement(t, name)
	require.Empty(t, e.URI())
	require.NoError(t, e.SetURI(plain+"://region/stream?x=1"))
	require.Equal(t, plain+"://region/stream?x=1", e.URI())
	require.ErrorContains(t, e.SetURI(plain+"://bad"), "it is bad")
	require.Error(t, e.SetURI("http://x"), "another protocol")
	require.Equal(t, plain+"://region/stream?x=1", e.URI())
	require.Equal(t, gst.StateChangeAsync, e.SetState(gst.StatePaused))
	require.ErrorContains(t, e.SetURI(plain+"://other"), "NULL or READY")
	e.SetState(gst.StateNull)

	made, err := gst.NewElementForURI(secure+"://x", true)
	require.NoError(t, err)
	require.Equal(t, name, made.Factory())
	require.Equal(t, secure+"://x", made.URI())
	made.Unref()
	_, err = gst.NewElementForURI(secure+"://bad", true)
	require.ErrorContains(t, err, "it is bad")
	_, err = gst.NewElementForURI(plain+"://x", false)
	require.Error(t, err, "it is no source")
	require.Error(t, newElement(t, "fakesink").SetURI(plain+"://x"))
	require.Empty(t, newElement(t, "fakesink").URI())
}

func TestStaticRegistration(t *testing.T) {
	gsttest.LeakCheck(t)
	n := classes.Add(1)
	c := &gst.Class{Kind: gst.KindSink, Factory: fmt.Sprintf("ggostatic%d", n), Type: fmt.Sprintf("GgoStatic%d", n), LongName: "L", Klass: "Sink/Test", Description: "D", Author: "A",
		Pads: []gst.PadTemplate{sinkAny}, New: func(*gst.Element) any { return renderFunc(ok) }}
	info := &gst.PluginInfo{Name: fmt.Sprintf("ggoplugin%d", n), Description: "Tests", Version: "1.0", License: "MIT/X11", Source: "s", Package: "p", Origin: "o",
		Register: func(p gst.Plugin) error { return c.Register(p) }}
	require.NoError(t, gst.RegisterStatic(info))
	e := newElement(t, c.Factory)
	require.Equal(t, "Sink/Test", e.Klass())
	require.Error(t, c.Register(gst.Plugin{}), "its type is taken")
	require.Error(t, gst.RegisterStatic(&gst.PluginInfo{Name: "ggofails", Version: "1", License: "MIT/X11", Register: func(gst.Plugin) error { return gst.ErrMap }}))
	require.Contains(t, gst.Version(), "GStreamer 1.")
	require.NoError(t, gst.Init(), "again")
}
