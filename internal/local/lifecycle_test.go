package local_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
)

func TestStopAndStartAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, demo(3))
	url := b.srv.URL()
	_, err := b.put()
	require.NoError(t, err)
	for range 3 {
		b.srv.Stop()
		b.srv.Stop()
		_, err = b.put()
		require.Error(t, err)
		require.NoError(t, b.srv.Start())
		require.Equal(t, url, b.srv.URL())
		_, err = b.put()
		require.NoError(t, err)
	}
	require.Equal(t, 12, b.stored())
	require.EqualValues(t, 4, b.srv.Stats().Count("PutRecords", ""), "counters go on")
	require.ErrorContains(t, b.srv.Start(), "it is started already")
}

func TestStopCutsConnections(t *testing.T) {
	t.Parallel()
	b := newBench(t, demo(1))
	conn, err := net.Dial("tcp", b.srv.Addr())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"))
	require.NoError(t, err)
	_, err = b.client.ListStreams(b.ctx, &kinesis.ListStreamsInput{})
	require.NoError(t, err)
	b.srv.Stop()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
	var timeout net.Error
	require.False(t, asNet(err, &timeout) && timeout.Timeout(), "the connection was cut")
}

func asNet(err error, target *net.Error) bool {
	e, ok := err.(net.Error)
	*target = e
	return ok
}

func TestCloseLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	arrived, goOn := make(chan struct{}), make(chan struct{})
	set := demo(3)
	set.Observe = func(local.Request) {
		// The answer is written but not yet flushed: the request is still under way.
		close(arrived)
		<-goOn
	}
	b := newBench(t, set)
	answered := make(chan error, 1)
	go func() {
		_, err := b.put()
		answered <- err
	}()
	<-arrived
	closed := make(chan error, 1)
	go func() { closed <- b.srv.Close(b.ctx) }()
	select {
	case <-closed:
		t.Fatal("closed while a request was under way")
	case <-time.After(20 * time.Millisecond):
	}
	close(goOn)
	require.NoError(t, <-answered)
	require.NoError(t, <-closed)
	require.ErrorContains(t, b.srv.Start(), "it was closed")
	require.NoError(t, b.srv.Close(b.ctx))
}

func TestNothingStaysBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		srv, err := local.New(demo(1))
		require.NoError(t, err)
		require.NoError(t, srv.Start())
		transport := &http.Transport{}
		client := localtest.Client(srv, localtest.AnyCredentials(), func(o *kinesis.Options) { o.HTTPClient = &http.Client{Transport: transport} })
		_, err = client.ListStreams(t.Context(), &kinesis.ListStreamsInput{})
		require.NoError(t, err)
		require.NoError(t, srv.Close(t.Context()))
		transport.CloseIdleConnections()
	}
	// The condition has a goroutine of its own while it runs.
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 5*time.Second, time.Millisecond)
}

func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	set := demo(3)
	set.Limits = local.LimitsNone
	b := newBench(t, set)
	ctx, cancel := context.WithCancel(b.ctx)
	var wg sync.WaitGroup
	var mu sync.Mutex
	accepted := 0
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if out, err := b.put(); err == nil && *out.FailedRecordCount == 0 {
					mu.Lock()
					accepted += 3
					mu.Unlock()
				}
			}
		})
	}
	for range 10 {
		n := b.srv.Stats().Records
		require.Eventually(t, func() bool { return b.srv.Stats().Records > n }, 5*time.Second, time.Millisecond)
		b.srv.Stop()
		require.NoError(t, b.srv.Start())
	}
	cancel()
	wg.Wait()
	mu.Lock()
	defer mu.Unlock()
	require.LessOrEqual(t, accepted, b.stored(), "what was accepted is stored; what was cut may be")
	require.LessOrEqual(t, b.stored()-accepted, 10*4*3)
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		set  local.Settings
		want string
	}{
		{local.Settings{Addr: "0.0.0.0:0"}, "other machines could reach it"},
		{local.Settings{Addr: ":4567"}, "other machines could reach it"},
		{local.Settings{Addr: "192.0.2.1:0"}, "other machines could reach it"},
		{local.Settings{Addr: "4567"}, "give host:port"},
		{local.Settings{Limits: "some"}, "neither aws nor none"},
		{local.Settings{MaxBytes: -1}, "must not be negative"},
		{local.Settings{Account: "12"}, "not 12 digits"},
		{local.Settings{Credentials: []local.Credentials{{AccessKeyID: "x"}}}, "need both"},
		{local.Settings{Create: []local.StreamSpec{{Name: "a b"}}}, "is no stream name"},
		{local.Settings{Faults: []local.Rule{{}}}, "the rule does nothing"},
		{local.Settings{Create: []local.StreamSpec{{Name: "a"}, {Name: "b", Shards: 30000}}}, "shard limit"},
	} {
		_, err := local.New(tc.set)
		require.ErrorContains(t, err, tc.want)
		require.ErrorContains(t, err, "setting up the embedded endpoint: ")
	}
	for _, addr := range []string{"localhost:0", "127.0.0.2:0", "[::1]:0"} {
		_, err := local.New(local.Settings{Addr: addr})
		require.NoError(t, err)
	}
	srv, err := local.New(local.Settings{Addr: "0.0.0.0:0", AllowRemote: true})
	require.NoError(t, err)
	require.NoError(t, srv.Start())
	require.Regexp(t, `^http://127\.0\.0\.1:\d+$`, srv.URL(), "where a client on this machine finds it")
	require.NoError(t, srv.Close(t.Context()))
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	first := localtest.Start(t, local.Settings{})
	second, err := local.New(local.Settings{Addr: first.Addr()})
	require.NoError(t, err)
	require.ErrorContains(t, second.Start(), "starting the embedded endpoint: listening on "+first.Addr())
}

func TestParseStreamSpec(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]local.StreamSpec{"demo": {Name: "demo", Shards: 1}, "a.b-c_D:12": {Name: "a.b-c_D", Shards: 12}} {
		got, err := local.ParseStreamSpec(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"", ":1", "a:", "a:0", "a:x", "a:1:2", "ä", strings.Repeat("a", 129)} {
		_, err := local.ParseStreamSpec(text)
		require.Error(t, err, text)
	}
}

// lines collects what a logger writes.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestFullMemoryIsSaidOnce(t *testing.T) {
	t.Parallel()
	var log lines
	set := demo(3)
	set.MaxBytes, set.Limits, set.Logger = 64<<10, local.LimitsNone, slog.New(slog.NewTextHandler(&log, nil))
	b := newBench(t, set)
	for range 100 {
		_, err := b.put()
		require.NoError(t, err)
	}
	st := b.srv.Stats()
	require.LessOrEqual(t, st.Held, set.MaxBytes)
	require.EqualValues(t, 300, int64(b.stored())+st.Trimmed)
	require.Equal(t, 1, strings.Count(log.String(), "memory is full"))
	require.Contains(t, log.String(), "level=WARN")
}

func TestRequestsAreObserved(t *testing.T) {
	t.Parallel()
	seen := make(chan local.Request, 8)
	set := demo(3)
	set.Observe = func(r local.Request) { seen <- r }
	b := newBench(t, set)
	_, err := b.put()
	require.NoError(t, err)
	r := <-seen
	require.Equal(t, "PutRecords", r.Operation)
	require.Equal(t, "demo", r.Stream)
	require.Equal(t, 200, r.Status)
	require.Equal(t, 3, r.Records)
	require.EqualValues(t, 3003, r.Bytes)
	require.Positive(t, r.Duration)
	require.Len(t, r.RequestID, 36)
	_, err = b.client.DescribeStream(b.ctx, &kinesis.DescribeStreamInput{StreamName: aws.String("none")})
	require.Error(t, err)
	r = <-seen
	require.Equal(t, "ResourceNotFoundException", r.Code)
	require.Equal(t, 400, r.Status)
}

func TestCloseDoesNotWaitForUnusedConnections(t *testing.T) {
	t.Parallel()
	b := newBench(t, demo(1))
	unused, err := net.Dial("tcp", b.srv.Addr())
	require.NoError(t, err)
	defer unused.Close()
	_, err = b.client.ListStreams(b.ctx, &kinesis.ListStreamsInput{}) // its connection stays open, idle
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(b.ctx, 3*time.Second)
	defer cancel()
	require.NoError(t, b.srv.Close(ctx))
}
