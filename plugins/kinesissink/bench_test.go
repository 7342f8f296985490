package kinesissink_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

// play runs so many buffers of a size into a sink and gives the time and the Go allocations of all.
func play(b *testing.B, n, size int, sink string) (time.Duration, uint64) {
	p := gsttest.Parse(b, fmt.Sprintf("fakesrc num-buffers=%d sizetype=fixed sizemax=%d filltype=nothing ! %s name=k", n, size, sink))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	p.Run()
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if sink != "fakesink sync=false enable-last-sample=false" {
		s := p.Element("k").Get("stats").(*gst.Structure)
		if s.Uint64("records-delivered") != uint64(n) {
			b.Fatalf("%d buffers, and: %v", n, s)
		}
	}
	p.Close()
	return took, after.Mallocs - before.Mallocs
}

// BenchmarkAboveFakesink prints what a buffer costs in kinesissink above what it costs in fakesink, pair by pair in one run; records are
// discarded behind the producer.
func BenchmarkAboveFakesink(b *testing.B) {
	for _, c := range []struct {
		name    string
		size, n int
	}{{"1KiB", 1 << 10, 300000}, {"200KiB", 200 << 10, 10000}} {
		b.Run(c.name, func(b *testing.B) {
			const fake, ours = "fakesink sync=false enable-last-sample=false", "kinesisdiscard stream-name=s sensor-name=cam leaky=no"
			play(b, c.n/10, c.size, fake) // warm up
			play(b, c.n/10, c.size, ours)
			var base, own time.Duration
			var allocs uint64
			b.ResetTimer()
			for range b.N {
				t, _ := play(b, c.n, c.size, fake)
				base += t
				t, a := play(b, c.n, c.size, ours)
				own += t
				allocs += a
			}
			buffers := float64(b.N) * float64(c.n)
			b.ReportMetric(float64(own-base)/buffers, "ns/buffer-above-fakesink")
			b.ReportMetric(float64(base)/buffers, "ns/buffer-fakesink")
			b.ReportMetric(float64(allocs)/buffers, "allocs/buffer")
			b.ReportMetric(0, "ns/op")
		})
	}
}
