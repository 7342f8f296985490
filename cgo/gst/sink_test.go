package gst_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

func TestSinkSeesWhatABufferHolds(t *testing.T) {
	gsttest.LeakCheck(t)
	var got gsttest.Frame
	var offset, running uint64
	memories := 0
	h := gsttest.New(t, defineSink(t, func(v *gst.View) gst.Flow {
		got = gsttest.Frame{PTS: v.PTS(), DTS: v.DTS(), Duration: v.Duration(), Flags: v.Flags(), Data: make([]byte, v.Size())}
		require.Equal(t, v.Size(), v.CopyTo(got.Data))
		offset, running, memories = v.Offset(), v.RunningTime(), v.Memories()
		return gst.FlowOK
	}))
	h.SetSrcCaps("application/x-test")
	b := gsttest.Frame{Data: []byte("abc"), PTS: 5e9, DTS: 4e9, Duration: 1e9, Offset: 7, Flags: gst.BufferMarker | gst.BufferHeader}.Buffer()
	b.Append([]byte("def"))
	require.Equal(t, gst.FlowOK, h.PushBuffer(b))
	require.Equal(t, "abcdef", string(got.Data))
	require.Equal(t, uint64(5e9), got.PTS)
	require.Equal(t, uint64(4e9), got.DTS)
	require.Equal(t, uint64(1e9), got.Duration)
	require.Equal(t, uint64(5e9), running)
	require.Equal(t, uint64(7), offset)
	require.Equal(t, 2, memories)
	require.NotZero(t, got.Flags&gst.BufferMarker)
	require.NotZero(t, got.Flags&gst.BufferHeader)
}
