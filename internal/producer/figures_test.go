package producer

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/shard"
)

// The sums over shards are the sums of the books, by code too, and time is where it belongs.
func TestFiguresByShard(t *testing.T) {
	refused := map[string]bool{"000003": true, "000007": true}
	benchShards(t, func(s *Settings, f *fakeClient) {
		f.shards = 4
		s.Linger = 20 * time.Millisecond
		f.recordFault = func(_ int, r stored) (string, string) {
			if refused[r.data[:6]] && r.data != "" {
				delete(refused, r.data[:6])
				return "InternalFailure", "try again"
			}
			return "", ""
		}
	}, func(r *rig) {
		r.know()
		r.spread(400, 100)
		r.flush()
		s := r.p.Stats()
		require.Len(r, s.Shards, 4)
		require.Equal(r, 4, s.OpenShards)
		var put Count
		var units, bytes, retries, errors int64
		for i, shard := range s.Shards {
			require.Equal(r, fmt.Sprintf("shardId-%012d", i), shard.ID)
			require.True(r, shard.Limited)
			require.InDelta(r, 1, shard.Factor, 1e-9)
			put = put.plus(shard.Put)
			units, bytes = units+shard.KinesisRecords, bytes+shard.KinesisBytes
			retries, errors = retries+shard.Retries, errors+shard.Errors["InternalFailure"]
		}
		require.Equal(r, s.Books.Delivered, put)
		require.EqualValues(r, 401, put.Records)
		require.Equal(r, s.KinesisRecords, units)
		require.Equal(r, s.KinesisBytes, bytes)
		require.Greater(r, bytes, put.Bytes, "the keys count")
		require.Equal(r, s.Retries, retries)
		require.Equal(r, map[string]int64{"InternalFailure": 2}, s.Errors)
		require.EqualValues(r, 2, errors)
		require.EqualValues(r, retries, s.Tries.Retries)
		require.EqualValues(r, 401-retries, s.Tries.Records[0])

		require.EqualValues(r, 401, s.Buffering.Count())
		require.EqualValues(r, 401, s.Delivery.Count())
		require.Equal(r, s.Requests, s.Request.Count())
		require.Equal(r, time.Duration(s.Requests)*10*time.Millisecond, s.Request.Sum)
		require.LessOrEqual(r, s.Buffering.Sum, 401*20*time.Millisecond)
		require.Nil(r, s.Spool)
	})
}

// A request that fails as a whole is no shard's error; what we cut ourselves is nobody's.
func TestErrorsOfWholeRequests(t *testing.T) {
	benchShards(t, func(s *Settings, f *fakeClient) {
		s.StopTimeout = 0
		f.script = func(call int, _ []stored) (bool, error) {
			if call == 1 {
				return false, fmt.Errorf("what is this")
			}
			return true, nil
		}
	}, func(r *rig) {
		r.spread(5, 10)
		r.flush()
		s := r.p.Stats()
		require.Len(r, s.Errors, 1)
		for code, n := range s.Errors {
			require.EqualValues(r, 5, n, code)
		}
		for _, shard := range s.Shards {
			require.Empty(r, shard.Errors)
		}
		require.EqualValues(r, 1, s.Request.Count(), "the one that was answered")
	})
}

// However often the stream is resharded, no more than a bounded number of shards is remembered, and nothing of the sums is lost.
func TestShardsAreForgotten(t *testing.T) {
	t.Parallel()
	var f figures
	var l lane
	now := instant(0)
	const all = 20 * leastShards
	for i := range all {
		now += time.Minute
		s := f.of(&l, fmt.Sprint("shard-", i), now)
		s.KinesisRecords++
		s.Put.add(10)
		s.codes.add("Oops", 1)
		require.LessOrEqual(t, len(f.shards), leastShards)
	}
	require.EqualValues(t, all-leastShards, f.forgotten)
	sum := f.others.KinesisRecords
	for _, s := range f.shards {
		sum += s.KinesisRecords
	}
	require.EqualValues(t, all, sum)
	require.Equal(t, Count{Records: f.forgotten, Bytes: 10 * f.forgotten}, f.others.Put)
	require.Equal(t, f.forgotten, f.others.codes["Oops"])

	// One that comes back is a new one, though a lane remembers the old.
	old := lane{figures: f.at("back", now)}
	for i := range leastShards {
		now += shardMemory
		f.at(fmt.Sprint("later-", i), now)
	}
	require.NotContains(t, f.shards, "back")
	require.Same(t, f.of(&old, "back", now), f.shards["back"])

	// Many at a time are not made to push each other out.
	forgotten := f.forgotten
	for i := range 10 * leastShards {
		f.at(fmt.Sprint("burst-", i%(5*leastShards)), now+shardMemory/2)
	}
	require.LessOrEqual(t, f.forgotten-forgotten, int64(leastShards))
	require.Same(t, &f.others, f.at("no room", now+shardMemory/2))
	require.Same(t, &f.others, f.at("", now))

	var open []shard.Shard
	for i, r := range shard.EvenRanges(3 * leastShards) {
		open = append(open, shard.Shard{ID: fmt.Sprint("open-", i), Range: r})
	}
	var err error
	f.open, err = shard.NewMap(open)
	require.NoError(t, err)
	require.NotSame(t, &f.others, f.at("room now", now))
}

func TestCodesAreBounded(t *testing.T) {
	t.Parallel()
	var c codes
	for i := range 1000 {
		c.add(fmt.Sprint("Code", i), 1)
	}
	require.LessOrEqual(t, len(c), mostCodes+1)
	require.EqualValues(t, 1000-mostCodes, c[OtherCodes])
}

func TestTries(t *testing.T) {
	t.Parallel()
	var tries Tries
	for _, n := range []int32{1, 1, 2, 3, 4, 5, 6, 50, 51, 1000} {
		tries.again(n)
	}
	require.Equal(t, Tries{Retries: 1123, Records: [9]int64{0, 2, 1, 1, 2, 1, 0, 1, 2}}, tries)
}

// Powers of two in milliseconds are bounds, and the bounds are ends of buckets.
func TestHistogramBounds(t *testing.T) {
	t.Parallel()
	for ms := time.Millisecond; ms < 131*time.Second; ms *= 2 {
		i := bucketOf(ms)
		require.Equal(t, ms, HistogramBound(i))
		require.Equal(t, i+1, bucketOf(ms+1))
		require.Equal(t, HistogramOctave-1, i%HistogramOctave)
	}
	for i := range HistogramBuckets {
		require.Equal(t, i, bucketOf(HistogramBound(i)))
		require.Equal(t, i+1, bucketOf(HistogramBound(i)+1))
	}
	require.Equal(t, HistogramBuckets, bucketOf(never))
}

// To count costs no memory.
func TestCountingAllocatesNothing(t *testing.T) {
	var f figures
	var l lane
	now := instant(0)
	f.of(&l, "shardId-000000000000", now)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		now += time.Millisecond
		s := f.of(&l, "shardId-000000000000", now)
		s.KinesisRecords++
		s.Put.add(10)
		f.buffering.add(now)
		f.retries.again(1)
	}))
}

// BenchmarkCounting is what figures cost a record, beside the books.
func BenchmarkCounting(b *testing.B) {
	var f figures
	var l lane
	f.of(&l, "shardId-000000000000", 0)
	id := fmt.Sprint("shardId-", "000000000000") // not the same memory, as in an answer
	b.ReportAllocs()
	now := instant(0)
	for b.Loop() {
		now += time.Microsecond
		f.buffering.add(now % time.Second)
		s := f.of(&l, id, now)
		s.KinesisRecords++
		s.KinesisBytes += 100
		f.unitBytes += 100
		s.Put.add(100)
	}
}
