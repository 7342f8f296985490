package gst

// #include "ggo.h"
import "C"

import (
	"errors"
	"unsafe"
)

// SetURI sets the URI of an element that is a GstURIHandler, in NULL or READY.
func (o *Object) SetURI(uri string) error {
	if C.ggo_is(o.ptr(), 3) == 0 {
		return errors.New(o.Name() + " takes no URI")
	}
	t := cstr(uri)
	defer cfree(t)
	var err *C.GError
	if C.gst_uri_handler_set_uri((*C.GstURIHandler)(o.p), t, &err) != 0 {
		return nil
	}
	defer C.g_error_free(err)
	return errors.New(gstring(err.message))
}

// URI gives the URI of an element that is a GstURIHandler, "" where it has none.
func (o *Object) URI() string {
	if C.ggo_is(o.ptr(), 3) == 0 {
		return ""
	}
	return takeString(C.gst_uri_handler_get_uri((*C.GstURIHandler)(o.p)))
}

// Dot gives the graph of a pipeline or bin in the language of graphviz, with all states, caps and properties that are not at their defaults.
func (o *Object) Dot() string {
	return takeString(C.gst_debug_bin_to_dot_data((*C.GstBin)(unsafe.Pointer(o.p)), C.GST_DEBUG_GRAPH_SHOW_ALL))
}

// NewElementForURI gives an owned element that writes to (sink) or reads from a URI, of the highest rank there is for its protocol.
func NewElementForURI(uri string, sink bool) (*Object, error) {
	t := cstr(uri)
	defer cfree(t)
	kind := C.GstURIType(C.GST_URI_SRC)
	if sink {
		kind = C.GST_URI_SINK
	}
	var err *C.GError
	e := C.gst_element_make_from_uri(kind, t, nil, &err)
	if e == nil {
		defer C.g_error_free(err)
		return nil, errors.New(gstring(err.message))
	}
	C.gst_object_ref_sink(C.gpointer(unsafe.Pointer(e)))
	return &Object{unsafe.Pointer(e)}, nil
}
