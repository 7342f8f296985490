package gsttest

// #include "gt.h"
import "C"

import (
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"

	"gst-kinesis/cgo/gst"
)

// Soak says whether the tests shall take their long form (GST_KINESIS_SOAK=1).
func Soak() bool { return os.Getenv("GST_KINESIS_SOAK") == "1" }

// Rounds gives short, or long when the tests shall take their long form.
func Rounds(short, long int) int {
	if Soak() {
		return long
	}
	return short
}

// Stress keeps every processor busy twice over and the garbage collector running until the test ends.
func Stress(tb testing.TB) {
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for n := uint64(0); !stop.Load(); n++ {
				rand.Uint64N(n + 1)
			}
		})
	}
	wg.Go(func() {
		for !stop.Load() {
			runtime.GC()
		}
	})
	tb.Cleanup(func() {
		stop.Store(true)
		wg.Wait()
	})
}

// Memory is what the process holds: bytes on the C heap and on Go's.
type Memory struct{ C, Go uint64 }

// MemoryInUse collects the garbage and measures what is left. The C heap is 0 where the C library does not tell.
func MemoryInUse() Memory {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Memory{C: uint64(C.gt_heap_in_use()), Go: m.HeapAlloc}
}

// Flat calls round often, and fails the test if the memory in use grows by more than perRound bytes a round, on either heap, between the
// first quarter of the rounds and the last. Rounds fill caches: what grows only at first is no leak.
func Flat(tb testing.TB, rounds int, perRound float64, round func(i int)) {
	tb.Helper()
	warm := rounds / 4
	var before Memory
	for i := range rounds {
		if i == warm {
			before = MemoryInUse()
		}
		round(i)
	}
	after := MemoryInUse()
	c, g := growth(before.C, after.C, rounds-warm), growth(before.Go, after.Go, rounds-warm)
	tb.Logf("%d rounds: the C heap grew by %.1f bytes a round, Go's by %.1f", rounds, c, g)
	if c > perRound || g > perRound {
		tb.Errorf("memory grows: the C heap by %.1f bytes a round, Go's by %.1f, where %.1f are allowed", c, g, perRound)
	}
}

func growth(before, after uint64, rounds int) float64 {
	return (float64(after) - float64(before)) / float64(rounds)
}

// stateOrders are the orders in which States walks: up and down, up by steps from every state, down by steps, and across.
var stateOrders = [][]gst.State{
	{gst.StateReady, gst.StatePaused, gst.StatePlaying, gst.StatePaused, gst.StateReady, gst.StateNull, gst.StatePaused, gst.StateReady, gst.StatePlaying, gst.StateReady, gst.StatePlaying, gst.StateNull},
	{gst.StateReady, gst.StateNull, gst.StatePaused, gst.StateNull, gst.StatePlaying, gst.StateNull, gst.StateReady, gst.StatePaused, gst.StateReady, gst.StatePlaying, gst.StatePaused, gst.StatePlaying, gst.StateNull},
	{gst.StatePlaying, gst.StatePaused, gst.StateReady, gst.StateNull, gst.StatePlaying, gst.StateReady, gst.StateNull, gst.StatePlaying, gst.StateNull},
}

// States brings an element or pipeline, borrowed, through its states in fixed orders and in random ones, without waiting in between. It ends
// in NULL. A change that fails fails the test.
func States(tb testing.TB, e *gst.Object, random int) {
	tb.Helper()
	for _, order := range stateOrders {
		for _, s := range order {
			change(tb, e, s)
		}
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	for range random {
		change(tb, e, gst.State(int(gst.StateNull)+r.IntN(4)))
		if tb.Failed() {
			tb.Fatalf("the seed is %d", seed)
		}
	}
	change(tb, e, gst.StateNull)
}

func change(tb testing.TB, e *gst.Object, s gst.State) {
	tb.Helper()
	if e.SetState(s) == gst.StateChangeFailure {
		tb.Errorf("%s does not go to %v", e.Path(), s)
	}
}
