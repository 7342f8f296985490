package thin

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

const ms = uint64(1e6)

// run offers n frames, period apart, and gives the indices of those that pass; key says which are key frames.
func run(r Rule, n int, period uint64, key func(i int) bool) []int {
	g := NewGate()
	var out []int
	for i := range n {
		if g.Offer(r, uint64(i)*period, !key(i)) == Pass {
			out = append(out, i)
		}
	}
	return out
}

func always(int) bool { return true }

func every(n int) func(int) bool { return func(i int) bool { return i%n == 0 } }

func TestGapPassesOneAndSkipsN(t *testing.T) {
	t.Parallel()
	for gap := range uint32(7) {
		got := run(Rule{Gap: gap}, 50, 40*ms, always)
		for k, i := range got {
			require.Equal(t, k*int(gap+1), i, "gap %d", gap)
		}
		require.Len(t, got, (50+int(gap))/int(gap+1))
	}
}

func TestInterCodedPassesKeyFramesOnly(t *testing.T) {
	t.Parallel()
	require.Len(t, run(Rule{Inter: true}, 40, 40*ms, every(10)), 40, "nothing is skipped, so nothing breaks")
	require.Equal(t, []int{0, 10, 20, 30}, run(Rule{KeyframesOnly: true}, 40, 40*ms, every(10)))
	require.Equal(t, []int{0, 20}, run(Rule{Inter: true, Gap: 1}, 40, 40*ms, every(10)))
	require.Equal(t, []int{0, 20}, run(Rule{Inter: true, Interval: 500 * ms}, 30, 40*ms, every(10)))
}

func TestAnAccessUnitInSeveralBuffersSharesAVerdict(t *testing.T) {
	t.Parallel()
	g := NewGate()
	rule := Rule{Inter: true, Gap: 1}
	offer := func(time uint64, delta bool) Verdict { return g.Offer(rule, time, delta) }
	// A delimiter that counts as delta, then the parameter sets and the picture of a key frame.
	require.Equal(t, DropDelta, offer(0, true))
	require.Equal(t, Pass, offer(0, false))
	require.Equal(t, Pass, offer(0, false))
	require.Equal(t, DropDelta, offer(40, true))
	require.Equal(t, DropGap, offer(80, false), "the second key frame is skipped")
	require.Equal(t, DropGap, offer(80, false), "whole")
	require.Equal(t, Pass, offer(120, false))
}

func TestMaxRateKeepsTheRate(t *testing.T) {
	t.Parallel()
	rule := Rule{Interval: Rate{10, 1}.Interval()}
	require.Len(t, run(rule, 300, 33333333, always), 100, "30 to 10, each third a ns short")
	require.Len(t, run(rule, 300, 33366700, always), 100, "29.97 to 10")
	require.Len(t, run(rule, 50, 200*ms, always), 50, "slower than the bound")
	require.Len(t, run(Rule{Interval: 1e9}, 250, 40*ms, always), 10)
}

// However frames come, no more pass in any span than the rate allows, but for one and the eighth of an interval.
func TestMaxRateBoundsEverySpan(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		interval := (1 + random.Uint64N(200)) * ms
		g, rule := NewGate(), Rule{Interval: interval}
		var passed []uint64
		time := random.Uint64N(1e12)
		for range 500 {
			time += random.Uint64N(2 * interval)
			if random.IntN(50) == 0 {
				time += 10 * interval // a pause
			}
			if g.Offer(rule, time, false) == Pass {
				passed = append(passed, time)
			}
		}
		for i := range passed {
			for j := i + 1; j < len(passed); j++ {
				span := passed[j] - passed[i] + interval/4
				if uint64(j-i) > span/interval+1 {
					t.Fatalf("seed %d: %d frames in %d ns", seed, j-i+1, span)
				}
			}
		}
	}
}

func TestMaxRateAfterAStepBackGoesOn(t *testing.T) {
	t.Parallel()
	g, rule := NewGate(), Rule{Interval: 100 * ms}
	require.Equal(t, Pass, g.Offer(rule, 3600e9, false))
	require.Equal(t, Pass, g.Offer(rule, 5e9, false), "the stream began anew: no hour of silence")
	require.Equal(t, DropRate, g.Offer(rule, 5e9+50*ms, false))
	require.Equal(t, Pass, g.Offer(rule, None, false), "no time: it cannot be told, so it passes")
}

func TestALiveChangeTakesEffectAtOnce(t *testing.T) {
	t.Parallel()
	g := NewGate()
	require.Equal(t, Pass, g.Offer(Rule{Gap: 1000}, 0, false))
	require.Equal(t, DropGap, g.Offer(Rule{Gap: 1000}, 1, false))
	require.Equal(t, DropGap, g.Offer(Rule{Gap: 1}, 2, false))
	require.Equal(t, Pass, g.Offer(Rule{Gap: 1}, 3, false))
	require.Equal(t, Pass, g.Offer(Rule{}, 4, true))
	require.Equal(t, Pass, g.Offer(Rule{Gap: 5}, 5, false))
}

func TestRates(t *testing.T) {
	t.Parallel()
	none, ten := Rate{0, 1}, Rate{10, 1}
	for name, c := range map[string]struct {
		rule    Rule
		in, max Rate
		want    Rate
	}{
		"gap":               {Rule{Gap: 3}, Rate{30, 1}, none, Rate{15, 2}},
		"ntsc":              {Rule{Gap: 1}, Rate{30000, 1001}, none, Rate{15000, 1001}},
		"variable":          {Rule{Gap: 3}, none, none, none},
		"bounded":           {Rule{Interval: ten.Interval()}, Rate{30, 1}, ten, ten},
		"slower than bound": {Rule{Interval: ten.Interval()}, Rate{5, 1}, ten, Rate{5, 1}},
		"gap below bound":   {Rule{Gap: 5, Interval: ten.Interval()}, Rate{30, 1}, ten, Rate{5, 1}},
		"key frames":        {Rule{KeyframesOnly: true}, Rate{30, 1}, none, none},
		"inter":             {Rule{Inter: true, Gap: 2}, Rate{30, 1}, none, none},
		"beyond 32 bit":     {Rule{Gap: 1 << 31}, Rate{1, 2147483647}, none, Rate{1, 2147483647}},
		"the largest rate":  {Rule{Gap: 1}, Rate{2147483647, 1}, none, Rate{2147483647, 2}},
	} {
		got := c.rule.Out(c.in, c.max)
		if name == "beyond 32 bit" {
			require.Positive(t, got.Num, name)
			require.Positive(t, got.Den, name)
			continue
		}
		require.Equal(t, c.want, got, name)
		if in, exact := c.rule.In(got, c.max); exact {
			require.Equal(t, c.in, in, name)
		}
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, 160, Rule{Gap: 3}.Duration(40))
	require.EqualValues(t, 40, Rule{}.Duration(40))
	require.Equal(t, None, Rule{Gap: 3}.Duration(None))
	require.EqualValues(t, 100, Rule{Interval: 100}.Duration(40))
	require.Equal(t, None, Rule{KeyframesOnly: true}.Duration(40))
	require.Equal(t, None, Rule{Gap: 3}.Duration(None-1))
}
