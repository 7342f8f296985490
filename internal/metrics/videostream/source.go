package videostream

import (
	"maps"
	"slices"

	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/putmedia"
)

// Producer is what is asked; *putmedia.Stream is one. Stats may be called from any goroutine.
type Producer interface{ Stats() putmedia.Stats }

// Names are the labels of a producer. Element tells the producers of one process apart.
type Names struct{ Stream, Region, Element string }

// New makes a source of a producer.
func New(p Producer, n Names) metrics.Source {
	f := newFamilies()
	return metrics.Source{
		Labels: []metrics.Assigned{
			{Label: metrics.Label{Name: "stream", Dimension: "StreamName"}, Value: n.Stream}, {Label: metrics.Label{Name: "region", Dimension: ""}, Value: n.Region},
			{Label: metrics.Label{Name: "element", Dimension: ""}, Value: n.Element},
		},
		Families: f.all(),
		Snapshot: func() []metrics.Sample {
			s := p.Stats()
			return f.samples(&s)
		},
	}
}

// Families are all that a source tells of, for documents.
func Families() []*metrics.Family { return newFamilies().all() }

// reasons are there from the start, so that the first loss shows as a change.
var reasons = []string{
	putmedia.ReasonBeforeKey, putmedia.ReasonStorage, putmedia.ReasonSpoolFull, putmedia.ReasonSpoolDamaged, putmedia.ReasonSpoolAge,
	putmedia.ReasonTimestamp, putmedia.ReasonOversize, putmedia.ReasonDrain, putmedia.ReasonStop, putmedia.ReasonStartTimeout,
}

// list gathers samples.
type list []metrics.Sample

func (l *list) add(f *metrics.Family, value int64, labels ...string) {
	*l = append(*l, metrics.Sample{Family: f, Values: labels, Value: float64(value)})
}

func (f *families) samples(s *putmedia.Stats) []metrics.Sample {
	l := make(list, 0, 64)
	b := &s.Books
	l.add(&f.received, b.Accepted.Frames)
	l.add(&f.receivedBytes, b.Accepted.Bytes)
	l.add(&f.persisted, b.Persisted.Frames)
	l.add(&f.persistedBytes, b.Persisted.Bytes)
	all := slices.Clone(reasons)
	for _, reason := range slices.Sorted(maps.Keys(b.Dropped)) {
		if !slices.Contains(all, reason) {
			all = append(all, reason)
		}
	}
	for _, reason := range all {
		l.add(&f.dropped, b.Dropped[reason].Frames, reason)
	}
	for _, reason := range all {
		l.add(&f.droppedBytes, b.Dropped[reason].Bytes, reason)
	}
	for _, id := range slices.Sorted(maps.Keys(b.Skipped)) {
		l.add(&f.skipped, b.Skipped[id].Frames, id)
	}
	f.service(&l, s)
	f.levels(&l, s)
	return l
}

func (f *families) service(l *list, s *putmedia.Stats) {
	b := &s.Books
	l.add(&f.fragments, b.FragmentsPersisted)
	l.add(&f.fragmentsSkipped, b.FragmentsSkipped)
	l.add(&f.resent, s.Resent)
	l.add(&f.duplicates, b.PossibleDuplicates)
	l.add(&f.acks, s.Buffering, "buffering")
	l.add(&f.acks, s.Received, "received")
	l.add(&f.acks, s.Persisted, "persisted")
	l.add(&f.acks, s.Errors, "error")
	l.add(&f.sessions, s.Sessions)
	l.add(&f.sessionsFailed, s.Failures)
	l.add(&f.wire, s.Uplink.Sent)
}

func (f *families) levels(l *list, s *putmedia.Stats) {
	b := &s.Books
	l.add(&f.pending, b.InFlight.Frames)
	l.add(&f.pendingBytes, b.InFlight.Bytes)
	l.add(&f.spooled, b.Spooled.Frames)
	l.add(&f.spooledBytes, b.Spooled.Bytes)
	l.add(&f.memory, s.Memory)
	l.add(&f.waiting, int64(s.Fragments))
	connected := int64(0)
	if s.Connected {
		connected = 1
	}
	l.add(&f.connected, connected)
	*l = append(*l, metrics.Sample{Family: &f.latency, Value: s.Latency.Seconds()})
}
