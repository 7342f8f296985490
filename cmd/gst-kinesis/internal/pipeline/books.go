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

const accepted = "records-accepted"

// keepsBooks says whether a sink's stats are books.
func keepsBooks(e *gst.Object) bool {
	s, ok := e.Get("stats").(*gst.Structure)
	return ok && s.Get(accepted) != nil
}

// Books reads the books of all sinks that keep some, in the order of the line.
func (p *Pipeline) Books() []Books {
	all := make([]Books, 0, len(p.sinks))
	for _, e := range p.sinks {
		s, _ := e.Get("stats").(*gst.Structure)
		count := func(name string) Count {
			return Count{Records: s.Uint64("records-" + name), Bytes: s.Uint64("bytes-" + name)}
		}
		b := Books{
			Sink: e.Name(), Accepted: count("accepted"), Delivered: count("delivered"), Dropped: count("dropped"),
			DeadLettered: count("dead-lettered"), Spooled: count("spooled"), InFlight: count("in-flight"),
			ByReason: map[string]uint64{}, Retried: s.Uint64("records-retried"),
		}
		if b.Stream, _ = e.Get("stream-name").(string); b.Stream == "" {
			b.Stream, _ = e.Get("stream-arn").(string)
		}
		if reasons, ok := s.Get("dropped-by-reason").(*gst.Structure); ok {
			for _, f := range reasons.Fields {
				b.ByReason[f.Name] = reasons.Uint64(f.Name)
			}
		}
		all = append(all, b)
	}
	return all
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
