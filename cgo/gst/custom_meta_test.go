package gst_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

func TestCustomMeta(t *testing.T) {
	gsttest.LeakCheck(t)
	gst.RegisterCustomMeta("test-detection")
	gst.RegisterCustomMeta("test-detection")
	b := gst.NewBuffer([]byte("x"))
	defer b.Unref()
	require.Nil(t, b.CustomMeta("test-detection"))
	require.Nil(t, b.CustomMeta("never-registered"))
	require.False(t, b.AddCustomMeta(gst.NewStructure("never-registered")))
	require.False(t, b.AddCustomMeta(gst.NewStructure("GstVideoMeta")), "metadata of another kind")
	require.True(t, b.AddCustomMeta(gst.NewStructure("test-detection", gst.Field{Name: "plate", Value: "AB 123"}, gst.Field{Name: "n", Value: int32(3)})))

	// It goes with the buffer, and with a copy.
	h := gsttest.New(t, "identity")
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowOK, h.PushBuffer(b.Ref()))
	out := h.PullBuffer().Writable() // a copy, since b is held too
	require.False(t, out.Same(b))
	defer out.Unref()
	s := out.CustomMeta("test-detection")
	require.NotNil(t, s)
	require.Equal(t, "AB 123", s.Str("plate"))
	require.Equal(t, int32(3), s.Get("n"))
}
