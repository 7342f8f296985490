package producer

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/limit"
)

// benchShards is bench with a producer that knows the stream's shards.
func benchShards(t *testing.T, prepare func(*Settings, *fakeClient), body func(*rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := new(fakeClient)
		inBubble(t, func(s *Settings, f *fakeClient) {
			c = f
			if prepare != nil {
				prepare(s, f)
			}
		}, body, func(p *Producer) { WithShards(c.ListShards)(p) })
	})
}

// know lets the producer learn of the shards, by a record that goes before.
func (r *rig) know() {
	r.Helper()
	r.spread(1, 100)
	r.settle(100 * time.Millisecond)
}

// spread puts n records of a size under as many keys.
func (r *rig) spread(n, size int) {
	r.Helper()
	for i := range n {
		rec := r.p.Reserve(size)
		copy(rec.Data, fmt.Sprintf("%06d", i))
		rec.PartitionKey = fmt.Sprint("key", i)
		require.NoError(r, r.p.Put(context.Background(), rec))
	}
}

// A producer alone is not throttled: it keeps to each shard's limits by itself, and makes use of them.
func TestWithinTheShardsLimits(t *testing.T) {
	for name, c := range map[string]struct {
		shards, records, size int
		least, most           time.Duration
	}{
		"records on one shard":  {1, 11_000, 100, 9800 * time.Millisecond, 11 * time.Second},
		"records on four":       {4, 44_000, 100, 9800 * time.Millisecond, 12 * time.Second},
		"bytes on one":          {1, 300, 100 << 10, 18 * time.Second, 21 * time.Second},
		"all that fits at once": {1, 1000, 100, 0, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			benchShards(t, func(s *Settings, f *fakeClient) {
				f.shards, f.limited = c.shards, true
				s.MaxSizeBytes = 1 << 30
				s.DrainTimeout = time.Minute
			}, func(r *rig) {
				r.know()
				r.spread(c.records, c.size)
				r.flush()
				require.Zero(r, r.c.throttled())
				require.GreaterOrEqual(r, r.since(), c.least)
				require.LessOrEqual(r, r.since(), c.most)
				require.LessOrEqual(r, len(r.c.requests()), 2*c.records/100+int(r.since()/gatherTokens)*c.shards+10)
			})
		})
	}
}

func TestRateLimitOffAndInParts(t *testing.T) {
	for name, c := range map[string]struct {
		rate        limit.Rate
		least, most time.Duration
	}{
		"off":      {limit.Off, 0, 2 * time.Second},
		"half":     {50, 20 * time.Second, 22 * time.Second},
		"as it is": {limit.Auto, 9800 * time.Millisecond, 11 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			benchShards(t, func(s *Settings, _ *fakeClient) { s.RateLimit, s.DrainTimeout = c.rate, time.Minute }, func(r *rig) {
				r.know()
				r.spread(11_000, 100)
				r.flush()
				require.GreaterOrEqual(r, r.since(), c.least)
				require.LessOrEqual(r, r.since(), c.most)
			})
		})
	}
}

// Two producers of a stream share its limits.
func TestProducersShareTheLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var registry limit.Registry
		client := &fakeClient{shards: 1, limited: true}
		client.latency = func() time.Duration { return 10 * time.Millisecond }
		settings := Default()
		settings.Stream, settings.DrainTimeout = "frames", time.Minute
		var all []*rig
		for range 2 {
			shared, leave := registry.Join("frames")
			defer leave()
			r := &rig{T: t, c: client, o: newFakeObserver(), began: time.Now()}
			var err error
			r.p, err = New(client, settings, r.o, WithSeed(1), WithShards(client.ListShards), WithLimits(shared))
			require.NoError(t, err)
			defer r.p.Close()
			all = append(all, r)
		}
		for _, r := range all {
			r.know()
		}
		for _, r := range all {
			r.spread(6000, 100)
		}
		for _, r := range all {
			r.flush()
		}
		require.Zero(t, client.throttled())
		require.Greater(t, all[0].since(), 10*time.Second)
		require.Less(t, all[0].since(), 13*time.Second)
	})
}

// Where somebody else writes to the stream too, throttles lower the rate and nothing is lost.
func TestAnotherWriterOfTheStream(t *testing.T) {
	benchShards(t, func(s *Settings, f *fakeClient) {
		f.limited = true
		s.DrainTimeout = 2 * time.Minute
	}, func(r *rig) {
		r.know()
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			for ctx.Err() == nil { // it takes half of the shard
				r.c.mu.Lock()
				for range 5 {
					r.c.tank("shardId-000000000000").Take(time.Now(), limit.Auto, 1, 100)
				}
				r.c.mu.Unlock()
				time.Sleep(10 * time.Millisecond)
			}
		}()
		r.spread(12_000, 100)
		r.flush()
		cancel()
		require.Less(r, r.c.throttled(), 3000)
		require.Less(r, r.since(), 40*time.Second)
		synctest.Wait()
		time.Sleep(20 * time.Millisecond)
	})
}

// A reshard is met by an answer that names a shard that is not expected; the lanes follow within seconds.
func TestReshardIsFollowed(t *testing.T) {
	benchShards(t, func(_ *Settings, f *fakeClient) { f.shards, f.limited = 2, true }, func(r *rig) {
		r.know()
		require.Equal(r, 1, r.c.listings())
		r.spread(100, 100)
		r.flush()
		require.Equal(r, 1, r.c.listings(), "all is as expected")
		r.c.split(0)
		r.c.merge(1)
		r.spread(100, 100)
		r.settle(3 * time.Second)
		r.p.mu.Lock()
		require.Equal(r, 2, r.p.lanes.shards.Len())
		require.Equal(r, "shardId-000000000002", r.p.lanes.shards.At(0).ID)
		require.Len(r, r.p.lanes.ranges, 2)
		r.p.mu.Unlock()
		at := r.c.listings()
		r.spread(100, 100)
		r.settle(10 * time.Second)
		require.Equal(r, at, r.c.listings(), "and it is quiet again")
		require.Empty(r, r.heard().troubles)
		require.Empty(r, r.heard().notices)
	})
}

// While a stream is being resharded its list may show parent and children at once: the old map holds meanwhile.
func TestShardsThatDoNotFitYet(t *testing.T) {
	benchShards(t, func(_ *Settings, f *fakeClient) { f.shards = 2 }, func(r *rig) {
		r.know()
		r.c.split(1)
		r.c.mu.Lock()
		r.c.list[1].Closed = false
		r.c.mu.Unlock()
		r.spread(50, 100)
		r.settle(5 * time.Second)
		require.Greater(r, r.c.listings(), 2, "it goes on looking")
		r.c.mu.Lock()
		r.c.list[1].Closed = true
		r.c.mu.Unlock()
		r.settle(10 * time.Second)
		r.p.mu.Lock()
		require.Equal(r, 3, r.p.lanes.shards.Len())
		r.p.mu.Unlock()
	})
}

func TestShardsMayNotBeListed(t *testing.T) {
	benchShards(t, func(_ *Settings, f *fakeClient) {
		f.listing = func() error { return apiError("AccessDeniedException", 400) }
	}, func(r *rig) {
		r.spread(100, 100)
		r.flush()
		r.settle(time.Minute)
		require.Equal(r, 1, r.c.listings())
		require.Len(r, r.heard().notices, 1, "it is said once")
		n := r.heard().notices[0]
		require.Equal(r, NoticeNoShards, n.Code)
		require.Contains(r, n.Text, "kinesis:ListShards")
		require.ErrorContains(r, n.Err, "AccessDenied")
		require.Empty(r, r.heard().troubles)
		require.EqualValues(r, 100, r.p.Books().Delivered.Records)
	})
}

// A listing that fails of what may pass is tried again, quietly.
func TestShardsCannotBeListedYet(t *testing.T) {
	benchShards(t, func(_ *Settings, f *fakeClient) {
		n := 0
		f.listing = func() error {
			if n++; n < 4 {
				return apiError("LimitExceededException", 400)
			}
			return nil
		}
	}, func(r *rig) {
		r.settle(time.Minute)
		require.Zero(r, r.c.listings(), "not before there is a record")
		r.spread(1, 100)
		r.settle(30 * time.Second)
		require.Equal(r, 4, r.c.listings())
		require.Empty(r, r.heard().troubles)
		require.Empty(r, r.heard().notices)
	})
}

// A stream that places records by itself: no map fits its answers.
func TestStreamThatPlacesRecordsItself(t *testing.T) {
	benchShards(t, func(_ *Settings, f *fakeClient) { f.shards = 2 }, func(r *rig) {
		r.know()
		r.p.mu.Lock()
		for _, l := range r.p.lanes.ranges {
			l.shard += "x" // as if the keys told nothing
		}
		r.p.mu.Unlock()
		for range 20 {
			r.spread(10, 100)
			r.settle(time.Second)
		}
		require.Len(r, r.heard().notices, 1)
		require.Equal(r, NoticeOtherShards, r.heard().notices[0].Code)
		at := r.c.listings()
		require.Equal(r, mostSurprises+2, at)
		r.spread(10, 100)
		r.settle(time.Minute)
		require.Equal(r, at, r.c.listings())
	})
}
