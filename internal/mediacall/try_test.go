package mediacall

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is tried never waits for a peer that reads nothing, and comes whole and in order when it reads, with TLS too.
func TestTry(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("sockets of this system cannot be written to without waiting")
	}
	for _, name := range []string{"plain", "TLS"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer l.Close()
			near, err := net.Dial("tcp", l.Addr().String())
			require.NoError(t, err)
			defer near.Close()
			far, err := l.Accept()
			require.NoError(t, err)
			defer far.Close()
			conn := newPatient(near, time.Minute)
			chunks := &Chunks{w: conn, conn: conn}
			if name == "TLS" {
				srv := httptest.NewTLSServer(nil) // for its certificate
				srv.Close()
				server := tls.Server(far, srv.TLS)
				client := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // nobody else is there
				hands := make(chan error, 1)
				go func() { hands <- server.HandshakeContext(t.Context()) }()
				require.NoError(t, client.HandshakeContext(t.Context()))
				require.NoError(t, <-hands)
				far, chunks.w = server, client
			}
			require.True(t, chunks.CanTry())
			var sent []byte
			var wholly, left int
			for i := 0; left < 3; i++ {
				room := make([]byte, RoomBefore+100<<10+RoomAfter)
				_, _ = rand.Read(room)
				sent = append(sent, room[RoomBefore:RoomBefore+100<<10]...)
				rest, err := chunks.Try(func() error {
					_, err := chunks.WriteWithin(room, RoomBefore, RoomBefore+100<<10)
					return err
				})
				require.NoError(t, err)
				clear(room) // it is not used any more
				if rest {
					left++
				} else {
					wholly++
				}
				require.Less(t, i, 10000, "a connection takes no end of bytes")
			}
			require.Positive(t, wholly)
			got := make(chan []byte, 1)
			go func() {
				all, _ := io.ReadAll(httputil.NewChunkedReader(far))
				got <- all
			}()
			require.NoError(t, chunks.Flush())
			_, err = chunks.Write([]byte("end"))
			require.NoError(t, err)
			require.NoError(t, chunks.put([]byte("0\r\n\r\n")))
			require.True(t, bytes.Equal(append(sent, "end"...), <-got))
		})
	}
}

// A connection that is gone is an error of the piece, and of all after it.
func TestTryOfNobody(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	require.NoError(t, far.Close())
	chunks := NewChunks(near, time.Minute)
	require.False(t, chunks.CanTry(), "a pipe is no socket")
	_, err := chunks.Write([]byte("x"))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.ErrorIs(t, chunks.Flush(), io.ErrClosedPipe)
}
