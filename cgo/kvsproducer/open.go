//go:build kvsproducer && cgo

package kvsproducer

// #cgo pkg-config: libcproducer libkvsCommonCurl libkvspic
// #include <stdlib.h>
// #include "kvsp.h"
import "C"

import (
	"context"
	"fmt"
	"runtime/cgo"
	"time"
	"unsafe"
)

// Built says whether AWS's SDK is built in.
const Built = true

// Open makes a stream ready at the service and calls events for what happens from then on, from one goroutine, until Done. It blocks until the
// service answered, at most set.OpenTimeout; when ctx ends before, it returns at once, and what comes of the opening is closed behind.
// events may be nil.
func Open(ctx context.Context, set Settings, events func(Event)) (*Stream, error) {
	doing := fmt.Sprintf("opening the video stream %q", set.Stream)
	if err := set.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if d, ok := ctx.Deadline(); ok {
		// A little less than there is, so that the SDK's own error comes first: it says more.
		set.OpenTimeout = max(min(set.OpenTimeout, time.Until(d)*9/10), time.Millisecond)
	}
	s := newStream(set)
	go s.deliver(events)
	opened := make(chan error, 1)
	go func() { opened <- s.open(set, doing) }()
	select {
	case err := <-opened:
		if err != nil {
			return nil, err
		}
		return s, nil
	case <-ctx.Done():
		go func() {
			if <-opened == nil {
				s.finish()
			}
		}()
		return nil, fmt.Errorf("%s: the service did not have it ready in time (%s): %w", doing, s.reason(), ctx.Err())
	}
}

// open blocks. Where it fails, nothing of the stream is left.
func (s *Stream) open(set Settings, doing string) error {
	var m memory
	defer m.free()
	c := m.settings(&set)
	var at *C.char
	status := Status(C.kvsp_open(c, C.uintptr_t(s.handle), &s.c, &at))
	if status == 0 {
		return nil
	}
	s.over()
	e := &Error{Doing: doing, Call: C.GoString(at), Status: status, Last: Status(s.last.Load())}
	if line := s.line.Load(); line != nil {
		e.Line = *line
	}
	return e
}

// reason is the last error that an event told.
func (s *Stream) reason() string {
	if last := Status(s.last.Load()); last != 0 {
		return last.String()
	}
	if line := s.line.Load(); line != nil {
		return "its log: " + *line
	}
	return "no error was reported"
}

// over ends what the Go side holds, when no event can come any more.
func (s *Stream) over() {
	cgo.Handle(s.handle).Delete()
	close(s.queue)
	<-s.delivered
	close(s.done)
}

// memory is C memory that is given back together.
type memory []unsafe.Pointer

func (m *memory) free() {
	for _, p := range *m {
		C.free(p)
	}
}

// text is a C string, NULL for none.
func (m *memory) text(s string) *C.char {
	if s == "" {
		return nil
	}
	p := C.CString(s)
	*m = append(*m, unsafe.Pointer(p))
	return p
}

func (m *memory) bytes(b []byte) *C.uint8_t {
	if len(b) == 0 {
		return nil
	}
	p := C.CBytes(b)
	*m = append(*m, p)
	return (*C.uint8_t)(p)
}

// texts are two arrays of C strings, of names and values; values may be empty, not missing.
func (m *memory) texts(tags []Tag) (names, values **C.char) {
	if len(tags) == 0 {
		return nil, nil
	}
	const size = C.size_t(unsafe.Sizeof((*C.char)(nil)))
	list := func(of func(Tag) string) **C.char {
		p := C.calloc(C.size_t(len(tags)), size)
		*m = append(*m, p)
		for i, t := range tags {
			c := C.CString(of(t))
			*m = append(*m, unsafe.Pointer(c))
			unsafe.Slice((**C.char)(p), len(tags))[i] = c
		}
		return (**C.char)(p)
	}
	return list(func(t Tag) string { return t.Name }), list(func(t Tag) string { return t.Value })
}

func (m *memory) tracks(list []Track) *C.kvsp_track {
	p := C.calloc(C.size_t(len(list)), C.size_t(unsafe.Sizeof(C.kvsp_track{})))
	*m = append(*m, p)
	for i, t := range list {
		unsafe.Slice((*C.kvsp_track)(p), len(list))[i] = C.kvsp_track{
			id: C.uint64_t(t.ID), _type: C.int(t.Type), codec: m.text(t.Codec), name: m.text(t.Name),
			data: m.bytes(t.Private), size: C.uint32_t(len(t.Private)),
			width: C.uint16_t(t.Width), height: C.uint16_t(t.Height), channels: C.uint16_t(t.Chans), bits: C.uint16_t(t.Bits), rate: C.double(t.Rate),
		}
	}
	return (*C.kvsp_track)(p)
}

func (m *memory) settings(s *Settings) *C.kvsp_settings {
	c := (*C.kvsp_settings)(C.calloc(1, C.size_t(unsafe.Sizeof(C.kvsp_settings{}))))
	*m = append(*m, unsafe.Pointer(c))
	names, values := m.texts(s.Tags)
	*c = C.kvsp_settings{
		stream: m.text(s.Stream), content: m.text(s.contentType()), endpoint: m.text(s.Endpoint), region: m.text(s.Region),
		access: m.text(s.AccessKey), secret: m.text(s.SecretKey), token: m.text(s.Token), ca: m.text(s.CAPath), agent: m.text(s.UserAgent), kms: m.text(s.KMSKey),
		tag_names: names, tag_values: values, tags: C.uint32_t(len(s.Tags)),
		tracks: m.tracks(s.Tracks), track_count: C.uint32_t(len(s.Tracks)),
		mode: C.int(s.Mode), retention: units(s.Retention), storage: C.uint64_t(s.Storage), buffer: units(s.Buffer), replay: units(s.Replay),
		latency: units(s.Latency), staleness: units(s.Staleness), fragment: units(s.Fragment), timecode: units(s.Timecode),
		bandwidth: C.uint32_t(s.Bandwidth), frame_rate: C.uint32_t(s.FrameRate),
		create: flag(s.Create), key_frames: flag(s.KeyFrames), frame_timecodes: flag(s.FrameTimecodes), absolute: flag(s.Absolute), acks: flag(s.Acks),
		recover: flag(s.Recover), metrics: flag(s.Metrics), continuous: flag(s.Continuous), ordered: flag(s.Ordered),
		open_timeout: units(s.OpenTimeout), stop_timeout: units(s.StopTimeout), log: C.int(s.Log),
	}
	return c
}

// unit is the SDK's unit of time.
const unit = 100 * time.Nanosecond

func units(d time.Duration) C.uint64_t { return C.uint64_t(d / unit) }

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
