// Package gsttest tests elements: a [Harness] stands in for what is up- and downstream of one element, a [Pipeline] runs a launch line,
// [Main] runs a package's tests under GStreamer's leaks tracer and fails them when an object is left, [LeakCheck] and [Goroutines] do so for one test.
//
// A package that tests elements begins with
//
//	func TestMain(m *testing.M) { gsttest.Main(m, plugins.Info()) }
//
// Helpers fail the test they are given, and what they open is closed with it. They are used from the test's own goroutine unless they say otherwise.
package gsttest

/*
#cgo pkg-config: gstreamer-1.0 gstreamer-check-1.0
#cgo CFLAGS: -O2 -g -Wall -Wno-unused-parameter
#include "gt.h"
#include <stdlib.h>
*/
import "C"

import "unsafe"

func cstr(s string) *C.gchar { return (*C.gchar)(C.CString(s)) }

func cfree(p *C.gchar) { C.free(unsafe.Pointer(p)) }

func gbool(b bool) C.gboolean {
	if b {
		return 1
	}
	return 0
}
