package status

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Count is a number of records and the bytes in them.
type Count struct{ Records, Bytes uint64 }

// Books are what a sink accounts for: Accepted = Delivered + Dropped + DeadLettered + Spooled + InFlight.
type Books struct {
	Sink, Stream                                                  string
	Frames                                                        bool // what is counted are frames of a video stream
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

// Line writes a sink's books:
//
//	kinesissink0 to cams: accepted 120 (3.4 MB), delivered 118, dropped 2 (leaky-oldest 2), in flight 0
func (b Books) Line() string {
	text := fmt.Sprintf("%s to %s: accepted %d (%s), delivered %d, dropped %d", b.Sink, b.Stream, b.Accepted.Records, Size(float64(b.Accepted.Bytes)),
		b.Delivered.Records, b.Dropped.Records)
	var reasons []string
	for _, r := range slices.Sorted(maps.Keys(b.ByReason)) {
		reasons = append(reasons, fmt.Sprintf("%s %d", r, b.ByReason[r]))
	}
	if len(reasons) > 0 {
		text += " (" + strings.Join(reasons, ", ") + ")"
	}
	if n := b.DeadLettered.Records; n > 0 {
		text += fmt.Sprintf(", dead-lettered %d", n)
	}
	if n := b.Spooled.Records; n > 0 {
		text += fmt.Sprintf(", spooled %d", n)
	}
	return text + fmt.Sprintf(", in flight %d", b.InFlight.Records)
}
