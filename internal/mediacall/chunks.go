package mediacall

import (
	"io"
	"net"
	"strconv"
	"time"
)

// What a piece must have around it for [Chunks.WriteWithin], in bytes: its size in hexadecimal and the end of a line, up to 4 GiB;
// and the end of a line.
const (
	RoomBefore = 8 + 2
	RoomAfter  = 2
)

// Chunks writes a body in chunks, each by one write to the connection. It belongs to the goroutine that calls WriteTo of the body, which may lend it to
// another one that writes in its place meanwhile.
type Chunks struct {
	w       net.Conn
	conn    *patient // w, or what lies below its TLS
	scratch []byte
	failed  error
}

// NewChunks gives chunks on a connection, which takes what is written within a time, or half of it more.
func NewChunks(conn net.Conn, timeout time.Duration) *Chunks {
	c := newPatient(conn, timeout)
	return &Chunks{w: c, conn: c}
}

// CanTry says whether there is Try.
func (c *Chunks) CanTry() bool { return c.conn.try != nil }

// Try calls write, which writes without waiting meanwhile: what the connection does not take it keeps. left says that there is such a rest, which Flush,
// or whatever is written next, waits for.
func (c *Chunks) Try(write func() error) (left bool, err error) {
	c.conn.setEager(true)
	err = write()
	return c.conn.setEager(false), err
}

// Flush writes what Try has left.
func (c *Chunks) Flush() error {
	if c.failed == nil {
		c.failed = c.conn.finish()
	}
	return c.failed
}

// Write sends p, of any length, as a chunk. It is copied; for frames there is WriteWithin.
func (c *Chunks) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil // it would end the body
	}
	c.scratch = append(append(append(strconv.AppendUint(c.scratch[:0], uint64(len(p)), 16), "\r\n"...), p...), "\r\n"...)
	if err := c.put(c.scratch); err != nil {
		return 0, err
	}
	if cap(c.scratch) > mostScratch {
		c.scratch = nil
	}
	return len(p), nil
}

// mostScratch is what is kept of memory for copies.
const mostScratch = 64 << 10

// WriteWithin sends room[begin:end] as a chunk, and uses up to RoomBefore bytes before it and RoomAfter behind it. Nothing is copied
// and nothing kept. It returns how many bytes of the body were sent: all, or none with an error.
func (c *Chunks) WriteWithin(room []byte, begin, end int) (int, error) {
	n := end - begin
	if n == 0 {
		return 0, nil
	}
	room[end], room[end+1] = '\r', '\n'
	at := begin - 2
	room[at], room[at+1] = '\r', '\n'
	for left := uint(n); left > 0; left >>= 4 { //nolint:gosec // a length
		at--
		room[at] = "0123456789abcdef"[left&15]
	}
	if err := c.put(room[at : end+2]); err != nil {
		return 0, err
	}
	return n, nil
}

func (c *Chunks) put(p []byte) error {
	switch {
	case c.failed != nil:
	case c.w == net.Conn(c.conn):
		_, c.failed = c.w.Write(p)
	default:
		c.conn.hold()
		_, err := c.w.Write(p)
		c.failed = c.conn.release()
		if err != nil {
			c.failed = err
		}
	}
	return c.failed
}

// take sends a body to its end. Of an error it was the body's own if failed is nil.
func (c *Chunks) take(body io.Reader) error {
	var err error
	if w, ok := body.(io.WriterTo); ok {
		_, err = w.WriteTo(c)
	} else {
		_, err = io.CopyBuffer(c, struct{ io.Reader }{body}, make([]byte, 16<<10))
	}
	if err != nil {
		return err //nolint:wrapcheck // the caller does
	}
	return c.put([]byte("0\r\n\r\n"))
}
