//go:build unix

package putmedia_test

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/putmedia"
)

// endpointEnv makes this test binary an endpoint for BenchmarkLivePace, so that its CPU is not counted. It names the file for its
// certificate.
const endpointEnv = "GST_KINESIS_TEST_ENDPOINT"

// TestServeBenchmark is that endpoint: it serves until its standard input ends. Otherwise it only starts and stops.
func TestServeBenchmark(t *testing.T) {
	conf, trust, err := local.SelfSigned(time.Now())
	require.NoError(t, err)
	set := local.Settings{Limits: local.LimitsNone, VideoMemory: 64 << 20, VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}}
	file := os.Getenv(endpointEnv)
	if strings.HasSuffix(file, "https") {
		set.TLS = conf
	}
	srv, err := local.New(set)
	require.NoError(t, err)
	require.NoError(t, srv.Start())
	defer srv.Stop()
	if file == "" {
		return
	}
	require.NoError(t, os.WriteFile(file, trust, 0o600))
	fmt.Println(srv.URL())
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

// remoteEndpoint starts it, and returns its URL and the file of its certificate.
func remoteEndpoint(b *testing.B, scheme string) (url, trust string) {
	trust = filepath.Join(b.TempDir(), scheme)
	cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestServeBenchmark$", "-test.v=false")
	cmd.Env = append(os.Environ(), endpointEnv+"="+trust)
	in, err := cmd.StdinPipe()
	require.NoError(b, err)
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	url, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(b, err)
	return url[:len(url)-1], trust
}

// usage is what the process has used.
type usage struct {
	cpu      time.Duration
	switches int64 // of threads, voluntary
	runs     float64
}

func used(b *testing.B) usage {
	var r syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(sample)
	runs := uint64(0)
	for _, n := range sample[0].Value.Float64Histogram().Counts {
		runs += n
	}
	return usage{cpu: time.Duration(r.Utime.Nano() + r.Stime.Nano()), switches: int64(r.Nvcsw), runs: float64(runs)}
}

// BenchmarkLivePace is what one camera costs: 30 frames of 17 KiB a second. Run it with -benchtime=600x. With "pace" alone nothing
// is sent, which is the price of the clock of this benchmark. Runs of goroutines are a sample, which now and then goes astray: take
// the median of several.
func BenchmarkLivePace(b *testing.B) {
	for _, name := range []string{"pace", "http", "https"} {
		b.Run(name, func(b *testing.B) {
			url, trust := remoteEndpoint(b, name)
			session, err := awscfg.Open(b.Context(), awscfg.Settings{
				Region: local.DefaultRegion, EndpointURI: url, CAFile: trust, AccessKey: "test", SecretAccessKey: "test"}, awscfg.Stream{Name: "cam"})
			require.NoError(b, err)
			defer session.Close()
			set := putmedia.Default()
			set.Stream = "cam"
			service := putmedia.NewService(session, putmedia.Spec{Name: "cam"})
			defer service.Close()
			s, err := putmedia.New(service, set, nil)
			require.NoError(b, err)
			defer s.Close()
			require.NoError(b, s.SetTracks(tracks[:1]))
			put := func(n int) {
				f := s.Reserve(17 << 10)
				f.Track, f.Key, f.PTS = 1, n%30 == 0, time.Now().UnixNano()
				require.NoError(b, s.Put(b.Context(), f))
			}
			for n := range 60 {
				put(n)
				time.Sleep(10 * time.Millisecond)
			}
			tick := time.NewTicker(time.Second / 30)
			defer tick.Stop()
			before, began := used(b), time.Now()
			for n := 0; b.Loop(); n++ {
				<-tick.C
				if name != "pace" {
					put(n)
				}
			}
			after, took := used(b), time.Since(began)
			b.ReportMetric((after.cpu-before.cpu).Seconds()*1000/took.Seconds(), "cpu-ms/s")
			b.ReportMetric(float64(after.switches-before.switches)/float64(b.N), "thread-switches/op")
			b.ReportMetric(math.Round(8*(after.runs-before.runs)/float64(b.N)*100)/100, "goroutine-runs/op") // 1 of 8 is sampled
		})
	}
}
