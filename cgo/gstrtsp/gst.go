package gstrtsp

/*
#cgo pkg-config: gstreamer-1.0 gstreamer-app-1.0 gstreamer-video-1.0 gstreamer-pbutils-1.0 gstreamer-rtsp-server-1.0 gstreamer-rtsp-1.0
#cgo CFLAGS: -std=gnu11 -Wall -Wno-unused-parameter
#include <stdlib.h>
#include <gio/gio.h>
#include "gstrtsp.h"
*/
import "C"

import (
	"fmt"
	"strings"
	"time"
	"unsafe"
)

// Error is what a pipeline, the discoverer or the server said.
type Error struct {
	Domain  string // GError domain, e.g. "gst-resource-error-quark"; empty where GStreamer gave none
	Code    int
	Message string
	Debug   string // GStreamer's debugging text; may be empty
	Missing string // what a missing plug-in would have been for, e.g. "H.265 (Main Profile) decoder"; empty if none is missing
}

func (e *Error) Error() string {
	if e.Missing != "" {
		return fmt.Sprintf("%s (no plug-in for: %s)", e.Message, e.Missing)
	}
	return e.Message
}

// AddressInUse tells whether the error is that of a port that somebody else has.
func (e *Error) AddressInUse() bool {
	return e.Domain == "g-io-error-quark" && e.Code == int(C.G_IO_ERROR_ADDRESS_IN_USE)
}

// takeError turns a filled C error into a Go one and empties it.
func takeError(c *C.GrError) *Error {
	defer C.gr_error_clear(c)
	return &Error{
		Domain:  C.GoString(c.domain),
		Code:    int(c.code),
		Message: C.GoString(c.message),
		Debug:   C.GoString(c.debug),
		Missing: missingWhat(C.GoString(c.missing)),
	}
}

// missingWhat picks the description out of an installer detail: gstreamer|1.0|program|description|type-details.
func missingWhat(detail string) string {
	fields := strings.Split(detail, "|")
	if len(fields) < 4 {
		return detail
	}
	return fields[3]
}

// Init starts GStreamer. It may be called any number of times, from any goroutine; New, Inspect, Collect and
// DisplayOrder call it themselves.
func Init() error {
	var e C.GrError
	if C.gr_init(&e) == 0 {
		return fmt.Errorf("starting GStreamer: %w", takeError(&e))
	}
	return nil
}

// Deinit ends GStreamer for this process, which must not use it any more. Programs need not call it; GStreamer's leaks
// tracer reports then.
func Deinit() { C.gst_deinit() }

// Now is the time of GStreamer's system clock, on which the times of capture lie: monotonic, since an unknown beginning.
func Now() time.Duration {
	return time.Duration(C.gr_monotonic())
}

// A Buffer is one GstBuffer, owned by whoever made it, until Unref. Its bytes may be read by several goroutines at once.
type Buffer struct {
	c *C.GstBuffer
}

// NewBuffer allocates size bytes, whose contents are undefined.
func NewBuffer(size int) *Buffer {
	return &Buffer{C.gr_buffer_new(C.uint64_t(size))}
}

// Fill hands the buffer's bytes to write. Nobody else may use the buffer meanwhile; write must not keep the slice.
func (b *Buffer) Fill(write func([]byte)) error {
	return b.open(1, write)
}

// Read hands the buffer's bytes to read, which must neither change nor keep them.
func (b *Buffer) Read(read func([]byte)) error {
	return b.open(0, read)
}

func (b *Buffer) open(write C.int, use func([]byte)) error {
	var m C.GstMapInfo
	if C.gr_buffer_open(b.c, &m, write) == 0 {
		return &Error{Message: "mapping a buffer failed"}
	}
	defer C.gr_buffer_close(b.c, &m)
	use(unsafe.Slice((*byte)(unsafe.Pointer(m.data)), int(m.size)))
	return nil
}

// BufferFrom copies p into a new buffer.
func BufferFrom(p []byte) *Buffer {
	return &Buffer{C.gr_buffer_from(unsafe.Pointer(unsafe.SliceData(p)), C.uint64_t(len(p)))}
}

// Unref gives the buffer back. It must not be used after that.
func (b *Buffer) Unref() {
	C.gr_buffer_unref(b.c)
	b.c = nil
}
