package producer

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"
)

func TestASlowUplinkDoesNotLoopForEver(t *testing.T) {
	const rate = 100 << 10 // bytes a second
	bench(t, func(s *Settings, _ *fakeClient) {
		s.RequestTimeout, s.DrainTimeout = 4*time.Second, -1
	}, func(r *rig) {
		link := &slowLink{next: r.c, rate: rate}
		s := r.s
		p, err := New(link, s, nil, WithSeed(7))
		require.NoError(r, err)
		defer p.Close()
		began, total := time.Now(), 0
		for i := range 100 {
			size := 50 << 10
			if i == 50 {
				size = 900 << 10 // takes 9 s alone, more than request-timeout
			}
			rec := p.Reserve(size)
			rec.PartitionKey = fmt.Sprint("key", i%5)
			require.NoError(r, p.Put(context.Background(), rec))
			total += size
		}
		require.NoError(r, p.Flush(context.Background()))
		require.EqualValues(r, 100, p.Books().Delivered.Records)
		ideal := time.Duration(float64(total) / rate * float64(time.Second))
		require.Less(r, time.Since(began), 3*ideal)
	})
}

// slowLink is a client behind a link that all requests share.
type slowLink struct {
	next *fakeClient
	rate int
	busy time.Time
}

func (u *slowLink) PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, o ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	bytes := 0
	for _, e := range in.Records {
		bytes += len(e.Data)
	}
	for bytes > 0 { // in slices, so that requests share the link
		n := min(bytes, 8<<10)
		u.next.mu.Lock()
		now := time.Now()
		if u.busy.Before(now) {
			u.busy = now
		}
		u.busy = u.busy.Add(time.Duration(n) * time.Second / time.Duration(u.rate))
		wait := u.busy.Sub(now)
		u.next.mu.Unlock()
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		bytes -= n
	}
	return u.next.PutRecords(ctx, in, o...)
}

func TestRequestsThatFailTogetherCountOnce(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) {
		s.MaxInFlight, s.Linger, s.MaxBatchRecords, s.StopTimeout = 8, 0, 1, 0
		c.script = failWith(apiError("InternalFailure", 500), 1)
	}, func(r *rig) {
		for i := range 20 {
			r.put(fmt.Sprint("key", i), "x")
		}
		r.settle(11 * time.Millisecond) // all have failed, the back-off runs
		require.Greater(r, r.c.peakInFlight(), 4)
		r.p.mu.Lock()
		failures, flight := r.p.health.outage.failures, r.p.pace.flight
		r.p.mu.Unlock()
		require.Equal(r, 1, failures)
		require.Equal(r, 1, flight)
		before := r.c.callCount()
		r.settle(2 * time.Second)
		require.LessOrEqual(r, r.c.callCount()-before, 12, "one at a time now")
	})
}

func TestAfterAnOutageTheLinkIsTriedGently(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) {
		s.MaxInFlight, s.Linger, s.MaxBatchRecords = 8, 0, 1
		c.script = func(call int, _ []stored) (bool, error) {
			if call <= 3 {
				return false, apiError("InternalFailure", 500)
			}
			return false, nil
		}
		c.latency = func() time.Duration { return 3 * time.Second } // slow: more than a quarter of request-timeout
	}, func(r *rig) {
		r.put("key0", "x")
		r.settle(3010 * time.Millisecond) // the first try has failed
		for i := range 10 {
			r.put(fmt.Sprint("key", i), "x")
		}
		r.settle(50 * time.Second)
		r.flush()
		require.Len(r, r.c.all(), 11)
		require.Equal(r, 1, r.c.peakInFlight(), "one after another")
	})
}
