package gst

// #include "ggo.h"
import "C"

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"unsafe"
)

// Element is what the Go half of an element asks GStreamer through. It lives as long as the element; all methods are safe from any thread
// unless they say otherwise, and none may be called with a lock held that a callback takes.
type Element struct {
	c         *C.GstElement
	class     *Class
	store     store
	instance  *instance
	inbox     *Inbox // nil: none
	threshold *int32
}

// Name is the element's name in its pipeline.
func (e *Element) Name() string { return takeString(C.ggo_dup_object_name(e.ptr())) }

// Factory is the factory's name.
func (e *Element) Factory() string { return e.class.Factory }

func (e *Element) ptr() C.gpointer { return C.gpointer(unsafe.Pointer(e.c)) }

// State is the current state, NextState the one a change in progress leads to (StateVoidPending: none).
func (e *Element) State() State { return State(C.ggo_element_state(e.c)) }

// NextState is the state that a change in progress leads to, one step on.
func (e *Element) NextState() State { return State(C.ggo_element_next_state(e.c)) }

// ---- messages ----

// PostError says on the bus that the stream cannot go on.
func (e *Element) PostError(err *Error) { e.post(C.GST_MESSAGE_ERROR, err) }

// PostWarning says on the bus that something is wrong and the stream goes on.
func (e *Element) PostWarning(err *Error) { e.post(C.GST_MESSAGE_WARNING, err) }

// PostInfo says something on the bus. gst-launch-1.0 shows only the debug part of it, so the text stands there too.
func (e *Element) PostInfo(err *Error) {
	shown := *err
	shown.Debug = strings.TrimSuffix(err.Text+"\n"+err.Debug, "\n")
	e.post(C.GST_MESSAGE_INFO, &shown)
}

// post says where the message comes from as GStreamer's own elements do: by file, line and, for the function, the factory.
func (e *Element) post(kind C.gint, err *Error) {
	_, file, line, _ := runtime.Caller(2)
	text, debug, at, function := cstr(validUTF8(err.Text)), cstr(validUTF8(err.Debug)), cstr(filepath.Base(file)), cstr(e.class.Factory)
	defer cfree(text)
	defer cfree(debug)
	defer cfree(at)
	defer cfree(function)
	C.ggo_element_message(e.c, kind, err.Code.domain(), err.Code.code(), text, debug, at, function, C.gint(line), err.Details.toC())
}

// PostElement posts an ELEMENT message for programs.
func (e *Element) PostElement(s *Structure) {
	C.gst_element_post_message(e.c, C.gst_message_new_element((*C.GstObject)(unsafe.Pointer(e.c)), s.toC()))
}

// QoS is what a QOS message says of a dropped buffer; times in ns.
type QoS struct {
	Live                                         bool
	RunningTime, StreamTime, Timestamp, Duration uint64
	Processed, Dropped                           uint64 // buffers so far
}

// PostQoS says on the bus that a buffer was dropped.
func (e *Element) PostQoS(q QoS) {
	C.ggo_element_post_qos(e.c, gbool(q.Live), C.guint64(q.RunningTime), C.guint64(q.StreamTime), C.guint64(q.Timestamp),
		C.guint64(q.Duration), C.guint64(q.Processed), C.guint64(q.Dropped))
}

// Progress is the kind of a PROGRESS message.
type Progress int32

// The kinds.
const (
	ProgressStart    Progress = C.GST_PROGRESS_TYPE_START
	ProgressContinue Progress = C.GST_PROGRESS_TYPE_CONTINUE
	ProgressComplete Progress = C.GST_PROGRESS_TYPE_COMPLETE
	ProgressCanceled Progress = C.GST_PROGRESS_TYPE_CANCELED
	ProgressError    Progress = C.GST_PROGRESS_TYPE_ERROR
)

// PostProgress tells of a long operation.
func (e *Element) PostProgress(p Progress, code, text string) {
	c, t := cstr(code), cstr(validUTF8(text))
	defer cfree(c)
	defer cfree(t)
	C.ggo_element_post_progress(e.c, C.gint(p), c, t)
}

// PostLatency asks the pipeline to compute its latency anew.
func (e *Element) PostLatency() {
	C.gst_element_post_message(e.c, C.gst_message_new_latency((*C.GstObject)(unsafe.Pointer(e.c))))
}

// ---- time ----

// UnixTime gives the wall-clock time in ns since 1970 of a running time in ns: the wall clock now less what the pipeline's clock
// says has passed since. False where there is no clock or no time.
func (e *Element) UnixTime(runningTime uint64) (int64, bool) {
	t := int64(C.ggo_element_unix_time(e.c, C.guint64(runningTime)))
	return t, t >= 0
}

// RunningTime is the pipeline's running time now in ns, or ClockTimeNone.
func (e *Element) RunningTime() uint64 { return uint64(C.ggo_element_running_time(e.c)) }

// ---- parents ----

// ParentEvent gives an event to the base class, which takes it.
func (e *Element) ParentEvent(ev Event) bool {
	switch e.class.c.kind {
	case C.GGO_KIND_SINK:
		return C.ggo_sink_event_parent(e.c, ev.c) != 0
	case C.GGO_KIND_TRANSFORM:
		return C.ggo_transform_event_parent(e.c, 0, ev.c) != 0
	}
	return C.ggo_source_event_parent(e.c, ev.c) != 0
}

// ParentSrcEvent gives a transform's event from downstream to the base class, which takes it.
func (e *Element) ParentSrcEvent(ev Event) bool {
	return C.ggo_transform_event_parent(e.c, 1, ev.c) != 0
}

// ParentSendEvent gives an event that an application sent to the base class, which takes it.
func (e *Element) ParentSendEvent(ev Event) bool { return C.ggo_send_event_parent(e.c, ev.c) != 0 }

// ParentQuery gives a query to the base class.
func (e *Element) ParentQuery(direction PadDirection, q Query) bool {
	switch e.class.c.kind {
	case C.GGO_KIND_SINK:
		return C.ggo_sink_query_parent(e.c, q.c) != 0
	case C.GGO_KIND_TRANSFORM:
		return C.ggo_transform_query_parent(e.c, C.gint(direction), q.c) != 0
	case C.GGO_KIND_ELEMENT:
		return C.ggo_element_query_parent(e.c, q.c) != 0
	}
	return C.ggo_source_query_parent(e.c, q.c) != 0
}

// ParentChangeState gives a state change to the base class.
func (e *Element) ParentChangeState(t StateChange) StateChangeReturn {
	return StateChangeReturn(C.ggo_change_state_parent(e.c, C.gint(t)))
}

// ---- base classes ----

// Inbox is that of a sink whose class has one. It is open from Start, when that was well, to Stop, which is called when it has been closed.
func (e *Element) Inbox() *Inbox { return e.inbox }

// BaseSinkStats gives a sink's average-rate, dropped and rendered.
func (e *Element) BaseSinkStats() *Structure {
	c := C.ggo_sink_stats(e.c)
	defer C.gst_structure_free(c)
	return structureFromC(c)
}

// WaitPreroll is what Render does after Unlock(true) ended its waiting: it returns FlowOK when the sink is in PLAYING again, FlowFlushing
// where it goes down. Only from Render, with its view.
func (e *Element) WaitPreroll(v *View) Flow { return Flow(C.ggo_sink_wait_preroll(e.c, v.buffer)) }

// UpstreamLive asks upstream by a LATENCY query whether a sink is fed live; known is false where nobody answers yet.
func (e *Element) UpstreamLive() (live, known bool) {
	var k C.gboolean
	live = C.ggo_element_upstream_live(e.c, &k) != 0
	return live, k != 0
}

// Reconfigure makes a transform negotiate its output anew before the next buffer.
func (e *Element) Reconfigure() {
	C.gst_base_transform_reconfigure_src((*C.GstBaseTransform)(unsafe.Pointer(e.c)))
}

// SetPassthrough makes a transform in place pass buffers on unchanged.
func (e *Element) SetPassthrough(on bool) {
	C.gst_base_transform_set_passthrough((*C.GstBaseTransform)(unsafe.Pointer(e.c)), gbool(on))
}

// SetSourceCaps sets a source's caps; from Create or before data flows.
func (e *Element) SetSourceCaps(c Caps) bool {
	return C.gst_base_src_set_caps((*C.GstBaseSrc)(unsafe.Pointer(e.c)), c.c) != 0
}

// ---- signals ----

// Emit emits a signal of the element and gives its result, as Object.Emit.
func (e *Element) Emit(name string, args ...any) any { return emit(e.ptr(), name, args) }

// emit gives nil, and says so in the log, where there is no such signal or the arguments are not its own.
func emit(object C.gpointer, name string, args []any) any {
	n := cstr(name)
	defer cfree(n)
	var types [8]C.gint
	if count := C.ggo_signal_params(object, n, &types[0]); int(count) != len(args) || len(args) > len(types) {
		complain(unsafe.Pointer(object), fmt.Sprintf("emitting %q with %d arguments", name, len(args)), "the signal is another")
		return nil
	}
	var values [8]C.GgoValue
	for i, a := range args {
		x, fits := convert(a, types[i])
		if !fits {
			complain(unsafe.Pointer(object), fmt.Sprintf("emitting %q", name), fmt.Sprintf("argument %d is out of range", i))
		}
		valueFromGo(x, &values[i])
	}
	var result C.GgoValue
	C.ggo_emit(object, n, C.guint(len(args)), &values[0], &result)
	for i := range args {
		C.ggo_value_clear(&values[i])
	}
	out := valueToGo(&result)
	C.ggo_value_clear(&result)
	return out
}

// ---- log ----

// Level is a debug level (GstDebugLevel).
type Level int32

// The levels: ERROR what was posted as an error, WARNING what was lost or late, INFO the life cycle, DEBUG decisions, LOG each buffer, TRACE bytes.
const (
	LevelError   Level = C.GST_LEVEL_ERROR
	LevelWarning Level = C.GST_LEVEL_WARNING
	LevelInfo    Level = C.GST_LEVEL_INFO
	LevelDebug   Level = C.GST_LEVEL_DEBUG
	LevelLog     Level = C.GST_LEVEL_LOG
	LevelTrace   Level = C.GST_LEVEL_TRACE
)

// Logs says whether the element's debug category, named as its factory, is on at the level. It costs one load.
func (e *Element) Logs(l Level) bool { return atomic.LoadInt32(e.threshold) >= int32(l) }

// Log writes to the element's debug category.
func (e *Element) Log(l Level, format string, args ...any) {
	if !e.Logs(l) {
		return
	}
	_, file, line, _ := runtime.Caller(1)
	text, at, function := cstr(validUTF8(fmt.Sprintf(format, args...))), cstr(filepath.Base(file)), cstr(e.class.Factory)
	defer cfree(text)
	defer cfree(at)
	defer cfree(function)
	C.ggo_log(e.class.c.category, C.gint(l), e.ptr(), at, function, C.gint(line), text)
}
