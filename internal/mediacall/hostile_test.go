package mediacall_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/mediacall"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// demand is a server that wants a certificate of ours.
func demand() *tls.Config {
	return &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
}

// socksServer speaks SOCKS 5 with me and hush, and goes to one place; empty: it says that nobody is there.
func socksServer(t *testing.T, to string) string {
	return listen(t, func(c net.Conn, r *bufio.Reader) {
		hello := make([]byte, 2)
		_, _ = io.ReadFull(r, hello)
		methods := make([]byte, hello[1])
		_, _ = io.ReadFull(r, methods)
		if !bytes.Contains(methods, []byte{2}) {
			_, _ = c.Write([]byte{5, 255})
			return
		}
		_, _ = c.Write([]byte{5, 2})
		login := make([]byte, 1+1+2+1+4) // me, hush
		_, _ = io.ReadFull(r, login[:2])
		login = login[:2+int(login[1])+1]
		_, _ = io.ReadFull(r, login[2:])
		secret := make([]byte, login[len(login)-1])
		_, _ = io.ReadFull(r, secret)
		if string(login[2:len(login)-1]) != "me" || string(secret) != "hush" {
			_, _ = c.Write([]byte{1, 1})
			return
		}
		_, _ = c.Write([]byte{1, 0})
		head := make([]byte, 4)
		_, _ = io.ReadFull(r, head)
		length := map[byte]int{1: 4, 4: 16}[head[3]]
		if head[3] == 3 {
			n, _ := r.ReadByte()
			length = int(n)
		}
		_, _ = io.ReadFull(r, make([]byte, length+2))
		if to == "" {
			_, _ = c.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
			return
		}
		up, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer up.Close()
		_, _ = c.Write(append([]byte{5, 0, 0, 3, 4}, "name\x00\x00"...))
		go func() { _, _ = io.Copy(up, r) }()
		_, _ = io.Copy(c, up)
	})
}

// A server that sends what it should not is given up, within bounds.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	endless := func(head, line string) func(net.Conn, *bufio.Reader) {
		return func(c net.Conn, _ *bufio.Reader) {
			if _, err := io.WriteString(c, head); err != nil {
				return
			}
			lines := strings.Repeat(line, 100)
			for {
				if _, err := io.WriteString(c, lines); err != nil {
					return
				}
			}
		}
	}
	once := func(text string) func(net.Conn, *bufio.Reader) {
		return func(c net.Conn, r *bufio.Reader) {
			_, _ = io.WriteString(c, text)
			_, _ = io.Copy(io.Discard, r)
		}
	}
	for name, c := range map[string]struct {
		serve func(net.Conn, *bufio.Reader)
		want  string
	}{
		"a header without end":          {endless("HTTP/1.1 200 OK\r\n", "X-Filler: x\r\n"), "header is longer than"},
		"a line without end":            {endless("HTTP/1.1 200 OK\r\nX-Filler: ", "xxxxxxxx"), "header is longer than"},
		"interim answers without end":   {endless("", "HTTP/1.1 102 Processing\r\n\r\n"), "interim answers without end"},
		"a status that is none":         {once("HTTP/1.1 two OK\r\n\r\n"), "malformed HTTP status"},
		"another version":               {once("HTTQ/1.1 200 OK\r\n\r\n"), "malformed HTTP version"},
		"a length that is none":         {once("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), "bad Content-Length"},
		"chunks that are none":          {once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"), "invalid byte in chunk length"},
		"a chunk of more than there is": {once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"), "chunk length too large"},
		"an encoding that is none":      {once("HTTP/1.1 200 OK\r\nTransfer-Encoding: swapped\r\n\r\n"), "unsupported transfer encoding"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMedia("a", "b")
			m.gate = make(chan struct{}) // media do not end by themselves
			_, _, err := post(t.Context(), mediacall.New(like(nil), time.Second), "http://"+listen(t, c.serve), m)
			require.ErrorContains(t, err, c.want)
			<-m.closed
		})
	}
}

// A body that breaks off is not ended: the server must not take it for the whole.
func TestABodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	got := make(chan error, 1)
	address := listen(t, func(_ net.Conn, r *bufio.Reader) {
		request, err := http.ReadRequest(r)
		if err == nil {
			_, err = io.Copy(io.Discard, request.Body)
		}
		got <- err
	})
	m := newMedia("a")
	m.err = errMedia
	_, _, err := post(t.Context(), mediacall.New(like(nil), time.Second), "http://"+address, m)
	require.ErrorIs(t, err, errMedia)
	require.ErrorIs(t, <-got, io.ErrUnexpectedEOF)
}

// A peer that takes nothing any more is noticed.
func TestADeadPeer(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	address := listen(t, func(net.Conn, *bufio.Reader) { <-release })
	pieces := make([]string, 2000)
	for i := range pieces {
		pieces[i] = strings.Repeat("x", 100_000)
	}
	m := newMedia(pieces...)
	began := time.Now()
	_, _, err := post(t.Context(), mediacall.New(like(nil), 300*time.Millisecond), "http://"+address, m)
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())
	require.GreaterOrEqual(t, time.Since(began), 290*time.Millisecond)
	<-m.closed
}

// A handshake that takes too long is a time-out.
func TestAHandshakeThatTakesTooLong(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	address := listen(t, func(net.Conn, *bufio.Reader) { <-release })
	change := func(t *http.Transport) { t.TLSHandshakeTimeout = 50 * time.Millisecond }
	_, _, err := post(t.Context(), mediacall.New(like(change), time.Second), "https://"+address, newMedia())
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())
}

// Requests that cannot be written are refused before anybody is called.
func TestRequestsThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	rt := mediacall.New(like(func(t *http.Transport) {
		t.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("somebody was called") }
	}), time.Second)
	for name, change := range map[string]func(*http.Request){
		"a line within a value": func(r *http.Request) { r.Header.Set("X-A", "b\r\nX-C: d") },
		"a line within a name":  func(r *http.Request) { r.Header["X-A\r\nX-C"] = []string{"d"} },
		"a space in a host":     func(r *http.Request) { r.Host = "a b" },
		"a line within a host":  func(r *http.Request) { r.Host = "a\r\nX: y" },
		"a host in letters":     func(r *http.Request) { r.URL.Host, r.Host = "häuser.example", "" },
		"a line within a path":  func(r *http.Request) { r.URL.Opaque = "/a\r\nX: y" },
	} {
		m := newMedia()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://media.example/putMedia", m)
		require.NoError(t, err)
		change(request)
		_, err = rt.RoundTrip(request) //nolint:bodyclose // there is none
		require.ErrorContains(t, err, "writing the request", name)
		<-m.closed
	}
}
