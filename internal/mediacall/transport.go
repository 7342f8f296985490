package mediacall

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

// Transport makes calls. It is an http.RoundTripper and safe for concurrent use.
type Transport struct {
	dialer
	writeTimeout time.Duration
}

// New makes a transport by the settings of another one: Proxy, DialContext, TLSClientConfig, TLSHandshakeTimeout and
// OnProxyConnectResponse, which must not change any more. A peer that takes nothing of what is written for writeTimeout, or half of
// it more, is given up.
func New(like *http.Transport, writeTimeout time.Duration) *Transport {
	t := &Transport{writeTimeout: writeTimeout, dialer: dialer{
		proxy: like.Proxy, dial: like.DialContext, answered: like.OnProxyConnectResponse, handshake: like.TLSHandshakeTimeout,
	}}
	if t.dial == nil {
		t.dial = new(net.Dialer).DialContext
	}
	t.tls = new(tls.Config)
	if like.TLSClientConfig != nil {
		t.tls = like.TLSClientConfig.Clone()
	}
	t.tls.NextProtos = []string{"http/1.1"}
	return t
}

// Limits of what a server may send before its answer's body.
const (
	mostHeaderBytes = 256 << 10
	mostInterim     = 8 // answers of 1xx
)

// answerGrace is how long an answer is waited for once the connection takes no more: a server that refuses a call says why, and
// closes.
const answerGrace = time.Second

// RoundTrip sends a request whose body, if any, goes out in chunks: by its WriteTo, if it has one, to a *[Chunks]. It returns when
// the answer's header is there; the body may go on after that, until it ends or the answer's body is closed. It is closed in any
// case, soon after the end of the call.
//
// When the request's context is done, or the answer's body is closed, the connection is closed, whatever is under way.
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	c, err := t.begin(request)
	if err != nil {
		if request.Body != nil {
			_ = request.Body.Close()
		}
		return nil, err
	}
	go c.send()
	answer, err := c.receive()
	if err != nil {
		err = c.because(err)
		c.end()
		return nil, err
	}
	answer.Body = &answerBody{call: c, from: answer.Body}
	return answer, nil
}

// begin opens the connection.
func (t *Transport) begin(request *http.Request) (*call, error) {
	ctx := request.Context()
	if err := check(request); err != nil {
		return nil, err
	}
	via, err := t.way(request)
	if err != nil {
		return nil, err
	}
	text, err := head(request, via)
	if err != nil {
		return nil, err
	}
	raw, err := t.dial(ctx, "tcp", via.first())
	if err != nil {
		return nil, via.failed(err)
	}
	c := &call{request: request, head: text, raw: newPatient(raw, t.writeTimeout), done: make(chan struct{})}
	c.forget = context.AfterFunc(ctx, c.cut)
	if c.conn, err = t.open(ctx, c.raw, via); err != nil {
		c.forget()
		c.cut()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	return c, nil
}

// way finds out how a request goes.
func (t *Transport) way(request *http.Request) (way, error) {
	w := way{scheme: request.URL.Scheme, host: request.URL.Hostname(), target: address(request.URL)}
	if t.proxy == nil {
		return w, nil
	}
	var err error
	if w.proxy, err = t.proxy(request); err != nil {
		return w, fmt.Errorf("asking for the proxy: %w", err)
	}
	return w, nil
}

// address is host and port of a URL.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// errClosed is what reading of an answer says that was closed.
var errClosed = errors.New("the answer was closed")

// call is one request on its connection.
type call struct {
	request *http.Request
	head    []byte
	raw     *patient
	conn    net.Conn // raw, or TLS upon it
	forget  func() bool

	done   chan struct{}         // closed when the request is sent, or is not going to be
	failed atomic.Pointer[error] // why it could not be sent to its end
}

// cut closes the connection at once. What the kernel has it may still send.
func (c *call) cut() { _ = c.raw.Close() }

// end ends the call whatever is under way.
func (c *call) end() {
	c.forget()
	c.cut()
	if c.request.Body != nil {
		_ = c.request.Body.Close()
	}
}

// send writes the request. It is the goroutine that writes.
func (c *call) send() {
	defer close(c.done)
	body := c.request.Body
	if body != nil {
		defer body.Close()
	}
	if _, err := c.conn.Write(c.head); err != nil {
		c.stuck(err)
		return
	}
	if body == nil || body == http.NoBody {
		return
	}
	chunks := &Chunks{w: c.conn, conn: c.raw}
	err := chunks.take(body)
	switch {
	case chunks.failed != nil:
		c.stuck(chunks.failed)
	case err != nil: // of the body: the server must not take it for the whole
		err = fmt.Errorf("reading the request's body: %w", err)
		c.failed.Store(&err)
		c.cut()
	}
}

// stuck is the end of a connection that takes no more.
func (c *call) stuck(err error) {
	c.failed.Store(&err)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		c.cut()
		return
	}
	_ = c.raw.SetReadDeadline(time.Now().Add(answerGrace))
}

// receive reads the answer's header.
func (c *call) receive() (*http.Response, error) {
	bounded := &bounded{r: c.conn, left: mostHeaderBytes}
	r := bufio.NewReaderSize(bounded, 4<<10)
	for range mostInterim {
		answer, err := http.ReadResponse(r, c.request)
		switch {
		case err != nil && bounded.left == 0:
			return nil, fmt.Errorf("reading the answer: %w", errHeader)
		case err != nil:
			return nil, fmt.Errorf("reading the answer: %w", err)
		case answer.StatusCode >= 200 || answer.StatusCode == http.StatusSwitchingProtocols:
			bounded.left = -1
			return answer, nil
		}
	}
	return nil, fmt.Errorf("reading the answer: %w", errInterim)
}

var (
	errInterim = errors.New("the server sends interim answers without end")
	errHeader  = fmt.Errorf("the answer's header is longer than %d bytes", mostHeaderBytes)
)

// because is why reading failed: what happened first.
func (c *call) because(err error) error {
	if ctx := c.request.Context(); ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if failed := c.failed.Load(); failed != nil {
		return *failed
	}
	return err
}
