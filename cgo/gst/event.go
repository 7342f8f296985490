package gst

// #include "ggo.h"
import "C"

import (
	"math"
	"unsafe"
)

// EventType is the type of an event (GstEventType).
type EventType uint32

// The types that elements handle.
const (
	EventFlushStart       EventType = C.GST_EVENT_FLUSH_START
	EventFlushStop        EventType = C.GST_EVENT_FLUSH_STOP
	EventStreamStart      EventType = C.GST_EVENT_STREAM_START
	EventCaps             EventType = C.GST_EVENT_CAPS
	EventSegment          EventType = C.GST_EVENT_SEGMENT
	EventTag              EventType = C.GST_EVENT_TAG
	EventEOS              EventType = C.GST_EVENT_EOS
	EventGap              EventType = C.GST_EVENT_GAP
	EventQoS              EventType = C.GST_EVENT_QOS
	EventSeek             EventType = C.GST_EVENT_SEEK
	EventLatency          EventType = C.GST_EVENT_LATENCY
	EventReconfigure      EventType = C.GST_EVENT_RECONFIGURE
	EventCustomUpstream   EventType = C.GST_EVENT_CUSTOM_UPSTREAM
	EventCustomDownstream EventType = C.GST_EVENT_CUSTOM_DOWNSTREAM
	EventCustomOOB        EventType = C.GST_EVENT_CUSTOM_DOWNSTREAM_OOB
	EventCustomBoth       EventType = C.GST_EVENT_CUSTOM_BOTH
)

// Event is a GstEvent. It is a plain pointer: copying it takes no reference.
type Event struct{ c *C.GstEvent }

// Type is the event's type.
func (e Event) Type() EventType { return EventType(e.c._type) }

// IsSerialized says whether the event flows with the data, on a streaming thread.
func (e Event) IsSerialized() bool { return e.Type()&C.GST_EVENT_TYPE_SERIALIZED != 0 }

// Seqnum ties an event to those it caused.
func (e Event) Seqnum() uint32 { return uint32(C.gst_event_get_seqnum(e.c)) }

// Ref takes a reference; Unref gives one back.
func (e Event) Ref() Event {
	C.gst_event_ref(e.c)
	return e
}

// Unref gives a reference back.
func (e Event) Unref() { C.gst_event_unref(e.c) }

// Structure gives a copy of the event's structure; nil where it has none.
func (e Event) Structure() *Structure {
	return structureFromC((*C.GstStructure)(unsafe.Pointer(C.gst_event_get_structure(e.c))))
}

// What follows reads an event of the one type it names; of another it gives the zero value.

// Caps gives the caps of a CAPS event, borrowed.
func (e Event) Caps() Caps {
	var c *C.GstCaps
	if e.Type() != EventCaps {
		return Caps{}
	}
	C.gst_event_parse_caps(e.c, &c)
	return Caps{c}
}

// Gap gives the times of a GAP event in ns.
func (e Event) Gap() (timestamp, duration uint64) {
	var t, d C.GstClockTime
	if e.Type() != EventGap {
		return 0, 0
	}
	C.gst_event_parse_gap(e.c, &t, &d)
	return uint64(t), uint64(d)
}

// StreamID gives the id of a STREAM_START event.
func (e Event) StreamID() string {
	var id *C.gchar
	if e.Type() != EventStreamStart {
		return ""
	}
	C.gst_event_parse_stream_start(e.c, &id)
	return gstring(id)
}

// Segment gives a copy of the segment of a SEGMENT event.
func (e Event) Segment() Segment {
	var s *C.GstSegment
	if e.Type() != EventSegment {
		return Segment{}
	}
	C.gst_event_parse_segment(e.c, &s)
	// What is reserved nobody has ever set: it may hold anything, also what looks like a pointer of Go's and must not go back to C.
	out := Segment{*s}
	clear(out.c._gst_reserved[:])
	return out
}

// FlushStop says whether a FLUSH_STOP event resets the running time.
func (e Event) FlushStop() (resetTime bool) {
	var r C.gboolean
	if e.Type() != EventFlushStop {
		return false
	}
	C.gst_event_parse_flush_stop(e.c, &r)
	return r != 0
}

// The constructors give owned events.

// NewEOS ends a stream.
func NewEOS() Event { return Event{C.gst_event_new_eos()} }

// NewFlushStart makes a stream drop what it holds.
func NewFlushStart() Event { return Event{C.gst_event_new_flush_start()} }

// NewFlushStop lets a stream go on after NewFlushStart.
func NewFlushStop(resetTime bool) Event { return Event{C.gst_event_new_flush_stop(gbool(resetTime))} }

// NewCapsEvent tells of caps, borrowed.
func NewCapsEvent(c Caps) Event { return Event{C.gst_event_new_caps(c.c)} }

// NewStreamStart begins a stream of the id.
func NewStreamStart(id string) Event {
	t := cstr(id)
	defer cfree(t)
	return Event{C.gst_event_new_stream_start(t)}
}

// NewSegmentEvent tells of a segment.
func NewSegmentEvent(s *Segment) Event { return Event{C.gst_event_new_segment(&s.c)} }

// NewGap says that nothing comes for a while; times in ns.
func NewGap(timestamp, duration uint64) Event {
	return Event{C.gst_event_new_gap(C.GstClockTime(timestamp), C.GstClockTime(duration))}
}

// NewCustomEvent gives an event with a structure of the caller's.
func NewCustomEvent(t EventType, s *Structure) Event {
	return Event{C.gst_event_new_custom(C.GstEventType(t), s.toC())}
}

// NewReconfigure asks upstream to negotiate anew.
func NewReconfigure() Event { return Event{C.gst_event_new_reconfigure()} }

// Segment is a GstSegment.
type Segment struct{ c C.GstSegment }

// NewTimeSegment gives an open segment in ns.
func NewTimeSegment() Segment {
	var s Segment
	C.gst_segment_init(&s.c, C.GST_FORMAT_TIME)
	return s
}

// IsTime says whether the segment counts in ns.
func (s *Segment) IsTime() bool { return s.c.format == C.GST_FORMAT_TIME }

// SetStart sets the first position in ns, and with it the stream time.
func (s *Segment) SetStart(ns uint64) {
	s.c.start, s.c.time, s.c.position = C.guint64(ns), C.guint64(ns), C.guint64(ns)
}

// SetBase sets the running time at the start in ns.
func (s *Segment) SetBase(ns uint64) { s.c.base = C.guint64(ns) }

// ToRunningTime gives the running time of a position, both in ns; ClockTimeNone outside the segment.
func (s *Segment) ToRunningTime(position uint64) uint64 {
	return uint64(C.gst_segment_to_running_time(&s.c, s.c.format, C.guint64(position)))
}

// RunningTime gives the running time of a position, both in ns, also where the position lies outside the segment (before it, it may
// be negative); false where the segment does not count in ns or there is no position.
func (s *Segment) RunningTime(position uint64) (int64, bool) {
	t := int64(C.ggo_segment_running_time(&s.c, C.guint64(position)))
	return t, t != math.MaxInt64
}

// QueryType is the type of a query (GstQueryType).
type QueryType uint32

// The types that elements answer.
const (
	QueryPosition   QueryType = C.GST_QUERY_POSITION
	QueryDuration   QueryType = C.GST_QUERY_DURATION
	QueryLatency    QueryType = C.GST_QUERY_LATENCY
	QuerySeeking    QueryType = C.GST_QUERY_SEEKING
	QueryURI        QueryType = C.GST_QUERY_URI
	QueryAllocation QueryType = C.GST_QUERY_ALLOCATION
	QueryScheduling QueryType = C.GST_QUERY_SCHEDULING
	QueryAcceptCaps QueryType = C.GST_QUERY_ACCEPT_CAPS
	QueryCaps       QueryType = C.GST_QUERY_CAPS
	QueryDrain      QueryType = C.GST_QUERY_DRAIN
)

// Query is a GstQuery. It is a plain pointer: copying it takes no reference.
type Query struct{ c *C.GstQuery }

// NewLatencyQuery gives an owned LATENCY query.
func NewLatencyQuery() Query { return Query{C.gst_query_new_latency()} }

// NewURIQuery gives an owned URI query.
func NewURIQuery() Query { return Query{C.gst_query_new_uri()} }

// Unref gives a reference back.
func (q Query) Unref() { C.gst_query_unref(q.c) }

// Type is the query's type.
func (q Query) Type() QueryType { return QueryType(q.c._type) }

// SetLatency answers a LATENCY query; ns, max ClockTimeNone: no bound.
func (q Query) SetLatency(live bool, min, max uint64) {
	C.gst_query_set_latency(q.c, gbool(live), C.GstClockTime(min), C.GstClockTime(max))
}

// Latency reads a LATENCY query.
func (q Query) Latency() (live bool, min, max uint64) {
	var l C.gboolean
	var lo, hi C.GstClockTime
	C.gst_query_parse_latency(q.c, &l, &lo, &hi)
	return l != 0, uint64(lo), uint64(hi)
}

// SetURI answers a URI query.
func (q Query) SetURI(uri string) {
	t := cstr(uri)
	defer cfree(t)
	C.gst_query_set_uri(q.c, t)
}

// URI reads a URI query.
func (q Query) URI() string {
	var u *C.gchar
	C.gst_query_parse_uri(q.c, &u)
	return takeString(u)
}
