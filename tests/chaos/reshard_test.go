package chaos

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/control"
	"gst-kinesis/internal/shard"
	"gst-kinesis/tests/kit"
)

// followWithin is how soon the producer must have followed a reshard: it lists the shards when an answer surprises it, at most once a second.
const followWithin = 10 * time.Second

// reshards are the lines of the table in which the stream's shards change.
func reshards() []trouble {
	return []trouble{
		{name: "split under load", inject: reshard(split)},
		{name: "merge under load", inject: reshard(merge)},
		{name: "update-shard-count under load", inject: reshard(double, halve)},
		{name: "all reshards and cut answers", inject: reshardRoughly, unsure: true},
	}
}

// open lists the open shards.
func (r *rig) openShards() []shard.Shard {
	r.Helper()
	list, err := control.OpenShards(r.Context(), r.client(), stream, "")
	require.NoError(r, err)
	m, err := shard.NewMap(list)
	require.NoError(r, err)
	list = list[:0]
	for i := range m.Len() {
		list = append(list, m.At(i))
	}
	return list
}

func split(r *rig) error {
	s := r.openShards()[0]
	_, err := r.client().SplitShard(r.Context(), &kinesis.SplitShardInput{StreamName: aws.String(stream), ShardToSplit: &s.ID,
		NewStartingHashKey: aws.String(s.Range.Middle().String())})
	return err
}

func merge(r *rig) error {
	list := r.openShards()
	_, err := r.client().MergeShards(r.Context(), &kinesis.MergeShardsInput{StreamName: aws.String(stream), ShardToMerge: &list[1].ID, AdjacentShardToMerge: &list[2].ID})
	return err
}

func double(r *rig) error { return update(r, 2*len(r.openShards())) }
func halve(r *rig) error  { return update(r, (len(r.openShards())+1)/2) }

func update(r *rig, n int) error {
	_, err := r.client().UpdateShardCount(r.Context(), &kinesis.UpdateShardCountInput{StreamName: aws.String(stream), TargetShardCount: aws.Int32(int32(n)),
		ScalingType: types.ScalingTypeUniformScaling})
	return err
}

// reshard changes the shards, waits each time until the producer knows, and says how long that took.
func reshard(changes ...func(r *rig) error) func(r *rig, lasts time.Duration) func() {
	return func(r *rig, lasts time.Duration) func() {
		for _, change := range changes {
			require.NoError(r, change(r))
			took := r.follows()
			r.note += fmt.Sprintf("followed in %v ", took.Round(10*time.Millisecond))
			require.Less(r, took, followWithin)
			time.Sleep(lasts / time.Duration(len(changes)))
		}
		return func() {}
	}
}

// follows waits until the producer's lanes and limiters are those of the open shards.
func (r *rig) follows() time.Duration {
	r.Helper()
	began := time.Now()
	list := r.openShards()
	want, err := shard.NewMap(list)
	require.NoError(r, err)
	kit.Until(r, "lanes and limiters follow", func() bool {
		states := r.limits.States(time.Now())
		if m := r.p.Shards(); m == nil || !m.Equal(want) || len(states) != len(list) {
			return false
		}
		for _, s := range list {
			if _, ok := states[s.ID]; !ok {
				return false
			}
		}
		return true
	})
	return time.Since(began)
}

// reshardRoughly changes the shards while answers get lost, without waiting.
func reshardRoughly(r *rig, lasts time.Duration) func() {
	h, err := r.srv.AddFault(*rule(lossy()))
	require.NoError(r, err)
	changes := []func(*rig) error{split, double, merge, merge, split, halve}
	for _, change := range changes {
		require.NoError(r, change(r))
		time.Sleep(lasts / time.Duration(len(changes)))
	}
	return func() {
		kit.Until(r, "it has struck", func() bool { return h.Fired() >= 3 })
		h.Remove()
		r.follows()
	}
}
