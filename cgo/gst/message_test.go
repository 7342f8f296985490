package gst_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

// talkingSink runs say on each buffer.
func talkingSink(t testing.TB, say func(e *gst.Element)) string {
	t.Helper()
	return define(t, gst.Class{Kind: gst.KindSink, New: func(e *gst.Element) any {
		return renderFunc(func(*gst.View) gst.Flow { say(e); return gst.FlowOK })
	}})
}

func talk(t *testing.T, say func(e *gst.Element)) *gsttest.Harness {
	t.Helper()
	h := gsttest.New(t, talkingSink(t, say))
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("x"))))
	return h
}

func TestErrorsWarningsAndInfos(t *testing.T) {
	gsttest.LeakCheck(t)
	details := gst.NewStructure("details", gst.Field{Name: "aws-error-code", Value: "AccessDenied"}, gst.Field{Name: "http-status", Value: uint32(403)})
	what := &gst.Error{Code: gst.ResourceNotAuthorized, Text: "Not allowed.\xff", Debug: "request 1", Details: details}
	h := talk(t, func(e *gst.Element) {
		e.PostInfo(&gst.Error{Code: gst.StreamFormat, Text: "Something."})
		e.PostWarning(what)
		e.PostError(what)
	})
	m := h.AwaitMessage(gst.MessageInfo | gst.MessageWarning | gst.MessageError)
	require.Equal(t, gst.MessageInfo, m.Type)
	require.Equal(t, "Something.", m.Err.Text)
	require.Nil(t, m.Structure)
	for _, want := range []gst.MessageType{gst.MessageWarning, gst.MessageError} {
		m = h.AwaitMessage(want)
		require.Equal(t, gst.ResourceNotAuthorized, m.Err.Code)
		require.Equal(t, "Not allowed.\uFFFD", m.Err.Text)
		require.Contains(t, m.Err.Debug, "request 1")
		require.NotContains(t, m.Err.Debug, "/cgo/", "no path of the machine it was built on")
		require.Equal(t, details, m.Structure)
		require.Equal(t, details, m.Err.Details)
		require.Equal(t, h.Element().Name(), m.Source)
	}
}

func TestErrorCodes(t *testing.T) {
	gsttest.LeakCheck(t)
	codes := []gst.Code{
		gst.CoreFailed, gst.CoreNegotiation, gst.CoreStateChange, gst.CoreMissingPlugin, gst.CoreClock, gst.CorePad,
		gst.LibraryFailed, gst.LibraryInit, gst.LibrarySettings, gst.LibraryEncode,
		gst.ResourceFailed, gst.ResourceNotFound, gst.ResourceBusy, gst.ResourceOpenRead, gst.ResourceOpenWrite, gst.ResourceRead,
		gst.ResourceWrite, gst.ResourceSettings, gst.ResourceNoSpaceLeft, gst.ResourceNotAuthorized,
		gst.StreamFailed, gst.StreamWrongType, gst.StreamDecode, gst.StreamEncode, gst.StreamDemux, gst.StreamMux, gst.StreamFormat,
	}
	h := talk(t, func(e *gst.Element) {
		for _, c := range codes {
			e.PostWarning(&gst.Error{Code: c, Text: "x"})
		}
	})
	for _, c := range codes {
		require.Equal(t, c, h.AwaitMessage(gst.MessageWarning).Err.Code)
	}
}

func TestOtherMessages(t *testing.T) {
	gsttest.LeakCheck(t)
	h := talk(t, func(e *gst.Element) {
		e.PostElement(gst.NewStructure("kinesissink-ack", gst.Field{Name: "sequence-number", Value: []string{"1", "2"}}, gst.Field{Name: "bytes", Value: []uint64{3, 4}}))
		e.PostQoS(gst.QoS{Live: true, RunningTime: 1, StreamTime: 2, Timestamp: 3, Duration: 4, Processed: 5, Dropped: 6})
		e.PostProgress(gst.ProgressStart, "connect", "Connecting")
		e.PostProgress(gst.ProgressComplete, "connect", "Connected")
		e.PostLatency()
	})
	m := h.AwaitMessage(gst.MessageElement)
	require.Equal(t, "kinesissink-ack", m.Structure.Name)
	require.Equal(t, []any{"1", "2"}, m.Structure.Get("sequence-number"))
	require.Equal(t, []any{uint64(3), uint64(4)}, m.Structure.Get("bytes"))
	s := h.AwaitMessage(gst.MessageQoS).Structure
	for name, want := range map[string]any{"live": true, "running-time": uint64(1), "stream-time": uint64(2), "timestamp": uint64(3), "duration": uint64(4), "processed": uint64(5), "dropped": uint64(6)} {
		require.Equal(t, want, s.Get(name), name)
	}
	s = h.AwaitMessage(gst.MessageProgress).Structure
	require.Equal(t, "connect", s.Str("code"))
	require.Equal(t, "Connected", h.AwaitMessage(gst.MessageProgress).Structure.Str("text"))
	require.Equal(t, gst.MessageLatency, h.AwaitMessage(gst.MessageLatency).Type)
}

func TestStartFails(t *testing.T) {
	gsttest.LeakCheck(t)
	stopped := false
	var fail error
	name := define(t, gst.Class{Kind: gst.KindSink, New: func(e *gst.Element) any {
		s := &hookedSink{render: func(*gst.View) gst.Flow { return gst.FlowOK }}
		s.e, s.start, s.stop = e, func() error { return fail }, func() { stopped = true }
		return s
	}})
	p := gsttest.Parse(t, "fakesrc ! "+name)
	for _, c := range []struct {
		err  error
		code gst.Code
	}{
		{errors.New("opening the spool: no such file"), gst.ResourceSettings},
		{&gst.Error{Code: gst.ResourceNotFound, Text: "There is no stream x."}, gst.ResourceNotFound},
		{fmt.Errorf("starting: %w", &gst.Error{Code: gst.ResourceBusy, Text: "wrapped"}), gst.ResourceBusy},
	} {
		fail = c.err
		require.Equal(t, gst.StateChangeFailure, p.SetState(gst.StatePaused))
		m := p.Await(gst.MessageError)
		require.Equal(t, c.code, m.Err.Code)
		require.Equal(t, c.err.Error(), m.Err.Text)
		for m := p.Message(0, gst.MessageError); m != nil; m = p.Message(0, gst.MessageError) {
			require.Equal(t, gst.CoreStateChange, m.Err.Code, "GstBaseSink adds one of its own")
		}
		p.SetState(gst.StateNull)
		require.False(t, stopped, "what did not start is not stopped")
	}
}

func TestRunningAndUnixTime(t *testing.T) {
	gsttest.LeakCheck(t)
	var running uint64
	var wall int64
	var ok, okNone bool
	name := define(t, gst.Class{Kind: gst.KindSink, Sync: true, New: func(e *gst.Element) any {
		return renderFunc(func(v *gst.View) gst.Flow {
			running = e.RunningTime()
			wall, ok = e.UnixTime(v.RunningTime())
			_, okNone = e.UnixTime(gst.ClockTimeNone)
			return gst.FlowOK
		})
	}})
	begin := time.Now()
	p := gsttest.Parse(t, countingSource(t, 20, true)+" ! "+name)
	p.Run()
	require.True(t, ok)
	require.False(t, okNone)
	require.GreaterOrEqual(t, running, uint64(19e6))
	require.WithinRange(t, time.Unix(0, wall), begin, time.Now())
	h := gsttest.New(t, talkingSink(t, func(e *gst.Element) { _, ok = e.UnixTime(0) }))
	require.NotNil(t, h)
	var e *gst.Element
	newElement(t, define(t, gst.Class{Kind: gst.KindSink, New: func(x *gst.Element) any { e = x; return renderFunc(completing) }}))
	_, ok = e.UnixTime(0)
	require.False(t, ok, "no clock")
	require.Equal(t, gst.ClockTimeNone, e.RunningTime())
}

func TestUnixTimeFollowsTheSegment(t *testing.T) {
	gsttest.LeakCheck(t)
	var at []int64
	name := define(t, gst.Class{Kind: gst.KindSink, New: func(e *gst.Element) any {
		return renderFunc(func(v *gst.View) gst.Flow {
			n, ok := e.UnixTime(v.RunningTime())
			require.True(t, ok)
			at = append(at, n)
			return gst.FlowOK
		})
	}})
	h := gsttest.NewPads(t, newElement(t, name), "sink", "")
	h.UseTestClock()
	h.SetSrcCaps("application/x-test")
	for i := range 3 {
		require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(uint64(i)*10e9, []byte("x"))))
	}
	require.InDelta(t, 10e9, at[1]-at[0], 1e9)
	require.InDelta(t, 10e9, at[2]-at[1], 1e9)
}

func TestBaseSinkStats(t *testing.T) {
	gsttest.LeakCheck(t)
	var e *gst.Element
	name := define(t, gst.Class{Kind: gst.KindSink, New: func(x *gst.Element) any {
		e = x
		return renderFunc(func(*gst.View) gst.Flow { return gst.FlowOK })
	}})
	h := gsttest.New(t, name)
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("x"))))
	s := e.BaseSinkStats()
	require.Equal(t, uint64(1), s.Uint64("rendered"))
	require.NotNil(t, s.Get("average-rate"))
	require.NotNil(t, s.Get("dropped"))
}
