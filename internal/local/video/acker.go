package video

import (
	"net/http"
	"sync"
	"time"

	"gst-kinesis/internal/local/fault"
)

// acker writes acknowledgements. send may be called from several goroutines; none may be called after finish.
type acker struct {
	entry *entry
	now   func() time.Time
	fault *fault.Acks
	write func(line []byte) error

	mu   sync.Mutex
	buf  []byte
	late chan lateAck
	quit <-chan struct{} // the session was interrupted: nothing waits any more
	done chan struct{}   // closed when all late ones are written
}

// lateAck is one that waits.
type lateAck struct {
	ack Ack
	due time.Time
}

// ackQueue is how many acknowledgements may be late at once; then the session waits.
const ackQueue = 1024

func newAcker(c http.ResponseWriter, e *entry, now func() time.Time, f *fault.Acks, quit <-chan struct{}) *acker {
	flusher := http.NewResponseController(c)
	a := &acker{entry: e, now: now, fault: f, quit: quit, write: func(line []byte) error {
		if _, err := c.Write(line); err != nil {
			return err
		}
		return flusher.Flush()
	}}
	if f != nil && f.Late > 0 {
		a.late, a.done = make(chan lateAck, ackQueue), make(chan struct{})
		go a.deliver()
	}
	return a
}

// deliver writes late acknowledgements in their order.
func (a *acker) deliver() {
	defer close(a.done)
	for l := range a.late {
		timer := time.NewTimer(time.Until(l.due))
		select {
		case <-timer.C:
			a.put(l.ack)
		case <-a.quit:
			timer.Stop()
		}
	}
}

// send writes an acknowledgement, or lets it wait as the fault says.
func (a *acker) send(ack Ack) {
	switch {
	case a.fault != nil && a.fault.Never:
	case a.late != nil:
		a.late <- lateAck{ack, time.Now().Add(a.fault.Late)}
	default:
		a.put(ack)
	}
}

// sendError writes an ERROR behind those that wait. Nothing may be sent after it.
func (a *acker) sendError(ack Ack) {
	a.finish()
	if a.fault == nil || !a.fault.Never {
		a.put(ack)
	}
}

// put writes an acknowledgement. One that cannot be written is the client's loss; reading will see that it went away. It is in the
// books before the client can know of it.
func (a *acker) put(ack Ack) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ack.At = a.now()
	a.entry.ack(ack)
	a.buf = ack.append(a.buf[:0])
	_ = a.write(a.buf)
}

// finish waits for the late ones. Finishing twice does nothing.
func (a *acker) finish() {
	if a.late != nil {
		close(a.late)
		<-a.done
		a.late = nil
	}
}
