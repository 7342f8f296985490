package pipeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/supervise"
)

const oneLine = "testcam name=cam ! application/x-rtp,media=video ! identity ! fakesink name=sink"

func TestSourceIsRebuilt(t *testing.T) {
	for name, c := range map[string]struct {
		lose  func(*cam)
		cause supervise.Cause
	}{
		"at an end of stream": {func(c *cam) { c.set(func() { c.ends = true }) }, supervise.CauseEOS},
		"at a silence":        {func(c *cam) { c.set(func() { c.flowing["video"] = false }) }, supervise.CauseStall},
		"at an error":         {func(c *cam) { c.fail(gst.ResourceRead, "place\nConnection reset.") }, supervise.CauseError},
	} {
		t.Run(name, func(t *testing.T) {
			r := play(t, oneLine, fast())
			f := tap(t, r.Pipeline, "sink")
			f.more(t, 20)
			starts := f.seen(gst.EventStreamStart)
			c.lose(r.cam)
			await(t, "the loss", func() bool { return len(r.heard.losses()) > 0 })
			require.Equal(t, c.cause, r.heard.last(t).Cause)
			r.cam.set(func() { r.cam.ends, r.cam.flowing["video"] = false, true })
			await(t, "its return", func() bool { return r.heard.backs() == 1 })
			f.more(t, 20)
			require.Equal(t, starts+1, f.seen(gst.EventStreamStart), "the elements behind hear of a new stream")
			require.Zero(t, f.seen(gst.EventEOS), "and of no end")
			require.False(t, f.back, "time goes on")
			require.Equal(t, 2, r.cam.starts)
			s := r.Sources()[0].Stats
			require.EqualValues(t, 1, s.Losses)
			require.EqualValues(t, 1, s.Reconnects)
			require.Equal(t, Outcome{End: Interrupted}, r.end(t))
			require.Equal(t, 1, f.seen(gst.EventEOS))
		})
	}
}

// Many losses leave nothing behind: play looks at goroutines and objects.
func TestManyLosses(t *testing.T) {
	r := play(t, oneLine, supervise.Settings{Stall: 300 * time.Millisecond, RetryFor: supervise.Forever, Backoff: time.Millisecond, MaxDelay: 2 * time.Millisecond})
	f := tap(t, r.Pipeline, "sink")
	for i := range 40 {
		f.more(t, 2)
		await(t, "its return", func() bool { return r.heard.backs() == i })
		r.cam.fail(gst.ResourceRead, "reset")
		await(t, "the loss", func() bool { return int(r.Sources()[0].Losses) == i+1 })
	}
	await(t, "its return", func() bool { return r.heard.backs() == 40 })
	require.False(t, f.back)
	require.Equal(t, Interrupted, r.end(t).End)
}

func TestSourceThatIsNotThereAtTheStart(t *testing.T) {
	r := play(t, oneLine, fast(), func(r *playing) { r.cam.refuse = true })
	f := tap(t, r.Pipeline, "sink")
	await(t, "some tries", func() bool { return len(r.heard.losses()) > 3 })
	r.cam.set(func() { r.cam.refuse = false })
	f.more(t, 20)
	require.Equal(t, gst.StatePlaying, r.o.Current())
	require.Equal(t, Interrupted, r.end(t).End)
}

func TestSourceThatIsNeverThere(t *testing.T) {
	r := play(t, oneLine, fast(), func(r *playing) { r.cam.refuse = true })
	await(t, "a try", func() bool { return len(r.heard.losses()) > 1 })
	begun := time.Now()
	require.Equal(t, Outcome{End: Interrupted}, r.end(t))
	require.Less(t, time.Since(begun), time.Second, "there is nothing to wait for")
}

func TestSourceIsGivenUp(t *testing.T) {
	set := fast()
	set.RetryFor = 200 * time.Millisecond
	r := play(t, oneLine, set)
	f := tap(t, r.Pipeline, "sink")
	f.more(t, 5)
	r.cam.set(func() { r.cam.refuse = true })
	r.cam.fail(gst.ResourceRead, "place\nConnection reset.")
	out := r.outcome(t)
	require.Equal(t, Failed, out.End)
	require.ErrorContains(t, out.Err, "cam is lost: it failed: The camera failed")
	require.Equal(t, 1, f.seen(gst.EventEOS), "what the sinks had was drained")
}

func TestErrorsThatNoRetryMends(t *testing.T) {
	for name, e := range map[string]struct {
		code  gst.Code
		debug string
	}{
		"a wrong password":         {gst.ResourceNotAuthorized, ""},
		"wrong settings":           {gst.ResourceSettings, ""},
		"a plugin that is missing": {gst.CoreMissingPlugin, ""},
		"a stream nobody takes":    {gst.StreamFailed, "streaming stopped, reason not-linked (-1)"},
	} {
		t.Run(name, func(t *testing.T) {
			r := play(t, oneLine, fast(), func(r *playing) { r.cam.flowing["video"] = false })
			r.cam.fail(e.code, e.debug)
			require.Equal(t, Failed, r.outcome(t).End)
			require.Len(t, r.heard.losses(), 1)
		})
	}
}

func TestErrorBehindTheSourceEndsTheRun(t *testing.T) {
	r := play(t, "testcam name=cam ! application/x-rtp,media=video ! identity name=broken error-after=10 ! fakesink", fast())
	out := r.outcome(t)
	require.Equal(t, Failed, out.End)
	var f *Failure
	require.ErrorAs(t, out.Err, &f)
	require.Equal(t, "broken", f.Element)
}

// Pads may come in another order, and under another name, and go to where their like went before.
func TestPadsFindTheirWay(t *testing.T) {
	const line = "testcam name=cam ! application/x-rtp,media=video ! fakesink name=v cam. ! application/x-rtp,media=audio ! fakesink name=a"
	for name, c := range map[string]struct{ first, then []stream }{
		"in another order":      {[]stream{{0, "video"}, {1, "audio"}}, []stream{{1, "audio"}, {0, "video"}}},
		"with other numbers":    {[]stream{{0, "video"}, {1, "audio"}}, []stream{{3, "audio"}, {2, "video"}}},
		"with each other's":     {[]stream{{0, "video"}, {1, "audio"}}, []stream{{0, "audio"}, {1, "video"}}},
		"with one nobody wants": {[]stream{{0, "video"}, {1, "audio"}}, []stream{{0, "video"}, {2, "application"}, {1, "audio"}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := play(t, line, fast(), func(r *playing) { r.cam.streams = c.first })
			v, a := tap(t, r.Pipeline, "v"), tap(t, r.Pipeline, "a")
			v.more(t, 5)
			a.more(t, 5)
			r.cam.set(func() { r.cam.streams = c.then })
			r.cam.fail(gst.ResourceRead, "reset")
			await(t, "its return", func() bool { return r.heard.backs() == 1 })
			v.more(t, 5)
			a.more(t, 5)
			require.Len(t, v.content, 1, "%v", v.content)
			require.Len(t, a.content, 1, "%v", a.content)
			require.Len(t, r.heard.losses(), 1)
		})
	}
}

func TestStreamThatIsGoneIsALoss(t *testing.T) {
	const line = "testcam name=cam ! application/x-rtp,media=video ! fakesink name=v cam. ! application/x-rtp,media=audio ! fakesink name=a"
	both := []stream{{0, "video"}, {1, "audio"}}
	r := play(t, line, fast(), func(r *playing) { r.cam.streams = both })
	v := tap(t, r.Pipeline, "v")
	v.more(t, 5)
	r.cam.set(func() { r.cam.streams = both[:1] })
	r.cam.fail(gst.ResourceRead, "reset")
	await(t, "the loss of the sound", func() bool { return len(r.heard.losses()) > 2 })
	require.ErrorContains(t, r.heard.last(t), "it has no application/x-rtp/audio any more")
	r.cam.set(func() { r.cam.streams = both })
	tap(t, r.Pipeline, "a").more(t, 5)
}

// Two pictures: each goes its own way again, whichever comes first.
func TestPadsOfTheSameMedia(t *testing.T) {
	r := play(t, "testcam name=cam cam.stream_0 ! fakesink name=zero cam.stream_1 ! fakesink name=one", fast(),
		func(r *playing) { r.cam.streams = []stream{{0, "video"}, {1, "video"}} })
	zero, one := tap(t, r.Pipeline, "zero"), tap(t, r.Pipeline, "one")
	zero.more(t, 5)
	one.more(t, 5)
	peer := func(element string) string {
		e := r.o.ByName(element)
		defer e.Unref()
		pad := e.StaticPad("sink")
		defer pad.Unref()
		p := pad.Peer()
		if p == nil {
			return ""
		}
		defer p.Unref()
		return p.Name()
	}
	r.cam.set(func() { r.cam.streams = []stream{{1, "video"}, {0, "video"}} })
	r.cam.fail(gst.ResourceRead, "reset")
	await(t, "its return", func() bool { return r.heard.backs() == 1 })
	zero.more(t, 5)
	one.more(t, 5)
	require.Equal(t, "stream_0", peer("zero"))
	require.Equal(t, "stream_1", peer("one"))
}

// Who waits for what is behind is not lost.
func TestDownstreamThatBlocksIsNoLoss(t *testing.T) {
	r := play(t, oneLine, fast())
	f := tap(t, r.Pipeline, "sink")
	f.more(t, 5)
	hold := make(chan struct{})
	f.mu.Lock()
	f.hold = hold
	f.mu.Unlock()
	f.more(t, 1)
	select {
	case <-r.heard.changed:
		t.Error("it was taken for a loss")
	case <-time.After(1500 * time.Millisecond): // five times the stall, and beyond what is looked at without asking who waits
	}
	f.mu.Lock()
	f.hold = nil
	f.mu.Unlock()
	close(hold)
	f.more(t, 5)
	require.Empty(t, r.heard.losses())
}

func TestSilenceOfVideoAndOfSound(t *testing.T) {
	const line = "testcam name=cam ! application/x-rtp,media=video ! fakesink name=v cam. ! application/x-rtp,media=audio ! fakesink name=a"
	r := play(t, line, fast(), func(r *playing) { r.cam.streams = []stream{{0, "video"}, {1, "audio"}} })
	v, a := tap(t, r.Pipeline, "v"), tap(t, r.Pipeline, "a")
	v.more(t, 5)
	a.more(t, 5)
	r.cam.set(func() { r.cam.flowing["audio"] = false })
	select {
	case <-r.heard.changed:
		t.Error("silent sound was taken for a loss")
	case <-time.After(time.Second):
	}
	r.cam.set(func() { r.cam.flowing["audio"], r.cam.flowing["video"] = true, false })
	await(t, "the loss of a frozen picture", func() bool { return len(r.heard.losses()) == 1 })
	require.Equal(t, supervise.CauseStall, r.heard.last(t).Cause)
	r.cam.set(func() { r.cam.flowing["video"] = true })
	v.more(t, 5)
}

func TestSourceThatHangsWhenStopped(t *testing.T) {
	hang := make(chan struct{})
	r := play(t, oneLine, fast())
	f := tap(t, r.Pipeline, "sink")
	f.more(t, 5)
	r.cam.set(func() { r.cam.hang = hang })
	r.cam.fail(gst.ResourceRead, "reset")
	await(t, "the word of it", func() bool { return r.heard.hangs() == 1 })
	require.Equal(t, supervise.Lost, r.Sources()[0].State)
	r.cam.set(func() { r.cam.hang = nil })
	close(hang)
	f.more(t, 5)
	await(t, "its return", func() bool { return r.heard.backs() == 1 })
}
