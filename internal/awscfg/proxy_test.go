package awscfg

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
)

// proxyServer is a proxy that opens tunnels to whom CONNECT names, for user "me" with a password.
type proxyServer struct {
	host     string
	password string
	refuse   int // this status to all

	mu    sync.Mutex
	asked []string
}

func newProxyServer(t *testing.T) *proxyServer {
	t.Helper()
	p := &proxyServer{password: "hush:p@ss/w%rd"}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	p.host = strings.TrimPrefix(s.URL, "http://")
	return p
}

func (p *proxyServer) url(password string) Secret {
	u := url.URL{Scheme: "http", User: url.UserPassword("me", password), Host: p.host}
	return Secret(u.String())
}

func (p *proxyServer) tunnels() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.asked...)
}

func (p *proxyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:"+p.password))
	switch {
	case r.Method != http.MethodConnect:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case p.refuse != 0:
		w.WriteHeader(p.refuse)
		return
	case r.Header.Get("Proxy-Authorization") != want:
		w.Header().Set("Proxy-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	p.mu.Lock()
	p.asked = append(p.asked, r.Host)
	p.mu.Unlock()
	there, err := net.Dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	here, rest, err := w.(http.Hijacker).Hijack()
	if err != nil {
		_ = there.Close()
		return
	}
	go func() { _, _ = io.Copy(there, rest); _ = there.Close() }()
	_, _ = io.Copy(here, there)
	_ = here.Close()
}

func TestThroughAProxy(t *testing.T) {
	t.Parallel()
	proxy, e := newProxyServer(t), newEndpoint(t, true)
	s := testSettings(e)
	s.CAFile, s.Proxy = e.authority(t), proxy.url(proxy.password)
	session := open(t, s, Stream{})
	for range 3 {
		require.NoError(t, put(t, session, Stream{Name: "s"}))
	}
	require.Equal(t, []string{strings.TrimPrefix(e.URL, "https://")}, proxy.tunnels(), "one tunnel, kept")
	require.Equal(t, 3, e.count())

	s.Proxy = ProxyNone
	require.NoError(t, put(t, open(t, s, Stream{}), Stream{Name: "s"}))
	require.Len(t, proxy.tunnels(), 1)
}

func TestCredentialsThroughAProxy(t *testing.T) {
	t.Parallel()
	proxy, iot := newProxyServer(t), newIoTServer(t)
	s := Settings{Region: "eu-west-1", IoTCertificate: iot.certificate(), Proxy: proxy.url(proxy.password)}
	require.NoError(t, open(t, s, Stream{}).CheckCredentials(t.Context()))
	require.Equal(t, []string{iot.host}, proxy.tunnels())

	s.Proxy = proxy.url("another")
	f := awserr.Classify(open(t, s, Stream{}).CheckCredentials(t.Context()), awserr.Subject{})
	require.Equal(t, awserr.CodeProxy, f.Code)
	require.Contains(t, f.Remedy, "property proxy")
	s.Proxy = "http://127.0.0.1:1"
	f = awserr.Classify(open(t, s, Stream{}).CheckCredentials(t.Context()), awserr.Subject{})
	require.Equal(t, awserr.CodeRefused, f.Code)
	require.Contains(t, f.Remedy, "property proxy")
}

func TestProxiesThatDoNotServe(t *testing.T) {
	t.Parallel()
	e, proxy := newEndpoint(t, true), newProxyServer(t)
	forbidding, broken := newProxyServer(t), newProxyServer(t)
	forbidding.refuse, broken.refuse = http.StatusForbidden, http.StatusServiceUnavailable
	for name, c := range map[string]struct {
		proxy Secret
		code  string
		class awserr.Class
	}{
		"wrong password": {proxy.url("hush"), awserr.CodeProxy, awserr.Permanent},
		"no password":    {Secret("http://" + proxy.host), awserr.CodeProxy, awserr.Permanent},
		"not let out":    {forbidding.url("hush"), awserr.CodeProxy, awserr.Permanent},
		"broken":         {broken.url("hush"), awserr.CodeProxy, awserr.Transient},
		"nobody there":   {"http://me:hush@127.0.0.1:1", awserr.CodeRefused, awserr.Transient},
		"no such host":   {"http://me:hush@proxy.invalid:3128", awserr.CodeDNS, awserr.Transient},
		"nobody's socks": {"socks5://me:hush@127.0.0.1:1", awserr.CodeRefused, awserr.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testSettings(e)
			s.CAFile, s.Proxy = e.authority(t), c.proxy
			err := put(t, open(t, s, Stream{}), Stream{Name: "s"})
			f := awserr.Classify(err, awserr.PutSubject("s", "eu-west-1", e.URL))
			require.Equal(t, c.code, f.Code, "%v", err)
			require.Equal(t, c.class, f.Class, "%v", err)
			require.Contains(t, f.Remedy, "property proxy")
			require.NotContains(t, fmt.Sprint(f, err), "hush")
		})
	}
}

// TestASocksProxy is RFC 1928 with RFC 1929's password, as far as one connection needs it.
func TestASocksProxy(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go socks(c, strings.TrimPrefix(e.URL, "https://"))
		}
	}()
	s := testSettings(e)
	s.CAFile, s.Proxy = e.authority(t), Secret("socks5://me:right@"+l.Addr().String())
	require.NoError(t, put(t, open(t, s, Stream{}), Stream{Name: "s"}))
	s.Proxy = Secret("socks5://me:hush@" + l.Addr().String())
	f := awserr.Classify(put(t, open(t, s, Stream{}), Stream{Name: "s"}), awserr.Subject{})
	require.Equal(t, awserr.CodeProxy, f.Code, "%+v", f)
	require.Equal(t, awserr.Permanent, f.Class)
	require.NotContains(t, fmt.Sprint(f), "hush")
}

// socks serves one connection, to one place whatever is asked for.
func socks(c net.Conn, to string) {
	defer func() { _ = c.Close() }()
	take := func(n int) []byte {
		b := make([]byte, n)
		_, _ = io.ReadFull(c, b)
		return b
	}
	take(int(take(2)[1]))             // greeting
	_, _ = c.Write([]byte{5, 2})      // by user and password
	user := take(int(take(2)[1]))     //
	password := take(int(take(1)[0])) //
	if string(user)+":"+string(password) != "me:right" {
		_, _ = c.Write([]byte{1, 1})
		return
	}
	_, _ = c.Write([]byte{1, 0})
	if take(4)[3] == 1 { // an IPv4 address
		take(4 + 2)
	}
	there, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	_, _ = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	go func() { _, _ = io.Copy(there, c); _ = there.Close() }()
	_, _ = io.Copy(c, there)
}

func TestProxySettings(t *testing.T) {
	t.Parallel()
	for _, good := range []Secret{"", "none", "http://proxy:3128", "https://me:p%40ss@proxy", "socks5://[::1]:1080/"} {
		require.NoError(t, Settings{Proxy: good}.Validate())
	}
	for bad, says := range map[string]string{
		"proxy:3128":                   "does not begin",
		"hush":                         "does not begin",
		"ftp://me:hush@proxy":          "does not begin",
		"http://me:hush@":              "names no host",
		"http://me:hu%sh@proxy":        "no URL",
		"http://me:hush@proxy:x":       "no URL",
		"http://me:hush@proxy/path":    "behind its port",
		"http://proxy:3128?user=hush":  "behind its port",
		"http://proxy:3128/#user-hush": "behind its port",
	} {
		err := Settings{Proxy: Secret(bad)}.Validate()
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "hu")
	}
	text, err := json.Marshal(Settings{Proxy: "http://me:hush@proxy"})
	require.NoError(t, err)
	require.NotContains(t, string(text)+fmt.Sprintf("%v %+v %#v", Settings{Proxy: "http://me:hush@proxy"}, Settings{Proxy: "http://me:hush@proxy"}, Settings{Proxy: "http://me:hush@proxy"}), "hush")
}

func TestMetadataIsAskedDirectly(t *testing.T) {
	t.Parallel()
	base, err := baseClient(Settings{Proxy: "http://proxy:3128"})
	require.NoError(t, err)
	for host, through := range map[string]bool{
		"169.254.169.254": false, "169.254.170.2": false, "[fd00:ec2::254]": false, "localhost:8080": false, "127.0.0.1:1": false,
		"sts.eu-west-1.amazonaws.com": true, "[fd00:ec3::1]": true, "10.0.0.1": true,
	} {
		r, err := http.NewRequest(http.MethodGet, "http://"+host+"/", http.NoBody)
		require.NoError(t, err)
		u, err := base.GetTransport().Proxy(r)
		require.NoError(t, err)
		require.Equal(t, through, u != nil, host)
	}
}
