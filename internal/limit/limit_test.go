package limit

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/shard"
)

// clock starts at some time.
func clock() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// send takes records of a size until it is refused, and counts them.
func send(s *Shard, now time.Time, r Rate, bytes int) (n int) {
	for s.Take(now, r, 1, bytes) && n < 1e6 {
		n++
	}
	return n
}

func TestRates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Rate{"auto": Auto, "off": Off, "100": Auto, "1": 1, "80%": 80, "1000": 1000} {
		r, err := ParseRate(text)
		require.NoError(t, err)
		require.Equal(t, want, r)
		again, err := ParseRate(r.String())
		require.NoError(t, err)
		require.Equal(t, r, again)
	}
	for _, bad := range []string{"", "0", "-1", "1001", "fast", "%", "1.5"} {
		_, err := ParseRate(bad)
		require.ErrorContains(t, err, "neither auto, off nor a percentage", bad)
	}
}

func TestShardsLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rate         Rate
		bytes        int
		first, later int // at once, and in each second after
	}{
		"by records":        {Auto, 100, 1000, 1000},
		"by bytes":          {Auto, 100 * shard.KiB, 102, 10},
		"half":              {50, 100, 500, 500},
		"twice":             {200, 100, 2000, 2000},
		"the largest alone": {Auto, shard.WriteBurstBytes, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := clock()
			s := newShard(now)
			require.Equal(t, c.first, send(s, now, c.rate, c.bytes))
			for range 5 {
				now = now.Add(time.Second)
				require.InDelta(t, c.later, send(s, now, c.rate, c.bytes), 1)
			}
		})
	}
}

func TestOffTakesAll(t *testing.T) {
	t.Parallel()
	s := newShard(clock())
	require.EqualValues(t, 1e6, send(s, clock(), Off, 1000))
	require.Zero(t, s.Wait(clock(), Off, 500, shard.MiB))
}

// What Wait says is when Take says yes.
func TestWaitIsWhenTakeTakes(t *testing.T) {
	t.Parallel()
	for _, bytes := range []int{1, 1000, 100 * shard.KiB, 5 * shard.MiB, 20 * shard.MiB} {
		now := clock()
		s := newShard(now)
		send(s, now, Auto, bytes)
		for range 10 {
			d := s.Wait(now, Auto, 1, bytes)
			require.Positive(t, d)
			require.False(t, s.Take(now.Add(d-time.Millisecond), Auto, 1, bytes), "%d bytes", bytes)
			now = now.Add(d + time.Microsecond)
			require.True(t, s.Take(now, Auto, 1, bytes), "%d bytes", bytes)
		}
	}
	s := newShard(clock())
	send(s, clock(), Auto, 1)
	require.InDelta(t, time.Second, s.Wait(clock(), Auto, 5000, 1), float64(time.Microsecond), "no longer than until the tank is full")
}

// Throttles that come together count once; each lowers the rate, and quiet raises it.
func TestClosedLoop(t *testing.T) {
	t.Parallel()
	now := clock()
	s := newShard(now)
	for range 10 {
		s.Throttled(now)
	}
	require.Equal(t, State{Factor: lowerTo, Throttles: 10}, s.State(now))
	require.False(t, s.Take(now, Auto, 1, 1), "the tanks are empty")
	for range 100 {
		now = now.Add(lowerInterval)
		s.Throttled(now)
	}
	require.InDelta(t, leastFactor, s.State(now).Factor, 1e-9)
	now = now.Add(lowerInterval + 4*time.Second)
	require.InDelta(t, leastFactor+4*raise, s.State(now).Factor, 1e-9)
	now = now.Add(time.Minute)
	require.InDelta(t, 1, s.State(now).Factor, 1e-9)
	require.Equal(t, 1000, send(s, now, Auto, 1))
}

// Two that write to one shard through limiters of their own, as two machines do, are throttled seldom, and neither starves.
func TestTwoMachinesShareAShard(t *testing.T) {
	t.Parallel()
	now := clock()
	service, a, b := newShard(now), newShard(now), newShard(now)
	taken, throttled := map[*Shard]int{}, 0
	random, both := rand.New(rand.NewPCG(1, 2)), []*Shard{a, b}
	const seconds = 60
	for range seconds * 100 {
		now = now.Add(10 * time.Millisecond)
		random.Shuffle(2, func(i, j int) { both[i], both[j] = both[j], both[i] })
		for _, s := range both {
			for s.Take(now, Auto, 1, 100) {
				if service.Take(now, Auto, 1, 100) {
					taken[s]++
				} else {
					throttled++
					s.Throttled(now)
				}
			}
		}
	}
	all := taken[a] + taken[b]
	t.Logf("a %d, b %d, throttled %d", taken[a], taken[b], throttled)
	require.Greater(t, all, seconds*900, "the shard is made use of")
	require.Less(t, throttled, all/100)
	require.Greater(t, min(taken[a], taken[b]), all/4)
}

func TestAnEarlierTimeChangesNothing(t *testing.T) {
	t.Parallel()
	s := newShard(clock())
	send(s, clock(), Auto, 1)
	require.False(t, s.Take(clock().Add(-time.Hour), Auto, 1, 1))
	require.True(t, s.Take(clock().Add(time.Second), Auto, 1, 1))
}

// Bytes that join a record of an earlier take are no record more.
func TestBytesThatJoinARecord(t *testing.T) {
	t.Parallel()
	s := newShard(clock())
	require.True(t, s.Take(clock(), Auto, 1000, 1))
	require.False(t, s.Take(clock(), Auto, 1, 1))
	require.True(t, s.Take(clock(), Auto, 0, shard.MiB))
	require.False(t, s.Take(clock(), Auto, 0, 10*shard.MiB))
}

func TestProducersOfAStreamShareIt(t *testing.T) {
	t.Parallel()
	var r Registry
	a, leaveA := r.Join("eu-west-1 frames")
	b, leaveB := r.Join("eu-west-1 frames")
	other, leaveOther := r.Join("us-east-1 frames")
	defer leaveOther()
	require.Same(t, a, b)
	require.NotSame(t, a, other)
	require.Same(t, a.Shard("0", clock()), b.Shard("0", clock()))
	require.NotSame(t, a.Shard("0", clock()), a.Shard("1", clock()))
	a.Keep(func(id string) bool { return id == "1" })
	require.Len(t, a.States(clock()), 1)
	leaveA()
	leaveA() // once counts
	again, leave := r.Join("eu-west-1 frames")
	require.Same(t, b, again)
	leave()
	leaveB()
	fresh, leave := r.Join("eu-west-1 frames")
	defer leave()
	require.NotSame(t, b, fresh, "the last one out forgets it")
}

func BenchmarkTake(b *testing.B) {
	now := clock()
	s := newShard(now)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Millisecond)
		s.Take(now, Auto, 1, 1000)
	}
}
