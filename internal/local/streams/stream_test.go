package streams

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/shard"
)

func TestStates(t *testing.T) {
	t.Parallel()
	const delay = 30 * time.Second
	s, c := newTestStore(t, 1, func(set *Settings) { set.StateDelay = delay })
	status := func() Status {
		info, err := s.Describe("s")
		require.NoError(t, err)
		return info.Status
	}
	require.Equal(t, StatusCreating, status())
	_, err := s.Put("s", []Item{item("k", "x")}, nil)
	requireCode(t, err, apierr.ResourceNotFound)
	_, shards, _, err := s.DescribeShards("s", nil, 10)
	require.NoError(t, err)
	require.Empty(t, shards)
	_, _, err = s.ListShards("s", ShardFilter{}, nil, 10)
	requireCode(t, err, apierr.ResourceInUse)
	requireCode(t, s.Create(CreateSpec{Name: "s"}), apierr.ResourceInUse)

	c.add(delay)
	require.Equal(t, StatusActive, status())
	require.NoError(t, s.SplitShard("s", "0", shard.FullRange().Middle()))
	require.Equal(t, StatusUpdating, status())
	require.Nil(t, put(t, s, item("k", "x"))[0].Err, "an UPDATING stream takes records")
	require.Equal(t, "Stream s under account 000000000000 not ACTIVE, instead in state UPDATING",
		requireCode(t, s.SetRetention("s", 48, true), apierr.ResourceInUse).Message)

	c.add(delay)
	require.NoError(t, s.Delete("s"))
	require.Equal(t, StatusDeleting, status())
	_, err = s.Put("s", []Item{item("k", "x")}, nil)
	requireCode(t, err, apierr.ResourceNotFound)
	c.add(delay)
	_, err = s.Describe("s")
	require.Equal(t, "Stream s under account 000000000000 not found.", requireCode(t, err, apierr.ResourceNotFound).Message)
	require.Zero(t, s.Usage().Bytes)
	require.NoError(t, s.Create(CreateSpec{Name: "s"}))
}

func TestResolve(t *testing.T) {
	t.Parallel()
	s, _ := newTestStore(t, 1)
	name, other, arn := "s", "t", s.ARN("s")
	require.Equal(t, "arn:aws:kinesis:us-east-1:000000000000:stream/s", arn)
	for _, pair := range [][2]*string{{&name, nil}, {nil, &arn}, {&name, &arn}} {
		got, err := s.Resolve(pair[0], pair[1])
		require.NoError(t, err)
		require.Equal(t, "s", got)
	}
	_, err := s.Resolve(nil, nil)
	requireCode(t, err, apierr.InvalidArgument)
	_, err = s.Resolve(&other, &arn)
	requireCode(t, err, apierr.InvalidArgument)
	foreign := "arn:aws:kinesis:us-east-1:111111111111:stream/s"
	_, err = s.Resolve(nil, &foreign)
	require.Equal(t, "Stream s under account 111111111111 not found.", requireCode(t, err, apierr.ResourceNotFound).Message)
}

func TestShardLimit(t *testing.T) {
	t.Parallel()
	s, _ := newTestStore(t, 3, func(set *Settings) { set.ShardLimit = 5 })
	e := requireCode(t, s.Create(CreateSpec{Name: "more", Shards: 3}), apierr.LimitExceeded)
	require.Contains(t, e.Message, "Current shard count for the account: 3. Limit: 5. Number of additional shards that would have resulted from this request: 3.")
	require.NoError(t, s.Create(CreateSpec{Name: "more", Shards: 2}))
	requireCode(t, s.SplitShard("s", "0", shard.EvenRanges(3)[0].Middle()), apierr.LimitExceeded)
	require.Equal(t, Limits{ShardLimit: 5, OpenShards: 5}, s.Limits())
}

func TestTags(t *testing.T) {
	t.Parallel()
	s, _ := newTestStore(t, 1)
	tags := map[string]string{}
	for i := range shard.MaxTags {
		tags[fmt.Sprintf("key%02d", i)] = "ä b_./=+-%@"
	}
	require.NoError(t, s.AddTags("s", tags))
	requireCode(t, s.AddTags("s", map[string]string{"one": "more"}), apierr.InvalidArgument)
	require.NoError(t, s.AddTags("s", map[string]string{"key00": "new"}))
	requireCode(t, s.AddTags("s", map[string]string{"key00": "no$"}), apierr.InvalidArgument)
	got, more, err := s.Tags("s", "key00", 10)
	require.NoError(t, err)
	require.True(t, more)
	require.Len(t, got, 10)
	require.Equal(t, "key01", got[0].Key)
	require.NoError(t, s.RemoveTags("s", []string{"key00", "absent"}))
	got, more, err = s.Tags("s", "", 0)
	require.NoError(t, err)
	require.False(t, more)
	require.Len(t, got, shard.MaxTags-1)
}

func TestOrderUnderConcurrency(t *testing.T) {
	t.Parallel()
	s, _ := newTestStore(t, 3, unlimited)
	const writers, each = 8, 200
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			key := fmt.Sprint("writer", w)
			var last Sequence
			for i := range each {
				res, err := s.Put("s", []Item{item(key, fmt.Sprint(i))}, nil)
				if err != nil || res.Placed[0].Err != nil {
					t.Errorf("putting: %v", err)
					return
				}
				seq, err := ParseSequence(res.Placed[0].Sequence)
				if err != nil || compare(last, seq) >= 0 {
					t.Errorf("%s does not follow %s", seq, last)
				}
				last = seq
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			_, _ = s.UpdateShardCount("s", 5)
			_, _ = s.UpdateShardCount("s", 3)
			_, _ = s.Records("s")
			s.ListStreams("", 10)
		}
	})
	wg.Wait()
	books, err := s.Records("s")
	require.NoError(t, err)
	require.Len(t, books, writers*each)
	next := map[string]int{}
	for _, r := range books {
		require.Equal(t, fmt.Sprint(next[r.PartitionKey]), string(r.Data), "records of a key are read in their order")
		next[r.PartitionKey]++
	}
}
