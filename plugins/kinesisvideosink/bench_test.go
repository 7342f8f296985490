package kinesisvideosink_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gsttest"
)

// play runs so many buffers of a size into a sink, and gives the time and the Go allocations of all.
func play(tb testing.TB, n, size int, sink string) (time.Duration, uint64) {
	p := gsttest.Parse(tb, fmt.Sprintf("fakesrc num-buffers=%d sizetype=fixed sizemax=%d filltype=nothing format=time datarate=%d ! "+
		"audio/x-alaw,rate=8000,channels=1 ! %s", n, size, 50*size, sink))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	p.Run()
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	p.Close()
	return took, after.Mallocs - before.Mallocs
}

// A buffer costs no allocation: what a run allocates does not grow with its length.
func TestABufferAllocatesNothing(t *testing.T) {
	const sink = "kvsdiscard stream-name=s"
	play(t, 1000, 1024, sink) // warm up
	_, few := play(t, 1000, 1024, sink)
	_, many := play(t, 51000, 1024, sink)
	require.Less(t, float64(many)-float64(few), 0.05*50000, "of 50000 buffers more")
}

// BenchmarkAboveFakesink prints what a buffer costs in kinesisvideosink above what it costs in fakesink; frames are discarded behind it.
func BenchmarkAboveFakesink(b *testing.B) {
	for _, c := range []struct {
		name    string
		size, n int
	}{{"1KiB", 1 << 10, 300000}, {"200KiB", 200 << 10, 10000}} {
		b.Run(c.name, func(b *testing.B) {
			const fake, ours = "fakesink sync=false enable-last-sample=false", "kvsdiscard stream-name=s"
			play(b, c.n/10, c.size, fake)
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
