package video

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/videostreams"
)

// Why a session was interrupted.
type interruption int32

const (
	goesOn interruption = iota
	wasStopped
	wasIdle
	tookTooLong
	wasDeleted
)

// errCut is the error of a body that a fault cuts.
var errCut = errors.New("cut by a fault")

// body reads the media of a session: it counts, keeps to the rates, and can be interrupted from elsewhere.
type body struct {
	src     io.Reader
	control *http.ResponseController
	fault   fault.Media
	limited bool

	read     atomic.Int64
	last     atomic.Int64 // when bytes came last, Unix ns
	why      atomic.Int32
	quit     chan struct{} // closed by interrupt
	rate     videostreams.Rate
	slow     videostreams.Rate
	failed   error // of src, io.EOF included
	fragment videostreams.Rate
}

func newBody(src io.Reader, control *http.ResponseController, f fault.Media, limited bool) *body {
	now := time.Now()
	b := &body{src: src, control: control, fault: f, limited: limited, quit: make(chan struct{}),
		rate: videostreams.NewRate(videostreams.PutBytes, now), fragment: videostreams.NewRate(videostreams.FragmentRate, now)}
	if f.ReadRate > 0 {
		b.slow = videostreams.NewRate(float64(f.ReadRate), now)
		b.slow.Owe(float64(f.ReadRate)*0.9, now) // no burst
	}
	b.last.Store(now.UnixNano())
	return b
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.fault.CutAfter > 0 {
		left := b.fault.CutAfter - b.read.Load()
		if left <= 0 {
			return 0, errCut
		}
		p = p[:min(int64(len(p)), left)]
	}
	if b.fault.ReadRate > 0 {
		p = p[:min(int64(len(p)), max(b.fault.ReadRate/10, 1))]
	}
	n, err := b.src.Read(p)
	if err != nil {
		b.failed = err
	}
	now := time.Now()
	b.read.Add(int64(n))
	if n > 0 {
		b.last.Store(now.UnixNano())
	}
	var wait time.Duration
	if b.limited {
		wait = b.rate.Owe(float64(n), now)
	}
	if b.fault.ReadRate > 0 {
		wait = max(wait, b.slow.Owe(float64(n), now))
	}
	b.pause(wait)
	return n, err
}

// counted slows the session down to the fragments that it may send.
func (b *body) counted() {
	if b.limited {
		b.pause(b.fragment.Owe(1, time.Now()))
	}
}

// pause waits; an interruption ends it. While the endpoint itself does not read, the client is not idle.
func (b *body) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.quit:
	}
	b.last.Store(time.Now().UnixNano())
}

// interrupt ends the session's reading, from another goroutine. The first reason counts.
func (b *body) interrupt(why interruption) {
	if b.why.CompareAndSwap(int32(goesOn), int32(why)) {
		close(b.quit)
		_ = b.control.SetReadDeadline(time.Unix(1, 0))
		_ = b.control.SetWriteDeadline(time.Now().Add(lingerTime)) // a client that reads nothing must not hold the end up
	}
}

func (b *body) interrupted() interruption { return interruption(b.why.Load()) }
