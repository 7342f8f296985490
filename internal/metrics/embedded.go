package metrics

// CloudWatch's embedded metric format (Amazon CloudWatch user guide, "Specification: Embedded metric format"): a JSON
// object on a line,
//
//	{"_aws": {"Timestamp": ms, "CloudWatchMetrics": [
//	   {"Namespace": "…", "Dimensions": [["StreamName"]], "Metrics": [{"Name": "…", "Unit": "…"}, …]}]},
//	 "StreamName": "…", "UserRecordsPut": 12, "BufferingTime": [20, 21, …], …}
//
// A member that Metrics names is a number or up to 100 numbers, one that Dimensions names a string; there are at most 100
// metrics, and the line is at most 1 MB. All members of a line have the same dimensions, so that each set of labels is a
// line of its own.
//
// Counters are said as what came since the last line, as CloudWatch sums them up, and histograms as the values that came.
// Where those were more than 100 it is 100 that lie as they do, from the least to the largest: minimum, maximum, average and
// percentiles are theirs, the number of samples is not.

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"
)

// Namespace is where CloudWatch shows the metrics.
const Namespace = "GstKinesis"

const (
	mostMetrics = 100 // of a line
	mostValues  = 100 // of a metric
)

// encoder makes the lines of a source and remembers what they said.
type encoder struct {
	source Source
	said   map[string]*Sample // by family and labels, as of the last lines that were written
	now    map[string]*Sample // as of the last lines that were made
}

func newEncoder(s Source) encoder { return encoder{source: s} }

// line is what is said of one set of labels.
type line struct {
	own     []Assigned // beside the source's
	metrics []figure
	moved   bool // since the last line
}

// figure is one metric of a line.
type figure struct {
	name  string
	unit  Unit
	value any // float64 or []float64
}

// keep makes what was encoded last what later lines go on from.
func (e *encoder) keep() { e.said = e.now }

// encode gives the lines for what happened since those that keep was called for.
func (e *encoder) encode(now time.Time) []byte {
	e.now = make(map[string]*Sample, len(e.said))
	all := sheet{lines: map[string]*line{"": {moved: true}}, order: []string{""}}
	for _, f := range e.source.Families {
		if f.Sum != "" {
			all.sums = append(all.sums, figure{f.Sum, f.Unit, 0.0})
		}
	}
	samples := e.source.Snapshot()
	for i := range samples {
		s := &samples[i]
		key := strings.Join(s.Values, "\x00")
		name := s.Family.Name + "\x00" + key
		e.now[name] = s
		value, moved := since(s, e.said[name])
		all.add(s, key, value, moved)
	}
	all.lines[""].metrics = append(all.lines[""].metrics, all.sums...)
	var out bytes.Buffer
	for _, id := range all.order {
		if l := all.lines[id]; l.moved {
			for part := range slices.Chunk(l.metrics, mostMetrics) {
				e.write(&out, now, l.own, part)
			}
		}
	}
	return out.Bytes()
}

// sheet is the lines of one interval, by labels; those of the source alone come first.
type sheet struct {
	lines map[string]*line
	order []string
	sums  []figure
}

// add puts a value on its line, and into the sum of its family.
func (a *sheet) add(s *Sample, key string, value any, moved bool) {
	f := s.Family
	if f.Sum != "" {
		addTo(a.sums, f, value)
	}
	if f.Embedded == "" {
		return
	}
	id := key
	if len(f.Labels) > 0 {
		id = f.Labels[0].Name + "\x00" + key
	}
	l := a.lines[id]
	if l == nil {
		l = &line{}
		for i, label := range f.Labels {
			l.own = append(l.own, Assigned{label, s.Values[i]})
		}
		a.lines[id], a.order = l, append(a.order, id)
	}
	l.moved = l.moved || moved
	if value != nil {
		l.metrics = append(l.metrics, figure{f.Embedded, f.Unit, value})
	}
}

// since gives what a sample says that the one before did not, nil for nothing at all.
func since(s, before *Sample) (value any, moved bool) {
	scale := s.Family.Scale
	if scale == 0 {
		scale = 1
	}
	switch s.Family.Kind {
	case Gauge:
		return round(s.Value * scale), before != nil && before.Value != s.Value
	case Histogram:
		var old *Distribution
		if before != nil {
			old = before.Distribution
		}
		values := s.Distribution.since(old, scale)
		if len(values) == 0 {
			return nil, false
		}
		return values, true
	}
	d := s.Value
	if before != nil && before.Value <= s.Value { // else it began anew
		d -= before.Value
	}
	return d * scale, d != 0
}

// since gives the values that came after another state, as the middles of their buckets.
func (d *Distribution) since(old *Distribution, scale float64) []float64 {
	counts := slices.Clone(d.Counts)
	var total uint64
	for i := range counts {
		if old != nil && old.Counts[i] <= counts[i] {
			counts[i] -= old.Counts[i]
		}
		total += counts[i]
	}
	if total == 0 {
		return nil
	}
	values := make([]float64, min(total, mostValues))
	bucket, passed := 0, counts[0]
	for i := range values {
		rank := uint64(i) // of the value that it stands for, from 0
		if total > mostValues {
			rank = uint64(i) * (total - 1) / (mostValues - 1)
		}
		for passed <= rank {
			bucket++
			passed += counts[bucket]
		}
		values[i] = round(d.middle(bucket) * scale)
	}
	return values
}

// middle is the value that stands for those of a bucket.
func (d *Distribution) middle(i int) float64 {
	switch {
	case i == len(d.Bounds):
		return d.Bounds[i-1]
	case d.Exact:
		return d.Bounds[i]
	case i == 0:
		return d.Bounds[0] / 2
	}
	return (d.Bounds[i-1] + d.Bounds[i]) / 2
}

// round keeps four digits of what is no whole number: more are not known.
func round(v float64) float64 {
	if v == math.Trunc(v) {
		return v
	}
	unit := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*unit) / unit
}

// addTo adds a value to the sum of its family.
func addTo(sums []figure, f *Family, value any) {
	for i := range sums {
		sum, isNumber := sums[i].value.(float64)
		if v, ok := value.(float64); ok && isNumber && sums[i].name == f.Sum {
			sums[i].value = sum + v
		}
	}
}

// write appends one line. The order of its members is always the same.
func (e *encoder) write(out *bytes.Buffer, now time.Time, own []Assigned, metrics []figure) {
	dimensions := []string{}
	labels := slices.Concat(e.source.Labels, own)
	for _, l := range labels {
		if l.Dimension != "" {
			dimensions = append(dimensions, l.Dimension)
		}
	}
	out.WriteString(`{"_aws":{"Timestamp":`)
	member(out, now.UnixMilli())
	out.WriteString(`,"CloudWatchMetrics":[{"Namespace":`)
	member(out, Namespace)
	out.WriteString(`,"Dimensions":[`)
	member(out, dimensions)
	out.WriteString(`],"Metrics":[`)
	for i, m := range metrics {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(`{"Name":`)
		member(out, m.name)
		out.WriteString(`,"Unit":`)
		member(out, m.unit)
		out.WriteByte('}')
	}
	out.WriteString(`]}]}`)
	for _, l := range labels {
		name := l.Dimension
		if name == "" {
			name = l.Name
		}
		named(out, name, l.Value)
	}
	for _, m := range metrics {
		named(out, m.name, m.value)
	}
	out.WriteString("}\n")
}

func named(out *bytes.Buffer, name string, value any) {
	out.WriteByte(',')
	member(out, name)
	out.WriteByte(':')
	member(out, value)
}

// member appends a JSON value; strings are made valid UTF-8.
func member(out *bytes.Buffer, v any) {
	text, err := json.Marshal(v)
	if err != nil { // a number that JSON has no word for
		text = []byte("0")
	}
	out.Write(text)
}
