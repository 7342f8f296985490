package kinesissink_test

import (
	"fmt"
	"testing"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

// BenchmarkAboveFakesink prints what a buffer costs in kinesissink above what it costs in fakesink; records are discarded behind the producer.
func BenchmarkAboveFakesink(b *testing.B) {
	source := func(n, size int) string {
		return fmt.Sprintf("fakesrc num-buffers=%d sizetype=fixed sizemax=%d filltype=nothing", n, size)
	}
	gsttest.AboveFakesink(b, 300000, source, "kinesisdiscard name=k stream-name=s sensor-name=cam leaky=no", func(p *gsttest.Pipeline, n int) {
		s := p.Element("k").Get("stats").(*gst.Structure)
		if s.Uint64("records-delivered") != uint64(n) {
			b.Fatalf("%d buffers, and: %v", n, s)
		}
	})
}
