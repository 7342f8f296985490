package shard

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func evenShards(n int) []Shard {
	list := make([]Shard, n)
	for i, r := range EvenRanges(n) {
		list[i] = Shard{ID: fmt.Sprintf("shardId-%012d", i), Range: r}
	}
	return list
}

func TestMapFindsTheShard(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 7, 64, 1000} {
		list := evenShards(n)
		random.Shuffle(n, func(i, j int) { list[i], list[j] = list[j], list[i] })
		m, err := NewMap(list)
		require.NoError(t, err)
		require.Equal(t, n, m.Len())
		for i := range n {
			s := m.At(i)
			for _, h := range []Hash{s.Range.Start, s.Range.Middle(), s.Range.End} {
				require.Equal(t, i, m.Find(h))
			}
			at, ok := m.Index(s.ID)
			require.True(t, ok)
			require.Equal(t, i, at)
		}
		for range 1000 {
			h := Hash{Hi: random.Uint64(), Lo: random.Uint64()}
			require.True(t, m.At(m.Find(h)).Range.Contains(h))
		}
	}
}

// A split and a merge: parents are closed, and hold no key any more.
func TestMapAfterReshards(t *testing.T) {
	t.Parallel()
	list := evenShards(2)
	lower, upper, ok := list[0].Range.SplitAt(list[0].Range.Middle())
	require.True(t, ok)
	list[0].Closed = true
	list = append(list, Shard{ID: "lower", Range: lower}, Shard{ID: "upper", Range: upper})
	m, err := NewMap(list)
	require.NoError(t, err)
	require.Equal(t, 3, m.Len())
	_, ok = m.Index(list[0].ID)
	require.False(t, ok)
	require.Equal(t, "lower", m.At(m.Find(Hash{})).ID)

	list[1].Closed, list[3].Closed = true, true
	list = append(list, Shard{ID: "merged", Range: list[1].Range.Join(upper)})
	after, err := NewMap(list)
	require.NoError(t, err)
	require.Equal(t, 2, after.Len())
	require.Equal(t, "merged", after.At(after.Find(MaxHash())).ID)
	require.False(t, m.Equal(after))
	again, err := NewMap(list)
	require.NoError(t, err)
	require.True(t, after.Equal(again))
	require.False(t, (*Map)(nil).Equal(nil))
}

func TestMapRefusesWhatDoesNotCover(t *testing.T) {
	t.Parallel()
	list := evenShards(4)
	for name, bad := range map[string][]Shard{
		"nothing":          nil,
		"all closed":       {{ID: "a", Range: FullRange(), Closed: true}},
		"a gap":            {list[0], list[2], list[3]},
		"no beginning":     list[1:],
		"no end":           list[:3],
		"twice":            append([]Shard{list[1]}, list...),
		"parent and child": append([]Shard{{ID: "parent", Range: FullRange()}}, list...),
		"beyond the end":   append([]Shard{{ID: "more", Range: Range{Start: MaxHash(), End: MaxHash()}}}, list...),
	} {
		_, err := NewMap(bad)
		require.ErrorIs(t, err, ErrNoMap, name)
	}
}

func BenchmarkMapFind(b *testing.B) {
	m, err := NewMap(evenShards(1000))
	require.NoError(b, err)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Find(Hash{Hi: uint64(i) * 0x9e3779b97f4a7c15})
	}
}
