package pipeline

import (
	"gst-kinesis/cgo/gst"
	"gst-kinesis/cmd/gst-kinesis/internal/status"
	"gst-kinesis/internal/supervise"
)

// Count and Books are as they are shown.
type (
	Count = status.Count
	Books = status.Books
)

// counted is what a sink's books count: records, or of a video stream frames; "" where it keeps none.
func counted(stats *gst.Structure) string {
	for _, unit := range []string{"records", "frames"} {
		if stats.Get(unit+"-accepted") != nil {
			return unit
		}
	}
	return ""
}

// keepsBooks says whether a sink's stats are books.
func keepsBooks(e *gst.Object) bool {
	s, ok := e.Get("stats").(*gst.Structure)
	return ok && counted(s) != ""
}

// Books reads the books of all sinks that keep some, in the order of the line.
func (p *Pipeline) Books() []Books {
	all := make([]Books, 0, len(p.sinks))
	for _, e := range p.sinks {
		s, _ := e.Get("stats").(*gst.Structure)
		b := booksOf(s)
		b.Sink = e.Name()
		if b.Stream, _ = e.Get("stream-name").(string); b.Stream == "" {
			b.Stream, _ = e.Get("stream-arn").(string)
		}
		all = append(all, b)
	}
	return all
}

// booksOf reads a sink's stats. What Video Streams stores is delivered, and what it refuses is dropped.
func booksOf(s *gst.Structure) Books {
	unit := counted(s)
	count := func(names ...string) (sum Count) {
		for _, name := range names {
			sum.Records += s.Uint64(unit + "-" + name)
			sum.Bytes += s.Uint64("bytes-" + name)
		}
		return sum
	}
	b := Books{
		Accepted: count("accepted"), Delivered: count("delivered", "persisted"), Dropped: count("dropped", "skipped"),
		DeadLettered: count("dead-lettered"), Spooled: count("spooled"), InFlight: count("in-flight"),
		ByReason: map[string]uint64{}, Retried: s.Uint64("records-retried"), Frames: unit == "frames",
	}
	for _, name := range []string{"dropped-by-reason", "skipped-by-error"} {
		if reasons, ok := s.Get(name).(*gst.Structure); ok {
			for _, f := range reasons.Fields {
				b.ByReason[f.Name] = reasons.Uint64(f.Name)
			}
		}
	}
	return b
}

// Source is a live source and how it fares.
type Source struct {
	Name string
	supervise.Stats
}

// Sources gives the live sources that are kept going.
func (p *Pipeline) Sources() []Source {
	var all []Source
	for _, u := range p.units {
		if sup := u.supervisor(); sup != nil {
			all = append(all, Source{Name: u.name, Stats: sup.Stats()})
		}
	}
	return all
}
