// Package bench measures what a user of gst-launch-1.0 pays for kinesissink: memory, and the time from a frame to its accepted record.
package bench

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/tests/kit"
)

// measure runs a command and writes its peak resident memory in KiB to standard error. A process's peak counts what its parent held when
// it was started, so a small one must start it, not this one, which holds the endpoint's records.
const measure = "import resource, subprocess, sys; r = subprocess.run(sys.argv[1:]); " +
	"print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(r.returncode)"

// launch runs gst-launch-1.0 and gives its standard output and peak resident memory in bytes.
func launch(b *testing.B, line string) (string, int64) {
	b.Helper()
	cmd := exec.Command("/usr/bin/python3", append([]string{"-c", measure, "gst-launch-1.0", "-m"}, strings.Fields(line)...)...)
	cmd.Env = append(os.Environ(), "GST_PLUGIN_PATH="+kit.Build(b))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("%s: %v\n%s%s", line, err, out, &stderr)
	}
	lines := strings.Fields(stderr.String())
	kib, err := strconv.ParseInt(lines[len(lines)-1], 10, 64)
	if err != nil {
		b.Fatalf("reading the peak of memory: %v", err)
	}
	return string(out), kib << 10
}

// paced is 25 frames a second of a size for so many seconds.
func paced(size, seconds int) string {
	return fmt.Sprintf("fakesrc num-buffers=%d sizetype=fixed sizemax=%d datarate=%d format=time ! identity sync=true", 25*seconds, size, 25*size)
}

func endpoint(b *testing.B) string {
	srv := localtest.Start(b, local.Settings{Limits: local.LimitsNone, Create: []local.StreamSpec{{Name: "s", Shards: 1}}})
	return "kinesissink name=k stream-name=s sensor-name=cam region=us-east-1 rate-limit=off access-key=k secret-access-key=s endpoint-uri=" + srv.URL()
}

// BenchmarkMemory prints the peak of resident memory above fakesink, in the same pipeline of 200 KiB frames, 25 a second.
func BenchmarkMemory(b *testing.B) {
	to := endpoint(b)
	launch(b, paced(1000, 1)+" ! "+to) // the registry is written once
	for range b.N {
		_, fake := launch(b, paced(200<<10, 4)+" ! fakesink")
		_, ours := launch(b, paced(200<<10, 4)+" ! "+to)
		b.ReportMetric(float64(fake)/(1<<20), "MiB-fakesink")
		b.ReportMetric(float64(ours-fake)/(1<<20), "MiB-above-fakesink")
	}
	b.ReportMetric(0, "ns/op")
}

var latency = regexp.MustCompile(`latency-ns=\(guint64\)\{? ?([0-9, ]+)`)

// BenchmarkFrameToRecord prints the time from a frame's arrival at the sink to its accepted record, on loopback with linger=0.
func BenchmarkFrameToRecord(b *testing.B) {
	to := endpoint(b)
	for _, size := range []int{20 << 10, 200 << 10} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			var all []time.Duration
			for range b.N {
				out, _ := launch(b, paced(size, 4)+" ! "+to+" linger=0 acks=messages")
				for _, m := range latency.FindAllStringSubmatch(out, -1) {
					for _, n := range strings.FieldsFunc(m[1], func(r rune) bool { return r == ',' || r == ' ' }) {
						ns, err := strconv.ParseInt(n, 10, 64)
						if err != nil {
							b.Fatal(err)
						}
						all = append(all, time.Duration(ns))
					}
				}
			}
			if len(all) < 100*b.N {
				b.Fatalf("%d records of %d", len(all), 100*b.N)
			}
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)/2].Microseconds()), "us-p50")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "us-p99")
			b.ReportMetric(0, "ns/op")
		})
	}
}
