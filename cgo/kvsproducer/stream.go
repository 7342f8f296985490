//go:build kvsproducer && cgo

package kvsproducer

// #include <stdlib.h>
// #include "kvsp.h"
import "C"

import (
	"context"
	"fmt"
	"math"
	"runtime/cgo"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Stream is an open stream. Its methods may be called from any goroutine, also from the function given to Open, except Close, which waits for that.
// Frames are sent in the order in which Put is called.
type Stream struct {
	name   string
	c      *C.kvsp
	handle cgo.Handle

	mu      sync.Mutex // guards closing and users; held for a moment only
	closing bool
	users   int           // calls that are inside the SDK
	idle    chan struct{} // closed when closing and the last user left

	queue     chan Event
	lost      atomic.Uint64
	last      atomic.Uint32          // the last error that an event told
	line      atomic.Pointer[string] // the last line of the log that warned
	delivered chan struct{}
	done      chan struct{}
	err       error // of stopping; before done is closed
}

func newStream(set Settings) *Stream {
	s := &Stream{name: set.Stream, idle: make(chan struct{}), queue: make(chan Event, set.Queue), delivered: make(chan struct{}), done: make(chan struct{})}
	s.handle = cgo.NewHandle(s)
	return s
}

// deliver gives the events to their reader.
func (s *Stream) deliver(events func(Event)) {
	defer close(s.delivered)
	for e := range s.queue {
		if events != nil {
			events(e)
		}
	}
}

// kvspGoEvent comes from a thread of the SDK that holds locks: it must not block.
//
//export kvspGoEvent
func kvspGoEvent(user C.uintptr_t, c *C.kvsp_event) {
	var s *Stream
	defer func() {
		if recover() != nil && s != nil {
			s.lost.Add(1)
		}
	}()
	s = cgo.Handle(user).Value().(*Stream)
	e := event(c)
	switch {
	case e.Kind == Failed:
		s.last.Store(uint32(e.Status))
	case e.Kind == Log && e.Level >= LogWarn && s.tells(e.Text):
		s.line.Store(&e.Text)
	}
	select {
	case s.queue <- e:
	default:
		s.lost.Add(1)
	}
}

// tells says whether a line says more of an opening's failure than the one that is kept: what a call answered does; that it all timed out or is
// being freed does not.
func (s *Stream) tells(line string) bool {
	const answers = "Response: "
	if strings.Contains(line, "HTTP Error 0 ") { // there was no answer; the line before says why
		return false
	}
	kept := s.line.Load()
	return strings.HasPrefix(line, answers) || kept == nil || !strings.HasPrefix(*kept, answers)
}

func event(c *C.kvsp_event) Event {
	e := Event{Kind: Kind(c.kind), Upload: uint64(c.upload)}
	value := uint64(c.value)
	switch e.Kind {
	case Ack:
		// The SDK gives the number that stands in the acknowledgement, which is in milliseconds.
		e.Ack, e.Timecode, e.Fragment, e.Ignored = AckType(c.ack), span(value, time.Millisecond), C.GoString(c.text), c.ignored != 0
		if e.Ack == AckError {
			e.Result = int(c.result)
		}
	case Failed:
		e.Status, e.Timecode = Status(c.status), span(value, unit)
	case DroppedFrame, DroppedFragment:
		e.Timecode = span(value, unit)
	case LatencyPressure, Stale, BufferPressure:
		e.Amount = span(value, unit)
	case StoragePressure:
		e.Bytes = value
	case Log:
		e.Level, e.Text = LogLevel(value), harmless(C.GoString(c.text))
	}
	return e
}

// span is a number of units as a duration; the SDK's "no time" is 0.
func span(n uint64, of time.Duration) time.Duration {
	if n > math.MaxInt64/uint64(of) {
		return 0
	}
	return time.Duration(n) * of
}

// enter keeps the SDK's stream for a call.
func (s *Stream) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.users++
	return true
}

func (s *Stream) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users--
	if s.closing && s.users == 0 {
		close(s.idle)
	}
}

// failed makes an error of a status; that of a call which Close overtook is ErrClosed.
func (s *Stream) failed(doing, call string, status C.uint32_t) error {
	if status == 0 {
		return nil
	}
	s.mu.Lock()
	closing := s.closing
	s.mu.Unlock()
	if closing {
		return s.closed(doing)
	}
	return &Error{Doing: fmt.Sprintf("%s the video stream %q", doing, s.name), Call: call, Status: Status(status)}
}

func (s *Stream) closed(doing string) error {
	return fmt.Errorf("%s the video stream %q: %w", doing, s.name, ErrClosed)
}

// Put gives a frame, which the SDK copies. It takes some 100 µs, waits for events that are just being queued, and in mode Offline for room in the store.
func (s *Stream) Put(f Frame) error {
	if !s.enter() {
		return s.closed("putting a frame into")
	}
	defer s.leave()
	if uint64(len(f.Data)) > math.MaxUint32 || len(f.Data) == 0 {
		return fmt.Errorf("putting a frame into the video stream %q: it has %d bytes: give 1 to 4294967295", s.name, len(f.Data))
	}
	status := C.kvsp_put(s.c, C.uint64_t(f.Track), units(f.PTS), units(f.DTS), flag(f.Key), unsafe.Pointer(unsafe.SliceData(f.Data)), C.uint32_t(len(f.Data)))
	return s.failed("putting a frame into", "putKinesisVideoFrame", status)
}

// EndFragment ends the fragment, so that it is acknowledged before the next one begins. The next frame must be a key frame.
func (s *Stream) EndFragment() error {
	if !s.enter() {
		return s.closed("ending a fragment of")
	}
	defer s.leave()
	return s.failed("ending a fragment of", "putKinesisVideoFrame", C.kvsp_end_fragment(s.c))
}

// SetCodec changes the private data of a track. The SDK takes it before the first frame, and writes it at the next connection's start.
func (s *Stream) SetCodec(track uint64, private []byte) error {
	if !s.enter() {
		return s.closed("setting the codec of")
	}
	defer s.leave()
	status := C.kvsp_set_codec(s.c, C.uint64_t(track), unsafe.Pointer(unsafe.SliceData(private)), C.uint32_t(len(private)))
	return s.failed("setting the codec of", "kinesisVideoStreamFormatChanged", status)
}

// AddMetadata adds a tag to the fragment, or to it and all later ones. A persistent tag ends with an empty value. Names have at most 128
// bytes, values 256; AWS at the front of a name is the service's own.
func (s *Stream) AddMetadata(name, value string, persist bool) error {
	if !s.enter() {
		return s.closed("tagging a fragment of")
	}
	defer s.leave()
	n, v := C.CString(name), C.CString(value)
	defer C.free(unsafe.Pointer(n))
	defer C.free(unsafe.Pointer(v))
	return s.failed("tagging a fragment of", "putKinesisVideoFragmentMetadata", C.kvsp_metadata(s.c, n, v, flag(persist)))
}

// AddEvent asks the service for an image or a notification of the fragment. prefix is the image's in S3, empty for the stream's own; at most 10 pairs.
func (s *Stream) AddEvent(signal Signal, prefix string, pairs []Tag) error {
	if !s.enter() {
		return s.closed("adding an event to")
	}
	defer s.leave()
	if len(pairs) > C.MAX_EVENT_CUSTOM_PAIRS {
		return fmt.Errorf("adding an event to the video stream %q: %d pairs: at most %d", s.name, len(pairs), C.MAX_EVENT_CUSTOM_PAIRS)
	}
	var m memory
	defer m.free()
	names, values := m.texts(pairs)
	status := C.kvsp_signal(s.c, C.uint32_t(signal), m.text(prefix), names, values, C.uint32_t(len(pairs)))
	return s.failed("adding an event to", "putKinesisVideoEventMetadata", status)
}

// Stats asks the SDK for its counts.
func (s *Stream) Stats() (Stats, error) {
	if !s.enter() {
		return Stats{}, s.closed("asking for the counts of")
	}
	defer s.leave()
	var c C.ClientMetrics
	var m C.StreamMetrics
	if err := s.failed("asking for the counts of", "getKinesisVideoStreamMetrics", C.kvsp_stats(s.c, &c, &m)); err != nil {
		return Stats{}, err
	}
	return Stats{
		StoreSize: uint64(c.contentStoreSize), StoreFree: uint64(c.contentStoreAvailableSize), StoreUsed: uint64(c.contentStoreAllocatedSize),
		Pending: span(uint64(m.currentViewDuration), unit), Kept: span(uint64(m.overallViewDuration), unit),
		PendingBytes: uint64(m.currentViewSize), KeptBytes: uint64(m.overallViewSize),
		FrameRate: float64(m.currentFrameRate), TransferRate: uint64(m.currentTransferRate), Uptime: span(uint64(m.uptime), unit),
		Bytes: uint64(m.transferredBytes), Sessions: uint64(m.totalSessions), ActiveSessions: uint64(m.totalActiveSessions),
		Buffering: uint64(m.bufferedAcks), Received: uint64(m.receivedAcks), Persisted: uint64(m.persistedAcks), Errors: uint64(m.errorAcks),
		DroppedFrames: uint64(m.droppedFrames), DroppedFragments: uint64(m.droppedFragments), SkippedFrames: uint64(m.skippedFrames),
		StoragePressures: uint64(m.storagePressures), LatencyPressures: uint64(m.latencyPressures), BufferPressures: uint64(m.bufferPressures),
		Stales: uint64(m.staleEvents), PutErrors: uint64(m.putFrameErrors), EventsLost: s.lost.Load(),
	}, nil
}

// Done is closed when the stream is closed and all its memory, threads and events are gone.
func (s *Stream) Done() <-chan struct{} { return s.done }

// Close ends the stream: it waits for the last frame's acknowledgement, at most Settings.StopTimeout, and frees all. When ctx ends before, it
// returns that error, and closing goes on behind, see Done. It may be called again, to wait.
func (s *Stream) Close(ctx context.Context) error {
	go s.finish()
	select {
	case <-s.done:
		return s.err
	default:
	}
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
		return fmt.Errorf("closing the video stream %q: the last frames may not be acknowledged yet, it goes on behind: %w", s.name, ctx.Err())
	}
}

// finish stops and frees, once.
func (s *Stream) finish() {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return
	}
	s.closing = true
	if s.users == 0 {
		close(s.idle)
	}
	s.mu.Unlock()
	if status := Status(C.kvsp_stop(s.c)); status != 0 {
		s.err = &Error{Doing: fmt.Sprintf("closing the video stream %q", s.name), Call: "stopKinesisVideoStreamSync", Status: status, Last: Status(s.last.Load())}
	}
	<-s.idle // stopping ends a Put that waits
	C.kvsp_free(s.c)
	s.over()
}
