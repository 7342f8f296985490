package video

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/tests/kit"
)

// outage is how an outage is measured.
type outage struct {
	lasts   time.Duration
	storage int // MiB of memory for frames
	most    int // MiB that the sender may have resident
}

// In the short form memory holds two seconds of film, so that the rest has to lie on disk, as in the long one.
func outageForm() outage {
	if soak() {
		return outage{lasts: 10 * time.Minute, storage: 16, most: 160}
	}
	return outage{lasts: 8 * time.Second, storage: 1, most: 120}
}

// TestOutage: the service is killed while a camera is recorded at 4 Mbit/s, and is back after 10 minutes. Everything arrives, in order and to the
// millisecond; memory keeps its bound; the books balance at every moment; and the disk is given back.
func TestOutage(t *testing.T) {
	t.Parallel()
	o, f, srv := outageForm(), newFilm(t), newService(t, "aws")
	spool, metrics := filepath.Join(t.TempDir(), "spool"), kit.Address(t)
	p := kit.Start(t, kit.GStreamer(t), filepath.Join(kit.Build(t), "gst-kinesis"), append([]string{"run", "--metrics", metrics, "--"},
		words(f.live()+srv.sink(fmt.Sprintf("spool-directory=%s storage-size=%d stop-stream-timeout=60", spool, o.storage)))...)...)
	until(t, p, metrics, "the stream works", kit.Limit, func(f figures) bool { return f["fragments_persisted_total"] >= 2 })

	srv.p.Kill()
	began, tries := time.Now(), 0.0
	before := ask(metrics)
	var peak int64
	for time.Since(began) < o.lasts {
		now := ask(metrics)
		balanced(t, now)
		require.Zero(t, now["frames_dropped_total"])
		require.LessOrEqual(t, now["memory_bytes"], float64((o.storage+2)<<20), "a fragment that comes and one that is sent may be beyond the bound")
		peak, tries = max(peak, onDisk(t, spool)), now["sessions_failed_total"]-before["sessions_failed_total"]
		time.Sleep(100 * time.Millisecond)
	}
	during := ask(metrics)
	require.InDelta(t, o.lasts.Seconds()*filmRate, during["frames_received_total"]-before["frames_received_total"], 2*filmRate, "upstream was never held up")
	require.Greater(t, during["frames_spooled"], 0.0, "some lie on disk alone")

	srv.start()
	back := time.Now()
	until(t, p, metrics, "all is sent", 5*time.Minute+o.lasts, func(f figures) bool { return f["frames_spooled"] == 0 && f["frames_pending"] <= 3*filmRate })
	drained := time.Since(back)
	resident := peakResident(t, p)
	require.Less(t, resident, int64(o.most)<<20, "resident bytes")
	p.Signal(syscall.SIGINT)
	require.Zero(t, p.Wait(), "nothing is lost, and nothing is left")
	accepted := settled(t, p.Err())

	list, fragments, repeats := srv.stored(f)
	require.Equal(t, []int{accepted}, runs(t, list), "all that was accepted, once, in order")
	require.LessOrEqual(t, repeats, 3, "what was under way when the service was killed")
	left := onDisk(t, spool)
	require.Less(t, left, int64(1<<20), "the disk is given back")
	t.Logf("%v without a service, at 4 Mbit/s: %d frames in %d fragments, all stored, %d fragments twice; %.1f tries a minute; at most %.1f MB on disk, %.1f KB at the end; "+
		"storage-size %d MiB, at most %.1f MiB resident; all sent %v after the service was back", o.lasts, len(list), fragments, repeats, tries/o.lasts.Minutes(),
		float64(peak)/1e6, float64(left)/1e3, o.storage, float64(resident)/(1<<20), drained.Round(100*time.Millisecond))
}

var booksLine = regexp.MustCompile(`(?m)^sink to ` + stream + `: accepted (\d+) \([^)]*\), delivered (\d+), dropped 0, in flight 0$`)

// settled reads the books that gst-kinesis run prints at its end: all was delivered.
func settled(t *testing.T, text string) int {
	t.Helper()
	m := booksLine.FindStringSubmatch(text)
	require.NotNil(t, m, text)
	require.Equal(t, m[1], m[2], m[0])
	n, err := strconv.Atoi(m[1])
	require.NoError(t, err)
	return n
}

// peakResident is the most bytes that a process ever had resident.
func peakResident(t *testing.T, p *kit.Process) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
	require.NoError(t, err)
	_, after, ok := strings.Cut(string(text), "VmHWM:")
	require.True(t, ok)
	var kib int64
	_, err = fmt.Sscan(after, &kib)
	require.NoError(t, err)
	return kib << 10
}
