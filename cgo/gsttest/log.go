package gsttest

// #include "gt.h"
import "C"

import (
	"strings"
	"testing"
	"unsafe"

	"gst-kinesis/cgo/gst"
)

// Log collects what a debug category says.
type Log struct{ c *C.GtLog }

// CaptureLog collects what the category, named as its element's factory, says at the level and above until the test ends. Elements that log must
// stand still by then.
func CaptureLog(tb testing.TB, category string, level gst.Level) *Log {
	name := cstr(category)
	defer cfree(name)
	l := &Log{C.gt_log_new(name, C.gint(level))}
	tb.Cleanup(func() { C.gt_log_free(l.c) })
	return l
}

// Take gives the lines since the last call, each beginning with its level's name.
func (l *Log) Take() []string {
	s := C.gt_log_take(l.c)
	defer C.g_free(C.gpointer(unsafe.Pointer(s)))
	all := strings.TrimSpace(text(s))
	if all == "" {
		return nil
	}
	return strings.Split(all, "\n")
}
