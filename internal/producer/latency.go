package producer

import (
	"math/bits"
	"time"
)

// Latency is the time records took from Put to the service's answer.
type Latency struct {
	// Last is the latest record's, Mean and Max are over all records.
	Last, Mean, Max time.Duration
	// P50 and P99 are over the last 10 to 20 seconds, to about 6 %; zero if
	// nothing was delivered in them.
	P50, P99 time.Duration
}

const (
	// latencyWindow is how long a histogram is filled.
	latencyWindow = 10 * time.Second
	// latencySteps divide an octave; buckets cover 2^latencyFirst ns (16 µs) and up.
	latencySteps   = 8
	latencyFirst   = 14
	latencyOctaves = 28
)

// histogram counts latencies in buckets that grow by an eighth of an octave.
type histogram [latencyOctaves * latencySteps]int64

// latencies measures: two histograms, of which the older one is thrown away.
type latencies struct {
	count     int64
	sum       time.Duration
	last, max time.Duration
	turn      instant
	now, past histogram
}

func (l *latencies) add(d time.Duration, now instant) {
	l.rotate(now)
	l.count++
	l.sum += d
	l.last, l.max = d, max(l.max, d)
	l.now[bucketOf(d)]++
}

func (l *latencies) rotate(now instant) {
	switch since := now - l.turn; {
	case since >= 2*latencyWindow:
		l.past, l.now, l.turn = histogram{}, histogram{}, now
	case since >= latencyWindow:
		l.past, l.now, l.turn = l.now, histogram{}, now
	}
}

func (l *latencies) snapshot(now instant) Latency {
	l.rotate(now)
	s := Latency{Last: l.last, Max: l.max}
	if l.count > 0 {
		s.Mean = l.sum / time.Duration(l.count)
	}
	var both histogram
	var total int64
	for i := range both {
		both[i] = l.now[i] + l.past[i]
		total += both[i]
	}
	s.P50, s.P99 = both.quantile(total, 50), both.quantile(total, 99)
	return s
}

// quantile returns the middle of the bucket that holds the given percentile.
func (h *histogram) quantile(total, percent int64) time.Duration {
	if total == 0 {
		return 0
	}
	rank := (total*percent + 99) / 100
	for i, n := range h {
		if rank -= n; rank <= 0 {
			return (bucketFloor(i) + bucketFloor(i+1)) / 2
		}
	}
	return bucketFloor(len(h))
}

func bucketOf(d time.Duration) int {
	if d < 1<<latencyFirst {
		return 0
	}
	top := bits.Len64(uint64(d)) - 1 //nolint:gosec // not negative here
	step := int(d>>(top-3)) & (latencySteps - 1)
	return min((top-latencyFirst)*latencySteps+step, latencyOctaves*latencySteps-1)
}

func bucketFloor(i int) time.Duration {
	octave, step := i/latencySteps, i%latencySteps
	return time.Duration(latencySteps+step) << (latencyFirst + octave - 3)
}
