package socket_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/socket"
)

// pair gives two ends of a connection on loopback.
func pair(t testing.TB) (near, far net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	near, err = net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	far, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

func tryer(t testing.TB, c net.Conn) socket.Tryer {
	w := socket.Try(c)
	if runtime.GOOS != "linux" {
		require.Nil(t, w)
		t.Skip("this system has no way to do it")
	}
	require.NotNil(t, w)
	return w
}

// What is taken comes, and where there is no room nothing waits.
func TestTryWrite(t *testing.T) {
	t.Parallel()
	near, far := pair(t)
	w := tryer(t, near)
	sent := make([]byte, 32<<20) // more than fits
	_, err := rand.Read(sent)
	require.NoError(t, err)
	n, full := 0, 0
	for full == 0 {
		m, err := w.TryWrite(sent[n:])
		require.NoError(t, err)
		if n += m; m == 0 {
			full = n
		}
	}
	require.Less(t, full, len(sent))
	got := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(far)
		got <- all
	}()
	for n < len(sent) {
		m, err := w.TryWrite(sent[n:])
		require.NoError(t, err)
		if n += m; m == 0 {
			runtime.Gosched()
		}
	}
	require.NoError(t, near.Close())
	require.True(t, bytes.Equal(sent, <-got))
}

// A connection that is gone is an error, and no signal.
func TestTryWriteToNobody(t *testing.T) {
	t.Parallel()
	near, far := pair(t)
	w := tryer(t, near)
	require.NoError(t, far.(*net.TCPConn).SetLinger(0))
	require.NoError(t, far.Close())
	_, err := near.Read(make([]byte, 1)) // the reset is here
	require.Error(t, err)
	_, err = w.TryWrite([]byte("x"))
	require.ErrorIs(t, err, syscall.EPIPE)
	require.NoError(t, near.Close())
	_, err = w.TryWrite([]byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestTryWriteAllocatesNothing(t *testing.T) {
	near, far := pair(t)
	w := tryer(t, near)
	go func() { _, _ = io.Copy(io.Discard, far) }()
	p := make([]byte, 1000)
	require.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = w.TryWrite(p) }))
}

// What is no socket has no such way.
func TestNoSocket(t *testing.T) {
	t.Parallel()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	require.Nil(t, socket.Try(a))
}
