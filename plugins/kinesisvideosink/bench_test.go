package kinesisvideosink_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gsttest"
)

// discarding is a sink behind which frames are discarded, and buffers are so many of a size for it.
const discarding = "kvsdiscard stream-name=s"

func buffers(n, size int) string {
	return fmt.Sprintf("fakesrc num-buffers=%d sizetype=fixed sizemax=%d filltype=nothing format=time datarate=%d ! audio/x-alaw,rate=8000,channels=1", n, size, 50*size)
}

// A buffer costs no allocation: what a run allocates does not grow with its length.
func TestABufferAllocatesNothing(t *testing.T) {
	allocations := func(n int) float64 {
		_, a := gsttest.Play(t, buffers(n, 1024)+" ! "+discarding, nil)
		return float64(a)
	}
	allocations(1000) // warm up
	few := allocations(1000)
	require.Less(t, allocations(51000)-few, 0.05*50000, "of 50000 buffers more")
}

// BenchmarkAboveFakesink prints what a buffer costs in kinesisvideosink above what it costs in fakesink.
func BenchmarkAboveFakesink(b *testing.B) {
	gsttest.AboveFakesink(b, 300000, buffers, discarding, nil)
}
