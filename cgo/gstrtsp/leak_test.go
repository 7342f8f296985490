package gstrtsp

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gstrtsp/rtsptest"
)

// childVariable makes the test binary run leakChild instead of tests.
const childVariable = "GSTRTSP_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		leakChild()
		return
	}
	flag.Parse()
	// These tests wait for media time, not for a processor: more of them run at once than there are processors.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// leakChild serves many clients, closes and prints how its memory grew meanwhile; then GStreamer's tracer has its say.
func leakChild() {
	ctx := context.Background()
	s, err := New(Config{User: "u", Password: "p"})
	must(err)
	must(s.Mount("/raw", Mount{Launch: rawLaunch, Feed: small().feed}))
	must(s.Start())
	clients := func(n int) {
		for i := range n {
			must(see(ctx, s.URL("/raw"), rtsptest.Options{UDP: i%2 == 1, User: "u", Password: "p"}, i%3 == 0))
		}
	}
	clients(40)
	memory, goroutines := resident(), runtime.NumGoroutine()
	clients(200)
	fmt.Printf("grown by %d kB and %d goroutines\n", resident()-memory, runtime.NumGoroutine()-goroutines)
	must(s.Close())
	reel, err := Collect(ctx, encodeLine+" ! appsink name=video", "", 1<<30)
	must(err)
	_, err = DisplayOrder("appsrc name=source ! avdec_h264 ! appsink name=sink sync=false", reel.Video.Caps, reel.Video.Units)
	must(err)
	reel.Unref()
	Deinit()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// resident is this process' memory in kB.
func resident() int {
	status, err := os.ReadFile("/proc/self/status")
	must(err)
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			n, err := strconv.Atoi(f[1])
			must(err)
			return n
		}
	}
	panic("no VmRSS")
}

// 200 clients by TCP and UDP, with and without a goodbye, leave nothing behind.
func TestLeaks(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(patient(t), os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=1", "GST_TRACERS=leaks", "GST_DEBUG=GST_TRACER:7", "GST_DEBUG_NO_COLOR=1",
		"G_DEBUG=fatal-criticals")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	var leaks []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "object-alive, type-name=(string)") && !strings.Contains(line, "%s") {
			leaks = append(leaks, line)
		}
	}
	require.Empty(t, leaks)
	var memory, goroutines int
	_, grown, found := strings.Cut(string(out), "grown by ")
	require.True(t, found, "%s", out)
	_, err = fmt.Sscanf(grown, "%d kB and %d goroutines", &memory, &goroutines)
	require.NoError(t, err)
	require.Less(t, memory, 4096, "kB for 200 clients")
	require.Less(t, goroutines, 10, "after 200 clients")
	t.Logf("200 clients: %d kB", memory)
}
