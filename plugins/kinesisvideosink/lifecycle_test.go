package kinesisvideosink_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/plugins/kinesisvideosink"
)

const byteStream = "video/x-h264,stream-format=byte-stream,alignment=au"

// footage gives frames of H.264 with start codes, 30 a second, a key frame every 30; bframes of them between two others.
func footage(t *testing.T, frames, width, bframes int) []gsttest.Frame {
	t.Helper()
	h := gsttest.NewLaunch(t, fmt.Sprintf("videotestsrc num-buffers=%d ! video/x-raw,width=%d,height=120,framerate=30/1 ! "+
		"x264enc key-int-max=30 speed-preset=veryfast bframes=%d b-adapt=false rc-lookahead=0 ! h264parse config-interval=-1 ! "+byteStream+" ! identity", frames, width, bframes))
	defer h.Close()
	h.Play()
	out := make([]gsttest.Frame, frames)
	for i := range out {
		out[i] = h.Pull()
	}
	first := out[0].PTS
	for i := range out { // from 1 h on, so that what decodes earlier has a time too
		out[i].PTS += uint64(time.Hour) - first
		if out[i].DTS != gst.ClockTimeNone {
			out[i].DTS += uint64(time.Hour) - first
		}
	}
	return out
}

// videoSink gives a harness around the element of a line by its pad of video.
func videoSink(t *testing.T, line string) *gsttest.Harness {
	t.Helper()
	words := strings.Fields(line)
	e, err := gst.NewElement(words[0], "")
	require.NoError(t, err)
	defer e.Unref()
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		require.NoError(t, e.Set(name, value))
	}
	return gsttest.NewPads(t, e, "video_%u", "")
}

func pushAll(t *testing.T, h *gsttest.Harness, frames []gsttest.Frame) {
	t.Helper()
	for _, f := range frames {
		if r := h.Push(f); r != gst.FlowOK {
			m := h.Message(0, gst.MessageError)
			require.NotNil(t, m, "%v without an error on the bus", r)
			t.Fatalf("%v: %s (%s)", r, m.Err.Text, m.Err.Debug)
		}
	}
}

func end(t *testing.T, h *gsttest.Harness) *gst.Structure {
	t.Helper()
	h.PushEvent(gst.NewEOS())
	h.AwaitMessage(gst.MessageEOS)
	s := stats(h.Element())
	balanced(t, s)
	return s
}

func TestBFramesStandInOrderOfDecoding(t *testing.T) {
	gsttest.LeakCheck(t)
	f := &kinesisvideosink.Fake{}
	frames := footage(t, 60, 160, 2)
	h := videoSink(t, fake(f))
	h.SetSrcCaps(byteStream)
	pushAll(t, h, frames)
	require.EqualValues(t, 60, end(t, h).Uint64("frames-persisted"))
	got, reordered := f.Sessions()[0].Frames, 0
	for i := range got {
		require.InDelta(t, (int64(frames[i].PTS)-int64(frames[0].PTS))/1e6, got[i].MS-got[0].MS, 1.01)
		if i > 0 && got[i].MS < got[i-1].MS {
			reordered++
		}
	}
	require.Greater(t, reordered, 10, "there are B-frames")
}

func TestAnotherSizeIsAnotherSession(t *testing.T) {
	f := &kinesisvideosink.Fake{}
	small, large := footage(t, 30, 160, 0), footage(t, 30, 320, 0)
	h := videoSink(t, fake(f))
	h.SetSrcCaps(byteStream) // the same for both: the SPS tells
	pushAll(t, h, small)
	for i := range large {
		large[i].PTS += uint64(time.Second)
		large[i].DTS = gst.ClockTimeNone
	}
	pushAll(t, h, large)
	s := end(t, h)
	require.EqualValues(t, 60, s.Uint64("frames-persisted"), s)
	all := f.Sessions()
	require.Len(t, all, 2)
	require.Equal(t, []int{160, 320}, []int{all[0].Tracks[0].Width, all[1].Tracks[0].Width})
	require.Len(t, all[1].Frames, 30)
}

func TestWhatComesBeforeAKeyFrameIsCounted(t *testing.T) {
	f := &kinesisvideosink.Fake{}
	h := videoSink(t, fake(f))
	h.SetSrcCaps(byteStream)
	pushAll(t, h, footage(t, 60, 160, 0)[10:])
	s := end(t, h)
	require.EqualValues(t, 30, s.Uint64("frames-persisted"))
	require.EqualValues(t, 20, s.Get("dropped-by-reason").(*gst.Structure).Uint64("before-key"))
	require.True(t, f.Sessions()[0].Frames[0].Key)
}

func TestMalformedBuffersAreWarnedOf(t *testing.T) {
	h := videoSink(t, fake(&kinesisvideosink.Fake{}))
	h.SetSrcCaps(byteStream)
	frames := footage(t, 30, 160, 0)
	pushAll(t, h, frames[:10])
	bad := frames[10]
	bad.Data = []byte("no start code here")
	require.Equal(t, gst.FlowOK, h.Push(bad))
	require.Contains(t, h.AwaitMessage(gst.MessageWarning).Err.Text, "h264parse")
	pushAll(t, h, frames[11:])
	s := end(t, h)
	require.EqualValues(t, 1, s.Get("dropped-by-reason").(*gst.Structure).Uint64("malformed"))
	require.EqualValues(t, 29, s.Uint64("frames-persisted"))
}

func TestAFlushGoesOn(t *testing.T) {
	f := &kinesisvideosink.Fake{}
	h := videoSink(t, fake(f))
	h.SetSrcCaps(byteStream)
	frames := footage(t, 60, 160, 0)
	pushAll(t, h, frames[:30])
	require.True(t, h.PushEvent(gst.NewFlushStart()))
	require.Equal(t, gst.FlowFlushing, h.Push(frames[30]))
	require.True(t, h.PushEvent(gst.NewFlushStop(true)))
	segment := gst.NewTimeSegment()
	h.PushEvent(gst.NewSegmentEvent(&segment))
	pushAll(t, h, frames[30:])
	require.EqualValues(t, 60, end(t, h).Uint64("frames-persisted"))
}

// blocked gives a sink whose streaming thread waits for room, and what its Push answers in the end.
func blocked(t *testing.T) (*gsttest.Harness, chan gst.Flow) {
	t.Helper()
	h := videoSink(t, fake(&kinesisvideosink.Fake{Stall: make(chan struct{})})+" streaming-type=offline storage-size=1 stop-stream-timeout=0")
	h.SetSrcCaps(byteStream)
	flow, frames := make(chan gst.Flow, 1), footage(t, 60, 640, 0)
	accepted := func() uint64 { return stats(h.Element()).Uint64("frames-accepted") }
	go func() {
		for n := uint64(0); ; n++ {
			for _, f := range frames {
				f.PTS += n * 2 * uint64(time.Second)
				f.DTS = gst.ClockTimeNone
				if r := h.Push(f); r != gst.FlowOK {
					flow <- r
					return
				}
			}
		}
	}()
	last, since := uint64(0), time.Now()
	require.Eventually(t, func() bool {
		if n := accepted(); n != last {
			last, since = n, time.Now()
		}
		return last > 60 && time.Since(since) > 300*time.Millisecond
	}, gsttest.Limit, 10*time.Millisecond, "it does not block")
	return h, flow
}

func await(t *testing.T, flow chan gst.Flow) gst.Flow {
	t.Helper()
	select {
	case r := <-flow:
		return r
	case <-time.After(gsttest.Limit):
		t.Fatal("the streaming thread is still blocked")
	}
	return gst.FlowError
}

func TestWhatBlocksEndsByAFlush(t *testing.T) {
	h, flow := blocked(t)
	h.PushEvent(gst.NewFlushStart())
	require.Equal(t, gst.FlowFlushing, await(t, flow))
	h.PushEvent(gst.NewFlushStop(false))
}

func TestWhatBlocksEndsByAStateChange(t *testing.T) {
	h, flow := blocked(t)
	began := time.Now()
	h.Element().SetState(gst.StateNull)
	require.Less(t, time.Since(began), time.Second)
	require.Equal(t, gst.FlowFlushing, await(t, flow))
	balanced(t, stats(h.Element()))
}

func TestWhatBlocksEndsByAReleaseOfItsPad(t *testing.T) {
	h, flow := blocked(t)
	pad := h.Element().StaticPad("video_0")
	began := time.Now()
	h.Element().ReleasePad(pad)
	pad.Unref()
	require.Less(t, time.Since(began), time.Second)
	require.NotEqual(t, gst.FlowOK, await(t, flow))
	again := h.Element().RequestPad("video_%u")
	require.NotNil(t, again)
	h.Element().ReleasePad(again)
	again.Unref()
}

func TestOneOfEachPad(t *testing.T) {
	e, err := gst.NewElement("kinesisvideosink", "")
	require.NoError(t, err)
	defer e.Unref()
	require.True(t, e.IsSink())
	for _, template := range []string{"video_%u", "audio_%u"} {
		first := e.RequestPad(template)
		require.NotNil(t, first)
		require.Nil(t, e.RequestPad(template), "Video Streams takes one")
		e.ReleasePad(first)
		first.Unref()
		second := e.RequestPad(template)
		require.NotNil(t, second)
		e.ReleasePad(second)
		second.Unref()
	}
}

func TestFailuresAtStartAreOnTheBus(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"missing": {&smithy.GenericAPIError{Code: "ResourceNotFoundException", Message: "The requested stream is not found"}, "create-stream"},
		"denied":  {&smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized"}, "kinesisvideo:"},
		"skew":    {&smithy.GenericAPIError{Code: "InvalidSignatureException", Message: "Signature expired: 20261120T212636Z is now earlier than 20261120T222136Z"}, "clock"},
	} {
		t.Run(name, func(t *testing.T) {
			gsttest.LeakCheck(t)
			p := gsttest.Parse(t, "appsrc caps=audio/x-alaw,rate=8000,channels=1 ! "+fake(&kinesisvideosink.Fake{OnLocate: func(context.Context) error { return c.err }}))
			began := time.Now()
			p.Play()
			m := p.Message(5*time.Second, gst.MessageError)
			require.NotNil(t, m)
			require.Less(t, time.Since(began), 5*time.Second)
			require.Contains(t, m.Err.Text, c.want)
			require.NotEmpty(t, m.Structure.Str("remedy"))
		})
	}
}

// An endpoint that never answers holds up no change of state, and is told of soon.
func TestStateChangesWhileTheEndpointHangs(t *testing.T) {
	f := &kinesisvideosink.Fake{OnLocate: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	p := gsttest.Parse(t, "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=30/1 ! x264enc tune=zerolatency speed-preset=ultrafast ! h264parse ! "+
		fake(f)+" stop-stream-timeout=1")
	for _, s := range []gst.State{gst.StatePlaying, gst.StatePaused, gst.StatePlaying} {
		began := time.Now()
		p.SetState(s)
		require.Less(t, time.Since(began), time.Second, s)
	}
	m := p.Message(5*time.Second, gst.MessageWarning)
	require.NotNil(t, m)
	require.Contains(t, m.Err.Text, "no answer for 2s")
	began := time.Now()
	p.SetState(gst.StateNull)
	require.Less(t, time.Since(began), 2*time.Second)
	balanced(t, stats(p.Element("k")))
}

func TestFramesAreAcceptedAgainAndAgain(t *testing.T) {
	gsttest.Goroutines(t)
	f := &kinesisvideosink.Fake{}
	p := gsttest.Parse(t, "audiotestsrc num-buffers=5 ! audio/x-raw,rate=8000,channels=1 ! alawenc ! "+fake(f))
	gsttest.Flat(t, gsttest.Rounds(200, 2000), 4096, func(int) {
		p.Run()
		require.EqualValues(t, 5, stats(p.Element("k")).Uint64("frames-persisted"))
		p.SetState(gst.StateNull)
		f.Forget()
	})
}

func TestStates(t *testing.T) {
	gsttest.Goroutines(t)
	gsttest.LeakCheck(t)
	h := videoSink(t, fake(&kinesisvideosink.Fake{}))
	gsttest.States(t, h.Element(), gsttest.Rounds(100, 2000))
}

func TestTokensAreCompletedWhenStored(t *testing.T) {
	f := &kinesisvideosink.Fake{Stall: make(chan struct{})}
	h := videoSink(t, fake(f))
	h.SetSrcCaps(byteStream)
	var mu sync.Mutex
	outcomes := map[gst.Outcome]int{}
	count := func(o gst.Outcome) int {
		mu.Lock()
		defer mu.Unlock()
		return outcomes[o]
	}
	for _, frame := range footage(t, 60, 160, 0)[10:] { // 20 before a key frame
		token := gst.NewToken(func(o gst.Outcome) {
			mu.Lock()
			defer mu.Unlock()
			outcomes[o]++
		})
		b := frame.Buffer()
		require.True(t, b.SetToken(token))
		token.Unref()
		require.Equal(t, gst.FlowOK, h.PushBuffer(b))
	}
	require.Equal(t, 20, count(gst.OutcomeFailed))
	require.Zero(t, count(gst.OutcomeDelivered), "nothing is stored yet")
	close(f.Stall)
	end(t, h)
	require.Equal(t, 30, count(gst.OutcomeDelivered))
}

// No frame of a fragment is earlier than one of the fragment before, for which the service refuses the whole of it: neither where video has
// B-frames, nor where audio and a key frame are of one ms, nor where audio comes late.
func TestFragmentsDoNotOverlap(t *testing.T) {
	for name, video := range map[string]string{"B-frames": "bframes=3 b-adapt=false", "none": "bframes=0"} {
		t.Run(name, func(t *testing.T) {
			f := &kinesisvideosink.Fake{}
			run(t, strings.Replace(h264, "num-buffers=60", "num-buffers=150", 1)+video+" ! h264parse ! k. "+
				strings.Replace(aac, "num-buffers=90", "num-buffers=210", 1)+"! queue min-threshold-time=900000000 ! k. "+fake(f)+" interleave-wait=0")
			before, now, next := int64(0), int64(0), 1
			all := f.Sessions()
			require.Len(t, all, 1)
			require.Len(t, all[0].Fragments, 5)
			for _, frame := range all[0].Frames {
				if next < len(all[0].Fragments) && frame.Track == 1 && frame.MS == all[0].Fragments[next].MS {
					before, next = now, next+1
				}
				require.Greater(t, frame.MS, before, "%+v in fragment %d", frame.Track, next)
				now = max(now, frame.MS)
			}
		})
	}
}
