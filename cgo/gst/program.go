package gst

// #include "ggo.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime/cgo"
	"time"
	"unsafe"
)

// Object is an element, bin or pad as a program sees it: an owned reference, given back by Unref. Safe from any thread.
type Object struct{ p unsafe.Pointer }

func objectToGo(p unsafe.Pointer) *Object {
	if p == nil {
		return nil
	}
	return &Object{p}
}

func (o *Object) ptr() C.gpointer         { return C.gpointer(o.p) }
func (o *Object) element() *C.GstElement  { return (*C.GstElement)(o.p) }
func (o *Object) pad() *C.GstPad          { return (*C.GstPad)(o.p) }
func (o *Object) IsElement() bool         { return C.ggo_is(o.ptr(), 0) != 0 }
func (o *Object) IsBin() bool             { return C.ggo_is(o.ptr(), 1) != 0 }
func (o *Object) IsPad() bool             { return C.ggo_is(o.ptr(), 2) != 0 }
func (o *Object) Same(other *Object) bool { return o.p == other.p }
func (o *Object) Name() string            { return takeString(C.ggo_dup_object_name(o.ptr())) }
func (o *Object) Path() string            { return takeString(C.ggo_dup_object_path(o.ptr())) }
func (o *Object) Ref() *Object            { C.gst_object_ref(o.ptr()); return o }
func (o *Object) Unref()                  { C.gst_object_unref(o.ptr()) }

// Parse makes a pipeline of a launch line, as gst-launch-1.0 reads it. Errors name what is wrong in it.
func Parse(line string) (*Object, error) {
	t := cstr(line)
	defer cfree(t)
	var gerr *C.GError
	p := C.gst_parse_launch_full(t, nil, C.GST_PARSE_FLAG_FATAL_ERRORS, &gerr)
	if gerr != nil {
		defer C.g_error_free(gerr)
		if p != nil {
			C.gst_object_unref(C.gpointer(unsafe.Pointer(p)))
		}
		return nil, fmt.Errorf("parsing the launch line: %s", gstring(gerr.message))
	}
	C.gst_object_ref_sink(C.gpointer(unsafe.Pointer(p)))
	if C.ggo_is_pipeline(C.gpointer(unsafe.Pointer(p))) != 0 {
		return &Object{unsafe.Pointer(p)}, nil
	}
	// A line of one element or bin gives just that; a bus and a clock it has only inside a pipeline.
	pipeline := C.gst_pipeline_new(nil)
	C.gst_object_ref_sink(C.gpointer(unsafe.Pointer(pipeline)))
	C.gst_bin_add((*C.GstBin)(unsafe.Pointer(pipeline)), p)
	C.gst_object_unref(C.gpointer(unsafe.Pointer(p)))
	return &Object{unsafe.Pointer(pipeline)}, nil
}

// NewElement gives an owned element of a factory.
func NewElement(factory, name string) (*Object, error) {
	f := cstr(factory)
	defer cfree(f)
	var n *C.gchar
	if name != "" {
		n = cstr(name)
		defer cfree(n)
	}
	e := C.gst_element_factory_make(f, n)
	if e == nil {
		return nil, fmt.Errorf("there is no element %q", factory)
	}
	C.gst_object_ref_sink(C.gpointer(unsafe.Pointer(e)))
	return &Object{unsafe.Pointer(e)}, nil
}

// ---- states ----

// SetState begins a state change.
func (o *Object) SetState(s State) StateChangeReturn {
	return StateChangeReturn(C.gst_element_set_state(o.element(), C.GstState(s)))
}

// GetState waits for a state change to end, at most d (negative: without bound), and gives the state reached.
func (o *Object) GetState(d time.Duration) (State, StateChangeReturn) {
	timeout := C.GstClockTime(ClockTimeNone)
	if d >= 0 {
		timeout = C.GstClockTime(d)
	}
	var s C.GstState
	r := C.gst_element_get_state(o.element(), &s, nil, timeout)
	return State(s), StateChangeReturn(r)
}

// SyncState brings an element to the state of its bin.
func (o *Object) SyncState() bool { return C.gst_element_sync_state_with_parent(o.element()) != 0 }

// LockState keeps a bin from changing the element's state.
func (o *Object) LockState(on bool) { C.gst_element_set_locked_state(o.element(), gbool(on)) }

// SendEvent gives an owned event to an element or pipeline.
func (o *Object) SendEvent(ev Event) bool { return C.gst_element_send_event(o.element(), ev.c) != 0 }

// Query asks an element or pipeline; the query is borrowed.
func (o *Object) Query(q Query) bool { return C.gst_element_query(o.element(), q.c) != 0 }

// ---- structure ----

// ByName finds an element in a bin, owned; nil where there is none.
func (o *Object) ByName(name string) *Object {
	n := cstr(name)
	defer cfree(n)
	return objectToGo(unsafe.Pointer(C.gst_bin_get_by_name((*C.GstBin)(o.p), n)))
}

// objects makes owned wrappers of a list of GstObjects.
func objects(list unsafe.Pointer) []*Object {
	var out []*Object
	for l := C.gpointer(list); l != nil; {
		var item C.gpointer
		l = C.ggo_list_next(l, &item)
		out = append(out, (&Object{unsafe.Pointer(item)}).Ref())
	}
	return out
}

// Children gives the elements of a bin, owned, in no order.
func (o *Object) Children() []*Object {
	if !o.IsBin() {
		return nil
	}
	return o.locked(0)
}

// Pads gives an element's pads, owned.
func (o *Object) Pads() []*Object {
	if !o.IsElement() {
		return nil
	}
	return o.locked(1)
}

func (o *Object) locked(what C.gint) []*Object {
	list := C.ggo_copy_list(o.ptr(), what)
	out := objects(unsafe.Pointer(list))
	C.ggo_free_list(list)
	return out
}

// Factory is the factory's name of an element, "" where it has none; Klass its classification.
func (o *Object) Factory() string { return takeString(C.ggo_factory(o.element(), 0)) }

// Klass is the factory's classification, such as Source/Network.
func (o *Object) Klass() string { return takeString(C.ggo_factory(o.element(), 1)) }

// IsSource says whether an element is a source.
func (o *Object) IsSource() bool {
	return C.ggo_element_has_flag(o.element(), C.GST_ELEMENT_FLAG_SOURCE) != 0
}

// IsSink says whether an element is a sink.
func (o *Object) IsSink() bool {
	return C.ggo_element_has_flag(o.element(), C.GST_ELEMENT_FLAG_SINK) != 0
}

// StaticPad gives a pad by name, owned; nil where there is none.
func (o *Object) StaticPad(name string) *Object {
	n := cstr(name)
	defer cfree(n)
	return objectToGo(unsafe.Pointer(C.gst_element_get_static_pad(o.element(), n)))
}

// Peer gives the pad that a pad is linked to, owned; nil where there is none.
func (o *Object) Peer() *Object { return objectToGo(unsafe.Pointer(C.gst_pad_get_peer(o.pad()))) }

// IsSrcPad says whether a pad is a source pad.
func (o *Object) IsSrcPad() bool { return C.gst_pad_get_direction(o.pad()) == C.GST_PAD_SRC }

// LinkPad links a source pad to a sink pad.
func (o *Object) LinkPad(sink *Object) error {
	if r := C.gst_pad_link(o.pad(), sink.pad()); r != C.GST_PAD_LINK_OK {
		return fmt.Errorf("linking %s to %s: %s", o.Path(), sink.Path(), gstring(C.gst_pad_link_get_name(r)))
	}
	return nil
}

// PadCaps gives owned caps: the current ones of a pad, else what it may have.
func (o *Object) PadCaps() Caps {
	if c := C.gst_pad_get_current_caps(o.pad()); c != nil {
		return Caps{c}
	}
	return Caps{C.gst_pad_query_caps(o.pad(), nil)}
}

// ---- properties and signals ----

// Set sets a property; numbers are converted to its type, a string is read as a launch line's would be. The error says
// what the property takes, or that it is out of range.
func (o *Object) Set(name string, value any) error {
	n := cstr(name)
	defer cfree(n)
	var why *C.gchar
	kind := C.ggo_object_property_type(o.ptr(), n)
	text, isText := value.(string)
	ok := C.gboolean(0)
	if isText && kind != C.GGO_STRING {
		t := cstr(text)
		ok = C.ggo_object_set_string(o.ptr(), n, t, &why)
		cfree(t)
	} else {
		x, fits := convert(value, kind)
		if !fits {
			return fmt.Errorf("%v is out of range for property %q", value, name)
		}
		var v C.GgoValue
		valueFromGo(x, &v)
		ok = C.ggo_object_set(o.ptr(), n, &v, &why)
		C.ggo_value_clear(&v)
	}
	if ok == 0 {
		return errors.New(takeString(why))
	}
	return nil
}

// Get reads a property; nil where there is none to read. Objects, caps and buffers are owned, a value without a Go form is its text.
func (o *Object) Get(name string) any {
	n := cstr(name)
	defer cfree(n)
	var v C.GValue
	if C.ggo_object_get(o.ptr(), n, &v) == 0 {
		return nil
	}
	defer C.ggo_value_unset(&v)
	switch C.ggo_gvalue_type(&v) {
	case C.GGO_LIST, C.GGO_ARRAY, C.GGO_BYTES, C.GGO_INT_RANGE, C.GGO_INT64_RANGE, C.GGO_DOUBLE_RANGE, C.GGO_FRACTION_RANGE:
		return valueFromC(&v)
	case C.GGO_OTHER:
		return valueFromC(&v).(Opaque).Text
	case C.GGO_OBJECT, C.GGO_CAPS, C.GGO_BUFFER:
		var flat C.GgoValue
		C.ggo_value_from_gvalue(&v, &flat)
		C.ggo_value_own(&flat)
		return valueToGo(&flat)
	}
	var flat C.GgoValue
	C.ggo_value_from_gvalue(&v, &flat)
	return valueToGo(&flat)
}

// Emit emits a signal, actions among them, and gives its result; objects, caps and buffers in it are owned.
func (o *Object) Emit(name string, args ...any) any { return emit(o.ptr(), name, args) }

// Connect calls f for a signal ("notify::name" too), from whichever thread emits it, with its arguments (the object itself first; objects, caps and
// buffers borrowed). What f gives is the signal's result, objects, caps and buffers in it taken. It gives the id for Disconnect, 0 where there is no such signal.
func (o *Object) Connect(signal string, f func(args []any) any) uint64 {
	n := cstr(signal)
	defer cfree(n)
	return uint64(C.ggo_connect(o.ptr(), n, C.uintptr_t(cgo.NewHandle(f))))
}

// Disconnect ends a Connect.
func (o *Object) Disconnect(id uint64) { C.g_signal_handler_disconnect(o.ptr(), C.gulong(id)) }

//export ggoGoSignal
func ggoGoSignal(h C.uintptr_t, n C.guint, args *C.GgoValue, out *C.GgoValue) {
	in := unsafe.Slice(args, int(n))
	defer func() {
		if x := recover(); x != nil {
			complain(unsafe.Pointer(in[0].ptr), "a function connected to a signal", x)
		}
	}()
	values := make([]any, int(n))
	for i := range values {
		values[i] = valueToGo(&in[i])
	}
	valueFromGo(cgo.Handle(h).Value().(func([]any) any)(values), out)
}

// ---- probes ----

// ProbeReturn is what a probe answers.
type ProbeReturn int32

// The answers.
const (
	ProbeOK     ProbeReturn = C.GST_PAD_PROBE_OK
	ProbeDrop   ProbeReturn = C.GST_PAD_PROBE_DROP
	ProbeRemove ProbeReturn = C.GST_PAD_PROBE_REMOVE
)

// ProbeBuffers calls f for each buffer (borrowed) on the pad, on its streaming thread, until f answers ProbeRemove. It gives the id for RemoveProbe.
func (o *Object) ProbeBuffers(f func(b Buffer) ProbeReturn) uint64 {
	return uint64(C.ggo_pad_probe(o.pad(), C.GST_PAD_PROBE_TYPE_BUFFER, C.uintptr_t(cgo.NewHandle(f))))
}

// ProbeEvents calls f for each event (borrowed) that goes downstream, as ProbeBuffers does.
func (o *Object) ProbeEvents(f func(ev Event) ProbeReturn) uint64 {
	return uint64(C.ggo_pad_probe(o.pad(), C.GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, C.uintptr_t(cgo.NewHandle(f))))
}

// RemoveProbe ends a probe.
func (o *Object) RemoveProbe(id uint64) { C.gst_pad_remove_probe(o.pad(), C.gulong(id)) }

//export ggoGoProbe
func ggoGoProbe(h C.uintptr_t, parent, data unsafe.Pointer) (r C.gint) {
	r = C.GST_PAD_PROBE_OK
	defer func() {
		if x := recover(); x != nil {
			complain(parent, "a pad probe", x)
		}
	}()
	switch f := cgo.Handle(h).Value().(type) {
	case func(Buffer) ProbeReturn:
		return C.gint(f(Buffer{(*C.GstBuffer)(data)}))
	case func(Event) ProbeReturn:
		return C.gint(f(Event{(*C.GstEvent)(data)}))
	}
	return r
}

// Watch tells when data last passed a source's pads, and can hold back their end of stream. Safe from any thread.
type Watch struct{ c *C.GgoWatch }

// NewWatch gives a watch; Close gives it back.
func NewWatch() Watch { return Watch{C.ggo_watch_new()} }

// Close gives the watch back; pads that still have it keep it alive.
func (w Watch) Close() { C.ggo_watch_unref(w.c) }

// Add watches one more pad.
func (w Watch) Add(pad *Object) { C.ggo_watch_pad(w.c, pad.pad()) }

// HoldEOS keeps an end of stream on the pads from going downstream; EOS tells that one came.
func (w Watch) HoldEOS(on bool) { C.ggo_watch_hold(w.c, gbool(on)) }

// Reset forgets a held end of stream and counts the silence from now.
func (w Watch) Reset() { C.ggo_watch_reset(w.c) }

// EOS says whether an end of stream was held back since Reset.
func (w Watch) EOS() bool { return C.ggo_watch_eos(w.c) != 0 }

// Buffers is the number of buffers and lists that passed.
func (w Watch) Buffers() uint64 { return uint64(C.ggo_watch_buffers(w.c)) }

// Silence is the time since the last buffer.
func (w Watch) Silence() time.Duration {
	return time.Duration(C.ggo_watch_silence(w.c)) * time.Microsecond
}
