package mediacall

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"gst-kinesis/internal/socket"
)

// patient is a connection whose peer must take what is written within a time, or half of it more. Setting a timer costs more than
// writing a small frame, so the deadline is moved on only when less than the time is left of it.
//
// Between hold and release what is written is gathered, so that the records that TLS makes of a frame are one write. The lock is
// held across writes, as their order must be that in which TLS made them; TLS does the same. Close takes none, and ends them.
//
// While it is eager it never waits: what the peer does not take at once it keeps, and writes before whatever comes next.
type patient struct {
	net.Conn
	try     socket.Tryer // nil: it cannot be eager
	timeout time.Duration
	until   atomic.Int64 // ns since 1970
	fixed   atomic.Bool  // somebody else has set a deadline

	writing sync.Mutex
	holding bool
	held    []byte
	eager   bool
	rest    []byte // what was not taken yet; before what is held
}

func newPatient(c net.Conn, timeout time.Duration) *patient {
	return &patient{Conn: c, try: socket.Try(c), timeout: timeout}
}

// mostHeld bounds what is gathered.
const mostHeld = 64 << 10

// Write writes, and fails when the peer does not take it in time.
func (c *patient) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if !c.holding || len(c.held)+len(p) > mostHeld {
		if err := c.flush(); err != nil {
			return 0, err
		}
	}
	if !c.holding || len(p) > mostHeld {
		return c.push(p)
	}
	c.held = append(c.held, p...)
	return len(p), nil
}

// hold gathers what is written until release.
func (c *patient) hold() {
	c.writing.Lock()
	c.holding = true
	c.writing.Unlock()
}

// release writes what was gathered.
func (c *patient) release() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.holding = false
	return c.flush()
}

func (c *patient) flush() error {
	if len(c.held) == 0 {
		return nil
	}
	_, err := c.push(c.held)
	c.held = c.held[:0]
	return err
}

func (c *patient) push(p []byte) (int, error) {
	if c.eager {
		return c.tryWrite(p)
	}
	if err := c.writeRest(); err != nil {
		return 0, err
	}
	return c.write(p)
}

func (c *patient) write(p []byte) (int, error) {
	if now := time.Now(); !c.fixed.Load() && c.until.Load()-now.UnixNano() < int64(c.timeout) {
		until := now.Add(c.timeout + c.timeout/2)
		c.until.Store(until.UnixNano())
		if err := c.Conn.SetWriteDeadline(until); err != nil {
			return 0, err //nolint:wrapcheck // of the connection
		}
	}
	return c.Conn.Write(p) //nolint:wrapcheck // of the connection
}

// tryWrite takes all of p, whether the peer does or not.
func (c *patient) tryWrite(p []byte) (n int, err error) {
	if len(c.rest) == 0 {
		if n, err = c.try.TryWrite(p); err != nil {
			return n, err //nolint:wrapcheck // of the connection
		}
	}
	c.rest = append(c.rest, p[n:]...)
	return len(p), nil
}

func (c *patient) writeRest() error {
	if len(c.rest) == 0 {
		return nil
	}
	_, err := c.write(c.rest)
	if c.rest = c.rest[:0]; cap(c.rest) > mostHeld {
		c.rest = nil
	}
	return err
}

// setEager makes it eager, or not, and says whether there is a rest.
func (c *patient) setEager(on bool) (left bool) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.eager = on
	return len(c.rest) > 0
}

// finish writes the rest.
func (c *patient) finish() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.writeRest()
}

// SetWriteDeadline sets a deadline that holds until it is taken back.
func (c *patient) SetWriteDeadline(t time.Time) error {
	c.fixed.Store(!t.IsZero())
	c.until.Store(0)
	return c.Conn.SetWriteDeadline(t) //nolint:wrapcheck // of the connection
}

// SetDeadline sets both.
func (c *patient) SetDeadline(t time.Time) error {
	if err := c.SetWriteDeadline(t); err != nil {
		return err
	}
	return c.SetReadDeadline(t) //nolint:wrapcheck // of the connection
}
