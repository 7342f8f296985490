//go:build cgo

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gst-kinesis/cmd/gst-kinesis/internal/pipeline"
	"gst-kinesis/cmd/gst-kinesis/internal/status"
)

// booksLine writes a sink's books:
//
//	kinesissink0 to cams: accepted 120 (3.4 MB), delivered 118, dropped 2 (leaky-oldest 2), in flight 0
func booksLine(b pipeline.Books) string {
	text := fmt.Sprintf("%s to %s: accepted %d (%s), delivered %d, dropped %d", b.Sink, b.Stream, b.Accepted.Records, status.Size(float64(b.Accepted.Bytes)),
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
