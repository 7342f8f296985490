package gst

// #include "ggo_supervision.h"
import "C"

import "unsafe"

// This file is for programs that keep a pipeline alive: they take a part of it down and start it again while the rest goes on.

// TracePaths makes the errors, warnings, infos and element messages of a pipeline's bus carry the path of the object that posted them
// (Message.Path), as it was at that moment. Call it before the pipeline leaves NULL.
func (o *Object) TracePaths() { C.ggo_trace_paths(o.element()) }

// messagePath is the path noted by TracePaths, "" where there is none.
func messagePath(m *C.GstMessage) string { return gstring(C.ggo_message_path(m)) }

// PadBusy says whether a buffer or event is on its way through a source pad: where it stays so, downstream does not take it.
func (o *Object) PadBusy() bool { return C.ggo_pad_busy(o.pad()) != 0 }

// SendPadEvent gives an owned event to a pad, as its peer would. It may block as long as downstream does.
func (o *Object) SendPadEvent(ev Event) bool { return C.gst_pad_send_event(o.pad(), ev.c) != 0 }

// Rejoin brings a child of a playing pipeline, which was in NULL, to PLAYING with the pipeline's clock and base time: its running time goes on.
func (o *Object) Rejoin(pipeline *Object) StateChangeReturn {
	return StateChangeReturn(C.ggo_rejoin(o.element(), pipeline.element()))
}

// RecalculateLatency asks all of a pipeline for its latency and tells the sinks, as a LATENCY message wants it.
func (o *Object) RecalculateLatency() { C.ggo_recalculate_latency(o.element()) }

// LibraryFile is the file of GStreamer's own library in this process, "" where the loader does not tell. Init need not have been called.
func LibraryFile() string { return gstring(C.ggo_library_file()) }

// ForgetLibrary takes the plugins that the registry has of a library of this file name (such as libgstx.so) out of the registry of this process, unless they are
// loaded. It gives their number. Elements that were registered by RegisterStatic stay.
func ForgetLibrary(basename string) int {
	t := cstr(basename)
	defer cfree(t)
	return int(C.ggo_forget_library(t))
}

// Ptr tells objects apart: equal for the same one.
func (o *Object) Ptr() uintptr { return uintptr(unsafe.Pointer(o.p)) }

// Current is the state that an element is in now, without waiting for a change that is under way.
func (o *Object) Current() State { return State(C.ggo_current_state(o.element())) }
