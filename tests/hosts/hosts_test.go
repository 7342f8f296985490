// Package hosts loads libgstkinesis.so into programs in C, as other people's programs do, and shows that they keep what is theirs: their
// signals, their crash handlers, their memory and threads. The programs are in testdata.
package hosts

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/tests/kit"
)

func TestMain(m *testing.M) {
	kit.Isolate()
	flag.Parse()
	_ = flag.Set("test.parallel", "4")
	os.Exit(m.Run())
}

// host compiles one of the programs.
func host(t *testing.T, name string) string {
	t.Helper()
	return kit.CC(t, []string{"gstreamer-1.0"}, filepath.Join("testdata", name+".c"))
}

// endpoint is the embedded endpoint with a stream for each pipeline of a host.
func endpoint(t *testing.T, streams ...string) *local.Server {
	t.Helper()
	set := local.Settings{Limits: local.LimitsNone, Credentials: []local.Credentials{localtest.AnyCredentials()}}
	for _, s := range streams {
		set.Create = append(set.Create, local.StreamSpec{Name: s, Shards: 2})
	}
	return localtest.Start(t, set)
}

// line is a pipeline that writes 1000 small records a second, each in a request of its own or nearly.
func line(srv *local.Server, stream string) string {
	return fmt.Sprintf("videotestsrc is-live=true do-timestamp=true ! video/x-raw,format=GRAY8,width=32,height=32,framerate=1000/1 ! msgpackenc ! "+
		"kinesissink name=sink shards=2 linger=0 stream-name=%s region=us-east-1 endpoint-uri=%s access-key=test secret-access-key=test",
		stream, srv.URL())
}

var bookLine = regexp.MustCompile(`books \S+ accepted (\d+) delivered (\d+) dropped (\d+)`)

// books reads what a host printed of its sinks and checks it against the streams.
func books(t *testing.T, srv *local.Server, out string, streams ...string) {
	t.Helper()
	lines := bookLine.FindAllStringSubmatch(out, -1)
	require.Len(t, lines, len(streams))
	for i, stream := range streams {
		var n [3]int
		for j := range n {
			n[j], _ = strconv.Atoi(lines[i][j+1])
		}
		require.Equal(t, n[0], n[1]+n[2], "%s: the books balance", stream)
		require.Zero(t, n[2], "%s: nothing is dropped", stream)
		require.Positive(t, n[0])
		stored, err := srv.Records(stream)
		require.NoError(t, err)
		require.Len(t, stored, n[1])
	}
}

// TestSignals: the dispositions of signals that a host sets keep their effect, whether they were set before or after the plugin was loaded.
func TestSignals(t *testing.T) {
	program := host(t, "signals")
	for _, when := range []string{"before", "after"} {
		for _, what := range []string{"ignore", "handle"} {
			t.Run(when+" "+what, func(t *testing.T) {
				t.Parallel()
				srv := endpoint(t, "frames")
				out, _ := kit.Run(t, kit.GStreamer(t), program, when, what, line(srv, "frames"))
				require.Contains(t, out, "done")
				books(t, srv, out, "frames")
			})
		}
	}
}

// TestDefaultSignals: where a host sets nothing, a signal ends it as it ends any program.
func TestDefaultSignals(t *testing.T) {
	program := host(t, "signals")
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGUSR1, syscall.SIGALRM, syscall.SIGPROF} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			srv := endpoint(t, "frames")
			p := kit.Start(t, kit.GStreamer(t), program, "never", strconv.Itoa(int(sig)), line(srv, "frames"))
			status := p.End()
			require.True(t, status.Signaled(), "%v\n%s%s", status, p.Out(), p.Err())
			require.Equal(t, sig, status.Signal())
		})
	}
}

// TestCrashes: a crash in C code stays the host's: its handler is called wherever it was set, and without one the process dies of the signal.
func TestCrashes(t *testing.T) {
	program := host(t, "crash")
	signals := map[string]syscall.Signal{
		"segv": syscall.SIGSEGV, "fpe": syscall.SIGFPE, "bus": syscall.SIGBUS, "ill": syscall.SIGILL, "abrt": syscall.SIGABRT,
	}
	for _, when := range []string{"before", "after", "none"} {
		for how, sig := range signals {
			for _, where := range []string{"main", "thread", "probe"} {
				if where != "main" && how != "segv" {
					continue
				}
				t.Run(when+" "+how+" "+where, func(t *testing.T) {
					t.Parallel()
					srv := endpoint(t, "frames")
					p := kit.Start(t, kit.GStreamer(t), program, when, how, where, line(srv, "frames"))
					status := p.End()
					if when == "none" {
						require.True(t, status.Signaled(), "%v\n%s%s", status, p.Out(), p.Err())
						require.Equal(t, sig, status.Signal())
						return
					}
					require.Contains(t, p.Out(), fmt.Sprintf("caught %02d", int(sig)))
					require.Equal(t, 40, status.ExitStatus())
				})
			}
		}
	}
}

// TestStorms: two pipelines in one process, under storms of signals that the host's main loop takes.
func TestStorms(t *testing.T) {
	program := host(t, "storm")
	for _, who := range []string{"main", "others"} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			srv := endpoint(t, "left", "right")
			env, check := kit.Leaks(t, "")
			p := kit.Start(t, kit.GStreamer(t, env...), program, who, line(srv, "left"), line(srv, "right"))
			p.Line("ready")
			storm(t, p)
			p.Signal(syscall.SIGUSR1)
			require.Zero(t, p.Wait())
			books(t, srv, p.Out(), "left", "right")
			require.Regexp(t, `got [1-9]\d* interrupts and [1-9]\d* terminations`, p.Out())
			check()
		})
	}
}

// storm sends SIGINT and SIGTERM as fast as it goes for a while; equal signals that are pending merge.
func storm(t *testing.T, p *kit.Process) {
	t.Helper()
	over := time.After(4 * time.Second)
	for n := 0; ; n += 2 {
		select {
		case <-p.Done():
			t.Fatalf("the host ended after %d signals", n)
		case <-over:
			t.Logf("%d signals", n)
			return
		default:
		}
		p.Signal(syscall.SIGINT)
		p.Signal(syscall.SIGTERM)
	}
}

var usageLine = regexp.MustCompile(`usage after \d+: rss (\d+) threads (\d+)`)

// TestCycles: a host that makes and drops pipelines for ever neither grows nor collects threads, and leaves no object behind.
func TestCycles(t *testing.T) {
	t.Parallel()
	srv := endpoint(t, "frames")
	env, check := kit.Leaks(t, "")
	env = append(env, "MALLOC_ARENA_MAX=2", "MALLOC_TRIM_THRESHOLD_=65536")
	out, _ := kit.Run(t, kit.GStreamer(t, env...), host(t, "cycles"), "200", line(srv, "frames"))
	require.Contains(t, out, "done")
	check()
	lines := usageLine.FindAllStringSubmatch(out, -1)
	require.Len(t, lines, 2)
	t.Log(lines[0][0], lines[1][0])
	number := func(i, j int) int { n, _ := strconv.Atoi(lines[i][j]); return n }
	require.LessOrEqual(t, number(1, 1)-number(0, 1), 12<<10, "resident memory in KiB")
	require.LessOrEqual(t, number(1, 2)-number(0, 2), 3, "threads; Go's runtime makes one more when it finds its others busy")
}
