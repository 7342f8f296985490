package putmedia

import (
	"gst-kinesis/internal/mediacall"
)

// Who puts a frame may go on with the session in place of the goroutine that writes its body, as far as nothing makes it wait: at the
// pace of a camera each frame would wake that goroutine otherwise, and to wake one costs more than to write a frame. What the
// connection does not take at once is left to the goroutine, and so is all that may wait: the disk, a limit of bandwidth, the end.

// handover is who goes on with a session. It is under the stream's mu.
type handover struct {
	chunks  *mediacall.Chunks // where the body goes; nil: not there, or it cannot be written to without waiting
	idle    bool              // the body's goroutine waits for something to do
	pumping bool              // somebody else goes on in its place
	dry     bool              // who pumps has nothing more to do, or would have to wait
	missed  bool              // the goroutine must look itself, when pumping has ended
	left    bool              // the connection has not taken all
}

// await waits until something has changed. Who pumps leaves off instead.
func (n *session) await() {
	h := &n.handover
	if h.pumping {
		h.dry = true
		return
	}
	h.idle = true
	for n.s.work.Wait(); h.pumping; n.s.work.Wait() {
		h.missed = true
	}
	h.idle = false
}

// yields makes who pumps leave off where the goroutine has to go on, and reports whether it does.
func (n *session) yields() bool {
	if n.handover.pumping {
		n.handover.dry, n.handover.missed = true, true
	}
	return n.handover.pumping
}

// canPump reports whether the session may be gone on with by somebody else than its goroutine.
func (n *session) canPump() bool {
	h := &n.handover
	return h.idle && !h.pumping && h.chunks != nil && !n.cut && n.s.uplink.Burst() == 0
}

// pump goes on with the session until there is nothing to do, or something to wait for. It is called with mu, which it gives back.
func (n *session) pump() {
	s, h := n.s, &n.handover
	h.pumping, h.dry, h.missed = true, false, false
	for {
		p := n.step()
		if h.dry || n.cut || n.finished {
			break
		}
		if p.bytes == nil {
			continue
		}
		n.bytes += int64(len(p.bytes))
		s.unlockTelling()
		left, err := h.try(p)
		s.mu.Lock()
		if h.left = left; err != nil {
			n.cut = true // the goroutine finds the error in what it writes to
		}
		if left || n.cut {
			break
		}
	}
	h.pumping = false
	if h.missed || h.left || n.cut || n.finished {
		s.work.Broadcast()
	}
	s.unlockTelling()
}

// try writes a piece, as far as that goes without waiting.
func (h *handover) try(p piece) (left bool, err error) {
	return h.chunks.Try(func() error { //nolint:wrapcheck // of the connection
		_, err := p.writeTo(h.chunks)
		return err
	})
}
