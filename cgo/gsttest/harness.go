package gsttest

// #include "gt.h"
import "C"

import (
	"testing"
	"time"
	"unsafe"

	"gst-kinesis/cgo/gst"
)

// Limit is how long the helpers wait for what a test says will come.
const Limit = 10 * time.Second

// Frame is a buffer as a Go value; times in ns, gst.ClockTimeNone where there is none.
type Frame struct {
	Data               []byte
	PTS, DTS, Duration uint64
	Offset             uint64
	Flags              uint32
}

// FrameAt gives a frame of data with a PTS and nothing else.
func FrameAt(pts uint64, data []byte) Frame {
	return Frame{Data: data, PTS: pts, DTS: gst.ClockTimeNone, Duration: gst.ClockTimeNone, Offset: gst.ClockTimeNone}
}

// Buffer gives an owned buffer of the frame.
func (f Frame) Buffer() gst.Buffer {
	b := gst.NewBuffer(f.Data)
	b.SetPTS(f.PTS)
	b.SetDTS(f.DTS)
	b.SetDuration(f.Duration)
	b.SetOffset(f.Offset)
	b.SetFlags(f.Flags, 0)
	return b
}

// TakeFrame copies a buffer to a frame and gives its reference back.
func TakeFrame(b gst.Buffer) Frame {
	defer b.Unref()
	return Frame{Data: b.Bytes(), PTS: b.PTS(), DTS: b.DTS(), Duration: b.Duration(), Offset: b.Offset(), Flags: b.Flags()}
}

// Harness stands in for the neighbours of one element: what it pushes comes in at the element's sink pad, what comes out of the source pad is kept for Pull.
// Push and Pull may be used from different goroutines.
type Harness struct {
	// Limit is how long Pull, the Await methods and their like wait; Limit of the package unless it is set.
	Limit time.Duration

	tb      testing.TB
	c       *C.GtHarness
	element *gst.Object
	bus     gst.Bus
}

// New gives a harness around a new element of the factory, by its pads "sink" and "src" where it has them. It is in PLAYING,
// unless it is a source, which waits for Play.
func New(tb testing.TB, factory string) *Harness {
	tb.Helper()
	e, err := gst.NewElement(factory, "")
	if err != nil {
		tb.Fatal(err)
	}
	defer e.Unref()
	return NewPads(tb, e, "sink", "src")
}

// NewLaunch gives a harness around a bin of the launch line, whose unlinked pads become its own. A sink in it needs async=false: nothing has come yet
// when the bin goes to PLAYING.
func NewLaunch(tb testing.TB, line string) *Harness {
	tb.Helper()
	b, err := gst.ParseBin(line)
	if err != nil {
		tb.Fatal(err)
	}
	defer b.Unref()
	return NewPads(tb, b, "sink", "src")
}

// NewPads gives a harness around an element, borrowed, by its pads of those names, static or on request; "" leaves a side open.
func NewPads(tb testing.TB, e *gst.Object, sink, src string) *Harness {
	tb.Helper()
	var a, b *C.gchar
	if sink != "" {
		a = cstr(sink)
		defer cfree(a)
	}
	if src != "" {
		b = cstr(src)
		defer cfree(b)
	}
	h := &Harness{Limit: Limit, tb: tb, c: C.gt_harness_new((*C.GstElement)(e.Pointer()), a, b), element: e.Ref()}
	h.bus = gst.BusFromPointer(unsafe.Pointer(h.c.bus))
	tb.Cleanup(h.Close)
	return h
}

// Close brings the element to NULL and lets it go. It is called when the test ends; calling it again does nothing.
func (h *Harness) Close() {
	if h.c == nil {
		return
	}
	C.gt_harness_free(h.c)
	h.c = nil
	h.element.Unref()
}

// Element is the element in the harness, borrowed until Close.
func (h *Harness) Element() *gst.Object { return h.element }

// Play brings the element to PLAYING.
func (h *Harness) Play() { C.gst_harness_play(h.c.h) }

// Set sets a property of the element.
func (h *Harness) Set(name string, value any) {
	h.tb.Helper()
	if err := h.element.Set(name, value); err != nil {
		h.tb.Fatal(err)
	}
}

// Get reads a property of the element, as gst.Object.Get.
func (h *Harness) Get(name string) any { return h.element.Get(name) }

// SetSrcCaps sets the caps of what is pushed: stream-start, caps and segment go to the element.
func (h *Harness) SetSrcCaps(caps string) { C.gst_harness_set_src_caps(h.c.h, h.caps(caps)) }

// SetSinkCaps sets the caps that are accepted of the element.
func (h *Harness) SetSinkCaps(caps string) { C.gst_harness_set_sink_caps(h.c.h, h.caps(caps)) }

func (h *Harness) caps(text string) *C.GstCaps {
	h.tb.Helper()
	c, err := gst.ParseCaps(text)
	if err != nil {
		h.tb.Fatal(err)
	}
	return (*C.GstCaps)(c.Pointer())
}

// ---- buffers ----

// Push pushes a frame into the element and gives its answer.
func (h *Harness) Push(f Frame) gst.Flow { return h.PushBuffer(f.Buffer()) }

// PushBuffer pushes a buffer, which it takes.
func (h *Harness) PushBuffer(b gst.Buffer) gst.Flow {
	return gst.Flow(C.gst_harness_push(h.c.h, (*C.GstBuffer)(b.Pointer())))
}

// PushList pushes a list, which it takes.
func (h *Harness) PushList(l gst.BufferList) gst.Flow {
	return gst.Flow(C.gt_harness_push_list(h.c, (*C.GstBufferList)(l.Pointer())))
}

// Pull gives the next frame that came out, waiting up to Limit for it.
func (h *Harness) Pull() Frame {
	h.tb.Helper()
	return TakeFrame(h.PullBuffer())
}

// PullBuffer is Pull with the owned buffer itself.
func (h *Harness) PullBuffer() gst.Buffer {
	h.tb.Helper()
	b, ok := h.PullWithin(h.Limit)
	if !ok {
		h.tb.Fatalf("no buffer came out within %v", h.Limit)
	}
	return b
}

// PullWithin gives the next buffer that came out, owned, waiting at most d for it.
func (h *Harness) PullWithin(d time.Duration) (gst.Buffer, bool) {
	b := C.gt_harness_pull(h.c, C.gint64(d.Microseconds()))
	return gst.BufferFromPointer(unsafe.Pointer(b)), b != nil
}

// TryPull gives the next frame that came out if there is one now.
func (h *Harness) TryPull() (Frame, bool) {
	b, ok := h.PullWithin(0)
	if !ok {
		return Frame{}, false
	}
	return TakeFrame(b), true
}

// Received is the number of buffers that came out so far, Queued that of those not pulled yet.
func (h *Harness) Received() int { return int(C.gst_harness_buffers_received(h.c.h)) }

// Queued is the number of buffers that came out and were not pulled yet.
func (h *Harness) Queued() int { return int(C.gst_harness_buffers_in_queue(h.c.h)) }
