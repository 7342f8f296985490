package gst_test

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

func TestDebugCategory(t *testing.T) {
	gsttest.LeakCheck(t)
	name := talkingSink(t, func(e *gst.Element) {
		e.Log(gst.LevelError, "an error\xff")
		e.Log(gst.LevelWarning, "a warning")
		e.Log(gst.LevelInfo, "SequenceNumber=%d 100%%", 5)
		e.Log(gst.LevelDebug, "too much")
		if e.Logs(gst.LevelDebug) {
			t.Error("nobody asked for DEBUG")
		}
		if !e.Logs(gst.LevelInfo) {
			t.Error("INFO is asked for")
		}
	})
	log := gsttest.CaptureLog(t, name, gst.LevelInfo)
	h := gsttest.New(t, name)
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("x"))))
	h.Close()
	require.Equal(t, []string{"ERROR an error\uFFFD", "WARN a warning", "INFO SequenceNumber=5 100%"}, log.Take())
	require.Empty(t, log.Take())
}

// An engine's log goes where the element's does.
func TestLogHandler(t *testing.T) {
	gsttest.LeakCheck(t)
	name := talkingSink(t, func(e *gst.Element) {
		log := slog.New(gst.NewLogHandler(e))
		log.Warn("a segment is damaged", "file", "/a b", "n", 3)
		log.With("dir", "/x").WithGroup("disk").Info("removed", slog.Int("bytes", 5), slog.Attr{})
		log.Debug("not asked for")
		log.Error("broken", "error", errors.New("no space"))
	})
	lines := gsttest.CaptureLog(t, name, gst.LevelInfo)
	h := gsttest.New(t, name)
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("x"))))
	h.Close()
	require.Equal(t, []string{"WARN a segment is damaged file=/a b n=3", "INFO removed dir=/x disk.bytes=5", "ERROR broken error=no space"}, lines.Take())
}

// An element without a category's level pays one load.
func BenchmarkLogOff(b *testing.B) {
	var e *gst.Element
	name := define(b, gst.Class{Kind: gst.KindSink, New: func(x *gst.Element) any { e = x; return renderFunc(ok) }})
	o := newElement(b, name)
	b.ReportAllocs()
	for b.Loop() {
		if e.Logs(gst.LevelLog) {
			e.Log(gst.LevelLog, "never %d", 1)
		}
	}
	o.Name()
}
