package gsttest

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// Goroutines fails the test if goroutines that were started from here on run when the test and the cleanups registered after
// this call have ended. They are counted by the function that started them, so the test may not be parallel, nor run beside parallel ones.
// What a C thread of GStreamer runs in Go is no goroutine by this count.
func Goroutines(t *testing.T) {
	t.Helper()
	t.Setenv("GST_KINESIS_TEST_SERIAL", t.Name()) // refuses a parallel test
	before := goroutines()
	t.Cleanup(func() {
		deadline := time.Now().Add(settle)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for ; ; <-tick.C {
			more := grown(before, goroutines())
			if len(more) == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("goroutines are left:\n\t%s", strings.Join(more, "\n\t"))
				return
			}
		}
	})
}

// GoroutineCount is the number of goroutines by the count of Goroutines.
func GoroutineCount() int {
	n := 0
	for _, k := range goroutines() {
		n += k
	}
	return n
}

// goroutines counts the goroutines by the line "created by …" of their stacks.
func goroutines() map[string]int {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			return creators(string(buf[:n]))
		}
		buf = make([]byte, 2*len(buf))
	}
}

func creators(stacks string) map[string]int {
	out := map[string]int{}
	for _, stack := range strings.Split(stacks, "\n\n") {
		_, by, ok := strings.Cut(stack, "\ncreated by ")
		if !ok {
			continue // the main goroutine, and C threads that call into Go
		}
		function, _, _ := strings.Cut(by, " in goroutine ")
		out[function]++
	}
	return out
}

func grown(before, now map[string]int) []string {
	var out []string
	for function, n := range now {
		if more := n - before[function]; more > 0 {
			out = append(out, fmt.Sprintf("%d more started by %s", more, function))
		}
	}
	slices.Sort(out)
	return out
}
