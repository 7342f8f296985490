package producer

import (
	"math/bits"
	"time"
)

// A histogram's buckets grow by an eighth of an octave, so that what is told of a time is right to about 6 %. Their
// bounds are in units of a 64th of a millisecond: 1, 2, 4, … ms are bounds, as are 0.125, 0.25 and 0.5 ms.
const (
	histogramUnit  = time.Millisecond / 64
	histogramSteps = 8
	histogramTop   = 23 // 2^23 units are 131 s
	// HistogramBuckets is how many buckets have an upper bound; one more is for all that is longer.
	HistogramBuckets = (histogramTop - 2) * histogramSteps
	// HistogramOctave is how many buckets make an octave: the bound of each that many-th is a power of two.
	HistogramOctave = histogramSteps
)

// Histogram counts times in buckets that stay the same for ever. A bucket holds times up to its bound, that included.
type Histogram struct {
	// Sum is of all times.
	Sum time.Duration
	// Buckets are numbers of times, the last one of those longer than the last bound, 131 s.
	Buckets [HistogramBuckets + 1]int64
}

// HistogramBound is the upper bound of bucket i, which has one: i is less than HistogramBuckets.
func HistogramBound(i int) time.Duration { return bucketFloor(i + 1) }

// Count is how many times there are.
func (h *Histogram) Count() (n int64) {
	for _, b := range h.Buckets {
		n += b
	}
	return n
}

func (h *Histogram) add(d time.Duration) {
	h.Sum += d
	h.Buckets[bucketOf(d)]++
}

func (h *Histogram) merge(o *Histogram) {
	h.Sum += o.Sum
	for i, n := range o.Buckets {
		h.Buckets[i] += n
	}
}

// quantile returns the middle of the bucket that holds the given percentile.
func (h *Histogram) quantile(total, percent int64) time.Duration {
	if total == 0 {
		return 0
	}
	rank := (total*percent + 99) / 100
	for i, n := range h.Buckets {
		if rank -= n; rank <= 0 {
			return (bucketFloor(i) + bucketFloor(i+1)) / 2
		}
	}
	return bucketFloor(HistogramBuckets)
}

// bucketOf gives the bucket of a time, 0 for one that is not positive.
func bucketOf(d time.Duration) int {
	if d <= histogramUnit {
		return 0
	}
	units := uint64(d-1) / uint64(histogramUnit) //nolint:gosec // positive here
	if units < histogramSteps {
		return int(units) //nolint:gosec // small
	}
	top := bits.Len64(units) - 1
	if top >= histogramTop {
		return HistogramBuckets
	}
	return (top-2)*histogramSteps + int(units>>(top-3))&(histogramSteps-1) //nolint:gosec // small
}

// bucketFloor is what all times of a bucket are longer than.
func bucketFloor(i int) time.Duration {
	if i < histogramSteps {
		return time.Duration(i) * histogramUnit
	}
	octave, step := i/histogramSteps, i%histogramSteps
	return time.Duration(histogramSteps+step) << (octave - 1) * histogramUnit
}
