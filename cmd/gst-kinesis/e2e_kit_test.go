//go:build cgo && unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cmd/gst-kinesis/internal/scan"
	"gst-kinesis/internal/frame"
	"gst-kinesis/internal/local"
)

// beCLI makes the test binary be the program, so that tests run it as a process of its own.
const beCLI = "GST_KINESIS_TEST_BE_CLI"

// buildRoot is where binaries for the tests are built.
var buildRoot string

func TestMain(m *testing.M) {
	if os.Getenv(beCLI) != "" {
		main()
	}
	var err error
	if buildRoot, err = os.MkdirTemp("", "gst-kinesis-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	_ = os.RemoveAll(buildRoot)
	os.Exit(status)
}

// tools is the directory of the binaries that the tests need besides, built once. Go's cache makes that quick where they are built already.
var tools = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(buildRoot, "tools")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", dir+"/", "gst-kinesis/cmd/gst-kinesis-camera").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

func toolsDir(t *testing.T) string {
	t.Helper()
	dir, err := tools()
	require.NoError(t, err)
	return dir
}

// plugin is the directory of the plugin, built once, with nothing else in it.
var plugin = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(buildRoot, "plugin")
	file := filepath.Join(dir, scan.Library)
	out, err := exec.Command("go", "build", "-buildvcs=false", "-buildmode=c-shared", "-o", file, "gst-kinesis/cmd/libgstkinesis").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, os.Remove(filepath.Join(dir, "libgstkinesis.h"))
})

func pluginDir(t *testing.T) string {
	t.Helper()
	dir, err := plugin()
	require.NoError(t, err)
	return dir
}

// process is a program under test.
type process struct {
	*exec.Cmd
	out, log *safeBuffer
	done     chan struct{}
}

// startProcess starts a program; it is killed at the end of the test if it still runs.
func startProcess(t *testing.T, env []string, path string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(path, args...), out: newBuffer(), log: newBuffer(), done: make(chan struct{})}
	p.Env = append(os.Environ(), env...)
	p.Stdout, p.Stderr = p.out, p.log
	require.NoError(t, p.Start())
	go func() { _ = p.Cmd.Wait(); close(p.done) }()
	t.Cleanup(p.kill)
	return p
}

// startCLI starts this program.
func startCLI(t *testing.T, args ...string) *process {
	t.Helper()
	return startCLIIn(t, nil, args...)
}

func startCLIIn(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	return startProcess(t, append([]string{beCLI + "=1", "PATH=" + toolsDir(t) + ":" + os.Getenv("PATH")}, env...), self, args...)
}

func (p *process) kill() {
	_ = p.Process.Kill()
	<-p.done
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	require.NoError(t, p.Process.Signal(s))
}

// status waits for the end.
func (p *process) status(t *testing.T, within time.Duration) int {
	t.Helper()
	select {
	case <-p.done:
		return p.ProcessState.ExitCode()
	case <-time.After(within):
		t.Fatalf("it does not end; it wrote\n%s\n%s", p.tail(), p.log)
		return -1
	}
}

func (p *process) tail() string {
	text := p.out.String()
	return text[max(0, len(text)-2000):]
}

// lines waits for so many lines of records.
func (p *process) lines(t *testing.T, n int) {
	t.Helper()
	late := time.After(40 * time.Second)
	for count := p.count(); count < n; count = p.count() {
		select {
		case <-p.out.grew:
		case <-p.done:
			t.Fatalf("it ended after %d of %d records:\n%s", p.count(), n, p.log)
		case <-late:
			t.Fatalf("only %d of %d records:\n%s", p.count(), n, p.log)
		}
	}
}

func (p *process) count() int { return strings.Count(p.out.String(), "SequenceNumber=") }

// more waits for records beyond those there are.
func (p *process) more(t *testing.T, n int) { t.Helper(); p.lines(t, p.count()+n) }

// camera is the test camera as a process of its own.
type camera struct {
	*process
	url  string
	args []string
}

// freePort gives a TCP port that is free now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// newCamera gives a camera that is not started yet, small enough for several at a time.
func newCamera(t *testing.T, args ...string) *camera {
	t.Helper()
	port := strconv.Itoa(freePort(t))
	return &camera{
		url:  "rtsp://127.0.0.1:" + port + "/cam",
		args: append([]string{"--port", port, "--size", "160x96", "--rate", "10/1", "--key-int", "5"}, args...),
	}
}

// begin starts the camera, also once more after it was killed.
func (c *camera) begin(t *testing.T) *camera {
	t.Helper()
	c.process = startProcess(t, nil, filepath.Join(toolsDir(t), cameraBinary), c.args...)
	c.out.waitFor(t, "rtsp://")
	return c
}

// die kills the camera, also one that is stopped.
func (c *camera) die() { c.kill() }

// sets makes --set flags of flags of the endpoint.
func sets(flags []string) []string {
	var out []string
	for i := 0; i < len(flags); i += 2 {
		out = append(out, "--set", strings.TrimPrefix(flags[i], "--")+"="+flags[i+1])
	}
	return out
}

// props makes properties of flags of the endpoint.
func props(flags []string) []string {
	var out []string
	for i := 0; i < len(flags); i += 2 {
		out = append(out, strings.TrimPrefix(flags[i], "--")+"="+flags[i+1])
	}
	return out
}

// books are a sink's, as the program printed them.
type books struct {
	accepted, delivered, dropped, inFlight int
	line                                   string
}

var booksLines = regexp.MustCompile(`(?m)^\S+ to \S+: accepted (\d+) \([^)]*\), delivered (\d+), dropped (\d+)(?: \([^)]*\))?, in flight (\d+)$`)

// books reads what the program printed at its end, and holds it against itself.
func (p *process) books(t *testing.T) books {
	t.Helper()
	m := booksLines.FindStringSubmatch(p.log.String())
	require.NotNil(t, m, p.log.String())
	n := func(i int) int { x, err := strconv.Atoi(m[i]); require.NoError(t, err); return x }
	b := books{n(1), n(2), n(3), n(4), m[0]}
	require.Equal(t, b.accepted, b.delivered+b.dropped+b.inFlight, m[0])
	return b
}

// settled checks a run that ended well: nothing lost, a line for each record, and the endpoint has what the books say.
func (p *process) settled(t *testing.T, srv *local.Server, stream string) books {
	t.Helper()
	b := p.books(t)
	require.Zero(t, b.dropped+b.inFlight, p.log.String())
	require.Equal(t, b.delivered, p.count(), "each delivered record has its line")
	stored, err := srv.Records(stream)
	require.NoError(t, err)
	require.Len(t, stored, b.delivered, "the endpoint has what was delivered")
	for scan := bufio.NewScanner(strings.NewReader(p.out.String())); scan.Scan(); {
		require.Regexp(t, `^SequenceNumber=\d+ ShardId=shardId-\d{12} PartitionKey=\S+ Bytes=\d+$`, scan.Text())
	}
	return b
}

// frames decodes what the endpoint has, in the order of the frames.
func frames(t *testing.T, srv *local.Server, stream string) []frame.Record {
	t.Helper()
	stored, err := srv.Records(stream)
	require.NoError(t, err)
	out := make([]frame.Record, 0, len(stored))
	for _, s := range stored {
		rec, err := frame.Decode(bytes.Clone(s.Data))
		require.NoError(t, err)
		out = append(out, rec)
	}
	return out
}

// interrupt ends a run as Ctrl-C does.
func (p *process) interrupt(t *testing.T) { t.Helper(); p.signal(t, syscall.SIGINT) }
