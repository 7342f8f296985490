package gsttest

// #include "gt.h"
import "C"

import (
	"unsafe"

	"gst-kinesis/cgo/gst"
)

// Property is a property as gst-inspect-1.0 shows it: values in their text form, Min and Max "" where the type has no bounds.
type Property struct {
	Name, Blurb, Type  string
	Default, Min, Max  string
	Readable, Writable bool
	MutableReady       bool // may be changed in NULL and READY
	MutablePlaying     bool // may be changed in any state
}

// Properties gives the properties that an element's own class has, in their order.
func Properties(e *gst.Object) []Property {
	var n C.guint
	list := C.gt_properties((*C.GstElement)(e.Pointer()), &n)
	defer C.gt_properties_free(list, n)
	var out []Property
	for _, p := range unsafe.Slice(list, int(n)) {
		has := func(flag C.guint) bool { return p.flags&flag != 0 }
		out = append(out, Property{
			Name: text(p.name), Blurb: text(p.blurb), Type: text(p._type), Default: text(p.def), Min: text(p.min), Max: text(p.max),
			Readable: has(C.G_PARAM_READABLE), Writable: has(C.G_PARAM_WRITABLE),
			MutableReady: has(C.GST_PARAM_MUTABLE_READY), MutablePlaying: has(C.GST_PARAM_MUTABLE_PLAYING),
		})
	}
	return out
}

func text(s *C.gchar) string { return C.GoString((*C.char)(s)) }
