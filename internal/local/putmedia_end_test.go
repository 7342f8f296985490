package local_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
)

func TestPutMediaRefusals(t *testing.T) {
	t.Parallel()
	srv := video(t)
	del := func(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for name, c := range map[string]struct {
		change func(*http.Request)
		status int
		code   string
	}{
		"no stream":      {set("x-amzn-stream-name", "none"), 404, "ResourceNotFoundException"},
		"no name":        {del("x-amzn-stream-name"), 400, "InvalidArgumentException"},
		"both":           {set("x-amzn-stream-arn", "arn:aws:kinesisvideo:us-east-1:000000000000:stream/cam/1"), 400, "InvalidArgumentException"},
		"a bad name":     {set("x-amzn-stream-name", "a b"), 400, "InvalidArgumentException"},
		"no type":        {del("x-amzn-fragment-timecode-type"), 400, "InvalidArgumentException"},
		"a bad type":     {set("x-amzn-fragment-timecode-type", "SOMETIMES"), 400, "InvalidArgumentException"},
		"a bad start":    {set("x-amzn-producer-start-timestamp", "yesterday"), 400, "InvalidArgumentException"},
		"a negative one": {set("x-amzn-producer-start-timestamp", "-5.0"), 400, "InvalidArgumentException"},
		"relative, since": {func(r *http.Request) {
			r.Header.Set("x-amzn-fragment-timecode-type", "RELATIVE")
			r.Header.Del("x-amzn-producer-start-timestamp")
		}, 400, "InvalidArgumentException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startPut(t, srv, "cam", c.change) // the body stays open: the answer must not wait for it
			require.Equal(t, c.status, p.resp.StatusCode)
			require.Equal(t, c.code, p.resp.Header.Get("x-amzn-ErrorType"))
			require.Len(t, p.resp.Header.Get("x-amzn-RequestId"), 36)
			p.over()
		})
	}
}

func TestOneConnectionAStream(t *testing.T) {
	t.Parallel()
	srv := video(t, func(s *local.Settings) { s.Limits = local.LimitsAWS })
	first := startPut(t, srv, "cam")
	first.send(header(t, film(1)), fragment(epoch, 1))
	first.next("BUFFERING 0")
	second := startPut(t, srv, "cam")
	require.Equal(t, 400, second.resp.StatusCode)
	require.Equal(t, "ConnectionLimitExceededException", second.resp.Header.Get("x-amzn-ErrorType"))
	first.send(fragment(epoch+1000, 1))
	first.next("RECEIVED 0") // the first goes on
	require.NoError(t, first.w.Close())
	first.over()
	ended(t, srv, "cam")
	third := startPut(t, srv, "cam")
	require.Equal(t, 200, third.resp.StatusCode)
}

// TestCallsAreLimited: five calls a second of a stream.
func TestCallsAreLimited(t *testing.T) {
	t.Parallel()
	clock := newClock()
	srv := video(t, func(s *local.Settings) { s.Limits, s.Now = local.LimitsAWS, clock.now })
	status := map[string]int{}
	for range 7 {
		p := startPut(t, srv, "cam")
		require.NoError(t, p.w.Close())
		status[p.resp.Header.Get("x-amzn-ErrorType")]++
		p.over()
	}
	require.Equal(t, map[string]int{"": 5, "ClientLimitExceededException": 2}, status)
	clock.add(time.Second)
	require.Equal(t, 200, startPut(t, srv, "cam").resp.StatusCode)
}

// TestFragmentsAreLimited: what comes faster than five a second is read slowly.
func TestFragmentsAreLimited(t *testing.T) {
	t.Parallel()
	srv := video(t, func(s *local.Settings) { s.Limits = local.LimitsAWS })
	body := header(t, film(1))
	for i := range 8 {
		body = append(body, fragment(epoch+int64(i)*1000, 1)...)
	}
	start := time.Now()
	require.Len(t, putAll(t, srv, "cam", bytes.NewReader(body)), 24)
	require.GreaterOrEqual(t, time.Since(start), 550*time.Millisecond)
}

func TestIdle(t *testing.T) {
	t.Parallel()
	srv := video(t, func(s *local.Settings) {
		s.VideoTimes = local.VideoTimes{IdleEvery: 20 * time.Millisecond, IdleTimeout: 150 * time.Millisecond}
	})
	p := startPut(t, srv, "cam")
	p.send(header(t, film(1)), fragment(epoch, 1))
	p.next("BUFFERING 0")
	p.next("IDLE")
	rest := p.over()
	require.NoError(t, p.end)
	require.NotEmpty(t, rest)
	for _, l := range rest {
		require.Equal(t, "IDLE", l)
	}
	s := ended(t, srv, "cam")
	require.Equal(t, "idle", s.End)
	require.Zero(t, s.Fragments, "what was not ended is not stored")
}

func TestLongestConnection(t *testing.T) {
	t.Parallel()
	srv := video(t, func(s *local.Settings) { s.VideoTimes.MaxConnection = 100 * time.Millisecond })
	p := startPut(t, srv, "cam")
	p.send(header(t, film(1)), fragment(epoch, 1))
	p.next("BUFFERING 0")
	require.Equal(t, []string{"ERROR 4003"}, p.over())
	require.NoError(t, p.end)
}

func TestDeletedWhilePutting(t *testing.T) {
	t.Parallel()
	srv := video(t)
	p := startPut(t, srv, "cam")
	p.send(header(t, film(1)), fragment(epoch, 1))
	p.next("BUFFERING 0")
	require.NoError(t, srv.DeleteVideoStream("cam"))
	require.Equal(t, []string{"ERROR 4008"}, p.over())
	require.Equal(t, 404, startPut(t, srv, "cam").resp.StatusCode)
}

func TestLostClient(t *testing.T) {
	t.Parallel()
	srv := video(t, func(s *local.Settings) { s.Limits = local.LimitsAWS })
	p := startPut(t, srv, "cam")
	p.send(header(t, film(1)), fragment(epoch, 1), fragment(epoch+1000, 1))
	p.next("BUFFERING 0")
	p.next("RECEIVED 0")
	p.next("PERSISTED 0")
	p.cancel()
	s := ended(t, srv, "cam")
	require.Equal(t, "lost", s.End)
	require.Equal(t, 1, s.Fragments)
	require.Equal(t, 200, startPut(t, srv, "cam").resp.StatusCode, "the stream is free again")
}

func TestEndpointGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	srv := video(t)
	p := startPut(t, srv, "cam")
	p.send(header(t, film(1)), fragment(epoch, 1), fragment(epoch+1000, 1))
	p.next("BUFFERING 0")
	p.next("RECEIVED 0")
	srv.Stop()
	p.over()
	require.Error(t, p.end)
	require.Equal(t, "stopped", ended(t, srv, "cam").End)
	require.NoError(t, srv.Start())
	require.Len(t, putAll(t, srv, "cam", bytes.NewReader(join(header(t, film(1)), fragment(epoch+1000, 1)))), 3)
	got, err := srv.Fragments("cam")
	require.NoError(t, err)
	require.Len(t, got, 2)
}

// TestCloseEndsSessions: closing the endpoint does not wait for cameras.
func TestCloseEndsSessions(t *testing.T) {
	t.Parallel()
	srv := video(t)
	p := startPut(t, srv, "cam")
	p.send(header(t, film(1)))
	get := startGet(t, srv, "cam", map[string]any{"StartSelectorType": "NOW"})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, srv.Close(ctx))
	p.over()
	_, err := io.ReadAll(get.Body)
	require.Error(t, err)
}

func TestPutMediaFaults(t *testing.T) {
	t.Parallel()
	fine := []string{"BUFFERING 0", "RECEIVED 0", "PERSISTED 0", "BUFFERING 1000", "RECEIVED 1000", "PERSISTED 1000"}
	for name, c := range map[string]struct {
		rule   string
		want   []string
		stored int
		cut    bool
		end    string
	}{
		"never":            {"acks: never", nil, 2, false, "end"},
		"late":             {"acks: late 30ms", fine, 2, false, "end"},
		"error":            {"error-ack: 5001 at fragment 2", append(fine[:4:4], "ERROR 5001"), 1, false, "error ARCHIVAL_ERROR: as a fault rule says"},
		"error at once":    {"error-ack: 4500", []string{"BUFFERING 0", "ERROR 4500"}, 0, false, "error KMS_KEY_ACCESS_DENIED: as a fault rule says"},
		"cut after bytes":  {"cut-after: 600", fine[:1], 0, true, "cut"},
		"cut after a body": {"cut: after-body", fine[:1], 0, true, "cut"},
		"cut after work":   {"cut: after-processing", fine[:1], 1, true, "cut"},
		"cut mid answer":   {"cut: mid-answer", []string{"garbage"}, 0, true, "cut"},
		"garble":           {"garble: true", append([]string{"garbage"}, fine[1:]...), 2, false, "end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script, err := local.ParseFaults([]byte("rules:\n  - operation: PutMedia\n    count: 1\n    " + c.rule + "\n"))
			require.NoError(t, err)
			srv := video(t, func(s *local.Settings) { s.Faults = script.Rules })
			p := startPut(t, srv, "cam")
			p.send(header(t, film(1)), fragment(epoch, 1))
			start := time.Now()
			p.send(fragment(epoch+1000, 1))
			require.NoError(t, p.w.Close())
			require.Equal(t, c.want, p.over())
			if c.rule == "acks: late 30ms" {
				require.GreaterOrEqual(t, time.Since(start), 29*time.Millisecond)
			}
			if c.cut {
				require.Error(t, p.end)
			} else {
				require.NoError(t, p.end)
			}
			require.Equal(t, c.end, ended(t, srv, "cam").End)
			got, err := srv.Fragments("cam")
			require.NoError(t, err)
			require.Len(t, got, c.stored)
			require.EqualValues(t, 1, srv.Stats().Faults)
			require.Len(t, putAll(t, srv, "cam", bytes.NewReader(join(header(t, film(1)), fragment(epoch+9000, 1)))), 3, "it is well again")
		})
	}
}

func TestPutMediaFaultsBeforeTheSession(t *testing.T) {
	t.Parallel()
	srv := video(t)
	for _, c := range []struct {
		rule   local.Rule
		status int
		code   string
	}{
		{local.Rule{Error: &local.Failure{Code: "InternalFailure", Message: "m"}}, 500, "InternalFailure"},
		{local.Rule{Error: &local.Failure{Code: "NotAuthorizedException", Status: 401}}, 401, "NotAuthorizedException"},
		{local.Rule{Throttle: true}, 400, "ClientLimitExceededException"},
	} {
		c.rule.Operations, c.rule.Count = []string{"PutMedia"}, 1
		_, err := srv.AddFault(c.rule)
		require.NoError(t, err)
		p := startPut(t, srv, "cam")
		require.Equal(t, c.status, p.resp.StatusCode)
		require.Equal(t, c.code, p.resp.Header.Get("x-amzn-ErrorType"))
	}
	for _, rule := range []local.Rule{{Cut: fault.CutBeforeBody}, {Hang: true, HangFor: 10 * time.Millisecond}} {
		rule.Operations, rule.Count = []string{"PutMedia"}, 1
		_, err := srv.AddFault(rule)
		require.NoError(t, err)
		_, err = http.DefaultClient.Do(putRequest(t.Context(), t, srv.URL(), "cam", strings.NewReader("")))
		require.Error(t, err)
	}
}

func TestSlowReader(t *testing.T) {
	t.Parallel()
	srv := video(t)
	_, err := srv.AddFault(local.Rule{Operations: []string{"PutMedia"}, Media: fault.Media{ReadRate: 4000}})
	require.NoError(t, err)
	start := time.Now()
	require.Len(t, putAll(t, srv, "cam", bytes.NewReader(join(header(t, film(1)), fragment(epoch, 1), fragment(epoch+1000, 1), fragment(epoch+2000, 1), fragment(epoch+3000, 1), fragment(epoch+4000, 1), fragment(epoch+5000, 1), fragment(epoch+6000, 1)))), 21)
	require.GreaterOrEqual(t, time.Since(start), 300*time.Millisecond)
}

// sign signs a request of PutMedia as AWS's own producer does: the hash is that of nothing, and so are some headers.
func sign(key, secret, host, date string, headers map[string]string) string {
	const names = "connection;host;transfer-encoding;user-agent;x-amz-date;x-amzn-fragment-acknowledgment-required;x-amzn-fragment-timecode-type;x-amzn-producer-start-timestamp;x-amzn-stream-name"
	canonical := "POST\n/putMedia\n\n"
	for name := range strings.SplitSeq(names, ";") {
		value := headers[name]
		if name == "host" {
			value = host
		}
		canonical += name + ":" + value + "\n"
	}
	sum := func(b string) string { h := sha256.Sum256([]byte(b)); return hex.EncodeToString(h[:]) }
	mac := func(key []byte, b string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(b))
		return h.Sum(nil)
	}
	canonical += "\n" + names + "\n" + sum("")
	scope := date[:8] + "/us-east-1/kinesisvideo/aws4_request"
	k := mac(mac(mac(mac([]byte("AWS4"+secret), date[:8]), "us-east-1"), "kinesisvideo"), "aws4_request")
	signature := hex.EncodeToString(mac(k, "AWS4-HMAC-SHA256\n"+date+"\n"+scope+"\n"+sum(canonical)))
	return "AWS4-HMAC-SHA256 Credential=" + key + "/" + scope + ", SignedHeaders=" + names + ", Signature=" + signature
}

// TestAsAWSsProducerDoes sends what that sends, byte for byte: Host without a port, Expect, chunks, both spellings of the path; over
// http and https.
func TestAsAWSsProducerDoes(t *testing.T) {
	t.Parallel()
	creds := local.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}
	for _, c := range []struct {
		secure             bool
		sent, signed, path string
		secret             string
		status             string
	}{
		{false, "127.0.0.1", "127.0.0.1", "/putMedia", "secret", "200"},
		{true, "127.0.0.1", "127.0.0.1", "/putMedia", "secret", "200"},
		{false, "127.0.0.1:PORT", "127.0.0.1:PORT", "/putMedia", "secret", "200"},
		{false, "127.0.0.1:PORT", "127.0.0.1", "/putMedia", "secret", "200"},
		{false, "127.0.0.1", "127.0.0.1", "/putMedia", "wrong", "403"},
	} {
		set := func(s *local.Settings) { s.Credentials = []local.Credentials{creds} }
		var pool *x509.CertPool
		if c.secure {
			conf, trust, err := local.SelfSigned(time.Now())
			require.NoError(t, err)
			pool = x509.NewCertPool()
			require.True(t, pool.AppendCertsFromPEM(trust))
			set = func(s *local.Settings) { s.Credentials, s.TLS = []local.Credentials{creds}, conf }
		}
		srv := video(t, set)
		_, port, err := net.SplitHostPort(srv.Addr())
		require.NoError(t, err)
		var conn net.Conn
		if c.secure {
			conn, err = tls.Dial("tcp", srv.Addr(), &tls.Config{RootCAs: pool})
		} else {
			conn, err = net.Dial("tcp", srv.Addr())
		}
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		date := time.Now().UTC().Format("20060102T150405Z")
		headers := map[string]string{"connection": "keep-alive", "transfer-encoding": "chunked", "user-agent": "AWS-SDK-KVS-CPP-CLIENT/3.6.0/1.6.4 GCC/12.2.0 Linux/6 x86_64 CPPSDK",
			"x-amz-date": date, "x-amzn-fragment-acknowledgment-required": "1", "x-amzn-fragment-timecode-type": "ABSOLUTE",
			"x-amzn-producer-start-timestamp": "1700000000.28", "x-amzn-stream-name": "cam"}
		authorization := sign("AKID", c.secret, strings.Replace(c.signed, "PORT", port, 1), date, headers)
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\nAuthorization: %s\r\ncontent-type: application/json\r\nExpect: 100-continue\r\n", c.path, strings.Replace(c.sent, "PORT", port, 1), authorization)
		for name, value := range headers {
			fmt.Fprintf(conn, "%s: %s\r\n", name, value)
		}
		fmt.Fprint(conn, "\r\n")
		r := bufio.NewReader(conn)
		if c.status == "200" {
			first, err := r.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "HTTP/1.1 100 Continue\r\n", first)
			_, err = r.ReadString('\n')
			require.NoError(t, err)
		}
		resp, err := http.ReadResponse(r, nil)
		require.NoError(t, err)
		require.Equal(t, c.status, resp.Status[:3])
		if c.status != "200" {
			require.Equal(t, "InvalidSignatureException", resp.Header.Get("x-amzn-ErrorType"))
			continue
		}
		body := join(header(t, film(1)), fragment(epoch, 1))
		fmt.Fprintf(conn, "%x\r\n%s\r\n", len(body), body)
		dec := json.NewDecoder(resp.Body)
		var l line
		require.NoError(t, dec.Decode(&l))
		require.Equal(t, "BUFFERING 0", l.String())
		fmt.Fprint(conn, "0\r\n\r\n")
		require.NoError(t, dec.Decode(&l))
		require.NoError(t, dec.Decode(&l))
		require.Equal(t, "PERSISTED 0", l.String())
	}
}

// TestBrokenChunks: a client that is there, but whose transfer encoding is none, hears of it.
func TestBrokenChunks(t *testing.T) {
	t.Parallel()
	srv := video(t)
	conn, err := net.Dial("tcp", srv.Addr())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	body := join(header(t, film(1)), fragment(epoch, 1))
	fmt.Fprintf(conn, "POST /putMedia HTTP/1.1\r\nHost: x\r\nx-amzn-stream-name: cam\r\nx-amzn-fragment-timecode-type: ABSOLUTE\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\nzzz\r\n", len(body), body)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Contains(t, string(answer), `"ErrorCode":"STREAM_READ_ERROR","ErrorId":4000}`)
}

func TestEndpointUnderTheClientsName(t *testing.T) {
	t.Parallel()
	srv := video(t)
	_, port, err := net.SplitHostPort(srv.Addr())
	require.NoError(t, err)
	for host, want := range map[string]string{"kinesis": "http://kinesis:" + port, "kinesis:9": "http://kinesis:9", "[::1]": "http://[::1]:" + port} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL()+"/getDataEndpoint", strings.NewReader(`{"StreamName":"cam","APIName":"PUT_MEDIA"}`))
		require.NoError(t, err)
		r.Host = host
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		var out struct{ DataEndpoint string }
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, out.DataEndpoint)
	}
}

func TestCapitalPath(t *testing.T) {
	t.Parallel()
	srv := video(t)
	r := putRequest(t.Context(), t, srv.URL(), "cam", bytes.NewReader(join(header(t, film(1)), fragment(epoch, 1))))
	r.URL.Path = "/PutMedia"
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, 1, ended(t, srv, "cam").Fragments)
}

// TestManySessions: a thousand sessions leave nothing behind, nor do a hundred thousand.
func TestManySessions(t *testing.T) {
	// Not parallel: it counts goroutines.
	srv := video(t, func(s *local.Settings) { s.VideoMemory = 1 << 20 })
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	session := func(i int) {
		body := join(header(t, film(1)), fragment(epoch+int64(i)*10_000, 1), fragment(epoch+int64(i)*10_000+1000, 1))
		resp, err := client.Do(putRequest(t.Context(), t, srv.URL(), "cam", bytes.NewReader(body)))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	measure := func() (goroutines int, heap uint64) {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return runtime.NumGoroutine(), m.HeapAlloc
	}
	for i := range 500 {
		session(i)
	}
	before, heap := measure()
	sessions := 1000
	if os.Getenv("GST_KINESIS_SOAK") != "" {
		sessions = 100_000
	}
	for i := range sessions {
		session(500 + i)
	}
	require.Eventually(t, func() bool {
		after, now := measure()
		return after <= before+3 && now < heap+(2<<20)
	}, patience, 10*time.Millisecond)
	require.Len(t, srv.PutMediaSessions("cam"), 64)
	require.LessOrEqual(t, srv.Stats().VideoHeld, int64(1<<20))
	require.Positive(t, srv.Stats().VideoTrimmed)
}
