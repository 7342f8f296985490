package gsttest

// #include "gt.h"
import "C"

import (
	"time"
	"unsafe"

	"gst-kinesis/cgo/gst"
)

// PushEvent pushes an event into the element, which takes it.
func (h *Harness) PushEvent(ev gst.Event) bool {
	return C.gst_harness_push_event(h.c.h, (*C.GstEvent)(ev.Pointer())) != 0
}

// PullEvent gives the next event that came out, owned, waiting up to Limit for it.
func (h *Harness) PullEvent() gst.Event {
	h.tb.Helper()
	ev := C.gt_harness_pull_event(h.c, C.gint64(h.Limit.Microseconds()))
	if ev == nil {
		h.tb.Fatalf("no event came out within %v", h.Limit)
	}
	return gst.EventFromPointer(unsafe.Pointer(ev))
}

// TryPullEvent gives the next event that came out, owned, if there is one now.
func (h *Harness) TryPullEvent() (gst.Event, bool) {
	ev := C.gt_harness_pull_event(h.c, 0)
	return gst.EventFromPointer(unsafe.Pointer(ev)), ev != nil
}

// AwaitEvent gives the next event of the type that came out, owned, and throws away those before it.
func (h *Harness) AwaitEvent(t gst.EventType) gst.Event {
	h.tb.Helper()
	for {
		ev := h.PullEvent()
		if ev.Type() == t {
			return ev
		}
		ev.Unref()
	}
}

// PushUpstreamEvent sends an event to the element from downstream, which takes it.
func (h *Harness) PushUpstreamEvent(ev gst.Event) bool {
	return C.gst_harness_push_upstream_event(h.c.h, (*C.GstEvent)(ev.Pointer())) != 0
}

// PullUpstreamEvent gives the next event that the element sent upstream, owned, waiting up to Limit for it.
func (h *Harness) PullUpstreamEvent() gst.Event {
	h.tb.Helper()
	ev := C.gt_harness_pull_upstream_event(h.c, C.gint64(h.Limit.Microseconds()))
	if ev == nil {
		h.tb.Fatalf("no event went upstream within %v", h.Limit)
	}
	return gst.EventFromPointer(unsafe.Pointer(ev))
}

// AwaitUpstreamEvent gives the next event of the type that went upstream, owned, and throws away those before it.
func (h *Harness) AwaitUpstreamEvent(t gst.EventType) gst.Event {
	h.tb.Helper()
	for {
		ev := h.PullUpstreamEvent()
		if ev.Type() == t {
			return ev
		}
		ev.Unref()
	}
}

// ---- queries ----

// QueryFromDownstream asks the element's source pad, QueryFromUpstream its sink pad; the query is borrowed.
func (h *Harness) QueryFromDownstream(q gst.Query) bool {
	return C.gt_harness_query(h.c, 1, (*C.GstQuery)(q.Pointer())) != 0
}

// QueryFromUpstream asks the element's sink pad; the query is borrowed.
func (h *Harness) QueryFromUpstream(q gst.Query) bool {
	return C.gt_harness_query(h.c, 0, (*C.GstQuery)(q.Pointer())) != 0
}

// SetUpstream says how what is upstream answers a LATENCY query: live or not, with a latency in ns.
func (h *Harness) SetUpstream(live bool, latency uint64) {
	C.gst_harness_set_live(h.c.h, gbool(live))
	C.gst_harness_set_upstream_latency(h.c.h, C.GstClockTime(latency))
}

// QueryLatency gives the latency in ns that the element and what is upstream have together.
func (h *Harness) QueryLatency() uint64 { return uint64(C.gst_harness_query_latency(h.c.h)) }

// ---- clock ----

// UseTestClock gives the element a clock that stands until SetTime or Crank moves it. It is called before Play.
func (h *Harness) UseTestClock() { C.gst_harness_use_testclock(h.c.h) }

// UseSystemClock gives the element the system's clock.
func (h *Harness) UseSystemClock() { C.gst_harness_use_systemclock(h.c.h) }

// SetTime sets the test clock in ns.
func (h *Harness) SetTime(ns uint64) bool {
	return C.gst_harness_set_time(h.c.h, C.GstClockTime(ns)) != 0
}

// Time is that of the test clock in ns.
func (h *Harness) Time() uint64 {
	c := C.gst_harness_get_testclock(h.c.h)
	defer C.gst_object_unref(C.gpointer(unsafe.Pointer(c)))
	return uint64(C.gst_clock_get_time((*C.GstClock)(unsafe.Pointer(c))))
}

// Crank waits until one clock wait stands in the element and moves the test clock to its time.
func (h *Harness) Crank() bool { return C.gst_harness_crank_single_clock_wait(h.c.h) != 0 }

// AwaitClockWaits waits at most d until n clock waits stand.
func (h *Harness) AwaitClockWaits(n int, d time.Duration) bool {
	return C.gst_harness_wait_for_clock_id_waits(h.c.h, C.guint(n), C.guint(max(1, d/time.Second))) != 0
}

// ---- messages ----

// Message gives the next message of the types that the element posted; nil where none came within d. Others before it are thrown away.
func (h *Harness) Message(d time.Duration, types gst.MessageType) *gst.Message {
	return h.bus.Pop(d, types)
}

// AwaitMessage gives the next message of the types, waiting up to Limit for it.
func (h *Harness) AwaitMessage(types gst.MessageType) *gst.Message {
	h.tb.Helper()
	m := h.Message(h.Limit, types)
	if m == nil {
		h.tb.Fatalf("no message of type %#x came within %v", uint32(types), h.Limit)
	}
	return m
}
