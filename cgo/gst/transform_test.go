package gst_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

func upper(v *gst.View) gst.Flow {
	if v.Map(true) != nil {
		return gst.FlowError
	}
	for i := range v.Memories() {
		copy(v.Memory(i), bytes.ToUpper(v.Memory(i)))
	}
	return gst.FlowOK
}

func TestInPlace(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.New(t, defineInPlace(t, upper))
	h.SetSrcCaps("application/x-test")
	b := gsttest.FrameAt(3, []byte("abc")).Buffer()
	b.Append([]byte("def"))
	first := address(t, b)
	require.Equal(t, gst.FlowOK, h.PushBuffer(b))
	out := h.PullBuffer()
	require.Equal(t, "ABCDEF", string(out.Bytes()))
	require.Equal(t, uint64(3), out.PTS())
	require.Same(t, first, address(t, out), "nobody else had the memory: no copy")
	out.Unref()
}

func TestInPlaceLeavesWhatOthersRead(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.New(t, defineInPlace(t, upper))
	h.SetSrcCaps("application/x-test")
	b := gsttest.FrameAt(0, []byte("abc")).Buffer()
	require.Equal(t, gst.FlowOK, h.PushBuffer(b.Ref()))
	require.Equal(t, "ABC", string(h.Pull().Data))
	require.Equal(t, "abc", string(b.Bytes()))
	b.Unref()
}

func TestMapForReadingThenForWriting(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.New(t, defineInPlace(t, func(v *gst.View) gst.Flow {
		require.NoError(t, v.Map(false))
		require.Equal(t, "abc", string(v.Memory(0)))
		require.NoError(t, v.Map(true))
		v.Memory(0)[0] = 'X'
		require.NoError(t, v.Map(false), "what is mapped for writing can be read")
		return gst.FlowOK
	}))
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("abc"))))
	require.Equal(t, "Xbc", string(h.Pull().Data))
}

func TestInPlaceDrops(t *testing.T) {
	gsttest.LeakCheck(t)
	n := 0
	h := gsttest.New(t, defineInPlace(t, func(v *gst.View) gst.Flow {
		if n++; n == 2 {
			return gst.FlowDropped
		}
		return gst.FlowOK
	}))
	h.SetSrcCaps("application/x-test")
	for i := range 3 {
		require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(uint64(i), []byte("x"))))
	}
	h.Pull()
	last := h.Pull()
	require.Equal(t, uint64(2), last.PTS)
	require.NotZero(t, last.Flags&gst.BufferDiscont, "GstBaseTransform marks the gap")
}

func TestSetPassthrough(t *testing.T) {
	gsttest.LeakCheck(t)
	var e *gst.Element
	calls := 0
	h := gsttest.New(t, define(t, gst.Class{Kind: gst.KindInPlace, New: func(x *gst.Element) any {
		e = x
		return inPlaceFunc(func(*gst.View) gst.Flow { calls++; return gst.FlowOK })
	}}))
	h.SetSrcCaps("application/x-test")
	e.SetPassthrough(true)
	b := gst.NewBuffer([]byte("abc"))
	require.Equal(t, gst.FlowOK, h.PushBuffer(b.Ref()))
	out := h.PullBuffer()
	require.True(t, out.Same(b), "the same buffer")
	out.Unref()
	b.Unref()
	e.SetPassthrough(false)
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("x"))))
	h.Pull()
	require.LessOrEqual(t, calls, 2)
}

func TestResize(t *testing.T) {
	gsttest.LeakCheck(t)
	var sizes []string
	h := gsttest.New(t, define(t, gst.Class{Kind: gst.KindResize, New: func(e *gst.Element) any {
		r := &hookedResize{}
		r.e = e
		r.size = func(d gst.PadDirection, n int) (int, bool) {
			sizes = append(sizes, fmt.Sprint(d == gst.PadSink, n))
			return 2 * n, true
		}
		r.transform = func(in, out *gst.View) gst.Flow {
			text := strings.Repeat(string(in.Memory(0)), 2)
			copy(out.Memory(0), text[:len(text)-1])
			out.SetSize(len(text) - 1)
			return gst.FlowOK
		}
		return r
	}}))
	h.SetSrcCaps("application/x-test")
	f := gsttest.Frame{Data: []byte("abc"), PTS: 1, DTS: 2, Duration: 3, Flags: gst.BufferMarker}
	require.Equal(t, gst.FlowOK, h.Push(f))
	out := h.Pull()
	require.Equal(t, "abcab", string(out.Data))
	require.Equal(t, []uint64{1, 2, 3}, []uint64{out.PTS, out.DTS, out.Duration})
	require.NotZero(t, out.Flags&gst.BufferMarker)
	require.Equal(t, []string{"true 3"}, sizes)
}

func TestGenerateOneToMany(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.New(t, defineGenerate(t, func(in *gst.View, out *gst.Outputs) gst.Flow {
		for i := range in.Size() {
			out.Push(in.Buffer().Region(i, 1))
		}
		return gst.FlowOK
	}))
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("abc"))))
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(1, []byte("d"))))
	got := ""
	for range 4 {
		got += string(h.Pull().Data)
	}
	require.Equal(t, "abcd", got)
	_, more := h.TryPull()
	require.False(t, more)
}

func TestGenerateNothingIsNoDiscontinuity(t *testing.T) {
	gsttest.LeakCheck(t)
	n := 0
	h := gsttest.New(t, defineGenerate(t, func(in *gst.View, out *gst.Outputs) gst.Flow {
		if n++; n%2 == 1 {
			out.Pass()
		}
		return gst.FlowOK
	}))
	h.SetSrcCaps("application/x-test")
	for i, flags := range []uint32{0, 0, 0, gst.BufferDiscont, 0} {
		f := gsttest.FrameAt(uint64(i), []byte("x"))
		f.Flags = flags
		require.Equal(t, gst.FlowOK, h.Push(f))
	}
	require.Zero(t, h.Pull().Flags&gst.BufferDiscont)
	require.Zero(t, h.Pull().Flags&gst.BufferDiscont)
	last := h.Pull()
	require.Equal(t, uint64(4), last.PTS)
	require.NotZero(t, last.Flags&gst.BufferDiscont, "one that came from upstream is not lost with its buffer")
}

func TestGeneratePassesTheSameBuffer(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.New(t, defineGenerate(t, func(_ *gst.View, out *gst.Outputs) gst.Flow { out.Pass(); return gst.FlowOK }))
	h.SetSrcCaps("application/x-test")
	b := gst.NewBuffer([]byte("abc"))
	require.Equal(t, gst.FlowOK, h.PushBuffer(b.Ref()))
	out := h.PullBuffer()
	require.True(t, out.Same(b))
	out.Unref()
	b.Unref()
}

func TestBytesWithoutCaps(t *testing.T) {
	gsttest.LeakCheck(t)
	generate := defineGenerate(t, func(_ *gst.View, out *gst.Outputs) gst.Flow { out.Pass(); return gst.FlowOK })
	inPlace := defineInPlace(t, upper)
	var n atomic.Int64
	sink := defineSink(t, func(v *gst.View) gst.Flow { n.Add(int64(v.Size())); return gst.FlowOK })
	file := filepath.Join(t.TempDir(), "bytes")
	require.NoError(t, os.WriteFile(file, make([]byte, 12345), 0o600))
	gsttest.Parse(t, "filesrc location="+file+" ! "+generate+" ! "+inPlace+" ! "+sink).Run()
	require.Equal(t, int64(12345), n.Load())
}

func TestWrapSharesTheMemory(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.New(t, defineGenerate(t, func(in *gst.View, out *gst.Outputs) gst.Flow {
		out.Wrap([]byte("<"), []byte(">"))
		out.Replace([]byte("instead"))
		other := gst.NewBuffer([]byte("other"))
		out.WrapBuffer([]byte("("), other, []byte(")"))
		other.Unref()
		return gst.FlowOK
	}))
	h.SetSrcCaps("application/x-test")
	b := gsttest.Frame{Data: []byte("abc"), PTS: 1, DTS: 2, Duration: 3, Flags: gst.BufferDeltaUnit}.Buffer()
	b.AddReferenceTime(gst.ReferenceUnix, 42)
	first := address(t, b)
	require.Equal(t, gst.FlowOK, h.PushBuffer(b))
	out := h.PullBuffer()
	require.Equal(t, "<abc>", string(out.Bytes()))
	require.Equal(t, 3, out.Memories())
	require.Equal(t, []uint64{1, 2, 3}, []uint64{out.PTS(), out.DTS(), out.Duration()})
	require.NotZero(t, out.Flags()&gst.BufferDeltaUnit)
	require.NoError(t, out.View(func(v *gst.View) { require.Same(t, first, &v.Memory(1)[0]) }))
	at, ok := out.UnixTime()
	require.True(t, ok)
	require.Equal(t, int64(42), at)
	out.Unref()
	out = h.PullBuffer()
	require.Equal(t, "instead", string(out.Bytes()))
	require.Equal(t, uint64(1), out.PTS())
	out.Unref()
	require.Equal(t, "(other)", string(h.Pull().Data))
}

func TestWrapOfAPooledBufferKeepsIt(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.New(t, defineGenerate(t, func(_ *gst.View, out *gst.Outputs) gst.Flow { out.Wrap([]byte("<"), nil); return gst.FlowOK }))
	h.SetSrcCaps("application/x-test")
	pool, err := gst.NewPool(3, 1, 1)
	require.NoError(t, err)
	b, _ := pool.Acquire()
	b.Fill(0, []byte("abc"))
	require.Equal(t, gst.FlowOK, h.PushBuffer(b))
	out := h.PullBuffer()
	again := make(chan gst.Buffer)
	go func() { // waits until the only buffer is back
		x, _ := pool.Acquire()
		x.Fill(0, []byte("xyz"))
		again <- x
	}()
	require.Equal(t, "<abc", string(out.Bytes()))
	out.Unref()
	(<-again).Unref()
	pool.Close()
}

// What downstream refused of one input does not come out with the next, and does not heap up.
func TestGenerateForgetsWhatWasRefused(t *testing.T) {
	gsttest.LeakCheck(t)
	var seen []string
	var refuse bool
	gen := defineGenerate(t, func(in *gst.View, out *gst.Outputs) gst.Flow {
		for i := range in.Size() {
			out.Push(in.Buffer().Region(i, 1))
		}
		return gst.FlowOK
	})
	sink := defineSink(t, func(v *gst.View) gst.Flow {
		seen = append(seen, string(v.Memory(0)))
		if refuse {
			return gst.FlowNotLinked
		}
		return gst.FlowOK
	})
	h := gsttest.NewLaunch(t, gen+" ! "+sink+" async=false")
	h.SetSrcCaps("application/x-test")
	refuse = true
	require.Equal(t, gst.FlowNotLinked, h.Push(gsttest.FrameAt(0, []byte("abc"))))
	refuse = false
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(1, []byte("d"))))
	require.Equal(t, []string{"a", "d"}, seen)
}

func TestGenerateAnswers(t *testing.T) {
	gsttest.LeakCheck(t)
	for _, flow := range []gst.Flow{gst.FlowEOS, gst.FlowError, gst.FlowNotNegotiated} {
		h := gsttest.New(t, defineGenerate(t, func(_ *gst.View, out *gst.Outputs) gst.Flow { out.Pass(); return flow }))
		h.SetSrcCaps("application/x-test")
		require.Equal(t, flow, h.Push(gsttest.FrameAt(0, []byte("x"))))
		_, came := h.TryPull()
		require.False(t, came, flow.String())
	}
}

// capsThinner halves the frame rate in caps, by a factor that can change while it runs.
type capsThinner struct {
	hookedGenerate
	factor atomic.Int32
}

func (c *capsThinner) TransformCaps(d gst.PadDirection, caps gst.Caps) gst.Caps {
	if caps.IsAny() {
		return caps.Ref()
	}
	all := caps.Structures()
	for i := range all {
		f, ok := all[i].Get("framerate").(gst.Fraction)
		if !ok {
			continue
		}
		if d == gst.PadSink {
			f.Den *= c.factor.Load()
		} else {
			f.Num *= c.factor.Load()
		}
		all[i].Set("framerate", f)
	}
	return gst.NewCaps(all...)
}

func (c *capsThinner) FixateCaps(_ gst.PadDirection, _, other gst.Caps) gst.Caps { return other }

func TestTransformCapsAndReconfigure(t *testing.T) {
	gsttest.LeakCheck(t)
	var c *capsThinner
	var told []string
	h := gsttest.New(t, define(t, gst.Class{Kind: gst.KindGenerate, New: func(e *gst.Element) any {
		c = &capsThinner{}
		c.factor.Store(2)
		c.e = e
		c.generate = func(_ *gst.View, out *gst.Outputs) gst.Flow { out.Pass(); return gst.FlowOK }
		c.setCaps = func(in, out gst.Caps) error {
			told = append(told, in.Structure(0).Get("framerate").(gst.Fraction).String()+" "+out.Structure(0).Get("framerate").(gst.Fraction).String())
			return nil
		}
		return c
	}}))
	h.SetSrcCaps("video/x-test,framerate=30/1")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("x"))))
	c.factor.Store(3)
	c.e.Reconfigure()
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(1, []byte("x"))))
	h.SetSrcCaps("video/x-test,framerate=15/1")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(2, []byte("x"))))
	require.Equal(t, []string{"30/1 15/1", "30/1 10/1", "15/1 5/1"}, told)
	var out []string
	for len(out) < 3 {
		ev := h.AwaitEvent(gst.EventCaps)
		out = append(out, ev.Caps().Structure(0).Get("framerate").(gst.Fraction).String())
		ev.Unref()
	}
	require.Equal(t, []string{"15/1", "10/1", "5/1"}, out)
}

func TestSetCapsRefuses(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.New(t, define(t, gst.Class{Kind: gst.KindSink, New: func(e *gst.Element) any {
		s := &hookedSink{render: func(*gst.View) gst.Flow { return gst.FlowOK }}
		s.e = e
		s.setCaps = func(in, _ gst.Caps) error {
			if in.Name() == "video/x-bad" {
				return fmt.Errorf("taking %s: %w", in.Name(), gst.ErrMap)
			}
			return nil
		}
		return s
	}}))
	h.SetSrcCaps("video/x-good")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("x"))))
	h.SetSrcCaps("video/x-bad")
	require.Equal(t, gst.FlowNotNegotiated, h.Push(gsttest.FrameAt(1, []byte("x"))))
	m := h.AwaitMessage(gst.MessageError)
	require.Equal(t, gst.CoreNegotiation, m.Err.Code)
	require.Contains(t, m.Err.Text, "video/x-bad")
}
