package uplink

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const mbit = 1_000_000

// sink is a connection that takes everything at once.
type sink struct {
	net.Conn
	bytes atomic.Int64
}

func (s *sink) Write(p []byte) (int, error) { s.bytes.Add(int64(len(p))); return len(p), nil }
func (s *sink) Close() error                { return nil }

// share joins a group with a bandwidth and a priority.
func share(ls *Links, group string, bits uint64, priority int) *Share {
	s := ls.Join(group)
	s.SetBandwidth(bits)
	s.SetPriority(priority)
	return s
}

// pump takes and writes pieces of a size until ctx is done.
func pump(ctx context.Context, s *Share, class Class, size int) (bytes int64) {
	out := new(sink)
	c := s.Conn(out)
	for s.Take(ctx, class, size) == nil {
		_, _ = c.Write(make([]byte, size))
	}
	return out.bytes.Load()
}

func TestWithoutLimitNothingWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ls Links
		s := ls.Join("")
		defer s.Leave()
		before := time.Now()
		require.True(t, s.Begin(Live, 1<<30, nil))
		require.NoError(t, s.Take(t.Context(), Live, 1<<30))
		n, err := s.Conn(new(sink)).Write(make([]byte, 10<<20))
		require.NoError(t, err)
		require.Equal(t, 10<<20, n)
		require.Zero(t, time.Since(before))
		require.Zero(t, s.Burst())
		require.Zero(t, s.Duration(1<<20))
		require.Equal(t, Stats{Sent: 10 << 20}, s.Stats())
	})
}

// The bandwidth holds on the average, whatever the sizes and whether it is asked for by Take or just written.
func TestBandwidthHolds(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]func(ctx context.Context, s *Share) int64{
		"frames":  func(ctx context.Context, s *Share) int64 { return pump(ctx, s, Live, 20_000) },
		"pieces":  func(ctx context.Context, s *Share) int64 { return pump(ctx, s, Live, 100) },
		"records": func(ctx context.Context, s *Share) int64 { return pump(ctx, s, Live, 300_000) },
		"writes": func(ctx context.Context, s *Share) int64 {
			out := new(sink)
			c := s.Conn(out)
			context.AfterFunc(ctx, func() { _ = c.Close() })
			for {
				if _, err := c.Write(make([]byte, 100_000)); err != nil {
					return out.bytes.Load()
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var ls Links
				s := share(&ls, "", 2*mbit, 0)
				defer s.Leave()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				bytes := send(ctx, s)
				require.InEpsilon(t, 60*2*mbit/8, bytes, 0.03)
				require.Equal(t, bytes, s.Stats().Sent)
				require.EqualValues(t, 2*mbit, s.Stats().Bandwidth)
			})
		})
	}
}

// Three users of one link: together they keep within the least of their bandwidths, and the higher priority gets what it wants.
func TestGroupShares(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ls Links
		high, low, backlog := share(&ls, "modem", 8*mbit, 1), share(&ls, "modem", 0, 0), share(&ls, "modem", 4*mbit, 9)
		other := share(&ls, "", 0, 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var got [3]int64
		var all sync.WaitGroup
		all.Go(func() { // half of the link
			out := new(sink)
			c := high.Conn(out)
			for range time.Tick(100 * time.Millisecond) {
				if high.Take(ctx, Live, 25_000) != nil {
					break
				}
				_, _ = c.Write(make([]byte, 25_000))
			}
			got[0] = out.bytes.Load()
		})
		all.Go(func() { got[1] = pump(ctx, low, Live, 10_000) })
		all.Go(func() { got[2] = pump(ctx, backlog, Backlog, 10_000) })
		all.Wait()
		require.InEpsilon(t, 60*4*mbit/8, got[0]+got[1]+got[2], 0.03)
		require.InEpsilon(t, 60*250_000, got[0], 0.03)
		require.Positive(t, got[2], "nothing starves")
		require.Less(t, got[2], int64(200_000), "live data goes first")
		require.True(t, other.Begin(Live, 1<<20, nil))
		for _, s := range []*Share{high, low, backlog, other} {
			s.Leave()
		}
		require.Empty(t, ls.links)
	})
}

// A change takes effect on those that wait.
func TestBandwidthChangesLive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ls Links
		s := share(&ls, "", mbit, 0)
		defer s.Leave()
		require.NoError(t, s.Take(t.Context(), Live, mbit/8*100)) // 100 s of debt
		before := time.Now()
		time.AfterFunc(time.Second, func() { s.SetBandwidth(100 * mbit) })
		require.NoError(t, s.Take(t.Context(), Live, 1))
		require.InDelta(t, 2, time.Since(before).Seconds(), 0.1)
		require.NoError(t, s.Take(t.Context(), Live, mbit*10000))
		time.AfterFunc(time.Second, func() { s.SetBandwidth(0) })
		before = time.Now()
		require.NoError(t, s.Take(t.Context(), Live, 1))
		require.Equal(t, time.Second, time.Since(before))
	})
}

// Begin does not block: it tells when it has a point to ask again, and what was granted is there to be written at once.
func TestBeginIsToldOfItsTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ls Links
		a, b := share(&ls, "g", mbit, 0), share(&ls, "g", 0, 1)
		defer a.Leave()
		defer b.Leave()
		require.Equal(t, mbit/16, a.Burst())
		require.Equal(t, time.Second, b.Duration(mbit/8))
		require.True(t, a.Begin(Live, 1<<20, nil), "a quiet link is free")
		order := make(chan string, 2)
		require.False(t, a.Begin(Live, 50_000, func() { order <- "a" }))
		require.False(t, a.Begin(Live, 60_000, func() {}), "asking again keeps the place")
		require.False(t, b.Begin(Live, 50_000, func() { order <- "b" }))
		require.Equal(t, "b", <-order, "the higher priority")
		require.True(t, b.Begin(Live, 50_000, nil))
		require.Equal(t, "a", <-order)
		require.True(t, a.Begin(Live, 60_000, nil))
		before := time.Now()
		_, err := a.Conn(new(sink)).Write(make([]byte, 60_000))
		require.NoError(t, err)
		require.Zero(t, time.Since(before))
		_, err = a.Conn(new(sink)).Write(make([]byte, mbit/8))
		require.NoError(t, err)
		require.Greater(t, time.Since(before), 800*time.Millisecond, "what was not granted waits")
	})
}

func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ls Links
		s := share(&ls, "", 1000, 0)
		require.NoError(t, s.Take(t.Context(), Live, 1<<20))
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		require.ErrorIs(t, s.Take(ctx, Live, 1), why)

		ours, theirs := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		c := s.Conn(ours)
		time.AfterFunc(time.Second, func() { _ = c.Close() })
		n, err := c.Write(make([]byte, 2<<20))
		require.ErrorIs(t, err, net.ErrClosed)
		require.Equal(t, 1<<20, n, "what was granted was written")

		require.False(t, s.Begin(Live, 1, func() {}))
		time.AfterFunc(time.Second, s.Leave)
		require.NoError(t, s.Take(t.Context(), Live, 1), "whoever leaves waits no more")
		require.True(t, s.Begin(Live, 1, nil))
		synctest.Wait()
	})
}

func BenchmarkWriteWithoutLimit(b *testing.B) {
	var ls Links
	s := ls.Join("")
	c, p := s.Conn(new(sink)), make([]byte, 1000)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = c.Write(p)
	}
}
