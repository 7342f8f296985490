package gstrtsp

/*
#include <stdlib.h>
#include "gstrtsp.h"
*/
import "C"

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"
	"unsafe"
)

// NoTime marks a unit without a presentation time.
const NoTime = time.Duration(math.MinInt64)

// Info is what a file holds, as caps; a field is empty where there is no such thing.
type Info struct {
	Container string // empty for an elementary stream
	Video     string // caps of the first film track, or of a cover picture if there is nothing else
	Audio     string // caps of the first audio track
	Duration  time.Duration
	Missing   string // what no plug-in was found for; empty if all could be read
}

// Inspect looks into a file for at most timeout.
func Inspect(path string, timeout time.Duration) (Info, error) {
	if err := Init(); err != nil {
		return Info{}, err
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var p C.GrProbe
	var e C.GrError
	ok := C.gr_probe(name, C.uint64_t(timeout), &p, &e) != 0
	defer C.gr_probe_clear(&p)
	if !ok {
		return Info{}, fmt.Errorf("inspecting %s: %w", path, takeError(&e))
	}
	defer C.gr_error_clear(&e)
	return Info{
		Container: C.GoString(p.container_caps),
		Video:     C.GoString(p.video_caps),
		Audio:     C.GoString(p.audio_caps),
		Duration:  time.Duration(p.duration),
		Missing:   missingWhat(C.GoString(e.missing)),
	}, nil
}

// A Unit is one buffer that a pipeline left in an appsink: an access unit, an audio frame.
type Unit struct {
	Buffer   *Buffer
	PTS      time.Duration // running time; may be negative; NoTime where the file tells none
	Duration time.Duration // negative where unknown
	Size     int           // bytes
	Key      bool          // decodable by itself
}

// A Track is all that one appsink received.
type Track struct {
	Caps        string // of the last buffer
	CapsChanged bool   // the format changed on the way
	Units       []Unit // in the order they came: the order of decoding
}

// Unref gives back all buffers of the track.
func (t *Track) Unref() {
	for _, u := range t.Units {
		u.Buffer.Unref()
	}
	t.Units = nil
}

// A Reel is what one run of a pipeline left.
type Reel struct {
	Video, Audio Track
}

// Unref gives back all buffers.
func (r *Reel) Unref() {
	r.Video.Unref()
	r.Audio.Unref()
}

// ErrTooBig says that a pipeline delivered more bytes than were allowed.
var ErrTooBig = fmt.Errorf("more bytes than allowed")

// Collect runs a launch line until its end, as fast as it goes, and returns every buffer that reached the appsinks named
// "video" and "audio". location is given to the element named "file". Beyond maxBytes it ends with ErrTooBig. It blocks;
// the end of ctx ends it.
func Collect(ctx context.Context, launch, location string, maxBytes int64) (*Reel, error) {
	if err := Init(); err != nil {
		return nil, err
	}
	line, file := C.CString(launch), C.CString(location)
	defer C.free(unsafe.Pointer(line))
	defer C.free(unsafe.Pointer(file))

	// The flag is C memory: the call runs for long and looks at it all the while.
	cancel := (*int32)(C.calloc(1, 4))
	raised := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		atomic.StoreInt32(cancel, 1)
		close(raised)
	})
	var e C.GrError
	c := C.gr_collect(line, file, C.uint64_t(maxBytes), (*C.int32_t)(cancel), &e)
	if !stop() {
		<-raised
	}
	C.free(unsafe.Pointer(cancel))
	if c == nil {
		if err := ctx.Err(); err != nil {
			C.gr_error_clear(&e)
			return nil, err
		}
		return nil, collectError(takeError(&e))
	}
	defer C.gr_reel_free(c, 0)
	return &Reel{Video: takeTrack(c, 0), Audio: takeTrack(c, 1)}, nil
}

func collectError(e *Error) error {
	if e.Domain == "" && e.Message == "too big" {
		return ErrTooBig
	}
	return e
}

func takeTrack(c *C.GrReel, audio C.int) Track {
	units := unsafe.Slice(C.gr_reel_units(c, audio), int(C.gr_reel_count(c, audio)))
	t := Track{
		Caps:        C.GoString(C.gr_reel_caps(c, audio)),
		CapsChanged: C.gr_reel_caps_changed(c, audio) != 0,
		Units:       make([]Unit, len(units)),
	}
	for i, u := range units {
		t.Units[i] = Unit{
			Buffer:   &Buffer{u.buffer},
			PTS:      time.Duration(u.pts),
			Duration: time.Duration(u.duration),
			Size:     int(u.size),
			Key:      u.key != 0,
		}
	}
	return t
}

// DisplayOrder decodes the units (in decoding order) and returns, for each picture that comes out, in the order of
// display, the index of the unit it came from. launch has an appsrc named "source" and an appsink named "sink".
// An elementary stream has no times: this is how the order of its pictures is learnt.
func DisplayOrder(launch, caps string, units []Unit) ([]int, error) {
	if err := Init(); err != nil {
		return nil, err
	}
	line, text := C.CString(launch), C.CString(caps)
	defer C.free(unsafe.Pointer(line))
	defer C.free(unsafe.Pointer(text))
	n := len(units)
	if n == 0 {
		return nil, nil
	}
	buffers := unsafe.Slice((**C.GstBuffer)(C.calloc(C.size_t(n), C.size_t(unsafe.Sizeof(uintptr(0))))), n)
	order := unsafe.Slice((*C.uint32_t)(C.calloc(C.size_t(n), 4)), n)
	defer C.free(unsafe.Pointer(unsafe.SliceData(buffers)))
	defer C.free(unsafe.Pointer(unsafe.SliceData(order)))
	for i, u := range units {
		buffers[i] = u.Buffer.c
	}
	var e C.GrError
	got := int(C.gr_display_order(line, text, unsafe.SliceData(buffers), C.uint32_t(n), unsafe.SliceData(order), &e))
	if got < 0 {
		return nil, fmt.Errorf("decoding: %w", takeError(&e))
	}
	out := make([]int, got)
	for i := range out {
		out[i] = int(order[i])
	}
	return out, nil
}
