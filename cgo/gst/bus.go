package gst

// #include "ggo.h"
import "C"

import (
	"time"
	"unsafe"
)

// MessageType is the type of a bus message, a bit each (GstMessageType).
type MessageType uint32

// The types that programs read.
const (
	MessageEOS          MessageType = C.GST_MESSAGE_EOS
	MessageError        MessageType = C.GST_MESSAGE_ERROR
	MessageWarning      MessageType = C.GST_MESSAGE_WARNING
	MessageInfo         MessageType = C.GST_MESSAGE_INFO
	MessageStateChanged MessageType = C.GST_MESSAGE_STATE_CHANGED
	MessageElement      MessageType = C.GST_MESSAGE_ELEMENT
	MessageApplication  MessageType = C.GST_MESSAGE_APPLICATION
	MessageQoS          MessageType = C.GST_MESSAGE_QOS
	MessageProgress     MessageType = C.GST_MESSAGE_PROGRESS
	MessageLatency      MessageType = C.GST_MESSAGE_LATENCY
	MessageClockLost    MessageType = C.GST_MESSAGE_CLOCK_LOST
	MessageAsyncDone    MessageType = C.GST_MESSAGE_ASYNC_DONE
	MessageAny          MessageType = 0xffffffff
)

// Message is a bus message as a Go value.
type Message struct {
	Type      MessageType
	Source    string     // name of the object that posted it
	Path      string     // its path in the pipeline, where TracePaths asked for it
	Err       *Error     // of an error, warning or info
	Structure *Structure // nil where it has none; for an error, warning or info: its details
	// Old, New and Pending of a state change.
	Old, New, Pending State
}

// Bus is a pipeline's bus. Use it from one thread at a time.
type Bus struct{ c *C.GstBus }

// Bus gives an element's bus, owned.
func (o *Object) Bus() Bus { return Bus{C.gst_element_get_bus(o.element())} }

// Unref gives the bus back.
func (b Bus) Unref() { C.gst_object_unref(C.gpointer(unsafe.Pointer(b.c))) }

// Pop gives the next message of the types, waiting at most d for it; nil where none came. Messages of other types are thrown away.
func (b Bus) Pop(d time.Duration, types MessageType) *Message {
	if d < 0 {
		d = 0
	}
	m := C.ggo_bus_pop(b.c, C.guint64(d), C.gint(int32(types)))
	if m == nil {
		return nil
	}
	defer C.gst_message_unref(m)
	out := &Message{Type: MessageType(m._type), Source: gstring(C.ggo_message_source(m)), Path: messagePath(m)}
	switch out.Type {
	case MessageError, MessageWarning, MessageInfo:
		var domain, code C.gint
		var text, debug *C.gchar
		var details *C.GstStructure
		C.ggo_message_error(m, &domain, &code, &text, &debug, &details)
		out.Structure = structureFromC(details)
		out.Err = &Error{Code: Code(uint32(domain)<<16 | uint32(code)), Text: takeString(text), Debug: takeString(debug), Details: out.Structure}
	case MessageStateChanged:
		var o, n, p C.GstState
		C.gst_message_parse_state_changed(m, &o, &n, &p)
		out.Old, out.New, out.Pending = State(o), State(n), State(p)
	case MessageElement, MessageApplication, MessageQoS, MessageProgress:
		out.Structure = structureFromC((*C.GstStructure)(unsafe.Pointer(C.gst_message_get_structure(m))))
	}
	return out
}
