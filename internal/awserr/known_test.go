package awserr

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsKnownIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	known := &Known{Fault: Fault{Class: Permanent, Party: Caller, Code: CodeIoT, HTTPStatus: 403, RequestID: "r", Message: "no", Remedy: "do this"}, Err: cause}
	err := fmt.Errorf("get identity: get credentials: failed to refresh cached credentials, %w", known)
	require.Equal(t, known.Fault, Classify(err, PutSubject("s", "eu-west-1", "")))
	require.ErrorIs(t, err, cause)
	require.Equal(t, "no; do this", known.Error())
	known.Fault.Remedy = ""
	require.Equal(t, "no", known.Error())
}

func TestProxies(t *testing.T) {
	t.Parallel()
	dial := func(op string, err error) error {
		return &url.Error{Op: "Post", URL: "https://kinesis", Err: &net.OpError{Op: op, Net: "tcp", Err: err}}
	}
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for name, c := range map[string]struct {
		err   error
		class Class
		code  string
		proxy bool
	}{
		"password":      {&ProxyError{Status: http.StatusProxyAuthRequired, Text: "407", Proxy: "p"}, Permanent, CodeProxy, true},
		"forbidden":     {&ProxyError{Status: http.StatusForbidden, Text: "403", Proxy: "p"}, Permanent, CodeProxy, true},
		"behind it":     {&ProxyError{Status: http.StatusBadGateway, Text: "502", Proxy: "p"}, Transient, CodeProxy, true},
		"not there":     {dial("proxyconnect", refused), Transient, CodeRefused, true},
		"no such proxy": {dial("proxyconnect", &net.DNSError{Err: "no such host", Name: "p"}), Transient, CodeDNS, true},
		"socks":         {dial("socks connect", refused), Transient, CodeRefused, true},
		"socks user":    {dial("socks connect", errors.New("username/password authentication failed")), Permanent, CodeProxy, true},
		"socks else":    {dial("socks connect", errors.New("unexpected protocol version 72")), Transient, CodeProxy, true},
		"no proxy":      {dial("dial", syscall.ECONNREFUSED), Transient, CodeRefused, false},
		"something":     {errors.New("something"), Transient, CodeUnknown, false},
	} {
		f := Classify(c.err, PutSubject("s", "eu-west-1", ""))
		require.Equal(t, c.class, f.Class, name)
		require.Equal(t, c.code, f.Code, name)
		require.Equal(t, c.proxy, AtProxy(c.err), name)
		if c.proxy {
			require.Contains(t, f.Remedy, "property proxy", name)
		}
	}
}
