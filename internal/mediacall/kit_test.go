package mediacall_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/mediacall"
)

// like is a transport as sessions give it.
func like(change func(*http.Transport)) *http.Transport {
	t := &http.Transport{
		DialContext: new(net.Dialer).DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: 5 * time.Second,
		DisableKeepAlives: true, DisableCompression: true,
		OnProxyConnectResponse: func(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			return &awserr.ProxyError{Status: answer.StatusCode, Text: answer.Status, Proxy: proxy.Host}
		},
	}
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	if change != nil {
		change(t)
	}
	return t
}

// both are the transport of net/http and the one in its place, made from the same settings.
func both(change func(*http.Transport)) map[string]http.RoundTripper {
	return map[string]http.RoundTripper{"net/http": like(change), "mediacall": mediacall.New(like(change), time.Second)}
}

func clientOf(rt http.RoundTripper) *http.Client {
	return &http.Client{Transport: rt, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// media is a body that gives pieces one after another, as fast as they are asked for, or when they are let go.
type media struct {
	pieces []string
	gate   chan struct{} // nil: open
	err    error         // at the end
	begun  chan struct{} // closed when the first piece is asked for
	closed chan struct{}
	once   sync.Once
}

func newMedia(pieces ...string) *media {
	return &media{pieces: pieces, begun: make(chan struct{}), closed: make(chan struct{})}
}

func (m *media) Read([]byte) (int, error) { panic("it has WriteTo") }

func (m *media) Close() error {
	m.once.Do(func() { close(m.closed) })
	return nil
}

var errMedia = errors.New("the media broke off")

func (m *media) WriteTo(w io.Writer) (sum int64, err error) {
	close(m.begun)
	for _, p := range m.pieces {
		if m.gate != nil {
			select {
			case <-m.gate:
			case <-m.closed:
				return sum, errMedia
			}
		}
		var n int
		if chunks, ok := w.(*mediacall.Chunks); ok {
			room := append(append(make([]byte, mediacall.RoomBefore), p...), make([]byte, mediacall.RoomAfter)...)
			n, err = chunks.WriteWithin(room, mediacall.RoomBefore, mediacall.RoomBefore+len(p))
		} else {
			n, err = io.WriteString(w, p)
		}
		sum += int64(n)
		if err != nil {
			return sum, err
		}
	}
	return sum, m.err
}

// post sends media, and returns the answer's text.
func post(ctx context.Context, rt http.RoundTripper, to string, m *media) (status int, text string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, m)
	if err != nil {
		return 0, "", err
	}
	request.ContentLength = -1
	request.Header.Set("User-Agent", "camera/1")
	request.Header.Set("x-amzn-stream-name", "door")
	answer, err := clientOf(rt).Do(request)
	var wrapped *url.Error // as awscall does
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(all), err
}

// seen is what a server saw of a request.
type seen struct {
	Method, URI, Host string
	Header            http.Header
	Encoding          []string
	Close             bool
	Body              string
}

// echo is a server's handler that tells what it saw.
func echo(got chan<- seen) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- seen{r.Method, r.RequestURI, r.Host, r.Header, r.TransferEncoding, r.Close, string(body)}
		_, _ = io.WriteString(w, "thanks")
	}
}

// forward is an HTTP proxy: absolute forms go to a place, CONNECT to another. It wants a password.
type forward struct {
	*testing.T
	plain http.Handler
	to    string // of CONNECT; empty: as asked for
}

func (p forward) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("me:hush")) {
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	if r.Method != http.MethodConnect {
		p.plain.ServeHTTP(w, r)
		return
	}
	to := p.to
	if to == "" {
		to = r.Host
	}
	up, err := net.Dial("tcp", to)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	down, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		p.Error(err)
		return
	}
	_, _ = io.WriteString(down, "HTTP/1.1 200 Connection established\r\n\r\n")
	join(up, down)
}

func join(a, b net.Conn) {
	go func() { defer a.Close(); _, _ = io.Copy(a, b) }()
	go func() { defer b.Close(); _, _ = io.Copy(b, a) }()
}

// listen serves connections by hand, each by a goroutine.
func listen(t *testing.T, serve func(net.Conn, *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); serve(c, bufio.NewReader(c)) }()
		}
	}()
	return l.Addr().String()
}

// trusting makes a transport trust a server of httptest.
func trusting(srv *httptest.Server) func(*http.Transport) {
	return func(t *http.Transport) {
		if srv.TLS == nil {
			return
		}
		t.TLSClientConfig.RootCAs = srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs //nolint:forcetypeassert // it is
	}
}

// host is a server's host and port.
func host(u string) string { return u[strings.LastIndex(u, "/")+1:] }
