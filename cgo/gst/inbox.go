package gst

// #include "ggo.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// Inbox brings a pad's or a sink's buffers from the streaming thread to a goroutine without a call into Go or C for each, which would cost several
// times what an element does with a frame (ggo_inbox.c says why). The streaming thread waits only while the inbox is full: of 32 buffers, or 1 MiB. A
// buffer is given back when the next one comes, an event, or nothing for a second.
//
// What the goroutine answers to a buffer the streaming thread hears with a later one. Events and queries do not go through the inbox: the functions
// for those that flow with the data call Settle first.
type Inbox struct {
	c    *C.GgoInbox
	in   *instance
	take func(v *View) Flow
	done sync.WaitGroup

	crowd int32 // of the goroutine: how many buffers there were at the most since it told last

	mu   sync.Mutex // of Open and Close
	wake *os.File   // the eventfd; nil: closed
}

// keepTime is how long at most a buffer is kept when no other comes; not shorter, as a timer wakes Go's monitor.
const keepTime = time.Second

// moment is for how long the goroutine looks for the next buffer where they come that fast: to be woken for each costs both threads more.
const moment = 50 * time.Microsecond

// Open begins to take buffers; before that, and after Close, a buffer is answered by FlowFlushing. The element calls it in Start, or when it makes
// the pad while it is started.
func (b *Inbox) Open() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wake != nil {
		return nil
	}
	if no := C.ggo_inbox_open(b.c); no != 0 {
		return fmt.Errorf("making an eventfd for a pad: %w", syscall.Errno(no))
	}
	wake := os.NewFile(uintptr(b.c.fd), "eventfd")
	conn, err := wake.SyscallConn()
	if err != nil {
		_ = wake.Close()
		return fmt.Errorf("watching an eventfd: %w", err)
	}
	b.wake = wake
	b.done.Go(func() { b.serve(wake, conn) })
	return nil
}

// Close ends the goroutine when it is through with what is in the inbox; what blocks it must have been ended. Buffers must have ceased to come: the
// pad is not active. A second Close does nothing.
func (b *Inbox) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wake == nil {
		return
	}
	C.ggo_inbox_end(b.c)
	b.done.Wait()
	C.ggo_inbox_give_back(b.c)
	_ = b.wake.Close() // an eventfd's close does not fail
	b.wake = nil
}

// SetPrompt makes the streaming thread wait until the goroutine is through with its buffer, and hear what it answered: for an element whose "taken"
// means that the buffer is safe. Before Open.
func (b *Inbox) SetPrompt(on bool) { atomic.StoreInt32((*int32)(&b.c.prompt), int32(gbool(on))) }

// Refuse answers the buffers that come by a flow, and lets the streaming thread wait no longer; until Open, or Resume of that flow.
func (b *Inbox) Refuse(f Flow) { C.ggo_inbox_set_flow(b.c, C.gint(f)) }

// Resume takes buffers again where they are answered by a flow; where it is another one nothing changes.
func (b *Inbox) Resume(f Flow) { C.ggo_inbox_resume(b.c, C.gint(f)) }

// Settle waits until the goroutine is through with all that came. From a function of the pad on its streaming thread, what belongs to the goroutine
// may be used then, until that function returns.
func (b *Inbox) Settle() { C.ggo_inbox_settle(b.c, -1) }

// SettleWithin waits as Settle does, but not longer than d; false where that was not long enough.
func (b *Inbox) SettleWithin(d time.Duration) bool {
	return C.ggo_inbox_settle(b.c, C.gint64(d.Microseconds())) != 0
}

// serve gives the buffers to take until the end. Nothing is read from the eventfd: Go's poller looks for edges, and each write is one.
func (b *Inbox) serve(wake *os.File, conn syscall.RawConn) {
	look := func(uintptr) bool { return b.hasMore() }
	var until, slept time.Time // when what is kept is given back, and since when it has waited
	for {
		switch err := conn.Read(look); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			C.ggo_inbox_give_back(b.c)
			until = time.Time{}
			_ = wake.SetReadDeadline(until) // it can be set, as the poller has the file
		case err != nil:
			b.in.panicked(err) // the file is closed after this goroutine has ended
			b.work(false)
			return
		}
		if b.hasEnded() {
			return
		}
		worked := b.work(time.Since(slept) < moment)
		slept = time.Now()
		if worked && until.Sub(slept) < keepTime/2 {
			until = slept.Add(keepTime)
			_ = wake.SetReadDeadline(until)
		}
	}
}

// work deals with what there is, and where buffers come fast with what comes within a moment after. It says whether there was something.
func (b *Inbox) work(fast bool) (worked bool) {
	fast = fast && runtime.NumCPU() > 1
	worked = b.pending()
	for b.pending() {
		for b.pending() {
			b.next()
		}
		if !fast {
			continue
		}
		for until := time.Now().Add(moment); !b.pending() && time.Now().Before(until); {
			runtime.Gosched()
		}
	}
	return worked
}

// next deals with a buffer. Who waits for room is told when half of the buffers are gone, so that the two threads do not wake each other for each.
func (b *Inbox) next() {
	v := &b.c.ring[uint32(b.c.taken)%C.GGO_INBOX_SIZE]
	flow := b.give((*View)(v))
	if flow != FlowOK {
		atomic.CompareAndSwapInt32((*int32)(&b.c.flow), int32(FlowOK), int32(flow))
	}
	atomic.AddUintptr((*uintptr)(unsafe.Pointer(&b.c.taken_bytes)), uintptr(v.size))
	left := atomic.LoadInt32((*int32)(&b.c.pushed)) - atomic.AddInt32((*int32)(&b.c.taken), 1)
	if b.crowd = max(b.crowd, left); 2*left > b.crowd {
		return
	}
	if b.crowd = left; atomic.LoadInt32((*int32)(&b.c.waiting)) > 0 {
		C.ggo_inbox_tell(b.c)
	}
}

func (b *Inbox) pending() bool {
	return atomic.LoadInt32((*int32)(&b.c.pushed)) != atomic.LoadInt32((*int32)(&b.c.taken))
}

func (b *Inbox) hasEnded() bool {
	return atomic.LoadInt32((*int32)(&b.c.ended)) != 0 && !b.pending()
}

// hasMore says whether there is something to do; where there is not, the next push wakes the goroutine.
func (b *Inbox) hasMore() bool {
	if b.pending() || b.hasEnded() {
		return true
	}
	atomic.StoreInt32((*int32)(&b.c.waits), 1)
	return b.pending() || b.hasEnded()
}

// give gives a buffer to take, which may panic.
func (b *Inbox) give(v *View) (f Flow) {
	defer func() {
		if p := recover(); p != nil {
			b.in.panicked(p)
			f = FlowError
		}
	}()
	switch {
	case atomic.LoadInt32((*int32)(&b.in.c.poisoned)) != 0:
		return FlowError
	case v.mapped == 0:
		b.in.element.PostError(&Error{Code: ResourceRead, Text: "A buffer's memory cannot be read.", Debug: ErrMap.Error()})
		return FlowError
	}
	return b.take(v)
}
