package gst

// #cgo pkg-config: gstreamer-video-1.0
// #include "ggo.h"
import "C"

import "unsafe"

// VideoLayout is the size of raw video in pixels, the number of its components, and its format by GStreamer's name.
type VideoLayout struct {
	Width, Height, Components int
	Format                    string
}

// VideoLayout of fixed caps; false where they are not raw video in memory.
func (c Caps) VideoLayout() (VideoLayout, bool) {
	var w, h, n C.gint
	var format *C.gchar
	C.ggo_video_layout(c.c, &w, &h, &n, &format)
	if w == 0 {
		return VideoLayout{}, false
	}
	return VideoLayout{int(w), int(h), int(n), gstring(format)}, true
}

// PackVideo gives an owned buffer with the rows of a raw frame one behind the other, planes in order, without padding: b itself where it
// lies so already, else a copy. The nil Buffer where b is no frame of the caps.
func (b Buffer) PackVideo(c Caps) Buffer { return Buffer{C.ggo_video_pack(b.c, c.c)} }

// WrapBuffer is Wrap with another buffer's memories in place of the input's; b is borrowed.
func (o *Outputs) WrapBuffer(head []byte, b Buffer, tail []byte) {
	o.Push(Buffer{C.ggo_buffer_wrap(b.c, bytesPtr(head), C.gsize(len(head)), 1, bytesPtr(tail), C.gsize(len(tail)))})
}

// Build gives on a buffer of n bytes of its own memory, otherwise as Wrap, and gives the memory to be written before the callback returns.
func (o *Outputs) Build(n int) []byte {
	var data *C.guint8
	b := C.ggo_buffer_build(o.in.buffer, C.gsize(n), &data)
	o.Push(Buffer{b})
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(data)), n)
}
