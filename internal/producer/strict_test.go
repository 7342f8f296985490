package producer

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func strictly(s *Settings) { s.Ordering = Strict }

// A key has one record under way, whatever waits; requests gather those of many keys.
func TestStrictSendsOneRecordOfAKey(t *testing.T) {
	bench(t, func(s *Settings, _ *fakeClient) { strictly(s) }, func(r *rig) {
		for i := range 20 {
			for key := range 30 {
				r.put(fmt.Sprint("key", key), fmt.Sprintf("%04d", i))
			}
		}
		r.flush()
		keys := map[string][]stored{}
		inCall := map[string]int{}
		for _, s := range r.c.all() {
			keys[s.key] = append(keys[s.key], s)
			inCall[fmt.Sprint(s.call, s.key)]++
		}
		for _, records := range keys {
			r.inOrder(records, 20)
		}
		for what, n := range inCall {
			require.Equal(r, 1, n, what)
		}
		require.Len(r, r.c.requests(), 20, "each with all the keys")
		require.Empty(r, r.p.lanes.keys, "lanes of keys that hold nothing are forgotten")
	})
}

// A record that the service refuses for a while holds up its own key and no other.
func TestStrictHoldsUpOneKeyOnly(t *testing.T) {
	refuse := true
	bench(t, func(s *Settings, f *fakeClient) {
		strictly(s)
		f.recordFault = func(_ int, rec stored) (string, string) {
			if refuse && rec.key == "bad" && rec.data == "0003" {
				return "InternalFailure", "Internal service failure."
			}
			return "", ""
		}
	}, func(r *rig) {
		for i := range 10 {
			for _, key := range []string{"bad", "good", "other"} {
				r.put(key, fmt.Sprintf("%04d", i))
			}
		}
		r.settle(10 * time.Second)
		of := map[string][]stored{}
		for _, s := range r.c.all() {
			of[s.key] = append(of[s.key], s)
		}
		r.inOrder(of["bad"], 3)
		r.inOrder(of["good"], 10)
		r.inOrder(of["other"], 10)
		r.c.mu.Lock()
		refuse = false
		r.c.mu.Unlock()
		r.flush()
		of["bad"] = nil
		for _, s := range r.c.all() {
			if s.key == "bad" {
				of["bad"] = append(of["bad"], s)
			}
		}
		r.inOrder(of["bad"], 10)
	})
}

// A request that is cut may have been stored: its records come again, counted, and what follows them comes after.
func TestStrictThroughCutAnswers(t *testing.T) {
	bench(t, func(s *Settings, f *fakeClient) {
		strictly(s)
		f.script = func(call int, _ []stored) (bool, error) {
			if call%3 == 0 {
				return true, apiError("InternalFailure", 500)
			}
			return false, nil
		}
	}, func(r *rig) {
		r.putN("k", 30)
		r.flush()
		first := map[string]bool{}
		var order []stored
		for _, s := range r.c.all() {
			if !first[s.data] {
				order = append(order, s)
			}
			first[s.data] = true
		}
		r.inOrder(order, 30)
		twice := len(r.c.all()) - 30
		require.Positive(r, twice)
		require.EqualValues(r, twice, r.p.Books().PossibleDuplicates)
	})
}

// Explicit hash keys lead to shards of their own.
func TestStrictByExplicitHashKey(t *testing.T) {
	bench(t, func(s *Settings, f *fakeClient) { strictly(s); f.shards = 2 }, func(r *rig) {
		for i := range 6 {
			rec := r.record("k", fmt.Sprintf("%04d", i/2))
			rec.ExplicitHashKey = []string{"0", "340282366920938463463374607431768211455"}[i%2]
			require.NoError(r, r.p.Put(context.Background(), rec))
		}
		r.flush()
		of := map[string][]stored{}
		for _, s := range r.c.all() {
			of[s.shard] = append(of[s.shard], s)
		}
		require.Len(r, of, 2)
		for _, records := range of {
			r.inOrder(records, 3)
		}
	})
}

// With strict order a lane lives only while its key holds something. One that comes after the shards became known keeps to its shard's limits all the same.
func TestStrictKeepsToTheLimits(t *testing.T) {
	benchShards(t, func(s *Settings, f *fakeClient) {
		strictly(s)
		f.limited = true
		s.DrainTimeout = time.Minute
	}, func(r *rig) {
		r.know()
		r.spread(5000, 100)
		r.flush()
		require.Zero(r, r.c.throttled())
		require.GreaterOrEqual(r, r.since(), 3900*time.Millisecond)
		require.LessOrEqual(r, r.since(), 5*time.Second)
	})
}

// And an answer that names another shard makes the producer look at the shards anew.
func TestStrictFollowsReshards(t *testing.T) {
	benchShards(t, func(s *Settings, f *fakeClient) {
		strictly(s)
		f.shards = 2
	}, func(r *rig) {
		r.know()
		require.Equal(r, 2, r.p.Shards().Len())
		r.c.split(0)
		r.c.split(0)
		r.spread(20, 100)
		r.settle(2 * surveyInterval)
		require.Equal(r, 4, r.p.Shards().Len())
		r.c.merge(0)
		r.spread(20, 100)
		r.settle(2 * surveyInterval)
		require.Equal(r, 3, r.p.Shards().Len())
	})
}
