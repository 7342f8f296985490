package kinesissink_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

// Two sinks that name one group keep within its bandwidth together, and neither loses anything.
func TestBandwidthGroup(t *testing.T) {
	_, to := endpoint(t, 2)
	began := time.Now()
	p := gsttest.Parse(t, "fakesrc num-buffers=100 sizetype=fixed sizemax=10000 ! kinesissink name=a bandwidth-group=modem max-bandwidth=8000000 "+to+
		" fakesrc num-buffers=100 sizetype=fixed sizemax=10000 ! kinesissink name=b bandwidth-group=modem priority=1 "+to)
	p.Run()
	took := time.Since(began).Seconds()
	var wire uint64
	for _, name := range []string{"a", "b"} {
		s := stats(p.Element(name))
		balanced(t, s)
		require.EqualValues(t, 100, s.Uint64("records-delivered"))
		require.Greater(t, s.Uint64("wire-bytes"), uint64(1_000_000))
		wire += s.Uint64("wire-bytes")
	}
	// A grant of half a second goes out at once, and a tenth was saved.
	require.Greater(t, took, float64(wire)*8/8_000_000-0.6, "%d bytes", wire)
}

// max-bandwidth and priority take effect while the stream runs.
func TestBandwidthIsSetLive(t *testing.T) {
	_, to := endpoint(t, 1)
	h := sink(t, to+" linger=0 max-bandwidth=1000 drain-timeout=3600000000000")
	h.SetSrcCaps("application/x-test")
	for i := range 50 { // more than an hour's worth
		require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(uint64(i), fmt.Appendf(nil, "%020000d", i))))
	}
	k := h.Element().ByName("k")
	defer k.Unref()
	require.Eventually(t, func() bool { return stats(k).Uint64("wire-bytes") > 0 }, 20*time.Second, time.Millisecond, "the first request is being written")
	k.Set("priority", int32(5))
	k.Set("max-bandwidth", uint64(0))
	h.PushEvent(gst.NewEOS())
	require.EqualValues(t, 50, stats(k).Uint64("records-delivered"))
	require.Positive(t, stats(k).Uint64("bandwidth-wait"))
	h.Close()
}
