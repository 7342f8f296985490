package gsttest_test

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

func TestMain(m *testing.M) { gsttest.Main(m) }

func TestHarness(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.New(t, "identity")
	h.SetSrcCaps("application/x-test")
	h.Set("silent", false)
	require.Equal(t, false, h.Get("silent"))
	f := gsttest.Frame{Data: []byte("abc"), PTS: 1, DTS: 2, Duration: 3, Offset: 4, Flags: gst.BufferMarker}
	require.Equal(t, gst.FlowOK, h.Push(f))
	require.Equal(t, 1, h.Received())
	require.Equal(t, 1, h.Queued())
	got := h.Pull()
	require.NotZero(t, got.Flags&gst.BufferMarker)
	got.Flags = f.Flags
	require.Equal(t, f, got)
	require.Zero(t, h.Queued())
	_, some := h.TryPull()
	require.False(t, some)
	_, some = h.PullWithin(time.Millisecond)
	require.False(t, some)
	require.Equal(t, gst.FlowOK, h.PushList(gst.NewBufferList(gst.NewBuffer([]byte("d")), gst.NewBuffer([]byte("e")))))
	require.Equal(t, "d", string(h.Pull().Data))
	require.Equal(t, "e", string(h.Pull().Data))
	h.Close()
	h.Close()
}

// A pull waits for what another goroutine pushes.
func TestPullWaits(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.NewLaunch(t, "identity ! queue")
	h.SetSrcCaps("application/x-test")
	for i := range 200 {
		var wg sync.WaitGroup
		wg.Go(func() { h.Push(gsttest.FrameAt(uint64(i), []byte("x"))) })
		require.Equal(t, uint64(i), h.Pull().PTS)
		wg.Wait()
	}
	begin := time.Now()
	_, some := h.PullWithin(20 * time.Millisecond)
	require.False(t, some)
	require.GreaterOrEqual(t, time.Since(begin), 20*time.Millisecond)
}

func TestHarnessEvents(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.New(t, "identity")
	h.SetSrcCaps("application/x-test,n=1")
	h.AwaitEvent(gst.EventStreamStart).Unref()
	ev := h.PullEvent()
	require.Equal(t, gst.EventCaps, ev.Type())
	require.Equal(t, "application/x-test, n=(int)1", ev.Caps().String())
	ev.Unref()
	h.AwaitEvent(gst.EventSegment).Unref()
	_, some := h.TryPullEvent()
	require.False(t, some)
	var wg sync.WaitGroup
	wg.Go(func() { h.PushEvent(gst.NewGap(5, 6)) })
	ev = h.PullEvent()
	at, d := ev.Gap()
	require.Equal(t, []uint64{5, 6}, []uint64{at, d})
	ev.Unref()
	wg.Go(func() { h.PushUpstreamEvent(gst.NewCustomEvent(gst.EventCustomUpstream, gst.NewStructure("up"))) })
	ev = h.AwaitUpstreamEvent(gst.EventCustomUpstream)
	wg.Wait()
	require.Equal(t, "up", ev.Structure().Name)
	ev.Unref()
	h.SetUpstream(true, 7e6)
	require.Equal(t, uint64(7e6), h.QueryLatency())
	q := gst.NewLatencyQuery()
	require.True(t, h.QueryFromDownstream(q))
	live, lo, _ := q.Latency()
	require.True(t, live)
	require.Equal(t, uint64(7e6), lo)
	q.Unref()
	sink := gsttest.New(t, "fakesink")
	q = gst.NewLatencyQuery()
	defer q.Unref()
	require.False(t, sink.QueryFromDownstream(q), "it has no source pad")
}

func TestSinkCaps(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.New(t, "videoconvert")
	h.SetSinkCaps("video/x-raw,format=RGB")
	h.SetSrcCaps("video/x-raw,format=GRAY8,width=4,height=1,framerate=1/1")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte{0, 255, 0, 255})))
	require.Len(t, h.Pull().Data, 12)
}

func TestClock(t *testing.T) {
	gsttest.LeakCheck(t)
	src, err := gst.NewElement("fakesrc", "")
	require.NoError(t, err)
	defer src.Unref()
	for name, v := range map[string]any{"is-live": true, "sync": true, "datarate": 1000, "sizetype": "fixed", "sizemax": 1000, "format": "time"} {
		require.NoError(t, src.Set(name, v))
	}
	h := gsttest.NewPads(t, src, "", "src")
	h.UseTestClock()
	h.Play()
	for i := range 3 {
		require.True(t, h.AwaitClockWaits(1, gsttest.Limit))
		require.Zero(t, h.Queued())
		require.True(t, h.Crank())
		require.Equal(t, uint64(i)*1e9, h.Time())
		require.Equal(t, uint64(i)*1e9, h.Pull().PTS)
	}
	require.True(t, h.SetTime(10e9))
	require.Equal(t, uint64(10e9), h.Time())
	other := gsttest.New(t, "identity")
	other.UseSystemClock()
}

func TestPipeline(t *testing.T) {
	gsttest.LeakCheck(t)
	p := gsttest.Parse(t, "fakesrc num-buffers=3 name=s ! fakesink")
	require.Equal(t, "s", p.Element("s").Name())
	p.To(gst.StatePaused)
	p.Settle(gst.StatePaused)
	p.Run()
	p.Close()
	p.Close()
}

func TestProperties(t *testing.T) {
	gsttest.LeakCheck(t)
	e, err := gst.NewElement("queue", "")
	require.NoError(t, err)
	defer e.Unref()
	for _, p := range gsttest.Properties(e) {
		if p.Name == "max-size-buffers" {
			require.Equal(t, "guint", p.Type)
			require.Equal(t, "200", p.Default)
			require.Equal(t, "4294967295", p.Max)
			require.True(t, p.Readable && p.Writable && p.MutablePlaying)
			return
		}
	}
	t.Fatal("queue has no max-size-buffers")
}

// defects are tests that must fail; TestDefectsAreFound runs each in a process of its own and reads why.
var defects = map[string]struct {
	run  func(t *testing.T)
	says []string
}{
	"leak": {func(t *testing.T) {
		gsttest.LeakCheck(t)
		gst.NewBuffer([]byte("abc"))
	}, []string{"objects are left", "GstBuffer", "GstMemory", "--- FAIL"}},
	"leak of the package": {func(t *testing.T) { gst.NewEOS() }, []string{"objects are left after the tests", "GstEvent", "--- PASS"}},
	"goroutine":           {func(t *testing.T) { gsttest.Goroutines(t); go func() { select {} }() }, []string{"1 more started by gst-kinesis/cgo/gsttest_test"}},
	"critical":            {func(t *testing.T) { gst.Event{}.Unref() }, []string{"GStreamer-CRITICAL", "goroutine"}},
	"pull":                {func(t *testing.T) { h := gsttest.New(t, "identity"); h.Limit = time.Millisecond; h.Pull() }, []string{"no buffer came out within"}},
	"no element":          {func(t *testing.T) { gsttest.New(t, "nosuchelement") }, []string{"nosuchelement", "--- FAIL"}},
	"error":               {func(t *testing.T) { gsttest.Parse(t, "filesrc location=/nonexistent/x ! fakesink").Run() }, []string{"nonexistent", "--- FAIL"}},
	"grows": {func(t *testing.T) {
		var kept [][]byte
		gsttest.Flat(t, 100, 100, func(int) { kept = append(kept, make([]byte, 5000)) })
		_ = len(kept[0])
	}, []string{"memory grows"}},
	"parallel": {func(t *testing.T) { t.Parallel(); gsttest.LeakCheck(t) }, []string{"test using t.Setenv"}},
}

func TestDefect(t *testing.T) {
	if d, ok := defects[os.Getenv("GST_KINESIS_TEST_DEFECT")]; ok {
		d.run(t)
	}
}

func TestDefectsAreFound(t *testing.T) {
	if os.Getenv("GST_KINESIS_TEST_DEFECT") != "" {
		return
	}
	self, err := os.Executable()
	require.NoError(t, err)
	for name, d := range defects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(self, "-test.run=^TestDefect$", "-test.v")
			cmd.Env = append(plainEnv(), "GST_KINESIS_TEST_DEFECT="+name)
			out, err := cmd.CombinedOutput()
			require.Error(t, err, "%s", out)
			for _, s := range d.says {
				require.Contains(t, string(out), s)
			}
		})
	}
}

// plainEnv is the environment without what Main put into it.
func plainEnv() []string {
	var env []string
	for _, v := range os.Environ() {
		switch key, _, _ := strings.Cut(v, "="); key {
		case "GST_KINESIS_TEST_TRACED", "GST_TRACERS", "GST_DEBUG", "GST_DEBUG_FILE", "GST_DEBUG_NO_COLOR", "G_DEBUG", "GOCOVERDIR":
		default:
			env = append(env, v)
		}
	}
	return env
}

func TestCaptureLog(t *testing.T) {
	gsttest.LeakCheck(t)
	log := gsttest.CaptureLog(t, "GST_STATES", gst.LevelInfo)
	e, err := gst.NewElement("identity", "")
	require.NoError(t, err)
	e.SetState(gst.StateReady)
	e.SetState(gst.StateNull)
	e.Unref()
	lines := log.Take()
	require.NotEmpty(t, lines)
	for _, l := range lines {
		require.True(t, strings.HasPrefix(l, "INFO "), l)
	}
	require.Empty(t, log.Take())
}
