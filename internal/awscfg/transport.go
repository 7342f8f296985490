package awscfg

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// keepAlive is the interval of TCP's own probes of a silent connection.
const keepAlive = idleTimeout / 6

// baseTimeout bounds each request for credentials, which the SDK's cache keeps from the
// caller's bound: a server that never answers must not hold them for ever.
const baseTimeout = 20 * time.Second

// baseClient is what the SDK uses for credentials (STS, SSO, the machine's
// metadata, for which it shortens the time-outs). These calls are rare: no
// connection is kept, so nothing of them is left after Close.
func baseClient(s Settings) (*awshttp.BuildableClient, error) {
	roots, err := trusted(s.CAFile)
	if err != nil {
		return nil, err
	}
	proxy, err := s.proxy()
	if err != nil {
		return nil, err
	}
	return awshttp.NewBuildableClient().
		WithTimeout(baseTimeout).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = s.connectTimeout() }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = s.connectTimeout()
			t.DisableKeepAlives = true
			t.Proxy, t.OnProxyConnectResponse = besideMachine(proxy), proxyAnswer
			if roots != nil {
				t.TLSClientConfig.RootCAs = roots
			}
		}), nil
}

// trusted returns the system's certificates and those of a file; nil, which
// means the system's, when there is no file.
func trusted(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // crypto/tls takes nil for the system's pool
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading ca-file: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil { // a system without any
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading ca-file: %s holds no PEM certificate", file)
	}
	return roots, nil
}

// pool returns who makes transports for the session's own connections, with trust and
// proxy of the base client. What holds of them:
//
//   - As many idle connections are kept as requests may be in flight (MaxConnections, which
//     max-in-flight sets), so that none is closed behind a request only to be opened again.
//     How many there are at a time nobody bounds but the callers, who are bounded themselves.
//   - An idle one closes after idleTimeout, and one of maxConnectionAge takes no further
//     request (rotating), which is how a change in DNS is followed: each new connection asks
//     for the name again, as Go keeps no names.
//   - A new connection resumes the TLS session of an earlier one where the server gives
//     tickets, which saves the certificates and their check; also after a rotation.
//   - TCP probes a silent connection each keepAlive and gives it up after 9 that nobody
//     answers. A request under way has its own bound, of the caller's context.
//   - Of a name with IPv6 and IPv4 the second family is tried after 300 ms beside the first
//     (RFC 8305, net.Dialer's default), so a network with broken IPv6 costs that much.
func (s Settings) pool(base *awshttp.BuildableClient) (func() *http.Transport, error) {
	proxy, err := s.proxy()
	if err != nil {
		return nil, err
	}
	connections := s.MaxConnections
	if connections == 0 {
		connections = defaultConnections
	}
	sessions := tls.NewLRUClientSessionCache(2 * connections)
	return func() *http.Transport {
		t := base.GetTransport()
		t.Proxy = proxy
		dialer := &net.Dialer{Timeout: s.connectTimeout(), KeepAlive: keepAlive}
		t.DialContext = s.dial(dialer)
		t.TLSClientConfig.ClientSessionCache = sessions
		t.DisableKeepAlives = false
		t.MaxIdleConns = connections
		t.MaxIdleConnsPerHost = connections
		t.MaxConnsPerHost = 0
		t.IdleConnTimeout = idleTimeout
		t.ForceAttemptHTTP2 = s.HTTP2
		if !s.HTTP2 {
			t.Protocols = new(http.Protocols)
			t.Protocols.SetHTTP1(true)
			// The base client's transport has been prepared for HTTP/2 by being copied.
			t.TLSClientConfig.NextProtos = nil
			t.TLSNextProto = make(map[string]func(string, *tls.Conn) http.RoundTripper)
		}
		t.DisableCompression = true
		// Larger than net/http's 4 KiB: a body of a megabyte in 16 times fewer writes.
		t.WriteBufferSize = 64 << 10
		return t
	}, nil
}

// dial opens connections, wrapped as the settings ask for.
func (s Settings) dial(dialer *net.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	if s.Conn == nil {
		return dialer.DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return s.Conn(c), nil
	}
}

// noRedirect gives the caller the redirect itself: the service never redirects,
// and a signed request must not go elsewhere.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
