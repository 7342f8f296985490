//go:build cgo && unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
)

// testLine is a live picture into a stream.
func testLine(flags []string, more ...string) []string {
	line := []string{"videotestsrc", "is-live=true", "!", "video/x-raw,width=64,height=48,framerate=50/1", "!", "jpegenc", "!", "msgpackenc", "!",
		"kinesissink", "stream-name=s"}
	return append(append(line, props(flags)...), more...)
}

func runLine(flags []string, line []string) []string {
	return append(append([]string{"run"}, flags...), append([]string{"--"}, line...)...)
}

func TestRunToTheEndOfTheStream(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	line := testLine(flags)
	line[1] = "num-buffers=30"
	for name, args := range map[string][]string{"in words": line, "in one": {strings.Join(line, " ")}} {
		p := startCLI(t, runLine(nil, args)...)
		require.Zero(t, p.status(t, 20*time.Second), "%s: %s", name, p.log)
		require.Equal(t, 30, p.count())
		require.Zero(t, p.books(t).dropped)
		require.NotContains(t, p.log.String(), "draining")
	}
	stored, err := srv.Records("s")
	require.NoError(t, err)
	require.Len(t, stored, 60)
}

func TestRunQuietly(t *testing.T) {
	t.Parallel()
	_, flags := endpoint(t, local.Settings{Create: streams("s")})
	line := testLine(flags)
	line[1] = "num-buffers=30"
	p := startCLI(t, runLine([]string{"--quiet"}, line)...)
	require.Zero(t, p.status(t, 20*time.Second), p.log)
	require.Empty(t, p.out.String())
	require.Equal(t, 30, p.books(t).delivered)
	// A line that says itself what it wants to hear keeps it.
	p = startCLI(t, runLine(nil, append(line, "acks=none"))...)
	require.Zero(t, p.status(t, 20*time.Second), p.log)
	require.Empty(t, p.out.String())
}

// What is under way when Ctrl-C comes is delivered.
func TestInterruptDrains(t *testing.T) {
	t.Parallel()
	for name, sig := range map[string]syscall.Signal{"SIGINT": syscall.SIGINT, "SIGTERM": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, flags := endpoint(t, local.Settings{Create: streams("s"), Limits: local.LimitsNone})
			p := startCLI(t, runLine(nil, testLine(flags))...)
			p.lines(t, 5)
			_, err := srv.AddFault(local.Rule{Operations: []string{"PutRecords"}, Latency: fault.Span{Least: 700 * time.Millisecond}})
			require.NoError(t, err)
			p.more(t, 5)
			p.signal(t, sig)
			require.Zero(t, p.status(t, 20*time.Second), p.log)
			p.settled(t, srv, "s")
			require.Contains(t, p.log.String(), "draining")
		})
	}
}

// What cannot be delivered in time is told by the books and the exit status.
func TestLossIsTold(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	p := startCLI(t, runLine([]string{"--status-interval", "200ms"}, testLine(flags, "drain-timeout=500000000"))...)
	p.lines(t, 5)
	srv.Stop()
	p.log.waitFor(t, "level=WARN")
	p.interrupt(t)
	require.Equal(t, statusIncomplete, p.status(t, 20*time.Second), p.log)
	b := p.books(t)
	require.Positive(t, b.dropped)
	require.Zero(t, b.inFlight)
	require.Contains(t, b.line, "drain ")
	require.Regexp(t, `gst-kinesis: run: \d+ accepted records were not delivered`, p.log.String())
}

// A second Ctrl-C does not wait for the drain.
func TestSecondInterruptStops(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	p := startCLI(t, runLine(nil, testLine(flags, "drain-timeout=600000000000", "stop-timeout=100000000"))...)
	p.lines(t, 5)
	srv.Stop()
	p.log.waitFor(t, "level=WARN")
	p.interrupt(t)
	p.log.waitFor(t, "draining; once more stops at once")
	select {
	case <-p.done:
		t.Fatalf("it did not wait for the drain: %s", p.log)
	case <-time.After(700 * time.Millisecond):
	}
	p.interrupt(t)
	require.Equal(t, statusIncomplete, p.status(t, 5*time.Second), p.log)
	b := p.books(t)
	require.Positive(t, b.dropped)
	require.Zero(t, b.inFlight)
}

func TestErrorsEndARun(t *testing.T) {
	t.Parallel()
	_, flags := endpoint(t, local.Settings{Create: streams("s")})
	for name, c := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"missing stream":       {runLine(nil, testLine(flags, "stream-name=missing")), statusFailed, `gst-kinesis: kinesissink0: Writing to stream missing: .*gst-kinesis stream create missing`},
		"no element":           {runLine(nil, []string{"nosuchsrc", "!", "fakesink"}), statusFailed, `no element "nosuchsrc"`},
		"an element's error":   {runLine(nil, []string{"filesrc", "location=/nowhere/file", "!", "fakesink"}), statusFailed, `gst-kinesis: filesrc0: Resource not found.*No such file`},
		"bad property":         {runLine(nil, []string{"fakesrc", "nosuch=1", "!", "fakesink"}), statusFailed, `no property "nosuch"`},
		"sink without stream":  {runLine(nil, []string{"fakesrc", "!", "kinesissink"}), statusFailed, `kinesissink0: .*stream`},
		"no line":              {[]string{"run"}, statusUsage, "give a launch line behind --, or a preset"},
		"no preset":            {[]string{"run", "rtsp"}, statusUsage, "there is no such preset; the presets are rtsp-both, rtsp-frames"},
		"preset and words":     {[]string{"run", "test-frames", "stream-name=s"}, statusUsage, "its variables are set by --set"},
		"set with a line":      {[]string{"run", "--set", "a=b", "--", "fakesrc", "!", "fakesink"}, statusUsage, "--set is for presets"},
		"set twice":            {[]string{"run", "test-frames", "--set", "a=b", "--set", "a=c"}, statusUsage, "a is set twice"},
		"set nothing":          {[]string{"run", "test-frames", "--set", "a"}, statusUsage, "not of the form NAME=VALUE"},
		"a required one":       {[]string{"run", "test-frames"}, statusUsage, "preset test-frames needs stream-name"},
		"retry-for":            {[]string{"run", "test-frames", "--retry-for", "long"}, statusUsage, "neither forever nor a time"},
		"stall":                {[]string{"run", "test-frames", "--stall", "-1s"}, statusUsage, "must not be negative"},
		"a preset to be shown": {[]string{"presets", "show", "nosuch"}, statusUsage, "there is no such preset"},
		"seconds of a demo":    {[]string{"demo", "--seconds", "0"}, statusUsage, "give at least 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startCLI(t, c.args...)
			require.Equal(t, c.status, p.status(t, 20*time.Second), p.log)
			require.Regexp(t, c.want, p.log.String())
		})
	}
}

// What an element warns of is in the log with what AWS said, and the run goes on.
func TestWarningsAreLogged(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	p := startCLI(t, runLine(nil, testLine(flags))...)
	p.lines(t, 5)
	broken, err := srv.AddFault(local.Rule{Operations: []string{"PutRecords"}, Error: &local.Failure{Status: 400, Code: "AccessDeniedException", Message: "not allowed"}})
	require.NoError(t, err)
	p.log.waitFor(t, "AccessDeniedException")
	broken.Remove()
	p.more(t, 5)
	p.interrupt(t)
	require.Zero(t, p.status(t, 20*time.Second), p.log)
	p.settled(t, srv, "s")
	var warned string
	for line := range strings.Lines(p.log.String()) {
		if strings.Contains(line, "AccessDeniedException") {
			warned = line
			break
		}
	}
	require.Contains(t, warned, "level=WARN")
	require.Contains(t, warned, "element=kinesissink0")
	require.Contains(t, warned, "request-id=")
	require.Equal(t, 1, strings.Count(warned, "AccessDeniedException"), warned)
}

func TestPresetsListAndShow(t *testing.T) {
	t.Parallel()
	status, out, stderr := run(t, "presets", "list")
	require.Zero(t, status, stderr)
	require.Regexp(t, `(?m)^rtsp-both    \S.*\nrtsp-frames  \S.*\nrtsp-jsonl   \S.*\nrtsp-video   \S.*\ntest-frames  \S`, out)
	status, out, stderr = run(t, "presets", "show", "rtsp-frames")
	require.Zero(t, status, stderr)
	require.Regexp(t, `(?m)^  location +string +required`, out)
	require.Regexp(t, `(?m)^  protocols +tcp\|udp\|udp-mcast +default tcp`, out)
	require.Contains(t, out, "add-reference-timestamp-meta=true")
}

func TestCameraCommand(t *testing.T) {
	t.Parallel()
	p := startCLI(t, "camera", "--port", "0", "--mount", "/front", "--size", "160x96")
	require.Regexp(t, `^rtsp://127\.0\.0\.1:\d+/front\n$`, p.out.waitFor(t, "\n"))
	p.signal(t, syscall.SIGTERM)
	require.Zero(t, p.status(t, 10*time.Second), "its signals are the camera's: %s", p.log)

	p = startCLI(t, "camera", "--codec", "no")
	require.Equal(t, 2, p.status(t, 10*time.Second), "so is its exit status")

	p = startCLIIn(t, []string{"PATH=/nowhere"}, "camera")
	require.Equal(t, statusFailed, p.status(t, 10*time.Second))
	require.Contains(t, p.log.String(), "gst-kinesis: camera: gst-kinesis-camera is neither beside this program nor on the PATH; make build")
}

func TestDemo(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "last.jpg")
	p := startCLI(t, "demo", "--seconds", "4", "--no-footage", "--save", file)
	require.Zero(t, p.status(t, 50*time.Second), "%s\n%s", p.tail(), p.log)
	out := p.out.String()
	sent, back := strings.Count(out, "\nsent SequenceNumber="), strings.Count(out, "\nread SequenceNumber=")
	require.GreaterOrEqual(t, sent, 5, out)
	require.Equal(t, sent, back)
	require.Contains(t, out, "camera     rtsp://127.0.0.1:")
	require.Contains(t, out, "showing a moving picture")
	require.Regexp(t, `read back  \d+ records \(.+\) from 2 shards`, out)
	require.Contains(t, out, "books      they balance")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Regexp(t, `^640x480, `, describeJPEG(data))
}

func TestDemoWithABrokenClip(t *testing.T) {
	t.Parallel()
	clip := filepath.Join(t.TempDir(), "clip.mp4")
	require.NoError(t, os.WriteFile(clip, []byte("no clip"), 0o600))
	p := startCLI(t, "demo", "--seconds", "2", "--clip", clip)
	require.Equal(t, statusFailed, p.status(t, 30*time.Second))
	require.Contains(t, p.log.String(), "gst-kinesis: starting the camera: ")
}
