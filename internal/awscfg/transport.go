package awscfg

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// keepAlive is the interval of TCP's own probes of a silent connection.
const keepAlive = idleTimeout / 6

// baseClient is what the SDK uses for credentials (STS, SSO, the machine's
// metadata, for which it shortens the time-outs). These calls are rare: no
// connection is kept, so nothing of them is left after Close.
func baseClient(s Settings) (*awshttp.BuildableClient, error) {
	roots, err := trusted(s.CAFile)
	if err != nil {
		return nil, err
	}
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = s.connectTimeout() }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = s.connectTimeout()
			t.DisableKeepAlives = true
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

// pool returns the transport of the session's own connections, with proxy, trust
// and dialer of the base client.
func (s Settings) pool(base *awshttp.BuildableClient) *http.Transport {
	connections := s.MaxConnections
	if connections == 0 {
		connections = defaultConnections
	}
	t := base.GetTransport()
	dialer := &net.Dialer{Timeout: s.connectTimeout(), KeepAlive: keepAlive}
	t.DialContext = dialer.DialContext
	if s.Conn != nil {
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return s.Conn(c), nil
		}
	}
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
}

// noRedirect gives the caller the redirect itself: the service never redirects,
// and a signed request must not go elsewhere.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
