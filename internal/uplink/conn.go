package uplink

import (
	"net"
	"sync"

	"gst-kinesis/internal/socket"
)

// piece is how much a connection writes at once while there is a limit: a record of TLS.
const piece = 16 << 10

// Conn returns a connection whose writes are counted and keep within the link's
// bandwidth: first what was granted before, then piece by piece as there is room.
// Closing it ends a write that waits. It is a socket.Tryer if c has a way to write without
// waiting, and takes nothing by it while there is a limit.
func (s *Share) Conn(c net.Conn) net.Conn {
	limited := &conn{Conn: c, share: s, closed: make(chan struct{})}
	if try := socket.Try(c); try != nil {
		return &tryConn{conn: limited, try: try}
	}
	return limited
}

type conn struct {
	net.Conn
	share  *Share
	once   sync.Once
	closed chan struct{}
}

// Write writes all of p, or returns what stood in the way.
func (c *conn) Write(p []byte) (n int, err error) {
	for {
		q := p[n:]
		if c.share.rate.Load() > 0 {
			q = q[:min(len(q), piece)]
			if !c.share.spend(c.closed, len(q)) {
				return n, net.ErrClosed
			}
		}
		m, err := c.Conn.Write(q)
		n += m
		c.share.sent.Add(int64(m))
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// tryConn is a conn that can be written to without waiting.
type tryConn struct {
	*conn
	try socket.Tryer
}

// TryWrite implements socket.Tryer.
func (c *tryConn) TryWrite(p []byte) (int, error) {
	if c.share.rate.Load() > 0 {
		return 0, nil
	}
	n, err := c.try.TryWrite(p)
	c.share.sent.Add(int64(n))
	return n, err
}

// Close closes the connection.
func (c *conn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// spend takes bytes out of what was granted, and waits for the rest; it reports false
// if the connection is closed meanwhile.
func (s *Share) spend(closed <-chan struct{}, bytes int) bool {
	s.link.mu.Lock()
	need := float64(bytes)
	paid := min(s.credit, need)
	s.credit -= paid
	s.link.mu.Unlock()
	if need -= paid; need == 0 {
		return true
	}
	return s.wait(closed, &claim{share: s, begun: true, bytes: need}, func() {})
}
