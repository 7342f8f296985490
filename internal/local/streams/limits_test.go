package streams

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/shard"
)

// write puts n records of a size and counts which were stored.
func write(t *testing.T, s *Store, n, size int) (stored int) {
	t.Helper()
	items := make([]Item, n)
	one := item("k", strings.Repeat("x", size-1)) // its data is shared: nobody changes it
	for i := range items {
		items[i] = one
	}
	for _, p := range put(t, s, items...) {
		if p.Err == nil {
			stored++
			continue
		}
		require.Equal(t, apierr.ThroughputExceeded, p.Err.Code)
		require.Equal(t, "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000.", p.Err.Message)
	}
	return stored
}

func TestWriteLimitOfRecords(t *testing.T) {
	t.Parallel()
	s, c := newTestStore(t, 1)
	require.Equal(t, shard.WriteRecordsPerSecond, write(t, s, 1200, 10))
	c.add(250 * time.Millisecond)
	require.Equal(t, 250, write(t, s, 1200, 10))
	c.add(time.Hour)
	require.Equal(t, shard.WriteRecordsPerSecond, write(t, s, 1200, 10), "what is not used is not saved")
}

func TestWriteLimitOfBytes(t *testing.T) {
	t.Parallel()
	s, c := newTestStore(t, 1)
	require.Equal(t, 10, write(t, s, 20, shard.MiB), "the tank holds 10 MiB")
	require.Zero(t, write(t, s, 1, 1000))
	c.add(time.Second)
	require.Equal(t, 1, write(t, s, 5, shard.MiB), "it refills by 1 MiB a second")
	c.add(500 * time.Millisecond)
	require.Equal(t, 5, write(t, s, 6, shard.MiB/10))
	c.add(time.Hour)
	require.Equal(t, 1, write(t, s, 2, 10*shard.MiB))
}

func TestLimitsAreOfEachShard(t *testing.T) {
	t.Parallel()
	s, _ := newTestStore(t, 2)
	ends := shard.EvenRanges(2)
	low := Item{Key: "l", Hash: ends[0].Start, Data: make([]byte, 4*shard.MiB)}
	high := Item{Key: "h", Hash: ends[1].Start, Data: make([]byte, 4*shard.MiB)}
	placed := put(t, s, low, low, low, high, high, high)
	for i, want := range []bool{true, true, false, true, true, false} {
		require.Equal(t, want, placed[i].Err == nil, "record %d", i)
	}
	require.Contains(t, placed[5].Err.Message, "shardId-000000000001")
}

func TestReadLimits(t *testing.T) {
	t.Parallel()
	s, c := newTestStore(t, 1)
	require.Equal(t, 10, write(t, s, 10, shard.MiB))
	c.add(time.Minute)
	read := func() (Batch, error) {
		return s.Get(iterator(t, s, IteratorSpec{Shard: "shardId-000000000000", Type: TrimHorizon}), 0)
	}
	b, err := read()
	require.NoError(t, err)
	require.Len(t, b.Records, 10)
	for range 4 {
		c.add(1100 * time.Millisecond)
		_, err = read()
		requireCode(t, err, apierr.ThroughputExceeded)
	}
	c.add(700 * time.Millisecond)
	_, err = read()
	require.NoError(t, err, "a full answer blocks for five seconds")

	latest := iterator(t, s, IteratorSpec{Shard: "0", Type: Latest})
	c.add(time.Minute)
	for range shard.ReadCallsPerSecond {
		_, err = s.Get(latest, 0)
		require.NoError(t, err)
	}
	_, err = s.Get(latest, 0)
	require.Equal(t, "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000.",
		requireCode(t, err, apierr.ThroughputExceeded).Message)
	c.add(200 * time.Millisecond)
	_, err = s.Get(latest, 0)
	require.NoError(t, err)
}

func TestNoLimits(t *testing.T) {
	t.Parallel()
	s, _ := newTestStore(t, 1, unlimited)
	require.Equal(t, 5000, write(t, s, 5000, 100))
	require.Equal(t, 30, write(t, s, 30, shard.MiB))
	for range 50 {
		_, err := s.Get(iterator(t, s, IteratorSpec{Shard: "0", Type: TrimHorizon}), 1)
		require.NoError(t, err)
	}
}

func TestClockBackwards(t *testing.T) {
	t.Parallel()
	s, c := newTestStore(t, 1)
	require.Equal(t, 1000, write(t, s, 1000, 10))
	c.add(-time.Hour)
	require.Zero(t, write(t, s, 1, 10))
	c.add(time.Second)
	placed := put(t, s, item("k", "late"))
	require.Nil(t, placed[0].Err)
	books, err := s.Records("s")
	require.NoError(t, err)
	require.Equal(t, books[999].Arrival, books[1000].Arrival, "arrivals never go back")
}
