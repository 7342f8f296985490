package faults

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/internal/control"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/shard"
	"gst-kinesis/tests/kit"
)

// The load of TestResharding: more than a shard takes, less than three do.
const (
	reshardKeys = 50
	reshardRate = 1500
)

// TestResharding: the stream is split, merged and scaled while a pipeline streams 50 keys into it. The pipeline hears of no error; nothing is lost, keys keep
// their order; limiter and keys follow within seconds.
func TestResharding(t *testing.T) {
	gsttest.Goroutines(t)
	t.Run("all", func(t *testing.T) {
		t.Run("50 keys, strict", func(t *testing.T) {
			t.Parallel()
			r := resharding(t, "partition-key-mode=field partition-key-field=k ordering=strict")
			r.inOrder()
		})
		t.Run("50 keys, best effort", func(t *testing.T) {
			t.Parallel()
			r := resharding(t, "partition-key-mode=field partition-key-field=k")
			if r.stats().Uint64("records-throttled") == 0 { // else the service took a later record of a key before an earlier one
				r.inOrder()
			}
		})
		t.Run("spread", func(t *testing.T) {
			t.Parallel()
			resharding(t, "partition-key-mode=spread sensor-name=cam")
		})
	})
}

func resharding(t *testing.T, properties string) *rig {
	t.Helper()
	srv := endpoint(t, local.Settings{Limits: local.LimitsAWS, StateDelay: 100 * time.Millisecond})
	r := newRig(t, srv, properties)
	client := localtest.Client(srv, localtest.AnyCredentials())
	r.open(client) // which waits until the stream is there
	r.play()
	ctx, stop := context.WithCancel(t.Context())
	var feeding sync.WaitGroup
	feeding.Go(func() { r.feed(ctx) })
	defer feeding.Wait()
	defer stop()
	r.delivered(500)
	for _, change := range []struct {
		name string
		do   func(open []shard.Shard) error
	}{
		{"split", func(open []shard.Shard) error {
			_, err := client.SplitShard(ctx, &kinesis.SplitShardInput{StreamName: aws.String(stream), ShardToSplit: &open[0].ID,
				NewStartingHashKey: aws.String(open[0].Range.Middle().String())})
			return err
		}},
		{"merge", func(open []shard.Shard) error {
			_, err := client.MergeShards(ctx, &kinesis.MergeShardsInput{StreamName: aws.String(stream), ShardToMerge: &open[0].ID, AdjacentShardToMerge: &open[1].ID})
			return err
		}},
		{"update-shard-count 4", func([]shard.Shard) error { return update(ctx, client, 4) }},
		{"update-shard-count 2", func([]shard.Shard) error { return update(ctx, client, 2) }},
	} {
		throttled := r.stats().Uint64("records-throttled")
		before := r.open(client)
		require.NoError(t, change.do(before))
		took := r.reaches(client, before)
		t.Logf("%-22s after %v all shards have records; %d were throttled meanwhile", change.name, took.Round(10*time.Millisecond),
			r.stats().Uint64("records-throttled")-throttled)
		require.Less(t, took, 10*time.Second)
		r.steady()
	}
	stop()
	feeding.Wait()
	r.end()
	r.allDelivered()
	require.Empty(t, r.count(gst.MessageError, ""))
	return r
}

func update(ctx context.Context, client *kinesis.Client, n int32) error {
	_, err := client.UpdateShardCount(ctx, &kinesis.UpdateShardCountInput{StreamName: aws.String(stream), TargetShardCount: aws.Int32(n),
		ScalingType: types.ScalingTypeUniformScaling})
	return err
}

// feed pushes records of all keys in turn until ctx ends.
func (r *rig) feed(ctx context.Context) {
	began := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ctx.Err() == nil; <-tick.C {
		for ; n < int(time.Since(began).Seconds()*reshardRate); n++ {
			r.pushBytes(fmt.Appendf(nil, `{"k":"key%02d","n":"%08d"}`, n%reshardKeys, n))
		}
	}
}

// open gives the open shards by their ranges, when the stream is not being changed any more.
func (r *rig) open(client *kinesis.Client) []shard.Shard {
	r.t.Helper()
	kit.Until(r.t, "the stream is active", func() bool {
		out, err := client.DescribeStreamSummary(r.t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: aws.String(stream)})
		return err == nil && out.StreamDescriptionSummary.StreamStatus == types.StreamStatusActive
	})
	return r.list(client)
}

func (r *rig) list(client *kinesis.Client) (list []shard.Shard) {
	r.t.Helper()
	all, err := control.OpenShards(r.t.Context(), client, stream, "")
	require.NoError(r.t, err)
	m, err := shard.NewMap(all)
	require.NoError(r.t, err)
	for i := range m.Len() {
		list = append(list, m.At(i))
	}
	return list
}

// reaches waits until the open shards are others than before, and each has records of this sink: with keys that are spread that needs keys for the
// shards that are new.
func (r *rig) reaches(client *kinesis.Client, before []shard.Shard) time.Duration {
	r.t.Helper()
	began := time.Now()
	kit.Until(r.t, "all shards have records", func() bool {
		open, has := r.list(client), map[string]bool{}
		for _, s := range r.stored() {
			has[s.ShardID] = true
		}
		return !slices.Equal(open, before) && !slices.ContainsFunc(open, func(s shard.Shard) bool { return !has[s.ID] })
	})
	return time.Since(began)
}

// steady waits until the limiter keeps the sink from being throttled: nothing is, while a second's records are delivered.
func (r *rig) steady() {
	r.t.Helper()
	began, delivered, throttled := time.Now(), uint64(0), ^uint64(0)
	kit.Until(r.t, "the limiter follows", func() bool {
		s := r.stats()
		if n := s.Uint64("records-throttled"); n != throttled {
			began, delivered, throttled = time.Now(), s.Uint64("records-delivered"), n
		}
		return time.Since(began) > time.Second && s.Uint64("records-delivered") > delivered+500
	})
}
