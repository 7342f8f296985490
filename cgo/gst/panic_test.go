package gst_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

// fuse panics once.
type fuse struct{ blown atomic.Bool }

func (f *fuse) blow() {
	if f.blown.CompareAndSwap(false, true) {
		panic("a defect")
	}
}

func ok(*gst.View) gst.Flow { return gst.FlowOK }

func requireDefect(t *testing.T, m *gst.Message) {
	t.Helper()
	require.Equal(t, gst.LibraryFailed, m.Err.Code)
	require.Contains(t, m.Err.Text, "failed inside: a defect")
	require.Contains(t, m.Err.Debug, "panic_test.go")
}

// A callback of a sink, transform or source that panics once makes an element error; the pipeline can be taken down, and it runs when it is started again.
func TestPanicsBecomeElementErrors(t *testing.T) {
	gsttest.LeakCheck(t)
	sink := func(set func(*hookedSink, *fuse)) func(*fuse) gst.Class {
		return func(f *fuse) gst.Class {
			return gst.Class{Kind: gst.KindSink, New: func(e *gst.Element) any {
				s := &hookedSink{hooks: hooks{e: e}, render: ok}
				set(s, f)
				return s
			}}
		}
	}
	source := func(set func(*hookedSource, *fuse)) func(*fuse) gst.Class {
		return func(f *fuse) gst.Class {
			return gst.Class{Kind: gst.KindSource, New: func(e *gst.Element) any {
				n := 0
				s := &hookedSource{hooks: hooks{e: e}, create: func() (gst.Buffer, gst.Flow) {
					if n++; n%4 == 0 {
						return gst.Buffer{}, gst.FlowEOS
					}
					return gsttest.FrameAt(0, []byte("x")).Buffer(), gst.FlowOK
				}}
				set(s, f)
				return s
			}}
		}
	}
	for _, c := range []struct {
		name  string
		class func(*fuse) gst.Class
		line  func(name string) string
	}{
		{"Start", sink(func(s *hookedSink, f *fuse) { s.start = func() error { f.blow(); return nil } }), behind},
		{"Render", sink(func(s *hookedSink, f *fuse) { s.render = func(*gst.View) gst.Flow { f.blow(); return gst.FlowOK } }), behind},
		{"SetCaps", sink(func(s *hookedSink, f *fuse) { s.setCaps = func(_, _ gst.Caps) error { f.blow(); return nil } }), behind},
		{"Event", sink(func(s *hookedSink, f *fuse) {
			s.event = func(ev gst.Event) bool {
				if ev.Type() == gst.EventSegment && !f.blown.Load() {
					ev.Unref()
					f.blow()
				}
				return s.e.ParentEvent(ev)
			}
		}), behind},
		{"Query", sink(func(s *hookedSink, f *fuse) {
			s.query = func(d gst.PadDirection, q gst.Query) bool { f.blow(); return s.e.ParentQuery(d, q) }
		}), behind},
		{"ChangeState up", sink(func(s *hookedSink, f *fuse) {
			s.changeState = func(c gst.StateChange) gst.StateChangeReturn { f.blow(); return s.e.ParentChangeState(c) }
		}), behind},
		{"Create", source(func(s *hookedSource, f *fuse) {
			create := s.create
			s.create = func() (gst.Buffer, gst.Flow) { f.blow(); return create() }
		}), before},
		{"source's Start", source(func(s *hookedSource, f *fuse) { s.start = func() error { f.blow(); return nil } }), before},
		{"TransformInPlace", func(f *fuse) gst.Class {
			return gst.Class{Kind: gst.KindInPlace, New: func(*gst.Element) any {
				return inPlaceFunc(func(*gst.View) gst.Flow { f.blow(); return gst.FlowOK })
			}}
		}, between},
		{"Generate", func(f *fuse) gst.Class {
			return gst.Class{Kind: gst.KindGenerate, New: func(*gst.Element) any {
				return generateFunc(func(_ *gst.View, out *gst.Outputs) gst.Flow { out.Pass(); f.blow(); return gst.FlowOK })
			}}
		}, between},
		{"Transform", func(f *fuse) gst.Class {
			return gst.Class{Kind: gst.KindResize, New: func(e *gst.Element) any {
				return &hookedResize{hooks: hooks{e: e}, size: func(_ gst.PadDirection, n int) (int, bool) { return n, true },
					transform: func(_, _ *gst.View) gst.Flow { f.blow(); return gst.FlowOK }}
			}}
		}, between},
		{"TransformSize", func(f *fuse) gst.Class {
			return gst.Class{Kind: gst.KindResize, New: func(e *gst.Element) any {
				return &hookedResize{hooks: hooks{e: e}, size: func(_ gst.PadDirection, n int) (int, bool) { f.blow(); return n, true },
					transform: func(_, _ *gst.View) gst.Flow { return gst.FlowOK }}
			}}
		}, between},
		{"TransformCaps", func(f *fuse) gst.Class {
			return gst.Class{Kind: gst.KindGenerate, New: func(e *gst.Element) any {
				return &panickyCaps{hookedGenerate{hooks: hooks{e: e}, generate: pass}, f, nil}
			}}
		}, between},
		{"FixateCaps", func(f *fuse) gst.Class {
			return gst.Class{Kind: gst.KindGenerate, New: func(e *gst.Element) any {
				return &panickyCaps{hookedGenerate{hooks: hooks{e: e}, generate: pass}, nil, f}
			}}
		}, between},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fuse{}
			p := gsttest.Parse(t, c.line(define(t, c.class(f))))
			p.SetState(gst.StatePlaying)
			requireDefect(t, p.Await(gst.MessageError))
			require.Equal(t, gst.StateChangeSuccess, p.SetState(gst.StateNull))
			for p.Message(0, gst.MessageAny) != nil {
			}
			p.Run()
		})
	}
}

func behind(name string) string { return "videotestsrc num-buffers=2 ! " + name + " async=false" }
func before(name string) string { return name + " ! fakesink async=false" }
func between(name string) string {
	return "videotestsrc num-buffers=2 ! " + name + " ! fakesink async=false"
}

func pass(_ *gst.View, out *gst.Outputs) gst.Flow { out.Pass(); return gst.FlowOK }

// panickyCaps panics where it is asked about formats in a running pipeline.
type panickyCaps struct {
	hookedGenerate
	transform, fixate *fuse
}

func (p *panickyCaps) TransformCaps(_ gst.PadDirection, caps gst.Caps) gst.Caps {
	if p.transform != nil && p.e.State() > gst.StateReady {
		p.transform.blow()
	}
	return caps.Ref()
}

func (p *panickyCaps) FixateCaps(_ gst.PadDirection, _, other gst.Caps) gst.Caps {
	if p.fixate != nil && !p.fixate.blown.Load() {
		other.Unref()
		p.fixate.blow()
	}
	return other
}

// An element whose callback panicked answers FlowError without calling Go again, until it is started anew.
func TestAPoisonedElementStaysStopped(t *testing.T) {
	gsttest.LeakCheck(t)
	calls := 0
	h := gsttest.New(t, defineSink(t, func(*gst.View) gst.Flow {
		if calls++; calls == 1 {
			panic("a defect")
		}
		return gst.FlowOK
	}))
	h.SetSrcCaps("application/x-test")
	for range 3 {
		require.Equal(t, gst.FlowError, h.Push(gsttest.FrameAt(0, []byte("x"))))
	}
	require.Equal(t, 1, calls)
	require.Equal(t, gst.StateChangeSuccess, h.Element().SetState(gst.StateReady))
	h.Element().SetState(gst.StatePlaying)
	h.PushEvent(gst.NewStreamStart("again"))
	segment := gst.NewTimeSegment()
	h.PushEvent(gst.NewSegmentEvent(&segment))
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("x"))))
}

// Each change down ends in its state, whether Go panics before or after it called the base class.
func TestPanicsInChangesDown(t *testing.T) {
	gsttest.LeakCheck(t)
	for _, at := range []gst.StateChange{gst.PlayingToPaused, gst.PausedToReady, gst.ReadyToNull} {
		for _, after := range []bool{false, true} {
			name := define(t, gst.Class{Kind: gst.KindSink, New: func(e *gst.Element) any {
				s := &hookedSink{hooks: hooks{e: e}, render: ok}
				s.changeState = func(c gst.StateChange) gst.StateChangeReturn {
					if c == at && !after {
						panic("a defect")
					}
					r := e.ParentChangeState(c)
					if c == at {
						panic("a defect")
					}
					return r
				}
				return s
			}})
			p := gsttest.Parse(t, "videotestsrc ! "+name)
			p.Play()
			p.Settle(gst.StatePlaying)
			require.Equal(t, gst.StateChangeSuccess, p.SetState(gst.StateNull))
		}
	}
}

func takeChain(_ *gst.Pad, b gst.Buffer) gst.Flow { b.Unref(); return gst.FlowOK }

// A panic of Take is heard of, and nothing is taken after it.
func TestAPanicOfTake(t *testing.T) {
	gsttest.LeakCheck(t)
	var n atomic.Int64
	var f fuse
	s, h := newInboxSink(t, func(*gst.View) gst.Flow { n.Add(1); f.blow(); return gst.FlowOK })
	h.Push(gsttest.FrameAt(0, []byte("x")))
	requireDefect(t, h.AwaitMessage(gst.MessageError))
	require.Equal(t, gst.FlowError, h.Push(gsttest.FrameAt(0, []byte("x"))))
	s.pad.Inbox().Settle()
	require.EqualValues(t, 1, n.Load())
	h.Close()
}

func TestPanicsOfPads(t *testing.T) {
	gsttest.LeakCheck(t)
	var f fuse
	push := func(h *gsttest.Harness) { require.Equal(t, gst.FlowError, h.Push(gsttest.FrameAt(0, []byte("x")))) }
	for _, c := range []struct {
		name  string
		funcs gst.PadFuncs
		act   func(*gsttest.Harness)
	}{
		{"Chain", gst.PadFuncs{Chain: func(_ *gst.Pad, b gst.Buffer) gst.Flow { b.Unref(); f.blow(); return gst.FlowOK }}, push},
		{"ChainList", gst.PadFuncs{Chain: takeChain, ChainList: func(_ *gst.Pad, l gst.BufferList) gst.Flow { l.Unref(); f.blow(); return gst.FlowOK }},
			func(h *gsttest.Harness) {
				require.Equal(t, gst.FlowError, h.PushList(gst.NewBufferList(gst.NewBuffer([]byte("x")))))
				require.Equal(t, gst.FlowError, h.PushList(gst.NewBufferList(gst.NewBuffer([]byte("x")))))
			}},
		{"Event", gst.PadFuncs{Chain: takeChain, Event: func(_ *gst.Pad, ev gst.Event) bool { ev.Unref(); f.blow(); return true }}, push},
		{"Query", gst.PadFuncs{Chain: takeChain, Query: func(p *gst.Pad, q gst.Query) bool {
			if q.Type() == gst.QueryURI {
				f.blow()
			}
			return p.QueryDefault(q)
		}}, func(h *gsttest.Harness) {
			q := gst.NewURIQuery()
			defer q.Unref()
			require.False(t, h.QueryFromUpstream(q))
		}},
		{"Unlinked", gst.PadFuncs{Unlinked: func(*gst.Pad) { f.blow() }}, func(h *gsttest.Harness) {
			pad := h.Element().StaticPad("sink")
			defer pad.Unref()
			peer := pad.Peer()
			defer peer.Unref()
			require.True(t, peer.UnlinkPad(pad))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.blown.Store(false)
			h := gsttest.NewPads(t, newElement(t, definePlain(t, []gst.PadTemplate{sinkAny}, func(p *plainHooks) {
				p.e.AddPad(p.e.NewPad("sink", "sink", c.funcs))
			})), "sink", "")
			h.SetSrcCaps("application/x-test")
			c.act(h)
			requireDefect(t, h.AwaitMessage(gst.MessageError))
		})
	}
}

func TestPanicsOfPlainElements(t *testing.T) {
	gsttest.LeakCheck(t)
	var f fuse
	for _, c := range []struct {
		name string
		made func(*plainHooks)
		act  func(e *gst.Object)
	}{
		{"Activate", func(p *plainHooks) {
			p.e.AddPad(p.e.NewPad("sink", "sink", gst.PadFuncs{Activate: func(*gst.Pad, bool) bool { f.blow(); return true }}))
		}, nil},
		{"Task", func(p *plainHooks) {
			p.e.AddPad(p.e.NewPad("src", "src", gst.PadFuncs{
				Activate: func(pad *gst.Pad, on bool) bool { return !on || pad.StartTask() },
				Task:     func(*gst.Pad) bool { f.blow(); return false },
			}))
		}, nil},
		{"Start", func(p *plainHooks) { p.start = func() error { f.blow(); return nil } }, nil},
		{"Stop", func(p *plainHooks) { p.stop = func() { f.blow() } }, func(e *gst.Object) { e.SetState(gst.StateReady) }},
		{"RequestPad", func(p *plainHooks) {
			p.request = func(string, string, gst.Caps) *gst.Pad { f.blow(); return nil }
		}, func(e *gst.Object) { require.Nil(t, e.RequestPad("src_%u")) }},
		{"ReleasePad", func(p *plainHooks) {
			p.request = func(template, _ string, _ gst.Caps) *gst.Pad { return p.e.NewPad(template, "src_1", gst.PadFuncs{}) }
			p.release = func(*gst.Pad) { f.blow() }
		}, func(e *gst.Object) {
			pad := e.RequestPad("src_1")
			e.ReleasePad(pad)
			pad.Unref()
		}},
		{"Free", func(p *plainHooks) { p.free = func() { f.blow() }; p.start = func() error { panic("a defect") } }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.blown.Store(false)
			p := gsttest.Parse(t, definePlain(t, []gst.PadTemplate{sinkAny, srcAny, requestSrc}, c.made)+" name=e")
			p.SetState(gst.StatePaused)
			if c.act != nil {
				c.act(p.Element("e"))
			}
			requireDefect(t, p.Await(gst.MessageError))
			require.Equal(t, gst.StateChangeSuccess, p.SetState(gst.StateNull))
		})
	}
}

// What has no stream to stop makes an error all the same, and gives nothing.
func TestPanicsOffTheDataPath(t *testing.T) {
	gsttest.LeakCheck(t)
	var f fuse
	name := define(t, gst.Class{
		Kind: gst.KindSink, Properties: properties, URI: &gst.URISpec{Sink: true, Protocols: []string{"ggopanic"}},
		Signals: []gst.Signal{{Name: "act", Action: true, Result: int32(0)}},
		New: func(e *gst.Element) any {
			p := &panickySink{hookedSink: hookedSink{hooks: hooks{e: e}, render: ok}, f: &f, settings: gst.NewStore(e, properties)}
			p.settings.Changed = func(string) { f.blow() }
			p.unlock = func(bool) { f.blow() }
			p.sendEvent = func(ev gst.Event) bool { ev.Unref(); f.blow(); return true }
			p.stop = func() { f.blow() }
			return p
		},
	})
	for what, act := range map[string]func(e *gst.Object){
		"ReadProperty": func(e *gst.Object) { require.Nil(t, e.Get("stats").(*gst.Structure)) },
		"Changed":      func(e *gst.Object) { require.NoError(t, e.Set("live", 1)) },
		"Action":       func(e *gst.Object) { require.Equal(t, int32(0), e.Emit("act")) },
		"URI":          func(e *gst.Object) { require.Empty(t, e.URI()) },
		"SendEvent":    func(e *gst.Object) { require.False(t, e.SendEvent(gst.NewReconfigure())) },
		"Caps": func(e *gst.Object) {
			pad := e.StaticPad("sink")
			defer pad.Unref()
			c := pad.PadCaps()
			require.True(t, c.IsAny())
			c.Unref()
		},
		"Unlock and Stop": func(e *gst.Object) { e.SetState(gst.StatePaused); e.SetState(gst.StateReady) },
	} {
		f.blown.Store(what == "Unlock and Stop")
		p := gsttest.Parse(t, name+" name=s")
		p.SetState(gst.StateReady)
		f.blown.Store(false)
		act(p.Element("s"))
		requireDefect(t, p.Await(gst.MessageError))
		f.blown.Store(true)
		p.Close()
	}
}

type panickySink struct {
	hookedSink
	f        *fuse
	settings *gst.Store[settings]
}

func (p *panickySink) ReadProperty(string) any  { p.f.blow(); return nil }
func (p *panickySink) Action(string, []any) any { p.f.blow(); return 5 }
func (p *panickySink) URI() string              { p.f.blow(); return "ggopanic://x" }
func (p *panickySink) SetURI(string) error      { p.f.blow(); return nil }
func (p *panickySink) Caps() gst.Caps           { p.f.blow(); return gst.Caps{} }

// An element that cannot be made, or does not fit its class, stays in NULL and says why.
func TestElementsThatCannotBeMade(t *testing.T) {
	gsttest.LeakCheck(t)
	for _, c := range []struct {
		class gst.Class
		why   string
	}{
		{gst.Class{Kind: gst.KindSink, New: func(*gst.Element) any { panic("a defect") }}, "failed inside when it was made: a defect"},
		{gst.Class{Kind: gst.KindSink, New: func(*gst.Element) any { return 5 }}, "a int has not the methods of its kind"},
		{gst.Class{Kind: gst.KindInPlace, New: func(*gst.Element) any { return nil }}, "has not the methods"},
		{gst.Class{Kind: gst.KindResize, New: func(*gst.Element) any { return renderFunc(ok) }}, "has not the methods"},
		{gst.Class{Kind: gst.KindGenerate, New: func(*gst.Element) any { return renderFunc(ok) }}, "has not the methods"},
		{gst.Class{Kind: gst.KindSource, New: func(*gst.Element) any { return renderFunc(ok) }}, "has not the methods"},
		{gst.Class{Kind: gst.KindSink, Properties: properties, New: func(*gst.Element) any { return renderFunc(ok) }}, "makes no Store"},
		{gst.Class{Kind: gst.KindSink, Properties: properties, New: func(e *gst.Element) any { gst.NewStore(e, properties); return renderFunc(ok) }}, "no PropertyReader"},
		{gst.Class{Kind: gst.KindSink, URI: &gst.URISpec{Protocols: []string{"ggonone"}}, New: func(*gst.Element) any { return renderFunc(ok) }}, "no URIHandler"},
	} {
		p := gsttest.Parse(t, define(t, c.class)+" name=s")
		p.Element("s").Get("text")
		require.Equal(t, gst.StateChangeFailure, p.SetState(gst.StatePlaying), c.why)
		require.Contains(t, p.Await(gst.MessageError).Err.Text, c.why)
	}
}

// A program's own functions cannot take it down either: they fail in the log.
func TestPanicsOfPrograms(t *testing.T) {
	gsttest.LeakCheck(t)
	p := gsttest.Parse(t, "videotestsrc num-buffers=3 name=s ! fakesink signal-handoffs=true name=f")
	s, sink := p.Element("s"), p.Element("f")
	var signals, probes atomic.Int64
	sink.Connect("handoff", func([]any) any { signals.Add(1); panic("a defect") })
	pad := s.StaticPad("src")
	defer pad.Unref()
	pad.ProbeBuffers(func(gst.Buffer) gst.ProbeReturn { probes.Add(1); panic("a defect") })
	p.Run()
	require.Equal(t, int64(3), signals.Load())
	require.Equal(t, int64(3), probes.Load())

	b := gst.NewBuffer(nil)
	token := gst.NewToken(func(gst.Outcome) { panic("a defect") })
	b.SetToken(token)
	token.Unref()
	b.Unref()

	err := gst.RegisterStatic(&gst.PluginInfo{Name: "ggopanics", Version: "1", License: "MIT/X11", Register: func(gst.Plugin) error { panic("a defect") }})
	require.ErrorContains(t, err, "a defect")
}
