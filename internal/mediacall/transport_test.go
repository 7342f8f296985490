package mediacall_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/mediacall"
)

// What a server sees of a request is the same as from net/http's own transport, on every way.
func TestTheSameRequest(t *testing.T) {
	t.Parallel()
	got := make(chan seen, 1)
	plain, secure := httptest.NewServer(echo(got)), httptest.NewTLSServer(echo(got))
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	proxy := httptest.NewServer(forward{T: t, plain: echo(got)})
	t.Cleanup(proxy.Close)
	secureProxy := httptest.NewUnstartedServer(forward{T: t, plain: echo(got)})
	secureProxy.StartTLS()
	t.Cleanup(secureProxy.Close)
	socks := socksServer(t, host(plain.URL))
	by := func(scheme, address string) func(*http.Transport) {
		return func(t *http.Transport) {
			trusting(secure)(t)
			t.Proxy = http.ProxyURL(&url.URL{Scheme: scheme, User: url.UserPassword("me", "hush"), Host: address})
		}
	}
	for name, c := range map[string]struct {
		to     string
		change func(*http.Transport)
	}{
		"http":                  {plain.URL, nil},
		"https":                 {secure.URL, trusting(secure)},
		"http by a proxy":       {"http://media.example", by("http", host(proxy.URL))},
		"https by a proxy":      {secure.URL, by("http", host(proxy.URL))},
		"http by a TLS proxy":   {"http://media.example", by("https", host(secureProxy.URL))},
		"https by a TLS proxy":  {secure.URL, by("https", host(secureProxy.URL))},
		"http by a SOCKS proxy": {"http://media.example:8080", by("socks5", socks)},
	} {
		var first *seen
		for kind, rt := range both(c.change) {
			m := newMedia("EBML", strings.Repeat("x", 70_000), "", "end")
			status, text, err := post(t.Context(), rt, c.to+"/putMedia?a=1", m)
			require.NoError(t, err, "%s %s", name, kind)
			<-m.closed
			require.Equal(t, 200, status)
			require.Equal(t, "thanks", text)
			s := <-got
			require.Equal(t, "EBML"+strings.Repeat("x", 70_000)+"end", s.Body, "%s %s", name, kind)
			if first == nil {
				first = &s
				continue
			}
			require.Equal(t, *first, s, "%s %s", name, kind)
		}
	}
}

// What does not work is classified as with net/http's own transport.
func TestTheSameErrors(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	plain := httptest.NewServer(http.NotFoundHandler())
	secure.Config.ErrorLog, plain.Config.ErrorLog = quiet(), quiet()
	t.Cleanup(secure.Close)
	t.Cleanup(plain.Close)
	demanding := httptest.NewUnstartedServer(http.NotFoundHandler())
	demanding.Config.ErrorLog = quiet()
	demanding.TLS = demand()
	demanding.StartTLS()
	t.Cleanup(demanding.Close)
	proxy := httptest.NewServer(forward{T: t, to: "127.0.0.1:1"})
	t.Cleanup(proxy.Close)
	raw := func(answer string) string {
		return "http://" + listen(t, func(c net.Conn, r *bufio.Reader) {
			if q, err := http.ReadRequest(r); err == nil { // all of it: what is not read makes the end a reset
				_, _ = io.Copy(io.Discard, q.Body)
			}
			_, _ = io.WriteString(c, answer)
		})
	}
	none := listen(t, func(c net.Conn, r *bufio.Reader) {
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		_, _ = io.Copy(io.Discard, r)
	})
	by := func(text string) func(*http.Transport) {
		u, err := url.Parse(text)
		require.NoError(t, err)
		return func(t *http.Transport) { t.Proxy = http.ProxyURL(u) }
	}
	for name, c := range map[string]struct {
		to     string
		change func(*http.Transport)
		code   string
	}{
		"refused":             {"http://127.0.0.1:1", nil, awserr.CodeRefused},
		"no such host":        {"http://media.invalid", nil, awserr.CodeDNS},
		"not trusted":         {secure.URL, nil, awserr.CodeUntrusted},
		"another host":        {strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), trusting(secure), awserr.CodeWrongHost},
		"no TLS":              {strings.Replace(plain.URL, "http:", "https:", 1), nil, awserr.CodeNotTLS},
		"our certificate":     {demanding.URL, trusting(demanding), awserr.CodeTLS},
		"no answer":           {raw(""), nil, awserr.CodeCut},
		"a cut header":        {raw("HTTP/1.1 200 OK\r\nContent-Length: 1"), nil, awserr.CodeCut},
		"a cut answer":        {raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), nil, awserr.CodeCut},
		"no HTTP":             {raw("SSH-2.0-x\r\n\r\n"), nil, awserr.CodeUnknown},
		"no URL":              {"http:///x", nil, awserr.CodeEndpoint},
		"no scheme":           {"ftp://127.0.0.1/x", nil, awserr.CodeEndpoint},
		"proxy refused":       {plain.URL, by("http://127.0.0.1:1"), awserr.CodeRefused},
		"proxy is not there":  {plain.URL, by("http://proxy.invalid:1"), awserr.CodeDNS},
		"proxy of no TLS":     {plain.URL, by("https://" + host(plain.URL)), awserr.CodeNotTLS},
		"proxy not trusted":   {plain.URL, by("https://" + host(secure.URL)), awserr.CodeUntrusted},
		"proxy, who are you":  {secure.URL, by("http://you:hush@" + host(proxy.URL)), awserr.CodeProxy},
		"proxy, bad gateway":  {secure.URL, by("http://me:hush@" + host(proxy.URL)), awserr.CodeProxy},
		"proxy says nothing":  {secure.URL, by(raw("")), awserr.CodeCut},
		"SOCKS refused":       {plain.URL, by("socks5://127.0.0.1:1"), awserr.CodeRefused},
		"SOCKS, who are you":  {plain.URL, by("socks5://you:hush@" + socksServer(t, "127.0.0.1:1")), awserr.CodeProxy},
		"SOCKS without":       {plain.URL, by("socks5://" + socksServer(t, "127.0.0.1:1")), awserr.CodeProxy},
		"SOCKS, nobody there": {plain.URL, by("socks5://me:hush@" + socksServer(t, "")), awserr.CodeRefused},
		"SOCKS that is none":  {plain.URL, by("socks5://" + none), awserr.CodeProxy},
	} {
		faults := map[string]awserr.Fault{}
		for kind, rt := range both(c.change) {
			m := newMedia("media")
			_, _, err := post(t.Context(), rt, c.to, m)
			require.Error(t, err, "%s %s", name, kind)
			<-m.closed
			f := awserr.Classify(err, awserr.Subject{})
			if c.code == awserr.CodeTLS && f.Class == awserr.Transient {
				continue // the server closes behind its alert: which of them is met first is chance
			}
			require.Equal(t, c.code, f.Code, "%s %s: %v", name, kind, err)
			f.Message = ""
			faults[kind] = f
		}
		if len(faults) == 2 {
			require.Equal(t, faults["net/http"], faults["mediacall"], name)
		}
	}
}

// The bytes on the wire: a chunk for each piece, the last one at the end, and nothing that nobody asked for.
func TestOnTheWire(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	address := listen(t, func(c net.Conn, r *bufio.Reader) {
		var all strings.Builder
		for !strings.HasSuffix(all.String(), "0\r\n\r\n") {
			b, err := r.ReadByte()
			if err != nil {
				break
			}
			all.WriteByte(b)
		}
		got <- all.String()
		_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nack\r\n0\r\n\r\n")
	})
	status, text, err := post(t.Context(), mediacall.New(like(nil), time.Second), "http://"+address+"/putMedia", newMedia("a", strings.Repeat("b", 26), "c"))
	require.NoError(t, err)
	require.Equal(t, 200, status)
	require.Equal(t, "ack", text)
	require.Equal(t, "POST /putMedia HTTP/1.1\r\nHost: "+address+"\r\nUser-Agent: camera/1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"+
		"X-Amzn-Stream-Name: door\r\n\r\n1\r\na\r\n1a\r\n"+strings.Repeat("b", 26)+"\r\n1\r\nc\r\n0\r\n\r\n", <-got)
}

// Acknowledgements come while media go.
func TestFullDuplex(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		if !assertNoError(t, control.EnableFullDuplex()) {
			return
		}
		w.WriteHeader(http.StatusOK)
		_ = control.Flush()
		b := make([]byte, 1)
		for {
			if _, err := r.Body.Read(b); err != nil {
				return
			}
			_, _ = fmt.Fprintf(w, "ack %s\n", b)
			_ = control.Flush()
		}
	}))
	t.Cleanup(srv.Close)
	m := newMedia("1", "2", "3")
	m.gate = make(chan struct{})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, m)
	require.NoError(t, err)
	answer, err := clientOf(mediacall.New(like(trusting(srv)), time.Second)).Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	acks := bufio.NewReader(answer.Body)
	for i := range 3 {
		m.gate <- struct{}{}
		line, err := acks.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("ack %d\n", i+1), line)
	}
	_, err = acks.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, answer.Body.Close())
	_, err = answer.Body.Read(make([]byte, 1))
	require.Error(t, err)
	<-m.closed
}

func assertNoError(t *testing.T, err error) bool {
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

// A refusal that comes while media go is read, also where the server closes the connection behind it.
func TestRefusedWhileSending(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"http": false, "https": true} {
		handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "no")
		})
		srv := httptest.NewUnstartedServer(handler)
		srv.Config.ErrorLog = quiet()
		if secure {
			srv.StartTLS()
		} else {
			srv.Start()
		}
		t.Cleanup(srv.Close)
		change := func(*http.Transport) {}
		if secure {
			change = trusting(srv)
		}
		for range 20 {
			pieces := make([]string, 300)
			for i := range pieces {
				pieces[i] = strings.Repeat("x", 10_000)
			}
			m := newMedia(pieces...)
			status, text, err := post(t.Context(), mediacall.New(like(change), 5*time.Second), srv.URL, m)
			require.NoError(t, err, name)
			require.Equal(t, http.StatusForbidden, status)
			require.Equal(t, "no", text)
			<-m.closed
		}
	}
}

// The end of a context ends a call wherever it is, and its cause is the error.
func TestCanceled(t *testing.T) {
	t.Parallel()
	silent := func(c net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) }
	answers := func(c net.Conn, r *bufio.Reader) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		silent(c, r)
	}
	for name, c := range map[string]struct {
		scheme string
		serve  func(net.Conn, *bufio.Reader)
		proxy  string
	}{
		"in the handshake":       {"https", silent, ""},
		"at the proxy":           {"https", silent, "http"},
		"at the SOCKS proxy":     {"http", silent, "socks5"},
		"before the answer":      {"http", silent, ""},
		"while media go":         {"http", answers, ""},
		"in the proxy handshake": {"http", silent, "https"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reached := make(chan struct{}, 1)
			address := listen(t, func(conn net.Conn, r *bufio.Reader) {
				_, _ = r.Peek(1)
				reached <- struct{}{}
				c.serve(conn, r)
			})
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() { <-reached; cancel(errMedia) }()
			m := newMedia("a", "b")
			m.gate = make(chan struct{})
			_, _, err := post(ctx, mediacall.New(like(func(t *http.Transport) {
				if c.proxy != "" {
					t.Proxy = http.ProxyURL(&url.URL{Scheme: c.proxy, Host: address})
				}
			}), time.Minute), c.scheme+"://"+address, m)
			require.ErrorIs(t, err, errMedia)
			<-m.closed
		})
	}
}
