package faults

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/internal/local"
)

// heapBound and rssBound are what a test may leave: far below what each one lets through, above what pools of HTTP, GLib and the runtime keep once.
const heapBound = 1 << 20

// usage is what the process holds.
type usage struct{ heap, rss int64 }

func measure(t *testing.T) usage {
	t.Helper()
	runtime.GC()
	runtime.GC() // the pools of sync.Pool live for two
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{heap: int64(m.HeapAlloc), rss: rss(t)}
}

func rss(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	fields := strings.Fields(after)
	require.NotEmpty(t, fields)
	kb, err := strconv.ParseInt(fields[0], 10, 64)
	require.NoError(t, err)
	return kb << 10
}

// returns checks that memory and goroutines are back where they were when the test, and what it started after this call, has ended. A first
// pipeline runs before, so that what is made once in a process is there. The test may not be parallel.
func returns(t *testing.T) {
	t.Helper()
	warmUp(t)
	gsttest.Goroutines(t)
	before := measure(t)
	t.Cleanup(func() {
		deadline := time.Now().Add(10 * time.Second)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for ; ; <-tick.C { // threads end, and free what they had, a little later
			now := measure(t)
			heap, res := now.heap-before.heap, now.rss-before.rss
			if heap <= heapBound && res <= rssBound {
				t.Logf("heap %+d KiB, resident %+d KiB", heap>>10, res>>10)
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("memory is left: heap %+d KiB, resident %+d KiB", heap>>10, res>>10)
				return
			}
		}
	})
}

// warmUp lets a pipeline do once what pipelines do.
func warmUp(t *testing.T) {
	t.Helper()
	t.Run("first", func(t *testing.T) {
		r := newRig(t, endpoint(t, local.Settings{}), "")
		r.play()
		r.push(100, 10_000)
		r.end()
	})
}
