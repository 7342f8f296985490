package gst_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
)

// classes numbers the classes that tests define: a GType lasts as long as the process.
var classes atomic.Int64

// define registers a class of the test's own and gives its factory's name. What the test does not say is made up; pads are the kind's usual ones.
func define(t testing.TB, c gst.Class) string {
	t.Helper()
	n := classes.Add(1)
	c.Factory, c.Type = fmt.Sprintf("ggotest%d", n), fmt.Sprintf("GgoTest%d", n)
	c.LongName, c.Klass, c.Description, c.Author = "Test", "Test", "Is tested.", "gst-kinesis"
	if c.Pads == nil {
		c.Pads = usualPads(c.Kind)
	}
	require.NoError(t, c.Register(gst.Plugin{}))
	return c.Factory
}

var (
	sinkAny = gst.PadTemplate{Name: "sink", Direction: gst.PadSink, Presence: gst.PadAlways, Caps: "ANY"}
	srcAny  = gst.PadTemplate{Name: "src", Direction: gst.PadSrc, Presence: gst.PadAlways, Caps: "ANY"}
)

func usualPads(k gst.Kind) []gst.PadTemplate {
	switch k {
	case gst.KindSink:
		return []gst.PadTemplate{sinkAny}
	case gst.KindSource:
		return []gst.PadTemplate{srcAny}
	}
	return []gst.PadTemplate{sinkAny, srcAny}
}

// hooks is a Go half that has every optional method and does the usual where the test says nothing.
type hooks struct {
	e           *gst.Element
	start       func() error
	stop        func()
	unlock      func(bool)
	setCaps     func(in, out gst.Caps) error
	event       func(gst.Event) bool
	query       func(gst.PadDirection, gst.Query) bool
	changeState func(gst.StateChange) gst.StateChangeReturn
	sendEvent   func(gst.Event) bool
	free        func()
}

func (h *hooks) Start() error {
	if h.start != nil {
		return h.start()
	}
	return nil
}

func (h *hooks) Stop() {
	if h.stop != nil {
		h.stop()
	}
}

func (h *hooks) Unlock(flushing bool) {
	if h.unlock != nil {
		h.unlock(flushing)
	}
}

func (h *hooks) SetCaps(in, out gst.Caps) error {
	if h.setCaps != nil {
		return h.setCaps(in, out)
	}
	return nil
}

func (h *hooks) Event(ev gst.Event) bool {
	if h.event != nil {
		return h.event(ev)
	}
	return h.e.ParentEvent(ev)
}

func (h *hooks) Query(d gst.PadDirection, q gst.Query) bool {
	if h.query != nil {
		return h.query(d, q)
	}
	return h.e.ParentQuery(d, q)
}

func (h *hooks) ChangeState(s gst.StateChange) gst.StateChangeReturn {
	if h.changeState != nil {
		return h.changeState(s)
	}
	return h.e.ParentChangeState(s)
}

func (h *hooks) SendEvent(ev gst.Event) bool {
	if h.sendEvent != nil {
		return h.sendEvent(ev)
	}
	return h.e.ParentSendEvent(ev)
}

func (h *hooks) Free() {
	if h.free != nil {
		h.free()
	}
}

// The kinds with all the optional methods.
type (
	hookedSink struct {
		hooks
		render func(*gst.View) gst.Flow
	}
	hookedResize struct {
		hooks
		transform func(in, out *gst.View) gst.Flow
		size      func(gst.PadDirection, int) (int, bool)
	}
	hookedGenerate struct {
		hooks
		generate func(*gst.View, *gst.Outputs) gst.Flow
	}
	hookedSource struct {
		hooks
		create func() (gst.Buffer, gst.Flow)
	}
)

func (s *hookedSink) Render(v *gst.View) gst.Flow            { return s.render(v) }
func (s *hookedResize) Transform(in, out *gst.View) gst.Flow { return s.transform(in, out) }
func (s *hookedResize) TransformSize(d gst.PadDirection, n int) (int, bool) {
	return s.size(d, n)
}
func (s *hookedGenerate) Generate(in *gst.View, out *gst.Outputs) gst.Flow {
	return s.generate(in, out)
}
func (s *hookedSource) Create() (gst.Buffer, gst.Flow) { return s.create() }

// Functions as Go halves with nothing but what their kind asks for.
type (
	renderFunc   func(*gst.View) gst.Flow
	inPlaceFunc  func(*gst.View) gst.Flow
	generateFunc func(*gst.View, *gst.Outputs) gst.Flow
	createFunc   func() (gst.Buffer, gst.Flow)
)

func (f renderFunc) Render(v *gst.View) gst.Flow                        { return f(v) }
func (f inPlaceFunc) TransformInPlace(v *gst.View) gst.Flow             { return f(v) }
func (f generateFunc) Generate(in *gst.View, out *gst.Outputs) gst.Flow { return f(in, out) }
func (f createFunc) Create() (gst.Buffer, gst.Flow)                     { return f() }

func defineSink(t testing.TB, render func(*gst.View) gst.Flow) string {
	t.Helper()
	return define(t, gst.Class{Kind: gst.KindSink, New: func(*gst.Element) any { return renderFunc(render) }})
}

func defineInPlace(t testing.TB, f func(*gst.View) gst.Flow) string {
	t.Helper()
	return define(t, gst.Class{Kind: gst.KindInPlace, New: func(*gst.Element) any { return inPlaceFunc(f) }})
}

func defineGenerate(t testing.TB, f func(*gst.View, *gst.Outputs) gst.Flow) string {
	t.Helper()
	return define(t, gst.Class{Kind: gst.KindGenerate, New: func(*gst.Element) any { return generateFunc(f) }})
}
