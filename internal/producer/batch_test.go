package producer

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/shard"
)

func TestLingerGathers(t *testing.T) {
	bench(t, func(s *Settings, _ *fakeClient) { s.Linger = 50 * time.Millisecond }, func(r *rig) {
		r.putN("k", 3)
		r.settle(49 * time.Millisecond)
		require.Zero(r, r.c.callCount())
		r.put("k", "0003")
		r.settle(time.Millisecond)
		require.Equal(r, 1, r.c.callCount())
		r.settle(10 * time.Millisecond)
		r.inOrder(r.c.all(), 4)
		require.Equal(r, []int{4}, r.c.requests())
	})
}

func TestNoLingerSendsAtOnce(t *testing.T) {
	bench(t, func(s *Settings, _ *fakeClient) { s.Linger = 0 }, func(r *rig) {
		r.put("k", "0000")
		r.settle(0)
		require.Equal(r, 1, r.c.callCount())
		// What comes while the lane is busy goes together afterwards.
		r.put("k", "0001")
		r.put("k", "0002")
		r.settle(20 * time.Millisecond)
		require.Equal(r, []int{1, 2}, r.c.requests())
	})
}

func TestFullBatchDoesNotLinger(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*Settings)
		records int
		sizes   []int
	}{
		{"count", func(s *Settings) {}, 501, []int{500}},
		{"smaller count", func(s *Settings) { s.MaxBatchRecords = 3 }, 4, []int{3}},
		{"bytes", func(s *Settings) { s.MaxBatchBytes = 50 }, 11, []int{10}}, // 4 of data and 1 of key
	} {
		t.Run(c.name, func(t *testing.T) {
			bench(t, func(s *Settings, _ *fakeClient) {
				s.Linger = time.Minute
				c.prepare(s)
			}, func(r *rig) {
				r.putN("k", c.records)
				r.settle(time.Second)
				require.Equal(r, c.sizes, r.c.requests())
			})
		})
	}
}

func TestRequestsHoldAtMostTheServicesLimits(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) {
		s.MaxRecordSize, s.MaxInFlight = shard.MaxMaxRecordBytes, 1
		s.MaxSizeBytes = 256 * shard.MiB
		c.latency = func() time.Duration { return time.Millisecond }
	}, func(r *rig) {
		big := strings.Repeat("x", shard.MaxMaxRecordBytes-1)
		for range 3 {
			r.put("k", big) // alone, whatever the target: the fake checks the limits
		}
		for range 40 {
			r.put("k", big[:900_000])
		}
		r.flush()
		require.Len(r, r.c.all(), 43)
		require.Equal(r, []int{1, 1, 1}, r.c.requests()[:3])
	})
}

func TestArrivalOrderAcrossKeysInARequest(t *testing.T) {
	bench(t, nil, func(r *rig) {
		for i := range 100 {
			r.put(fmt.Sprint("key", i%7), fmt.Sprintf("%04d", i))
		}
		r.flush()
		r.inOrder(r.c.all(), 100)
		require.Equal(r, []int{100}, r.c.requests())
	})
}

func TestSeveralRequestsInFlight(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) {
		s.MaxInFlight, s.Linger, s.MaxBatchRecords = 4, 0, 10
		c.latency = func() time.Duration { return 100 * time.Millisecond }
	}, func(r *rig) {
		for i := range 2000 {
			r.put(fmt.Sprint("key", i%50), "x")
		}
		r.flush()
		require.Equal(r, 4, r.c.peakInFlight())
		// 200 requests, 4 at a time; a few more for those that were not full.
		require.Less(r, r.since(), 8*time.Second)
	})
}

func TestOneRequestAtATimePerKey(t *testing.T) {
	bench(t, func(s *Settings, _ *fakeClient) { s.Linger, s.MaxBatchRecords = 0, 5 }, func(r *rig) {
		r.putN("k", 50)
		r.flush()
		require.Equal(r, 1, r.c.peakInFlight())
		r.inOrder(r.c.all(), 50)
	})
}

func TestEmptyDataIsSent(t *testing.T) {
	bench(t, nil, func(r *rig) {
		r.put("k", "")
		rec := r.p.Reserve(0)
		rec.Data, rec.PartitionKey = nil, "k"
		require.NoError(r, r.p.Put(context.Background(), rec))
		r.flush()
		require.Equal(r, []string{"", ""}, datas(r.c.all()))
		require.Equal(r, Count{Records: 2}, r.p.Books().Delivered)
	})
}

func TestExplicitHashKeyChoosesTheShard(t *testing.T) {
	bench(t, func(_ *Settings, c *fakeClient) { c.shards = 4 }, func(r *rig) {
		for i, shardRange := range shard.EvenRanges(4) {
			rec := r.record("same", fmt.Sprint(i))
			rec.ExplicitHashKey = shardRange.Start.String()
			require.NoError(r, r.p.Put(context.Background(), rec))
		}
		r.flush()
		for _, kept := range r.c.all() {
			require.Equal(r, "shardId-00000000000"+kept.data, kept.shard)
		}
	})
}

func TestDeliveryTellsWhatCameIn(t *testing.T) {
	bench(t, func(s *Settings, _ *fakeClient) { s.Linger = 0 }, func(r *rig) {
		rec := r.record("camera0", "frame")
		rec.PTS, rec.Token = 42, r
		require.NoError(r, r.p.Put(context.Background(), rec))
		r.flush()
		require.Equal(r, []Delivery{{
			SequenceNumber: fmt.Sprintf("%056d", 1), ShardID: "shardId-000000000000", PartitionKey: "camera0",
			Bytes: 5, PTS: 42, Token: r, Latency: 10 * time.Millisecond, Tries: 1,
		}}, r.heard().deliveries)
		require.Equal(r, 10*time.Millisecond, r.p.Stats().Latency.Last)
	})
}

func TestTheRecordsOwnFaults(t *testing.T) {
	bench(t, func(s *Settings, _ *fakeClient) { s.MaxRecordSize = 10 }, func(r *rig) {
		r.put("k", "123456789") // 10 with the key: just fits
		r.put("k", "1234567890")
		r.put("", "x")
		r.put(strings.Repeat("é", 5)+"x", "") // 6 characters, 11 bytes with nothing: too large
		for _, hash := range []string{"01", "-1", "x", "340282366920938463463374607431768211456"} {
			rec := r.record("k", "x")
			rec.ExplicitHashKey = hash
			require.NoError(r, r.p.Put(context.Background(), rec))
		}
		r.flush()
		r.settle(2 * time.Second)
		books := r.p.Books()
		require.EqualValues(r, 1, books.Delivered.Records)
		require.EqualValues(r, 2, books.Dropped[ReasonOversize].Records)
		require.EqualValues(r, 5, books.Dropped[ReasonBadKey].Records)
		told := map[string]int{}
		for _, trouble := range r.heard().troubles {
			require.NotEmpty(r, trouble.Remedy)
			told[trouble.Reason] += trouble.Count
		}
		require.Equal(r, map[string]int{ReasonOversize: 2, ReasonBadKey: 5}, told)
		require.Empty(r, r.heard().recoveries)
	})
}

func TestKeysOf256CharactersNotBytes(t *testing.T) {
	bench(t, nil, func(r *rig) {
		r.put(strings.Repeat("鍵", 256), "x")
		r.put(strings.Repeat("鍵", 257), "x")
		r.put("\xff", "x")
		r.flush()
		require.EqualValues(r, 1, r.p.Books().Delivered.Records)
		require.EqualValues(r, 2, r.p.Books().Dropped[ReasonBadKey].Records)
	})
}
