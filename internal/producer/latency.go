package producer

import "time"

// Latency is the time records took from Put to the service's answer.
type Latency struct {
	// Last is the latest record's, Mean and Max are over all records.
	Last, Mean, Max time.Duration
	// P50 and P99 are over the last 10 to 20 seconds, to about 6 %; zero if
	// nothing was delivered in them.
	P50, P99 time.Duration
}

// latencyWindow is how long a histogram is filled.
const latencyWindow = 10 * time.Second

// latencies measures: two histograms, of which the older one is added to the third, of all that was before.
type latencies struct {
	last, max         time.Duration
	turn              instant
	now, past, before Histogram
}

func (l *latencies) add(d time.Duration, now instant) {
	l.rotate(now)
	l.last, l.max = d, max(l.max, d)
	l.now.add(d)
}

func (l *latencies) rotate(now instant) {
	switch since := now - l.turn; {
	case since >= 2*latencyWindow:
		l.before.merge(&l.past)
		l.before.merge(&l.now)
		l.past, l.now, l.turn = Histogram{}, Histogram{}, now
	case since >= latencyWindow:
		l.before.merge(&l.past)
		l.past, l.now, l.turn = l.now, Histogram{}, now
	}
}

// snapshot gives the figures, and the histogram of all latencies there ever were.
func (l *latencies) snapshot(now instant) (Latency, Histogram) {
	l.rotate(now)
	lately := l.now
	lately.merge(&l.past)
	all := lately
	all.merge(&l.before)
	s := Latency{Last: l.last, Max: l.max}
	if n := all.Count(); n > 0 {
		s.Mean = all.Sum / time.Duration(n)
	}
	n := lately.Count()
	s.P50, s.P99 = lately.quantile(n, 50), lately.quantile(n, 99)
	return s, all
}
