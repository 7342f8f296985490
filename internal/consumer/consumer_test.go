package consumer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// start runs a consumer until the test ends.
func start(t *testing.T, f *fakeStream, o Options, h Handler) *Consumer {
	t.Helper()
	o.Stream = "s"
	c, err := Start(f, o, h)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// bubble runs a test in virtual time: waiting for an hour costs nothing.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

func TestLatestReadsOnlyWhatComes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f, g := newFake(2), &got{}
		f.put(0, "k", "old")
		c := start(t, f, Options{}, g.handle)
		time.Sleep(time.Second)
		f.put(0, "k", "new0")
		f.put(1, "k", "new1")
		time.Sleep(DefaultPollInterval + time.Millisecond)
		require.ElementsMatch(t, []string{"k new0", "k new1"}, g.all(), "within one poll interval")
		s := c.Stats()
		require.Equal(t, 2, s.Reading)
		require.EqualValues(t, 2, s.Records)
		require.EqualValues(t, 8, s.Bytes)
		require.NoError(t, c.Close())
		require.NoError(t, c.Close(), "twice is fine")
	})
}

func TestTrimHorizonReadsAllPagesInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f, g := newFake(5), &got{}
		f.pageSize = 2
		var want []string
		for i := range 300 {
			f.put(i%5, fmt.Sprint("k", i%5), fmt.Sprintf("%03d", i))
			want = append(want, fmt.Sprintf("k%d %03d", i%5, i))
		}
		start(t, f, Options{From: TrimHorizon()}, g.handle)
		time.Sleep(10 * time.Second)
		require.ElementsMatch(t, want, g.all())
		requireOrderByKey(t, g.all())
	})
}

// requireOrderByKey checks that the records of each key rise.
func requireOrderByKey(t *testing.T, records []string) {
	t.Helper()
	last := map[string]string{}
	for _, r := range records {
		key, data, _ := strings.Cut(r, " ")
		require.Greater(t, data, last[key], "key %s", key)
		last[key] = data
	}
}

func TestAtTimestamp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f, g := newFake(1), &got{}
		f.put(0, "k", "0")
		time.Sleep(time.Minute)
		from := time.Now()
		f.put(0, "k", "1")
		time.Sleep(time.Minute)
		f.put(0, "k", "2")
		start(t, f, Options{From: AtTimestamp(from)}, g.handle)
		time.Sleep(time.Second)
		require.Equal(t, []string{"k 1", "k 2"}, g.all())
	})
}

func TestAfterSequenceNumbers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f, g := newFake(3), &got{}
		f.put(0, "k", "0")
		n := f.put(0, "k", "1")
		f.put(0, "k", "2")
		f.put(1, "j", "never: read to its end before")
		f.put(2, "i", "before the tip")
		f.reshard(2, 1)
		f.put(3, "j", "child")
		start(t, f, Options{After: map[string]string{"shardId-000000000000": n, "shardId-000000000001": ShardEnd}}, g.handle)
		time.Sleep(time.Second)
		require.ElementsMatch(t, []string{"k 2", "j child"}, g.all())
	})
}

func TestUntilTipEndsByItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f, g := newFake(2), &got{}
		for i := range 55 {
			f.put(0, "k", fmt.Sprintf("%02d", i))
		}
		f.reshard(2, 0)
		f.put(2, "k", "99")
		c := start(t, f, Options{From: TrimHorizon(), UntilTip: true}, g.handle)
		require.NoError(t, c.Wait())
		require.Len(t, g.all(), 56)
		requireOrderByKey(t, g.all())
	})
}

// TestReshardsKeepOrderAndLoseNothing puts records under random splits and
// merges while reading, and holds what arrives against what was put.
func TestReshardsKeepOrderAndLoseNothing(t *testing.T) {
	for seed := range uint64(15) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			bubble(t, func(t *testing.T) { reshardRun(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func reshardRun(t *testing.T, r *rand.Rand) {
	f, g := newFake(2), &got{}
	f.noChildren = r.IntN(2) == 0
	f.perCall = 1 + r.IntN(10)
	from := Latest()
	if r.IntN(2) == 0 {
		from = TrimHorizon()
	}
	c := start(t, f, Options{From: from}, g.handle)
	time.Sleep(time.Second) // the iterators at the tip are taken
	home := map[string]int{"a": 0, "b": 0, "c": 1, "d": 1}
	var want []string
	for i := range 400 {
		if r.IntN(20) == 0 {
			randomReshard(r, f, home)
		}
		key := []string{"a", "b", "c", "d"}[r.IntN(4)]
		f.put(home[key], key, fmt.Sprintf("%03d", i))
		want = append(want, fmt.Sprintf("%s %03d", key, i))
		time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
	}
	time.Sleep(time.Minute)
	require.ElementsMatch(t, want, g.all())
	requireOrderByKey(t, g.all())
	closed := slices.DeleteFunc(slices.Clone(f.shards), func(s *fakeShard) bool { return !s.closed })
	require.Equal(t, len(f.shards)-len(closed), c.Stats().Reading)
	require.Zero(t, c.Stats().Waiting)
	require.NoError(t, c.Close())
	require.Len(t, g.ends, len(closed), "each closed shard's end is told once")
}

// randomReshard splits the home of a key, or merges two homes.
func randomReshard(r *rand.Rand, f *fakeStream, home map[string]int) {
	keys := []string{"a", "b", "c", "d"}
	x, y := home[keys[r.IntN(4)]], home[keys[r.IntN(4)]]
	n := len(f.shards)
	if x == y {
		f.hide(r.IntN(4))
		f.reshard(2, x)
	} else {
		f.hide(0) // two are hidden, a merge makes one
		f.reshard(1, x, y)
	}
	for i, k := range keys {
		if home[k] == x || home[k] == y {
			home[k] = n
			if x == y {
				home[k] = n + i%2
			}
		}
	}
}

func TestParentsComeFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f, g := newFake(2), &got{}
		f.reshard(1, 0, 1) // shard 2 has two parents
		f.put(0, "k", "0")
		f.put(1, "j", "0")
		f.put(2, "k", "1")
		f.put(2, "j", "1")
		f.fail = func(operation, shard string) error {
			if operation == "GetRecords" && shard == f.shards[1].id && time.Since(epoch(t)) < time.Minute {
				return syscall.ECONNREFUSED
			}
			return nil
		}
		c := start(t, f, Options{From: TrimHorizon()}, g.handle)
		time.Sleep(50 * time.Second)
		require.Equal(t, []string{"k 0"}, g.all())
		require.Equal(t, 1, c.Stats().Waiting, "a child waits for both parents")
		time.Sleep(30 * time.Second)
		require.ElementsMatch(t, []string{"k 0", "j 0", "k 1", "j 1"}, g.all())
		requireOrderByKey(t, g.all())
	})
}

// epoch is when a bubble's time begins.
func epoch(*testing.T) time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

func TestForgottenParentsDoNotHoldUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f, g := newFake(1), &got{}
		f.reshard(2, 0)
		f.shards[0].removed = true
		f.put(1, "k", "1")
		start(t, f, Options{From: TrimHorizon()}, g.handle)
		time.Sleep(time.Second)
		require.Equal(t, []string{"k 1"}, g.all())
	})
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"no stream":         {Options{}, "no stream given"},
		"a sequence number": {Options{Stream: "s", From: AfterSequence("1")}, "belongs to one shard"},
		"no time":           {Options{Stream: "s", From: AtTimestamp(time.Time{})}, "time to read from"},
		"too many records":  {Options{Stream: "s", MaxRecords: 10001}, "0 to 10000, not 10001"},
	} {
		_, err := Start(newFake(1), c.o, (&got{}).handle)
		require.ErrorContains(t, err, c.want, name)
	}
	require.Equal(t, "latest", Latest().String())
	require.Equal(t, "trim-horizon", TrimHorizon().String())
	require.Equal(t, "after 7", AfterSequence("7").String())
	require.Equal(t, "2026-01-02T03:04:05.006Z", AtTimestamp(time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)).String())
}

func TestMaxRecordsAndARN(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := newFake(1)
		for range 9 {
			f.put(0, "k", "0")
		}
		var sizes []int
		c, err := Start(f, Options{StreamARN: "arn:aws:kinesis:eu-west-1:1:stream/s", From: TrimHorizon(), MaxRecords: 4, UntilTip: true},
			func(_ context.Context, b Batch) error { sizes = append(sizes, len(b.Records)); return nil })
		require.NoError(t, err)
		require.NoError(t, c.Wait())
		require.Equal(t, []int{4, 4, 1}, sizes)
		require.Equal(t, "s", c.subject.Stream)
	})
}
