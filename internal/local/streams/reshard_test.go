package streams

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/shard"
)

// requireCover fails unless the open shards cover all hash keys without overlap and lineage and numbers are in order.
func requireCover(t *testing.T, s *Store) {
	t.Helper()
	st, err := s.find("s")
	require.NoError(t, err)
	defer st.mu.Unlock()
	var next shard.Hash
	for i, sh := range st.open {
		if !sh.open() || sh.hashes.Start != next {
			t.Fatalf("open shard %d: %+v", i, sh)
		}
		next = sh.hashes.End.Next()
	}
	require.Equal(t, shard.Hash{}, next, "the last range ends at the last hash key")
	for i, sh := range st.shards {
		if i != sh.index || sh.open() != (len(sh.children) == 0) {
			t.Fatalf("shard %d: %+v", i, sh)
		}
		for _, c := range sh.children {
			child := st.shards[c]
			end, start := sh.ending().words(), child.starting().words()
			if sh.created >= child.created || slices.Compare(end[:], start[:]) >= 0 || child.parent != i && child.merged != i {
				t.Fatalf("shard %d is no child of %d", c, i)
			}
		}
	}
}

func TestReshardingProperty(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s, c := newTestStore(t, 1+rng.IntN(5), unlimited)
		for step := range 40 {
			c.add(time.Duration(rng.IntN(1500)) * time.Millisecond)
			stepReshard(t, s, rng)
			requireCover(t, s)
			key := fmt.Sprint("key", step)
			placed := put(t, s, item(key, "x"))
			require.Nil(t, placed[0].Err)
		}
		requireOrderOfKeys(t, s)
	}
}

// stepReshard splits, merges or rescales at random.
func stepReshard(t *testing.T, s *Store, rng *rand.Rand) {
	t.Helper()
	open, _, err := s.ListShards("s", ShardFilter{Type: FilterAtLatest}, nil, 10000)
	require.NoError(t, err)
	pick := open[rng.IntN(len(open))]
	r, err := shard.ParseRange(pick.Start, pick.End)
	require.NoError(t, err)
	switch rng.IntN(3) {
	case 0:
		require.NoError(t, s.SplitShard("s", pick.ID, r.Middle()))
	case 1:
		for _, other := range open {
			o, err := shard.ParseRange(other.Start, other.End)
			require.NoError(t, err)
			err = s.MergeShards("s", pick.ID, other.ID)
			if r.Adjacent(o) {
				require.NoError(t, err)
				return
			}
			requireCode(t, err, apierr.InvalidArgument)
		}
	default:
		n := len(open)
		least, most := (n+1)/2, min(2*n, 24)
		target := least + rng.IntN(max(1, most-least+1))
		current, err := s.UpdateShardCount("s", target)
		require.NoError(t, err)
		require.Equal(t, n, current)
		info, err := s.Describe("s")
		require.NoError(t, err)
		require.Equal(t, target, info.OpenShards)
	}
}

// requireOrderOfKeys checks that the numbers of all records grow in the order of arrival for records of the same key.
func requireOrderOfKeys(t *testing.T, s *Store) {
	t.Helper()
	books, err := s.Records("s")
	require.NoError(t, err)
	require.Len(t, books, 40)
	seen := map[string]bool{}
	for _, r := range books {
		require.False(t, seen[r.SequenceNumber])
		seen[r.SequenceNumber] = true
	}
}

func TestNumbersOfAKeyGrowThroughResharding(t *testing.T) {
	t.Parallel()
	s, _ := newTestStore(t, 2, unlimited)
	var last Sequence
	for i := range 60 {
		placed := put(t, s, item("camera", "x"))
		seq, err := ParseSequence(placed[0].Sequence)
		require.NoError(t, err)
		require.Negative(t, compare(last, seq), "record %d", i)
		last = seq
		switch i % 20 {
		case 5:
			_, err = s.UpdateShardCount("s", 4)
		case 10:
			_, err = s.UpdateShardCount("s", 3)
		case 15:
			_, err = s.UpdateShardCount("s", 2)
		}
		require.NoError(t, err)
	}
}

func TestEvenScaling(t *testing.T) {
	t.Parallel()
	s, _ := newTestStore(t, 2)
	for _, n := range []int{4, 3, 5, 9, 5, 3, 2, 1, 2} {
		_, err := s.UpdateShardCount("s", n)
		require.NoError(t, err)
		open, _, err := s.ListShards("s", ShardFilter{Type: FilterAtLatest}, nil, 100)
		require.NoError(t, err)
		got := map[shard.Range]bool{}
		for _, sh := range open {
			r, err := shard.ParseRange(sh.Start, sh.End)
			require.NoError(t, err)
			got[r] = true
		}
		for _, want := range shard.EvenRanges(n) {
			require.True(t, got[want], "%d shards lack %v", n, want)
		}
		requireCover(t, s)
	}
}

func TestScalingErrors(t *testing.T) {
	t.Parallel()
	s, c := newTestStore(t, 4)
	_, err := s.UpdateShardCount("s", 9)
	require.Equal(t, "UpdateShardCount cannot scale up over double your current open shard count. Current open shard count: 4 Target shard count: 9",
		requireCode(t, err, apierr.InvalidArgument).Message)
	_, err = s.UpdateShardCount("s", 1)
	requireCode(t, err, apierr.InvalidArgument)
	for i := range maxScalings {
		_, err = s.UpdateShardCount("s", 4+i%2)
		require.NoError(t, err)
	}
	_, err = s.UpdateShardCount("s", 4)
	requireCode(t, err, apierr.LimitExceeded)
	c.add(24 * time.Hour)
	_, err = s.UpdateShardCount("s", 4)
	require.NoError(t, err)
	_, err = s.UpdateShardCount("none", 4)
	requireCode(t, err, apierr.ResourceNotFound)
}

func TestSplitAndMergeErrors(t *testing.T) {
	t.Parallel()
	s, _ := newTestStore(t, 3)
	r := shard.EvenRanges(3)[1]
	for _, at := range []shard.Hash{{}, r.Start, r.Start.Next(), r.End, r.End.Next(), shard.MaxHash()} {
		requireCode(t, s.SplitShard("s", "shardId-000000000001", at), apierr.InvalidArgument)
	}
	require.Equal(t, "Could not find shard shardId-000000000009 in stream s under account 000000000000.",
		requireCode(t, s.SplitShard("s", "shardId-000000000009", r.Middle()), apierr.ResourceNotFound).Message)
	requireCode(t, s.MergeShards("s", "shardId-000000000000", "shardId-000000000002"), apierr.InvalidArgument)
	requireCode(t, s.MergeShards("s", "shardId-000000000000", "shardId-000000000000"), apierr.InvalidArgument)
	require.NoError(t, s.SplitShard("s", "shardId-000000000001", r.Middle()))
	requireCode(t, s.SplitShard("s", "shardId-000000000001", r.Middle()), apierr.InvalidArgument)
	requireCover(t, s)
}

func TestEndOfAClosedShard(t *testing.T) {
	t.Parallel()
	s, c := newTestStore(t, 1, unlimited)
	put(t, s, item("k", "before"))
	it := iterator(t, s, IteratorSpec{Shard: "0", Type: TrimHorizon})
	require.NoError(t, s.SplitShard("s", "0", shard.FullRange().Middle()))
	placed := put(t, s, item("k", "after"))
	b, err := s.Get(it, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"before"}, datas(b))
	require.Empty(t, b.Children)
	b, err = s.Get(b.Next, 0)
	require.NoError(t, err)
	require.Empty(t, b.Next)
	require.Empty(t, b.Records)
	require.Len(t, b.Children, 2)
	require.Equal(t, "shardId-000000000000", b.Children[0].Parent)
	b, err = s.Get(iterator(t, s, IteratorSpec{Shard: placed[0].Shard, Type: TrimHorizon}), 0)
	require.NoError(t, err)
	require.Equal(t, []string{"after"}, datas(b))

	c.add(24*time.Hour + time.Second)
	_, err = s.Iterator("s", IteratorSpec{Shard: "0", Type: TrimHorizon})
	requireCode(t, err, apierr.ResourceNotFound)
	_, shards, _, err := s.DescribeShards("s", nil, 10)
	require.NoError(t, err)
	require.Len(t, shards, 2, "a closed shard is gone with its records")
}

func TestShardFilters(t *testing.T) {
	t.Parallel()
	s, c := newTestStore(t, 1)
	start := c.now()
	c.add(time.Hour)
	require.NoError(t, s.SplitShard("s", "0", shard.FullRange().Middle())) // 0 -> 1, 2
	c.add(time.Hour)
	require.NoError(t, s.MergeShards("s", "1", "2")) // 1, 2 -> 3
	first, second, third := start.Add(time.Minute), start.Add(90*time.Minute), start.Add(2*time.Hour)
	one := "shardId-000000000001"
	for _, tc := range []struct {
		filter ShardFilter
		want   string
	}{
		{ShardFilter{}, "0123"},
		{ShardFilter{Type: FilterFromTrimHorizon}, "0123"},
		{ShardFilter{Type: FilterAtTrimHorizon}, "0"},
		{ShardFilter{Type: FilterAtLatest}, "3"},
		{ShardFilter{Type: FilterAfterShardID, Shard: &one}, "23"},
		{ShardFilter{Type: FilterAtTimestamp, At: &first}, "0"},
		{ShardFilter{Type: FilterAtTimestamp, At: &second}, "12"},
		{ShardFilter{Type: FilterFromTimestamp, At: &second}, "123"},
		{ShardFilter{Type: FilterFromTimestamp, At: &third}, "123"},
	} {
		require.Equal(t, tc.want, pages(t, s, tc.filter, 10), "%+v", tc.filter)
		require.Equal(t, tc.want, pages(t, s, tc.filter, 1), "pages of %+v", tc.filter)
	}
	_, next, err := s.ListShards("s", ShardFilter{}, nil, 1)
	require.NoError(t, err)
	c.add(shard.NextTokenLife + time.Second)
	_, _, err = s.NextShards(next, 1)
	requireCode(t, err, apierr.ExpiredNextToken)
	_, _, err = s.NextShards("nonsense", 1)
	requireCode(t, err, apierr.InvalidArgument)
}

// pages lists shards in pages of a size and returns the last digits of their ids in a row.
func pages(t *testing.T, s *Store, filter ShardFilter, size int) (text string) {
	t.Helper()
	list, next, err := s.ListShards("s", filter, nil, size)
	for {
		require.NoError(t, err)
		text += ids(list)
		if next == "" {
			return text
		}
		list, next, err = s.NextShards(next, size)
	}
}

// ids returns the last digits of shard ids in a row.
func ids(list []ShardInfo) string {
	text := ""
	for _, sh := range list {
		text += sh.ID[len(sh.ID)-1:]
	}
	return text
}
