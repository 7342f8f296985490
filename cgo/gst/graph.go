package gst

// #include "ggo.h"
import "C"

import "unsafe"

// Add puts an element (borrowed) into a bin; false where the bin has one of its name, or it has another parent.
func (o *Object) Add(e *Object) bool { return C.gst_bin_add((*C.GstBin)(o.p), e.element()) != 0 }

// Remove takes an element out of a bin; whoever has no reference of its own must bring it to NULL first and not use it afterwards.
func (o *Object) Remove(e *Object) bool {
	return C.gst_bin_remove((*C.GstBin)(o.p), e.element()) != 0
}

// Link links elements one behind the other by pads that fit.
func (o *Object) Link(next *Object) bool { return C.gst_element_link(o.element(), next.element()) != 0 }

// RequestPad gives a new pad by name or template ("src_3", "src_%u"), or a static one, owned; nil where there is none to have, or one of the name
// was requested before. A pad made on request is given back by ReleasePad besides Unref.
func (o *Object) RequestPad(name string) *Object {
	n := cstr(name)
	defer cfree(n)
	return objectToGo(unsafe.Pointer(C.ggo_request_pad(o.element(), n)))
}

// ReleasePad gives back a pad that was made on request.
func (o *Object) ReleasePad(pad *Object) { C.gst_element_release_request_pad(o.element(), pad.pad()) }

// UnlinkPad undoes LinkPad; false where the two were not linked.
func (o *Object) UnlinkPad(sink *Object) bool { return C.gst_pad_unlink(o.pad(), sink.pad()) != 0 }
