package consumer_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/consumer"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
)

// client returns a client that leaves no connection behind: one that was opened
// and never used would keep the endpoint from closing.
func client(t *testing.T, srv *local.Server) *kinesis.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return localtest.Client(srv, localtest.AnyCredentials(), func(o *kinesis.Options) { o.HTTPClient = &http.Client{Transport: transport} })
}

// reader collects what a consumer of stream "s" hands over.
type reader struct {
	*consumer.Consumer
	mu   sync.Mutex
	got  []string // "key data"
	grew chan struct{}
}

func read(t *testing.T, srv *local.Server, o consumer.Options) *reader {
	t.Helper()
	r := &reader{grew: make(chan struct{}, 1)}
	o.Stream = "s"
	c, err := consumer.Start(client(t, srv), o, r.take)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	r.Consumer = c
	return r
}

func (r *reader) take(_ context.Context, b consumer.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range b.Records {
		r.got = append(r.got, rec.PartitionKey+" "+string(rec.Data))
	}
	select {
	case r.grew <- struct{}{}:
	default:
	}
	return nil
}

func (r *reader) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// waitFor waits for so many records.
func (r *reader) waitFor(t *testing.T, n int) []string {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		if got := r.all(); len(got) >= n {
			return got
		}
		select {
		case <-r.grew:
		case <-timeout:
			t.Fatalf("%d of %d records", len(r.all()), n)
		}
	}
}

func put(t *testing.T, srv *local.Server, key, data string) string {
	t.Helper()
	_, err := client(t, srv).PutRecord(context.Background(),
		&kinesis.PutRecordInput{StreamName: aws.String("s"), PartitionKey: aws.String(key), Data: []byte(data)})
	require.NoError(t, err)
	return key + " " + data
}

func TestEndpointIsReadWithinItsLimits(t *testing.T) {
	t.Parallel()
	srv := localtest.Start(t, local.Settings{Create: []local.StreamSpec{{Name: "s", Shards: 3}}})
	var want []string
	for i := range 30 {
		want = append(want, put(t, srv, fmt.Sprint("k", i%7), fmt.Sprintf("%02d", i)))
	}
	r := read(t, srv, consumer.Options{From: consumer.TrimHorizon(), MaxRecords: 2, PollInterval: time.Millisecond})
	require.ElementsMatch(t, want, r.waitFor(t, 30))
	for range 5 { // and on at the tip, where each record is answered by an empty read or two
		want = append(want, put(t, srv, "k0", "tip"))
		r.waitFor(t, len(want))
	}
	require.Zero(t, r.Stats().Throttled)
	require.Zero(t, srv.Stats().Count("GetRecords", "ProvisionedThroughputExceededException"))
}

func TestEndpointIsReshardedWhileRead(t *testing.T) {
	t.Parallel()
	srv := localtest.Start(t, local.Settings{Create: []local.StreamSpec{{Name: "s", Shards: 1}}})
	r := read(t, srv, consumer.Options{From: consumer.TrimHorizon()})
	admin := client(t, srv)
	var want []string
	for round := range 4 {
		for i := range 20 {
			want = append(want, put(t, srv, fmt.Sprint("k", i%5), fmt.Sprintf("%d-%02d", round, i)))
		}
		_, err := admin.UpdateShardCount(context.Background(), &kinesis.UpdateShardCountInput{
			StreamName: aws.String("s"), TargetShardCount: aws.Int32([]int32{2, 4, 2, 1}[round]), ScalingType: "UNIFORM_SCALING"})
		require.NoError(t, err)
	}
	want = append(want, put(t, srv, "k0", "9"))
	got := r.waitFor(t, len(want))
	require.ElementsMatch(t, want, got)
	last := map[string]string{}
	for _, rec := range got {
		key, data, _ := strings.Cut(rec, " ")
		require.Greater(t, data, last[key], "order of %s", key)
		last[key] = data
	}
}

func TestEndpointGoesAndComes(t *testing.T) {
	t.Parallel()
	srv := localtest.Start(t, local.Settings{Create: []local.StreamSpec{{Name: "s", Shards: 2}}})
	r := read(t, srv, consumer.Options{From: consumer.TrimHorizon()})
	want := []string{put(t, srv, "a", "1")}
	r.waitFor(t, 1)
	srv.Stop()
	require.Eventually(t, func() bool { return r.Stats().Retried > 1 }, 20*time.Second, time.Millisecond)
	require.NoError(t, srv.Start())
	want = append(want, put(t, srv, "b", "2"))
	require.Equal(t, want, r.waitFor(t, 2))
}

func TestEndpointsIteratorsExpire(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var ahead time.Duration
	srv := localtest.Start(t, local.Settings{Create: []local.StreamSpec{{Name: "s", Shards: 1}}, Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(ahead)
	}})
	r := read(t, srv, consumer.Options{From: consumer.TrimHorizon()})
	want := []string{put(t, srv, "a", "1")}
	r.waitFor(t, 1)
	for i := range 2 {
		mu.Lock()
		ahead += 6 * time.Minute
		mu.Unlock()
		want = append(want, put(t, srv, "a", fmt.Sprint(i+2)))
		require.Equal(t, want, r.waitFor(t, i+2))
	}
	require.EqualValues(t, 2, r.Stats().Expired)
}

func TestEndpointDeletesTheStream(t *testing.T) {
	t.Parallel()
	srv := localtest.Start(t, local.Settings{Create: []local.StreamSpec{{Name: "s", Shards: 2}}})
	c, err := consumer.Start(client(t, srv), consumer.Options{Stream: "s", From: consumer.TrimHorizon()},
		func(context.Context, consumer.Batch) error { return nil })
	require.NoError(t, err)
	require.Eventually(t, func() bool { return c.Stats().Calls > 1 }, 20*time.Second, time.Millisecond)
	require.NoError(t, srv.DeleteStream("s"))
	var failure *consumer.Error
	require.ErrorAs(t, c.Wait(), &failure)
	require.Equal(t, "ResourceNotFoundException", failure.Fault.Code)
}
