package mediacall

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// sink is a connection that takes everything and counts.
type sink struct {
	net.Conn
	writes, deadlines int
	bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) {
	s.writes++
	s.Buffer.Reset()
	return s.Buffer.Write(p)
}
func (s *sink) Read(p []byte) (int, error) { return s.Conn.Read(p) }
func (s *sink) SetWriteDeadline(time.Time) error {
	s.deadlines++
	return nil
}

// A piece is one write, framed where it lies, without memory of its own.
func TestAPieceIsOneWrite(t *testing.T) {
	s := &sink{}
	chunks := NewChunks(s, time.Minute)
	for _, size := range []int{0, 1, 15, 16, 255, 256, 17 << 10, 1 << 20} {
		room := bytes.Repeat([]byte{'.'}, RoomBefore+size+RoomAfter)
		copy(room[RoomBefore:], strings.Repeat("x", size))
		s.writes = 0
		s.Buffer.Reset()
		n, err := chunks.WriteWithin(room, RoomBefore, RoomBefore+size)
		require.NoError(t, err)
		require.Equal(t, size, n)
		require.Equal(t, min(size, 1), s.writes)
		framed := bytes.Clone(s.Bytes())
		s.Buffer.Reset()
		n, err = chunks.Write(bytes.Repeat([]byte{'x'}, size))
		require.NoError(t, err)
		require.Equal(t, size, n)
		require.Equal(t, s.Bytes(), framed)
	}
	require.Equal(t, 1, s.deadlines)
	room := make([]byte, RoomBefore+17<<10+RoomAfter)
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = chunks.WriteWithin(room, RoomBefore, RoomBefore+17<<10) }))
}

// counting counts writes.
type counting struct {
	net.Conn
	writes atomic.Int64
}

func (c *counting) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// Also through TLS, which makes two records of it.
func TestAPieceThroughTLS(t *testing.T) {
	srv := httptest.NewTLSServer(nil) // for its certificate
	srv.Close()
	near, far := net.Pipe()
	server := tls.Server(far, srv.TLS)
	go func() { _, _ = io.Copy(io.Discard, server) }()
	counted := &counting{Conn: near}
	below := &patient{Conn: counted, timeout: time.Minute}
	conn := tls.Client(below, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // nobody else is there
	require.NoError(t, conn.HandshakeContext(t.Context()))
	defer near.Close()
	chunks := &Chunks{w: conn, conn: below}
	room := make([]byte, RoomBefore+17<<10+RoomAfter)
	write := func() {
		_, err := chunks.WriteWithin(room, RoomBefore, RoomBefore+17<<10)
		require.NoError(t, err)
	}
	for range 100 {
		write()
	}
	counted.writes.Store(0)
	allocated := testing.AllocsPerRun(99, write) // which calls it 100 times
	require.LessOrEqual(t, allocated, 2.0)       // those of the peer at the other end of the pipe
	require.EqualValues(t, 100, counted.writes.Load())
}

// The deadline is moved on when less than the time-out is left, and a write that nobody takes ends between once and one and a half
// of it; one that somebody else has set stays.
func TestPatience(t *testing.T) {
	t.Parallel()
	const timeout = 10 * time.Second
	t.Run("moved on", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &sink{}
			c := &patient{Conn: s, timeout: timeout}
			for range 30 * 60 { // a minute at 30 frames a second
				_, _ = c.Write([]byte("frame"))
				time.Sleep(time.Second / 30)
			}
			require.InDelta(t, 60/(timeout.Seconds()/2), s.deadlines, 1)
		})
	})
	for pause := range 12 {
		t.Run(time.Duration(pause*int(time.Second)).String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				c := &patient{Conn: near, timeout: timeout}
				go func() { _, _ = io.ReadFull(far, make([]byte, 5)) }()
				_, err := c.Write([]byte("frame"))
				require.NoError(t, err)
				time.Sleep(time.Duration(pause) * time.Second)
				began := time.Now()
				_, err = c.Write([]byte("frame"))
				require.ErrorContains(t, err, "timeout")
				require.GreaterOrEqual(t, time.Since(began), timeout)
				require.LessOrEqual(t, time.Since(began), timeout*3/2)
			})
		})
	}
	t.Run("fixed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			near, _ := net.Pipe()
			c := &patient{Conn: near, timeout: timeout}
			require.NoError(t, c.SetDeadline(time.Now().Add(time.Second)))
			began := time.Now()
			_, err := c.Write([]byte("frame"))
			require.ErrorContains(t, err, "timeout")
			require.Equal(t, time.Second, time.Since(began))
			require.NoError(t, c.SetDeadline(time.Time{}))
			_, err = c.Write([]byte("frame"))
			require.Error(t, err)
			require.Equal(t, time.Second+timeout*3/2, time.Since(began))
		})
	})
}
