package gst_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

func TestBuffer(t *testing.T) {
	gsttest.LeakCheck(t)
	b := gst.NewBuffer([]byte("abc"))
	require.Equal(t, gst.ClockTimeNone, b.PTS())
	require.Equal(t, gst.ClockTimeNone, b.DTS())
	require.Equal(t, gst.ClockTimeNone, b.Duration())
	require.Equal(t, ^uint64(0), b.Offset())
	b.SetPTS(1)
	b.SetDTS(2)
	b.SetDuration(3)
	b.SetOffset(4)
	require.Equal(t, []uint64{1, 2, 3, 4}, []uint64{b.PTS(), b.DTS(), b.Duration(), b.Offset()})
	b.SetFlags(gst.BufferDiscont|gst.BufferDeltaUnit|gst.BufferMarker, 0)
	b.SetFlags(gst.BufferGap, gst.BufferMarker)
	require.Equal(t, gst.BufferDiscont|gst.BufferDeltaUnit|gst.BufferGap, b.Flags()&(gst.BufferDiscont|gst.BufferDeltaUnit|gst.BufferGap|gst.BufferMarker))
	b.Append([]byte("defg"))
	require.Equal(t, 7, b.Size())
	require.Equal(t, 2, b.Memories())
	require.Equal(t, 2, b.Fill(2, []byte("XY")))
	require.Equal(t, "abXYefg", string(b.Bytes()))
	require.NoError(t, b.View(func(v *gst.View) {
		require.Equal(t, "abX", string(v.Memory(0)))
		require.Equal(t, "Yefg", string(v.Memory(1)))
		require.True(t, v.Has(gst.BufferGap))
		require.False(t, v.Has(gst.BufferMarker))
	}))
	b.Unref()

	empty := gst.NewBuffer(nil)
	require.Zero(t, empty.Size())
	require.Zero(t, empty.Memories())
	require.Empty(t, empty.Bytes())
	empty.Unref()
}

func TestBufferOfManyMemories(t *testing.T) {
	gsttest.LeakCheck(t)
	b := gst.NewBuffer(nil)
	var want []byte
	for i := range 40 { // more than a buffer keeps apart
		part := bytes.Repeat([]byte{byte(i)}, i)
		want = append(want, part...)
		b.Append(part)
	}
	require.Equal(t, want, b.Bytes())
	require.NoError(t, b.View(func(v *gst.View) {
		got := make([]byte, v.Size())
		require.Equal(t, len(want), v.CopyTo(got))
		require.Equal(t, want, got)
		require.LessOrEqual(t, v.Memories(), 16)
	}))
	b.Unref()
}

func TestWritableSharesTheMemory(t *testing.T) {
	gsttest.LeakCheck(t)
	b := gst.NewBuffer([]byte("abc"))
	require.True(t, b.IsWritable())
	b.Ref()
	require.False(t, b.IsWritable())
	w := b.Writable() // takes one of the two references
	require.False(t, w.Same(b))
	w.SetPTS(9)
	require.Equal(t, gst.ClockTimeNone, b.PTS())
	require.Same(t, address(t, b), address(t, w), "the memory stays shared")
	require.True(t, w.Writable().Same(w))
	w.Unref()
	b.Unref()
}

// address gives a pointer to a buffer's first byte.
func address(t *testing.T, b gst.Buffer) *byte {
	t.Helper()
	var p *byte
	require.NoError(t, b.View(func(v *gst.View) { p = &v.Memory(0)[0] }))
	return p
}

func TestRegion(t *testing.T) {
	gsttest.LeakCheck(t)
	b := gsttest.Frame{Data: []byte("abcdef"), PTS: 10, DTS: 9, Duration: 5}.Buffer()
	head, tail := b.Region(0, 2), b.Region(2, 4)
	require.Equal(t, "ab", string(head.Bytes()))
	require.Equal(t, "cdef", string(tail.Bytes()))
	require.Equal(t, uint64(10), head.PTS())
	require.Equal(t, gst.ClockTimeNone, tail.PTS())
	require.Same(t, address(t, b), address(t, head))
	b.Unref()
	require.Equal(t, "cdef", string(tail.Bytes()), "a region keeps the memory")
	head.Unref()
	require.Panics(t, func() { tail.Region(1, 4) })
	require.Panics(t, func() { tail.Region(-1, 1) })
	require.Panics(t, func() { tail.Region(0, -1) })
	none := tail.Region(4, 0)
	require.Zero(t, none.Size())
	none.Unref()
	tail.Unref()
}

func TestReferenceTimes(t *testing.T) {
	gsttest.LeakCheck(t)
	at := time.Date(2024, 2, 29, 12, 30, 15, 123456789, time.UTC).UnixNano()
	b := gst.NewBuffer(nil)
	_, ok := b.UnixTime()
	require.False(t, ok)
	b.AddReferenceTime(gst.ReferenceNTP, uint64(at)+2208988800*uint64(time.Second))
	got, ok := b.UnixTime()
	require.True(t, ok)
	require.Equal(t, at, got)
	copied := b.Ref().Writable()
	got, ok = copied.UnixTime()
	require.True(t, ok, "a copy keeps it")
	require.Equal(t, at, got)
	copied.Unref()
	b.Unref()

	b = gst.NewBuffer(nil)
	b.AddReferenceTime(gst.ReferenceUnix, uint64(at))
	require.NoError(t, b.View(func(v *gst.View) {
		got, ok := v.UnixTime()
		require.True(t, ok)
		require.Equal(t, at, got)
	}))
	b.Unref()
}

func TestPool(t *testing.T) {
	gsttest.LeakCheck(t)
	p, err := gst.NewPool(8, 1, 2)
	require.NoError(t, err)
	a, flow := p.Acquire()
	require.Equal(t, gst.FlowOK, flow)
	require.Equal(t, 8, a.Size())
	first := address(t, a)
	require.Equal(t, 3, a.Fill(0, []byte("abc")))
	b, flow := p.Acquire()
	require.Equal(t, gst.FlowOK, flow)
	a.Unref()
	c, flow := p.Acquire()
	require.Equal(t, gst.FlowOK, flow)
	require.Same(t, first, address(t, c), "the memory came back")

	blocked := make(chan gst.Flow)
	go func() { // both are out
		x, flow := p.Acquire()
		require.True(t, x.IsNil())
		blocked <- flow
	}()
	p.Close()
	require.Equal(t, gst.FlowFlushing, <-blocked)
	require.Equal(t, 8, b.Size(), "what is out stays valid")
	b.Unref()
	c.Unref()
}

func TestBufferList(t *testing.T) {
	gsttest.LeakCheck(t)
	var got []string
	name := define(t, gst.Class{Kind: gst.KindSink, Lists: true, New: func(*gst.Element) any {
		return renderFunc(func(v *gst.View) gst.Flow {
			data := make([]byte, v.Size())
			v.CopyTo(data)
			got = append(got, string(data))
			if string(data) == "stop" {
				return gst.FlowEOS
			}
			return gst.FlowOK
		})
	}})
	h := gsttest.New(t, name)
	h.SetSrcCaps("application/x-test")
	l := gst.NewBufferList(gst.NewBuffer([]byte("a")), gst.NewBuffer([]byte("b")))
	require.Equal(t, 2, l.Len())
	require.Equal(t, "b", string(l.At(1).Bytes()))
	require.Equal(t, gst.FlowOK, h.PushList(l))
	require.Equal(t, gst.FlowEOS, h.PushList(gst.NewBufferList(gst.NewBuffer([]byte("stop")), gst.NewBuffer([]byte("never")))))
	require.Equal(t, []string{"a", "b", "stop"}, got)
	empty := gst.NewBufferList()
	require.Zero(t, empty.Len())
	empty.Unref()
}
