package pipeline

import (
	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/supervise"
)

// Count is a number of records and the bytes in them.
type Count struct{ Records, Bytes uint64 }

// Books are what a sink accounts for: Accepted = Delivered + Dropped + DeadLettered + Spooled + InFlight.
type Books struct {
	Sink, Stream                                                  string
	Accepted, Delivered, Dropped, DeadLettered, Spooled, InFlight Count
	ByReason                                                      map[string]uint64 // dropped records
	Retried                                                       uint64
}

// Balanced says whether the equation holds.
func (b Books) Balanced() bool {
	sum := func(f func(Count) uint64) bool {
		return f(b.Accepted) == f(b.Delivered)+f(b.Dropped)+f(b.DeadLettered)+f(b.Spooled)+f(b.InFlight)
	}
	return sum(func(c Count) uint64 { return c.Records }) && sum(func(c Count) uint64 { return c.Bytes })
}

// Lost is the number of records that came no further than this process.
func (b Books) Lost() uint64 { return b.Dropped.Records + b.InFlight.Records }

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
		count := func(name string) Count { return Count{s.Uint64("records-" + name), s.Uint64("bytes-" + name)} }
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
