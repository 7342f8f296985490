package gstrtsp

/*
#include <stdlib.h>
#include "gstrtsp.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unsafe"
)

// Source numbers the sources of a media.
type Source int

// The sources that a launch line may have.
const (
	Video Source = iota
	Audio
)

var (
	// ErrIdle: the media does not play now (it starts, is paused, or ends); the buffer was not taken.
	ErrIdle = errors.New("media does not play")
	// ErrFull: as many buffers as were allowed wait already; the buffer was not taken.
	ErrFull = errors.New("media is full")
	// ErrFailed: the pipeline has ended by an error.
	ErrFailed = errors.New("media has failed")
)

// A Media is the live picture of a mount, the same for all its clients. It lives as long as the server, whether somebody
// looks or not. Push, SetCaps and the rest are for the goroutine of Feed.
type Media struct {
	server *Server
	path   string
	c      *C.GrFeed
	need   chan struct{}
	play   chan struct{}
	ctx    context.Context
	cancel context.CancelFunc
}

// Has tells whether the launch line has this source.
func (m *Media) Has(i Source) bool { return C.gr_feed_has(m.c, C.int(i)) != 0 }

// SetCaps says what the source's buffers are. It must be called before the first Push.
func (m *Media) SetCaps(i Source, caps string) error {
	text := C.CString(caps)
	defer C.free(unsafe.Pointer(text))
	if C.gr_feed_set_caps(m.c, C.int(i), text) == 0 {
		return fmt.Errorf("caps %q are not valid", caps)
	}
	return nil
}

// Times say when a buffer's contents were, on the clock of Now.
type Times struct {
	PTS      time.Duration // when it was captured
	DTS      time.Duration // its place in the order of sending: at or before PTS, and never before that of the buffer before
	Duration time.Duration // negative where unknown
}

func (t Times) c() *C.GrTimes {
	return &C.GrTimes{pts: C.uint64_t(t.PTS), dts: C.uint64_t(t.DTS), duration: C.int64_t(t.Duration)}
}

// Prime pushes a source's first buffer, which the media needs to know what it will send, and which no client gets. What is
// pushed later must have been captured later.
func (m *Media) Prime(i Source, b *Buffer, t Times) error {
	return pushError(C.gr_feed_prime(m.c, C.int(i), b.c, t.c()))
}

// Push hands a buffer over. The buffer stays the caller's: its memory is shared, not copied. It never blocks; ErrIdle,
// ErrFull (maxLevel buffers wait) and ErrFailed mean that nothing was taken.
func (m *Media) Push(i Source, b *Buffer, t Times, maxLevel int) error {
	return pushError(C.gr_feed_push(m.c, C.int(i), b.c, t.c(), C.uint64_t(maxLevel)))
}

func pushError(result C.int) error {
	switch result {
	case C.GR_PUSH_OK:
		return nil
	case C.GR_PUSH_IDLE:
		return ErrIdle
	case C.GR_PUSH_FULL:
		return ErrFull
	}
	return ErrFailed
}

// ForceKey asks the element named "encoder", if there is one, for a key frame.
func (m *Media) ForceKey() { C.gr_feed_force_key(m.c) }

// Viewers counts the streams that clients play now.
func (m *Media) Viewers() int { return int(C.gr_feed_viewers(m.c)) }

// Need is signalled when a source has nothing left to send, first when the media begins to play.
func (m *Media) Need() <-chan struct{} { return m.need }

// Play is signalled when one more client has begun to play.
func (m *Media) Play() <-chan struct{} { return m.play }

// run feeds the media until it is gone.
func (m *Media) run(mount *mounted) {
	s := m.server
	defer s.feeds.Done()
	defer C.gr_feed_unref(m.c)
	defer func() {
		if r := recover(); r != nil {
			s.panicked(r)
		}
	}()
	mount.Feed(m.ctx, m)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
