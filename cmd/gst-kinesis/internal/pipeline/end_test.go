package pipeline

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/supervise"
)

// A run ends though its source hangs, and its sinks are drained.
func TestRunEndsWhileTheSourceHangs(t *testing.T) {
	for name, line := range map[string]string{"in the pipeline": oneLine, "in brackets": "( " + oneLine + " )"} {
		t.Run(name, func(t *testing.T) {
			hang := make(chan struct{})
			r := play(t, line, fast())
			f := tap(t, r.Pipeline, "sink")
			f.more(t, 5)
			r.cam.set(func() { r.cam.hang = hang })
			r.cam.fail(gst.ResourceRead, "reset")
			await(t, "the word of it", func() bool { return r.heard.hangs() == 1 })
			begun := time.Now()
			require.Equal(t, Outcome{End: Interrupted}, r.end(t))
			require.Less(t, time.Since(begun), 3*time.Second)
			require.Equal(t, 1, f.seen(gst.EventEOS))
			r.cam.set(func() { r.cam.hang = nil })
			close(hang)
		})
	}
}

func TestDrainPastALostSource(t *testing.T) {
	r := play(t, oneLine, fast())
	f := tap(t, r.Pipeline, "sink")
	f.more(t, 5)
	r.cam.set(func() { r.cam.refuse = true })
	r.cam.fail(gst.ResourceRead, "reset")
	await(t, "some tries", func() bool { return len(r.heard.losses()) > 2 })
	begun := time.Now()
	require.Equal(t, Outcome{End: Interrupted}, r.end(t))
	require.Less(t, time.Since(begun), time.Second, "nobody waits for a source that is not there")
	require.Equal(t, 1, f.seen(gst.EventEOS))
}

func TestForceEndsADrain(t *testing.T) {
	r := play(t, oneLine, fast())
	f := tap(t, r.Pipeline, "sink")
	f.more(t, 5)
	hold := make(chan struct{})
	f.mu.Lock()
	f.hold = hold
	f.mu.Unlock()
	f.more(t, 1)
	r.stop()
	close(r.force)
	out := r.outcome(t)
	require.Equal(t, Forced, out.End)
	require.ErrorContains(t, out.Err, "stopping the pipeline: it takes longer than")
	close(hold)
}

// A source that is not live ends, and with it the run.
func TestEndOfASourceThatIsNotLive(t *testing.T) {
	r := play(t, oneLine, fast(), func(r *playing) { r.cam.live = false })
	f := tap(t, r.Pipeline, "sink")
	await(t, "data", func() bool { return f.count() > 0 })
	r.cam.set(func() { r.cam.ends = true })
	require.Equal(t, Outcome{End: EndOfStream}, r.outcome(t))
	require.Empty(t, r.heard.losses())
	require.Empty(t, r.Sources())
}

// What the line puts in brackets is looked into; a sink in there stays up.
func TestSourceInABin(t *testing.T) {
	var ups atomic.Int32
	r := play(t, "( testcam name=cam ! application/x-rtp,media=video ! fakesink name=sink )", fast())
	e := r.o.ByName("sink")
	id := e.Connect("notify::last-message", func([]any) any { ups.Add(1); return nil })
	defer func() { e.Disconnect(id); e.Unref() }()
	f := tap(t, r.Pipeline, "sink")
	f.more(t, 5)
	r.cam.fail(gst.ResourceRead, "reset")
	await(t, "its return", func() bool { return r.heard.backs() == 1 })
	f.more(t, 5)
	require.Equal(t, 2, f.seen(gst.EventStreamStart))
}

func TestOpenRefuses(t *testing.T) {
	_, err := Open("nosuch ! fakesink", Settings{}, nil)
	require.ErrorContains(t, err, `no element "nosuch"`)
	p, err := Open("fakesrc ! fakesink", Settings{}, nil)
	require.NoError(t, err)
	require.Empty(t, p.Books())
	p.Close()
}

func TestFailureWords(t *testing.T) {
	f := &Failure{Element: "rtspsrc0", Err: &gst.Error{Text: "Could not open resource.", Debug: "file.c(12): f (): /path:\nFailed to connect.\n (Refused)"}}
	require.EqualError(t, f, "rtspsrc0: Could not open resource. (Failed to connect. (Refused))")
	f.Err.Details = gst.NewStructure("details")
	require.EqualError(t, f, "rtspsrc0: Could not open resource.")
	require.True(t, errors.Is(&permanent{f}, supervise.ErrPermanent))
}
