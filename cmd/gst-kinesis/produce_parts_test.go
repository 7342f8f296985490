package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseRate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]rate{
		"100": {perSecond: 100}, "100/s": {perSecond: 100}, "0.5/s": {perSecond: 0.5}, "1e3": {perSecond: 1000},
		"500kB/s": {perSecond: 500e3, bytes: true}, "1.5MiB/s": {perSecond: 1.5 * (1 << 20), bytes: true}, "10B": {perSecond: 10, bytes: true},
	} {
		got, err := parseRate(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "0", "-1", "fast", "1/m", "NaN", "Inf", "0.00001", "0.1B", "/s"} {
		_, err := parseRate(text)
		require.Error(t, err, text)
	}
}

// virtual is a clock that only moves when somebody sleeps.
type virtual struct{ at time.Time }

func (v *virtual) now() time.Time { return v.at }

func (v *virtual) sleep(_ context.Context, d time.Duration) error {
	v.at = v.at.Add(d)
	return nil
}

func TestPacer(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		rate rate
		size int
		n    int
		want time.Duration // until the last may go
	}{
		"records":       {rate{perSecond: 100}, 1 << 20, 501, 5 * time.Second},
		"slowly":        {rate{perSecond: 0.5}, 1, 3, 4 * time.Second},
		"fast":          {rate{perSecond: 1e6}, 1, 2_000_001, 2 * time.Second},
		"bytes":         {rate{perSecond: 1e6, bytes: true}, 1000, 3001, 3 * time.Second},
		"empty records": {rate{perSecond: 1, bytes: true}, 0, 1000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := &virtual{at: start}
			p := &pacer{rate: c.rate, now: v.now, sleep: v.sleep}
			for range c.n {
				require.NoError(t, p.wait(context.Background(), c.size))
			}
			require.InDelta(t, c.want.Seconds(), v.at.Sub(start).Seconds(), nap.Seconds())
		})
	}
}

// After the stream made it wait, only a little is made up for: there is no burst.
func TestPacerAfterAWait(t *testing.T) {
	t.Parallel()
	v := &virtual{at: time.Unix(0, 0)}
	p := &pacer{rate: rate{perSecond: 100}, now: v.now, sleep: v.sleep}
	require.NoError(t, p.wait(context.Background(), 1))
	v.at = v.at.Add(time.Minute)
	stalled := v.at
	n := 0
	for ; v.at.Sub(stalled) < time.Second; n++ {
		require.NoError(t, p.wait(context.Background(), 1))
	}
	require.InDelta(t, 100+100*lag.Seconds(), n, 3)

	ended := errors.New("ended")
	p.sleep = func(context.Context, time.Duration) error { return ended }
	require.ErrorIs(t, p.wait(context.Background(), 1), ended)
}

func TestSleepEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("why")
	cancel(why)
	require.ErrorIs(t, sleep(ctx, time.Hour), why)
	require.NoError(t, sleep(context.Background(), time.Millisecond))
}

func TestProgress(t *testing.T) {
	t.Parallel()
	pr := &production{feed: &feed{}}
	p := pr.progress(time.Minute, 0)
	require.Empty(t, p.bar(), "nobody knows")
	require.Empty(t, p.attrs())

	pr.feed.total = 1000
	require.Equal(t, "[..........]   0%  ETA -:--:--  ", pr.progress(time.Minute, 100).bar())
	pr.feed.read.Store(500)
	require.Equal(t, "[##........]  25%  ETA 0:03:00  ", pr.progress(time.Minute, 250).bar(), "what is held is not done")
	require.Equal(t, []any{"done", "50%", "eta", "0:01:00"}, pr.progress(time.Minute, 0).attrs())
	pr.duration = 2 * time.Minute
	require.Equal(t, "[#######...]  75%  ETA 0:00:30  ", pr.progress(90*time.Second, 0).bar(), "the time is over first")
	pr.feed.read.Store(2000)
	require.Equal(t, "[##########] 100%  ETA 0:00:00  ", pr.progress(time.Hour, 0).bar())
	pr = &production{feed: &feed{total: 1 << 60}}
	pr.feed.read.Store(1)
	require.Equal(t, "-:--:--", pr.progress(time.Minute, 0).eta(), "nobody waits for that")
}

func TestPump(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789", 100_000)
	p := newPump(context.Background(), func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil })
	got, err := io.ReadAll(p)
	require.NoError(t, err)
	require.Equal(t, text, string(got))
	_, err = p.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err)

	broken := errors.New("broken")
	p = newPump(context.Background(), func() (io.ReadCloser, error) { return nil, broken })
	_, err = io.ReadAll(p)
	require.ErrorIs(t, err, broken)

	ctx, cancel := context.WithCancelCause(context.Background())
	in, _ := io.Pipe()
	p = newPump(ctx, func() (io.ReadCloser, error) { return in, nil })
	time.AfterFunc(10*time.Millisecond, func() { cancel(errInterrupt) })
	_, err = p.Read(make([]byte, 1))
	require.ErrorIs(t, err, errInterrupt)
}

func TestTooMuchToKeep(t *testing.T) {
	t.Parallel()
	s := &source{name: "standard input", in: io.LimitReader(zeros{}, maxKept+1), stream: true}
	_, err := s.open(context.Background(), true)
	require.ErrorContains(t, err, "reading standard input: more than 64 MiB cannot be kept for --repeat; write it to a file and give that")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
