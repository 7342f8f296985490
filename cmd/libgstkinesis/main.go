// Command libgstkinesis is the plugin: built with -buildmode=c-shared it is libgstkinesis.so, which GStreamer loads.
package main

// #cgo pkg-config: gstreamer-1.0
// #include <gst/gst.h>
// void keep_host_signals (void);
import "C"

import (
	"sync"
	"unsafe"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/plugins"
)

// desc is made when GStreamer asks for it, once.
var desc = sync.OnceValue(func() unsafe.Pointer {
	C.keep_host_signals()
	return gst.LibraryDesc(plugins.Info())
})

// GStreamer finds the symbol by the library's file name.
//
//export gst_plugin_kinesis_get_desc
func gst_plugin_kinesis_get_desc() *C.GstPluginDesc { return (*C.GstPluginDesc)(desc()) }

func main() {}
