package subsample_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/plugins"
)

func TestMain(m *testing.M) { gsttest.Main(m, plugins.Info()) }

const (
	raw   = "video/x-raw,format=GRAY8,width=4,height=1,framerate=25/1"
	h264  = "video/x-h264,stream-format=byte-stream,alignment=au,framerate=25/1"
	frame = 40e6 // ns
)

func push(h *gsttest.Harness, i int, flags uint32) gst.Flow {
	f := gsttest.FrameAt(uint64(i)*frame, []byte{byte(i), 0, 0, 0})
	f.Duration, f.Flags = frame, flags
	return h.Push(f)
}

func pulled(h *gsttest.Harness) (out []gsttest.Frame) {
	for f, ok := h.TryPull(); ok; f, ok = h.TryPull() {
		out = append(out, f)
	}
	return out
}

func TestGapPassesEveryNth(t *testing.T) {
	h := gsttest.New(t, "subsample")
	h.Set("gap", 3)
	h.SetSrcCaps(raw)
	for i := range 20 {
		flags := uint32(0)
		if i == 0 {
			flags = gst.BufferDiscont
		}
		require.Equal(t, gst.FlowOK, push(h, i, flags))
	}
	out := pulled(h)
	require.Len(t, out, 5)
	for k, f := range out {
		require.EqualValues(t, 4*k, f.Data[0])
		require.EqualValues(t, 4*frame, f.Duration, "it stands for the frames that were skipped")
		require.Equal(t, k == 0, f.Flags&gst.BufferDiscont != 0, "its own gaps are no discontinuity")
	}
	stats := h.Get("stats").(*gst.Structure)
	require.EqualValues(t, 20, stats.Uint64("in"))
	require.EqualValues(t, 5, stats.Uint64("out"))
	require.EqualValues(t, 15, stats.Uint64("drop-gap"))
}

func TestADiscontinuityThatWasSkippedIsCarriedOn(t *testing.T) {
	h := gsttest.New(t, "subsample")
	h.Set("gap", 1)
	h.SetSrcCaps(raw)
	for i := range 4 {
		flags := uint32(0)
		if i == 1 {
			flags = gst.BufferDiscont
		}
		push(h, i, flags)
	}
	out := pulled(h)
	require.Len(t, out, 2)
	require.NotZero(t, out[1].Flags&gst.BufferDiscont)
}

func TestNothingSetIsThePassageOfTheSameBuffer(t *testing.T) {
	h := gsttest.New(t, "subsample")
	h.SetSrcCaps(h264)
	for i := range 3 {
		b := gsttest.FrameAt(uint64(i)*frame, []byte{1}).Buffer()
		same := b.Ref()
		require.Equal(t, gst.FlowOK, h.PushBuffer(b))
		out := h.PullBuffer()
		require.True(t, out.Same(same))
		out.Unref()
		same.Unref()
	}
}

func TestInterCodedPassesKeyFramesAndSaysSoOnce(t *testing.T) {
	h := gsttest.New(t, "subsample")
	h.Set("gap", 1)
	h.SetSrcCaps(h264)
	for i := range 40 {
		flags := gst.BufferDeltaUnit
		if i%10 == 0 {
			flags = 0
		}
		push(h, i, flags)
	}
	out := pulled(h)
	require.Len(t, out, 2)
	require.EqualValues(t, 0, out[0].Data[0])
	require.EqualValues(t, 20, out[1].Data[0])
	require.NotZero(t, out[1].Flags&gst.BufferDiscont, "frames that others refer to are missing")
	require.Equal(t, gst.ClockTimeNone, out[1].Duration)

	m := h.AwaitMessage(gst.MessageInfo)
	require.Contains(t, m.Err.Text, "video/x-h264")
	require.Contains(t, m.Err.Text, "key frames")
	require.Nil(t, h.Message(0, gst.MessageInfo), "said once")
}

// srcCaps gives the caps that come out when caps go in.
func srcCaps(t *testing.T, caps string, set map[string]any) *gst.Structure {
	h := gsttest.New(t, "subsample")
	for name, v := range set {
		h.Set(name, v)
	}
	h.SetSrcCaps(caps)
	push(h, 0, 0)
	ev := h.AwaitEvent(gst.EventCaps)
	defer ev.Unref()
	return ev.Caps().Structure(0).Structure
}

func TestFramerateIsRewritten(t *testing.T) {
	for name, c := range map[string]struct {
		caps string
		set  map[string]any
		want any
	}{
		"gap":               {raw, map[string]any{"gap": 3}, gst.Fraction{Num: 25, Den: 4}},
		"none":              {raw, nil, gst.Fraction{Num: 25, Den: 1}},
		"max-rate":          {raw, map[string]any{"max-rate": "5/1"}, gst.Fraction{Num: 5, Den: 1}},
		"both":              {raw, map[string]any{"max-rate": "5/1", "gap": 9}, gst.Fraction{Num: 5, Den: 2}},
		"variable":          {"video/x-raw,format=GRAY8,width=4,height=1,framerate=0/1", map[string]any{"gap": 3}, gst.Fraction{Num: 0, Den: 1}},
		"absent":            {"application/x-test", map[string]any{"gap": 3}, nil},
		"key frames":        {h264, map[string]any{"keyframes-only": true}, gst.Fraction{Num: 0, Den: 1}},
		"gap of inter":      {h264, map[string]any{"gap": 2}, gst.Fraction{Num: 0, Den: 1}},
		"intra-coded":       {"image/jpeg,framerate=30/1", map[string]any{"gap": 2}, gst.Fraction{Num: 10, Den: 1}},
		"audio is as it is": {"audio/x-raw,format=S16LE,rate=8000,channels=1,layout=interleaved", map[string]any{"gap": 2}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, srcCaps(t, c.caps, c.set).Get("framerate"))
		})
	}
}

func TestAVariableRateIsBoundedInTheCaps(t *testing.T) {
	s := srcCaps(t, "video/x-raw,format=GRAY8,width=4,height=1,framerate=0/1", map[string]any{"max-rate": "5/1"})
	require.Equal(t, gst.Fraction{Num: 5, Den: 1}, s.Get("max-framerate"))
}

// What downstream asks for goes upstream as what is needed for it, so that a source that can choose its rate chooses the right one.
func TestFramerateIsNegotiatedUpstream(t *testing.T) {
	for _, asked := range []string{"5/1", "[5/1,6/1]", "{5/1,7/1}"} {
		p := gsttest.Parse(t, "videotestsrc num-buffers=4 name=src ! subsample gap=3 ! video/x-raw,framerate=(fraction)"+asked+" ! fakesink")
		p.Play()
		p.Settle(gst.StatePlaying)
		pad := p.Element("src").StaticPad("src")
		caps := pad.PadCaps()
		rate := caps.Structure(0).Get("framerate").(gst.Fraction)
		require.GreaterOrEqual(t, rate.Num, 20*rate.Den, asked)
		require.LessOrEqual(t, rate.Num, 28*rate.Den, asked)
		caps.Unref()
		pad.Unref()
	}
}

func TestGapIsSetLive(t *testing.T) {
	h := gsttest.New(t, "subsample")
	h.SetSrcCaps(raw)
	push(h, 0, 0)
	h.Set("gap", 1)
	for i := 1; i < 9; i++ {
		push(h, i, 0)
	}
	out := pulled(h)
	require.Len(t, out, 5)
	h.Set("gap", 0)
	push(h, 9, 0)
	push(h, 10, 0)
	require.Len(t, pulled(h), 2)
}

func TestAFlushBeginsAnew(t *testing.T) {
	h := gsttest.New(t, "subsample")
	h.Set("gap", 9)
	h.SetSrcCaps(raw)
	push(h, 0, 0)
	push(h, 1, 0)
	h.PushEvent(gst.NewFlushStart())
	h.PushEvent(gst.NewFlushStop(false))
	segment := gst.NewTimeSegment()
	h.PushEvent(gst.NewSegmentEvent(&segment))
	push(h, 2, 0)
	out := pulled(h)
	require.Len(t, out, 2)
	require.EqualValues(t, 2, out[1].Data[0], "the first frame behind the flush passes, whatever the gap")
}

func TestADropEndsTheDeliveryToken(t *testing.T) {
	h := gsttest.New(t, "subsample")
	h.Set("gap", 1)
	h.SetSrcCaps(raw)
	outcomes := make(chan gst.Outcome, 2)
	for i := range 2 {
		b := gsttest.FrameAt(uint64(i)*frame, []byte{1, 2, 3, 4}).Buffer()
		token := gst.NewToken(func(o gst.Outcome) { outcomes <- o })
		b.SetToken(token)
		token.Unref()
		h.PushBuffer(b)
	}
	require.Equal(t, gst.OutcomeDropped, <-outcomes)
	pulled(h) // freed and never delivered
	require.Equal(t, gst.OutcomeLost, <-outcomes)
}
