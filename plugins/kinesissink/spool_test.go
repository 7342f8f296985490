package kinesissink_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

// statsOf gives the stats of the sink in a harness.
func statsOf(h *gsttest.Harness) *gst.Structure {
	k := h.Element().ByName("k")
	defer k.Unref()
	return stats(k)
}

// What an outage leaves in the spool at the end comes first in the next run, in order.
func TestSpoolOverRestarts(t *testing.T) {
	srv, to := endpoint(t, 1)
	to += " spool-directory=" + t.TempDir() + "/spool drain-timeout=300000000 linger=0"
	srv.Stop()
	h := sink(t, to)
	h.SetSrcCaps("application/x-test")
	for i := range 20 {
		require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(uint64(i), fmt.Appendf(nil, "%04d", i))))
	}
	h.PushEvent(gst.NewEOS())
	k := h.Element().ByName("k")
	h.Close()
	s := stats(k)
	k.Unref()
	balanced(t, s)
	require.EqualValues(t, 20, s.Uint64("records-spooled"))
	require.Zero(t, s.Uint64("records-dropped"))

	require.NoError(t, srv.Start())
	h = sink(t, to)
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(20, []byte("0020"))))
	h.PushEvent(gst.NewEOS())
	s = statsOf(h)
	balanced(t, s)
	require.EqualValues(t, 21, s.Uint64("records-delivered"))
	require.Zero(t, s.Uint64("records-spooled"))
	h.Close()
	records := stored(t, srv)
	require.Len(t, records, 21)
	for i, r := range records {
		require.Equal(t, fmt.Sprintf("%04d", i), string(r.Data))
	}
}

// A folder is one element's; another one is told whose.
func TestSpoolOfAnother(t *testing.T) {
	_, to := endpoint(t, 1)
	to += " spool-directory=" + t.TempDir()
	first := gsttest.Parse(t, "fakesrc num-buffers=1 ! kinesissink "+to)
	first.Play()
	second := gsttest.Parse(t, "fakesrc ! kinesissink "+to)
	require.Equal(t, gst.StateChangeFailure, second.SetState(gst.StatePlaying))
	m := second.Await(gst.MessageError)
	require.Equal(t, gst.ResourceSettings, m.Err.Code)
	require.Contains(t, m.Err.Text, fmt.Sprint(os.Getpid()))
}

// What is dropped for good is written down, with what is known of it.
func TestDeadLetters(t *testing.T) {
	_, to := endpoint(t, 1)
	dir := t.TempDir() + "/letters"
	_, s := run(t, "fakesrc num-buffers=3 sizetype=fixed sizemax=3000 ! kinesissink name=k max-record-size=1000 dead-letter=file:"+dir+" "+to)
	require.EqualValues(t, 3, s.Uint64("records-dead-lettered"))
	require.Zero(t, s.Uint64("records-dropped"))
	files, err := filepath.Glob(dir + "/*")
	require.NoError(t, err)
	text := ""
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		text += string(b)
	}
	require.Equal(t, 3, strings.Count(text, `"reason":"oversize"`))
}
