package gst

// #include "ggo.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// The C pointers below are for other cgo packages, whose C types are not this package's. Pointer never takes a reference; …FromPointer
// takes over the one that its caller has, so that the result is given back by Unref exactly where the pointer would have been.

// Pointer gives the GstBuffer.
func (b Buffer) Pointer() unsafe.Pointer { return unsafe.Pointer(b.c) }

// BufferFromPointer wraps a GstBuffer.
func BufferFromPointer(p unsafe.Pointer) Buffer { return Buffer{(*C.GstBuffer)(p)} }

// Pointer gives the GstBufferList.
func (l BufferList) Pointer() unsafe.Pointer { return unsafe.Pointer(l.c) }

// BufferListFromPointer wraps a GstBufferList.
func BufferListFromPointer(p unsafe.Pointer) BufferList { return BufferList{(*C.GstBufferList)(p)} }

// Pointer gives the GstCaps.
func (c Caps) Pointer() unsafe.Pointer { return unsafe.Pointer(c.c) }

// CapsFromPointer wraps a GstCaps.
func CapsFromPointer(p unsafe.Pointer) Caps { return Caps{(*C.GstCaps)(p)} }

// Pointer gives the GstEvent.
func (e Event) Pointer() unsafe.Pointer { return unsafe.Pointer(e.c) }

// EventFromPointer wraps a GstEvent.
func EventFromPointer(p unsafe.Pointer) Event { return Event{(*C.GstEvent)(p)} }

// IsNil says whether there is no event.
func (e Event) IsNil() bool { return e.c == nil }

// Pointer gives the GstQuery.
func (q Query) Pointer() unsafe.Pointer { return unsafe.Pointer(q.c) }

// QueryFromPointer wraps a GstQuery.
func QueryFromPointer(p unsafe.Pointer) Query { return Query{(*C.GstQuery)(p)} }

// Pointer gives the GstBus.
func (b Bus) Pointer() unsafe.Pointer { return unsafe.Pointer(b.c) }

// BusFromPointer wraps a GstBus.
func BusFromPointer(p unsafe.Pointer) Bus { return Bus{(*C.GstBus)(p)} }

// Pointer gives the GObject.
func (o *Object) Pointer() unsafe.Pointer { return o.p }

// ObjectFromPointer wraps a GObject; nil for nil.
func ObjectFromPointer(p unsafe.Pointer) *Object { return objectToGo(p) }

// Object gives the element as a program sees it, with a reference of its own: the caller gives it back by Unref. An element that keeps it
// keeps itself alive for ever.
func (e *Element) Object() *Object { return objectToGo(unsafe.Pointer(e.c)).Ref() }

// Object gives the pad as a program sees it, with a reference of its own, given back by Unref.
func (p *Pad) Object() *Object { return objectToGo(unsafe.Pointer(p.c)).Ref() }

// ParseBin makes an owned bin of a launch line; the pads that are linked to nothing become its own, "sink" and "src" where there is one of each.
func ParseBin(line string) (*Object, error) {
	t := cstr(line)
	defer cfree(t)
	var gerr *C.GError
	b := C.gst_parse_bin_from_description_full(t, 1, nil, C.GST_PARSE_FLAG_FATAL_ERRORS, &gerr)
	if gerr != nil {
		defer C.g_error_free(gerr)
		if b != nil {
			C.gst_object_unref(C.gpointer(unsafe.Pointer(b)))
		}
		return nil, fmt.Errorf("parsing the launch line: %s", gstring(gerr.message))
	}
	C.gst_object_ref_sink(C.gpointer(unsafe.Pointer(b)))
	return &Object{unsafe.Pointer(b)}, nil
}

// Deinit ends GStreamer in this process, for good: no function of this package may be called afterwards. It is for tests, whose leaks
// tracer reports then; programs just exit.
func Deinit() { C.gst_deinit() }
