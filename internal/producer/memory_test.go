package producer

import (
	"context"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/shard"
)

func TestThePoolTakesTheLargestRecord(t *testing.T) {
	t.Parallel()
	require.Less(t, shard.MaxMaxRecordBytes, 1<<maxClassBits)
}

func TestPoolNeverKeepsMoreThanItsLimit(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	p := &pool{limit: 1 << 20}
	var out []*Record
	var model int64
	for range 10000 {
		if r.IntN(2) == 0 || len(out) == 0 {
			size := r.IntN(1 << r.IntN(20))
			rec := p.take(size)
			if len(rec.Data) != size || rec.PartitionKey != "" || rec.ExplicitHashKey != "" || rec.Token != nil || rec.PTS != NoPTS || rec.tries != 0 || rec.next != nil {
				t.Fatalf("something of its past is left: %+v", rec)
			}
			rec.PartitionKey, rec.Token, rec.tries = "k", rec, 7
			model += rec.cost()
			out = append(out, rec)
		} else {
			i := r.IntN(len(out))
			model -= out[i].cost()
			var l list
			l.pushBack(out[i])
			p.give(&l)
			out[i] = out[len(out)-1]
			out = out[:len(out)-1]
		}
		if r.IntN(100) == 0 {
			p.trim()
		}
		lent, kept := p.levels()
		if lent != model || kept > p.limit {
			t.Fatalf("lent %d of %d, kept %d", lent, model, kept)
		}
	}
}

func TestRecordsTooLargeForThePool(t *testing.T) {
	t.Parallel()
	p := &pool{limit: 1 << 30}
	rec := p.take(1<<maxClassBits + 1)
	require.Len(t, rec.Data, 1<<maxClassBits+1)
	var l list
	l.pushBack(rec)
	p.give(&l)
	lent, kept := p.levels()
	require.Zero(t, lent)
	require.Zero(t, kept)
}

func TestIdleMemoryIsGivenBack(t *testing.T) {
	bench(t, nil, func(r *rig) {
		for range 50 {
			rec := r.p.Reserve(100 << 10)
			rec.PartitionKey = "k"
			require.NoError(r, r.p.Put(context.Background(), rec))
		}
		r.flush()
		require.Greater(r, r.p.Stats().MemoryKept, int64(3<<20))
		r.settle(3 * trimInterval)
		require.Zero(r, r.p.Stats().MemoryKept)
	})
}

func TestMemoryInUseIsNotTrimmed(t *testing.T) {
	bench(t, func(s *Settings, _ *fakeClient) { s.Linger = 0 }, func(r *rig) {
		for range 600 { // a minute
			r.put("k", "frame")
			r.settle(100 * time.Millisecond)
		}
		require.Positive(r, r.p.Stats().MemoryKept)
	})
}

func TestReleasedRecordsAreUsedAgain(t *testing.T) {
	bench(t, nil, func(r *rig) {
		first := r.p.Reserve(1000)
		r.p.Release(first)
		require.Same(r, first, r.p.Reserve(1010))
		require.Zero(r, r.p.Books().Accepted)
	})
}

// TestNothingIsAllocatedPerRecord counts allocations over many records in the
// steady state; requests themselves may allocate a little.
func TestNothingIsAllocatedPerRecord(t *testing.T) { //nolint:paralleltest // counts all allocations
	s := Default()
	s.Stream, s.MaxSizeBuffers = "frames", 2000 // so that the pool is soon as full as it gets
	p, err := New(newDiscard(), s, nil)
	require.NoError(t, err)
	defer p.Close()
	keys := []string{"a0", "b1", "c2", "d3"}
	send := func(n int) {
		for i := range n {
			r := p.Reserve(1 << 10)
			r.PartitionKey = keys[i%len(keys)]
			if err := p.Put(context.Background(), r); err != nil {
				t.Fatal(err)
			}
		}
		require.NoError(t, p.Flush(context.Background()))
	}
	const records = 100_000
	send(records)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	send(records)
	runtime.ReadMemStats(&after)
	require.Less(t, float64(after.Mallocs-before.Mallocs)/records, 0.1)
	require.Less(t, float64(after.TotalAlloc-before.TotalAlloc)/records, 64.0)
}

// TestMemoryStaysWithinTheBound sends much more than the bound through a producer
// that cannot keep up.
func TestMemoryStaysWithinTheBound(t *testing.T) { //nolint:paralleltest // measures the heap
	for _, leaky := range []Leaky{LeakyNo, LeakyUpstream, LeakyDownstream} {
		s := Default()
		s.Stream, s.MaxSizeBytes, s.Leaky = "frames", 8*shard.MiB, leaky
		p, err := New(newDiscard(), s, nil)
		require.NoError(t, err)
		runtime.GC()
		var before, now runtime.MemStats
		runtime.ReadMemStats(&before)
		r := rand.New(rand.NewPCG(5, 6))
		for i := range 20000 {
			rec := p.Reserve(r.IntN(100 << 10))
			rec.PartitionKey = "k"
			require.NoError(t, p.Put(context.Background(), rec))
			if i%2000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				require.Less(t, int64(now.HeapAlloc)-int64(before.HeapAlloc), 10*int64(shard.MiB), leaky)
				stats := p.Stats()
				require.LessOrEqual(t, stats.Memory, s.MaxSizeBytes)
				require.LessOrEqual(t, stats.MemoryKept, s.MaxSizeBytes)
			}
		}
		p.Close()
		require.True(t, p.Books().Balanced())
	}
}

func TestPaceYieldsAndRecovers(t *testing.T) {
	t.Parallel()
	s := Default()
	c := newPace(s)
	require.Equal(t, firstTarget, c.target)
	c.timedOut(600<<10, 5, 1*time.Second, 11*time.Second)
	require.Equal(t, 300<<10, c.target)
	require.Equal(t, s.MaxInFlight/2, c.flight)
	c.timedOut(600<<10, 5, 2*time.Second, 12*time.Second) // under way together with the first
	require.Equal(t, 300<<10, c.target)
	for range 10 {
		c.timedOut(c.target, 5, c.yielded, c.yielded+10*time.Second)
	}
	require.Equal(t, leastTarget, c.target)
	require.Equal(t, 1, c.flight)
	for range 10 { // a record alone gets more time
		c.timedOut(1<<20, 1, c.yielded, c.yielded+10*time.Second)
	}
	require.Equal(t, mostPatience*s.RequestTimeout, c.timeout)
	c.answered(c.target, 9*time.Second) // an answer, but a slow one
	require.Equal(t, leastTarget, c.target)
	require.Equal(t, 18*time.Second, c.silence())
	for range 20 {
		c.answered(c.target, time.Millisecond)
	}
	require.Equal(t, s.MaxBatchBytes, c.target)
	require.Equal(t, s.MaxInFlight, c.flight)
	require.Equal(t, s.RequestTimeout, c.timeout)
	c.answered(10, time.Millisecond)
	small := newPace(s)
	small.answered(10, time.Millisecond)
	require.Equal(t, firstTarget, small.target, "small requests tell nothing about large ones")
}

func TestLatencyQuantiles(t *testing.T) {
	t.Parallel()
	var l latencies
	snapshot := func(now instant) Latency {
		s, _ := l.snapshot(now)
		return s
	}
	require.Equal(t, Latency{}, snapshot(0))
	for i := 1; i <= 1000; i++ {
		l.add(time.Duration(i)*time.Millisecond, time.Second)
	}
	s := snapshot(time.Second)
	require.InEpsilon(t, 500*time.Millisecond, s.P50, 0.1)
	require.InEpsilon(t, 990*time.Millisecond, s.P99, 0.1)
	require.Equal(t, time.Second, s.Max)
	require.Equal(t, time.Second, s.Last)
	require.Equal(t, 500500*time.Microsecond, s.Mean)
	l.add(time.Microsecond, 12*time.Second)
	require.InEpsilon(t, 500*time.Millisecond, snapshot(12*time.Second).P50, 0.1, "the window before counts still")
	require.Less(t, snapshot(23*time.Second).P99, time.Millisecond)
	require.Zero(t, snapshot(time.Hour).P99)
	require.Equal(t, time.Second, snapshot(time.Hour).Max)
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	last := -1
	for d := time.Duration(1); d > 0 && d < 100*time.Hour; d += d/50 + 1 {
		i := bucketOf(d)
		require.GreaterOrEqual(t, i, last)
		last = i
		if i > 0 && i < HistogramBuckets {
			require.Less(t, bucketFloor(i), d)
			require.GreaterOrEqual(t, bucketFloor(i+1), d)
		}
	}
	require.Equal(t, 0, bucketOf(0))
	require.Equal(t, 0, bucketOf(-time.Second))
}

func TestBooksFoldTooManyReasons(t *testing.T) {
	t.Parallel()
	b := Books{Dropped: make(map[string]Count)}
	for i := range 1000 {
		b.Accepted.add(1)
		b.drop(string(rune('a'+i%26))+string(rune('a'+i/26)), 1)
	}
	require.LessOrEqual(t, len(b.Dropped), maxReasons+1)
	require.True(t, b.Balanced())
	require.Positive(t, b.Dropped[ReasonOther].Records)
	c := b.clone()
	c.drop("x", 1)
	require.True(t, b.Balanced(), "a copy is a copy")
}

func TestKindsOfTroubleAreBounded(t *testing.T) {
	bench(t, func(_ *Settings, f *fakeClient) {
		n := 0
		f.script = func(int, []stored) (bool, error) {
			if n++; n < 500 {
				return false, apiError(string(rune('a'+n%26))+string(rune('a'+n/26)), 500)
			}
			return false, nil
		}
	}, func(r *rig) {
		r.put("k", "x")
		r.settle(2 * time.Hour)
		require.Len(r, r.c.all(), 1)
		r.p.mu.Lock()
		defer r.p.mu.Unlock()
		require.LessOrEqual(r, r.p.health.ledger.Kinds(), maxReasons+1)
	})
}
