package mediacall

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/proxy"
)

// dialer opens connections, through proxies too.
type dialer struct {
	proxy     func(*http.Request) (*url.URL, error)
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	answered  func(ctx context.Context, proxy *url.URL, request *http.Request, answer *http.Response) error
	tls       *tls.Config
	handshake time.Duration // 0: for ever
}

// way is how a request goes: to target, by the proxy if there is one.
type way struct {
	scheme, host, target string
	proxy                *url.URL
}

// first is the address that is dialed.
func (w way) first() string {
	if w.proxy != nil {
		return address(w.proxy)
	}
	return w.target
}

func (w way) isSocks() bool {
	return w.proxy != nil && (w.proxy.Scheme == "socks5" || w.proxy.Scheme == "socks5h")
}

// isAbsolute reports whether the proxy is what the request is made to.
func (w way) isAbsolute() bool { return w.proxy != nil && !w.isSocks() && w.scheme == "http" }

// password is what the proxy is told of who we are.
func (w way) password() string {
	if w.proxy == nil || w.proxy.User == nil {
		return ""
	}
	secret, _ := w.proxy.User.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(w.proxy.User.Username()+":"+secret))
}

// failed is an error on the way to the first address, as net/http has it.
func (w way) failed(err error) error {
	if w.proxy != nil {
		return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: err}
	}
	return err
}

// connectTimeout is how long a proxy may take to open the way, as net/http has it.
const connectTimeout = time.Minute

// open makes of a connection to the first address one to the target: what is written goes into the request.
func (d *dialer) open(ctx context.Context, conn net.Conn, via way) (net.Conn, error) {
	var err error
	switch {
	case via.proxy == nil:
	case via.isSocks():
		if err = socks(ctx, conn, via); err != nil {
			return nil, err
		}
	default:
		if via.proxy.Scheme == "https" {
			if conn, err = d.secure(ctx, conn, via.proxy.Hostname()); err != nil {
				return nil, via.failed(err)
			}
		}
		if via.scheme == "https" {
			if err = within(conn, connectTimeout, func() error { return d.connect(ctx, conn, via) }); err != nil {
				return nil, err
			}
		}
	}
	if via.scheme != "https" {
		return conn, nil
	}
	return d.secure(ctx, conn, via.host)
}

// within bounds what is done on a connection.
func within(conn net.Conn, most time.Duration, do func() error) error {
	if err := conn.SetDeadline(time.Now().Add(most)); err != nil {
		return err //nolint:wrapcheck // of the connection
	}
	if err := do(); err != nil {
		return err
	}
	return conn.SetDeadline(time.Time{}) //nolint:wrapcheck // of the connection
}

// socks lets a SOCKS proxy open the way to the target, of which it finds the address itself.
func socks(ctx context.Context, conn net.Conn, via way) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var auth *proxy.Auth
	if u := via.proxy.User; u != nil {
		secret, _ := u.Password()
		auth = &proxy.Auth{User: u.Username(), Password: secret}
	}
	d, err := proxy.SOCKS5("tcp", via.first(), auth, dialed{conn})
	if err != nil {
		return err //nolint:wrapcheck // it says all
	}
	_, err = d.(proxy.ContextDialer).DialContext(ctx, "tcp", via.target)
	return err //nolint:wrapcheck // it says "socks connect"
}

// dialed is a dialer that has a connection already.
type dialed struct{ conn net.Conn }

func (d dialed) Dial(string, string) (net.Conn, error) { return d.conn, nil }

func (d dialed) DialContext(context.Context, string, string) (net.Conn, error) { return d.conn, nil }

// connect lets an HTTP proxy open the way.
func (d *dialer) connect(ctx context.Context, conn net.Conn, via way) error {
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: via.target}, Host: via.target, Header: http.Header{}}
	if secret := via.password(); secret != "" {
		request.Header.Set("Proxy-Authorization", secret)
	}
	if err := request.Write(conn); err != nil {
		return fmt.Errorf("asking the proxy: %w", err)
	}
	// What is read ahead may be thrown away: a TLS server does not speak first.
	answer, err := http.ReadResponse(bufio.NewReader(&bounded{r: conn, left: mostHeaderBytes}), request)
	if err != nil {
		return fmt.Errorf("reading the proxy's answer: %w", err)
	}
	if d.answered != nil {
		if err := d.answered(ctx, via.proxy, request, answer); err != nil {
			return err
		}
	}
	if answer.StatusCode != http.StatusOK {
		_, text, _ := strings.Cut(answer.Status, " ")
		return fmt.Errorf("asking the proxy: it answered %d: %w", answer.StatusCode, errors.New(text))
	}
	return nil
}

// handshakeError is a TLS handshake that took too long.
type handshakeError struct{}

func (handshakeError) Error() string   { return "net/http: TLS handshake timeout" }
func (handshakeError) Timeout() bool   { return true }
func (handshakeError) Temporary() bool { return true }

// secure makes a connection one of TLS, with the server's certificate checked.
func (d *dialer) secure(ctx context.Context, conn net.Conn, host string) (net.Conn, error) {
	config := d.tls.Clone()
	if config.ServerName == "" {
		config.ServerName = host
	}
	bound := ctx
	if d.handshake > 0 {
		var cancel context.CancelFunc
		bound, cancel = context.WithTimeoutCause(ctx, d.handshake, handshakeError{})
		defer cancel()
	}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(bound); err != nil {
		if ctx.Err() == nil && bound.Err() != nil {
			err = handshakeError{}
		}
		return nil, err //nolint:wrapcheck // http.Client knows those of TLS by their types
	}
	return secured, nil
}
