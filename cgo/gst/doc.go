// Package gst is the way to GStreamer 1.22: element classes written in Go, and the little that programs need to run pipelines.
//
// # Elements
//
// A class is described by a [Class] (names, pads, properties, signals) and made by a function that returns its Go half. What the Go half
// can do it says by its methods: [Sink], [InPlaceTransform], [ResizeTransform], [GenerateTransform], [Source] and [PadElement] are the
// kinds, [Starter], [Eventer], [Querier] and the other small interfaces are what any of them may add. Whatever it does not implement never crosses into Go.
//
// # Rules
//
//   - Handles cross to C, never Go pointers. No finalizers: whoever takes a reference gives it back. Each function says whether it
//     borrows, takes, or returns owned.
//   - A buffer crosses once, as a [View]: a C struct that holds its times, flags and mapped memories. A View and the bytes in it live until the call returns.
//   - A panic in Go becomes an element error, and the element answers FlowError until it is started again.
//   - Callbacks come from streaming threads, the thread that changes states, and whichever thread sets a property. Never hold a lock across a call into this package.
package gst

/*
#cgo pkg-config: gstreamer-1.0 gstreamer-base-1.0
#cgo CFLAGS: -O2 -g -Wall -Wno-unused-parameter
#include "ggo.h"
#include <stdlib.h>
*/
import "C"

import (
	"strings"
	"unsafe"
)

// cstr gives a C string on the C heap; the caller frees it by cfree.
func cstr(s string) *C.gchar { return (*C.gchar)(C.CString(s)) }

func cfree(p *C.gchar) { C.free(unsafe.Pointer(p)) }

// gstring copies a C string and leaves it.
func gstring(p *C.gchar) string { return C.GoString((*C.char)(p)) }

// takeString copies a C string and frees it.
func takeString(p *C.gchar) string {
	if p == nil {
		return ""
	}
	s := gstring(p)
	C.g_free(C.gpointer(unsafe.Pointer(p)))
	return s
}

func gbool(b bool) C.gboolean {
	if b {
		return 1
	}
	return 0
}

// validUTF8 keeps GLib from refusing a whole string for one bad byte.
func validUTF8(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
