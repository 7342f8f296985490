package metrics

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// collector asks all sources when Prometheus does.
type collector struct {
	mu      sync.Mutex // not held while sources are asked
	sources []*Source
}

// add shows a source until hide is called. Two with the same labels would spoil the whole answer: the second one's last
// label gets a number.
func (c *collector) add(s Source) (hide func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Labels = slices.Clone(s.Labels)
	for i := range s.Labels {
		s.Labels[i].Value = strings.ToValidUTF8(s.Labels[i].Value, "\uFFFD")
	}
	if last := len(s.Labels) - 1; last >= 0 {
		name := s.Labels[last].Value
		for n := 2; slices.ContainsFunc(c.sources, func(o *Source) bool { return slices.Equal(o.Labels, s.Labels) }); n++ {
			s.Labels[last].Value = name + "-" + strconv.Itoa(n)
		}
	}
	own := &s
	c.sources = append(c.sources, own)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.sources = slices.DeleteFunc(c.sources, func(o *Source) bool { return o == own })
	}
}

// Describe implements prometheus.Collector: what there is, is known when it is asked for.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	sources := slices.Clone(c.sources)
	c.mu.Unlock()
	for _, s := range sources {
		var names, values []string
		for _, l := range s.Labels {
			names, values = append(names, l.Name), append(values, l.Value)
		}
		var family *Family
		var desc *prometheus.Desc
		for _, sample := range s.Snapshot() {
			if sample.Family != family {
				family = sample.Family
				all := slices.Clone(names)
				for _, l := range family.Labels {
					all = append(all, l.Name)
				}
				desc = prometheus.NewDesc(family.Name, family.Help, all, nil)
			}
			all := slices.Clone(values)
			for _, v := range sample.Values {
				all = append(all, strings.ToValidUTF8(v, "\uFFFD"))
			}
			ch <- metric(desc, &sample, all)
		}
	}
}

func metric(desc *prometheus.Desc, s *Sample, labels []string) prometheus.Metric {
	var m prometheus.Metric
	var err error
	switch s.Family.Kind {
	case Histogram:
		count, buckets := s.Distribution.cumulated()
		m, err = prometheus.NewConstHistogram(desc, count, s.Distribution.Sum, buckets, labels...)
	case Gauge:
		m, err = prometheus.NewConstMetric(desc, prometheus.GaugeValue, s.Value, labels...)
	default:
		m, err = prometheus.NewConstMetric(desc, prometheus.CounterValue, s.Value, labels...)
	}
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return m
}

// cumulated gives the buckets that Prometheus is shown, as it counts them.
func (d *Distribution) cumulated() (count uint64, buckets map[float64]uint64) {
	step := max(d.Step, 1)
	buckets = make(map[float64]uint64, len(d.Bounds)/step)
	for i, n := range d.Counts {
		count += n
		if i < len(d.Bounds) && i%step == step-1 {
			buckets[d.Bounds[i]] = count
		}
	}
	return count, buckets
}
