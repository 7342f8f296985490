package kinesisvideosink

import (
	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/putmedia"
)

// statsStructure gives the stats; session is nil while the element is stopped. Times are ns.
func statsStructure(s putmedia.Stats, now *session) *gst.Structure {
	b := &s.Books
	out := gst.NewStructure("application/x-kinesis-video-stats")
	count := func(name string, c putmedia.Count) {
		out.Set("frames-"+name, uint64(c.Frames)) //nolint:gosec // a count
		out.Set("bytes-"+name, uint64(c.Bytes))   //nolint:gosec // a count
	}
	count("accepted", b.Accepted)
	count("persisted", b.Persisted)
	count("dropped", b.DroppedAll())
	count("skipped", b.SkippedAll())
	count("spooled", b.Spooled)
	count("in-flight", b.InFlight)
	out.Set("dropped-by-reason", byKey("dropped-by-reason", b.Dropped))
	out.Set("skipped-by-error", byKey("skipped-by-error", b.Skipped))
	var waiting int
	if now != nil {
		waiting, _ = now.queue.Waiting()
	}
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"frames-interleaving", int64(waiting)}, // not accepted yet
		{"fragments-persisted", b.FragmentsPersisted}, {"fragments-skipped", b.FragmentsSkipped}, {"fragments-resent", s.Resent},
		{"possible-duplicates", b.PossibleDuplicates}, {"fragments-waiting", int64(s.Fragments)},
		{"sessions", s.Sessions}, {"sessions-failed", s.Failures},
		{"acks-buffering", s.Buffering}, {"acks-received", s.Received}, {"acks-persisted", s.Persisted}, {"acks-error", s.Errors},
		{"memory-bytes", s.Memory}, {"latency-last", int64(s.Latency)},
		{"wire-bytes", s.Uplink.Sent}, {"bandwidth-wait", int64(s.Uplink.Waited)},
	} {
		out.Set(f.name, uint64(max(f.value, 0))) //nolint:gosec // not negative
	}
	out.Set("connected", s.Connected)
	return out
}

// byKey gives frames by reason or error id.
func byKey(name string, counts map[string]putmedia.Count) *gst.Structure {
	out := gst.NewStructure(name)
	for key, c := range counts {
		if c.Frames > 0 {
			if key[0] >= '0' && key[0] <= '9' {
				key = "error-" + key // a field's name begins with a letter
			}
			out.Set(key, uint64(c.Frames)) //nolint:gosec // a count
		}
	}
	return out
}
