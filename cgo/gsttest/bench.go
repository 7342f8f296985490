package gsttest

import (
	"runtime"
	"testing"
	"time"
)

// Fakesink is the sink that others are measured against.
const Fakesink = "fakesink sync=false enable-last-sample=false"

// Play runs a pipeline to its end, and gives the time and the Go allocations of that; check, if any, looks at it before it is closed.
func Play(tb testing.TB, line string, check func(*Pipeline)) (time.Duration, uint64) {
	tb.Helper()
	p := Parse(tb, line)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	p.Run()
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if check != nil {
		check(p)
	}
	p.Close()
	return took, after.Mallocs - before.Mallocs
}

// AboveFakesink prints what a buffer costs in a sink above what it costs in fakesink, pair by pair in one run: n buffers of 1 KiB, and of 200 KiB a
// thirtieth of that. source gives the launch line of n buffers of a size; check, if any, looks at what became of n in the sink.
func AboveFakesink(b *testing.B, n int, source func(n, size int) string, sink string, check func(p *Pipeline, n int)) {
	for _, c := range []struct {
		name    string
		size, n int
	}{{"1KiB", 1 << 10, n}, {"200KiB", 200 << 10, n / 30}} {
		b.Run(c.name, func(b *testing.B) {
			fake := func(n int) (time.Duration, uint64) { return Play(b, source(n, c.size)+" ! "+Fakesink, nil) }
			ours := func(n int) (time.Duration, uint64) {
				return Play(b, source(n, c.size)+" ! "+sink, func(p *Pipeline) {
					if check != nil {
						check(p, n)
					}
				})
			}
			fake(c.n / 10) // warm up
			ours(c.n / 10)
			var base, own time.Duration
			var allocs uint64
			b.ResetTimer()
			for range b.N {
				t, _ := fake(c.n)
				base += t
				t, a := ours(c.n)
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
