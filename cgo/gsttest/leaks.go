package gsttest

// #include "gt.h"
import "C"

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"gst-kinesis/cgo/gst"
)

// settle is how long what a test made may take to go: streaming threads and bus messages drop their last references a little later.
const settle = 5 * time.Second

// LeakCheck fails the test if an object that was made from here on is alive when the test and the cleanups registered after this call
// have ended. The tracer counts for the whole process, so the test may not be parallel, nor run beside parallel ones. Under Main only.
func LeakCheck(t *testing.T) {
	t.Helper()
	t.Setenv("GST_KINESIS_TEST_SERIAL", t.Name()) // refuses a parallel test
	p := C.gt_leaks_tracer()
	if p == nil {
		t.Fatal("the leaks tracer does not run: TestMain must call gsttest.Main")
	}
	tracer := gst.ObjectFromPointer(unsafe.Pointer(p))
	tracer.Emit("activity-start-tracking")
	t.Cleanup(func() {
		defer tracer.Unref()
		defer tracer.Emit("activity-stop-tracking")
		if left := newActivity(tracer).settled(settle); len(left) > 0 {
			t.Errorf("%d objects are left:\n\t%s", len(left), strings.Join(left, "\n\t"))
		}
	})
}

// object is one as the tracer tells of it.
type object struct {
	kind    string
	address uint64
}

// activity sums up the tracer's checkpoints. An address can be used again, so each is counted.
type activity struct {
	tracer *gst.Object
	live   map[object]int
}

func newActivity(tracer *gst.Object) *activity {
	return &activity{tracer: tracer, live: map[object]int{}}
}

// checkpoint adds what happened since the last one.
func (a *activity) checkpoint() {
	s, _ := a.tracer.Emit("activity-get-checkpoint").(*gst.Structure)
	a.count(s.Get("objects-created-list"), +1)
	a.count(s.Get("objects-removed-list"), -1)
}

func (a *activity) count(list any, n int) {
	items, _ := list.([]any)
	for _, x := range items {
		s, _ := x.(*gst.Structure)
		address, err := strconv.ParseUint(strings.TrimPrefix(s.Str("address"), "0x"), 16, 64)
		if err != nil {
			continue
		}
		o := object{s.Str("type-name"), address}
		a.live[o] += n
		if a.live[o] == 0 {
			delete(a.live, o)
		}
	}
}

// settled waits until nothing is alive that should not be, at most d, and describes what is.
func (a *activity) settled(d time.Duration) []string {
	deadline := time.Now().Add(d)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for before := map[object]int(nil); ; <-tick.C {
		a.checkpoint()
		// An object is looked at only when it was there a round ago too: one that is on its way out is not touched.
		if before != nil && maps.Equal(before, a.live) {
			if left := a.left(); len(left) == 0 || time.Now().After(deadline) {
				return left
			}
		}
		if time.Now().After(deadline.Add(d)) {
			return []string{"what is alive does not stop changing: something still runs"}
		}
		before = maps.Clone(a.live)
	}
}

// left describes what is alive, without the removals of what was made before, and without what GStreamer keeps on purpose.
func (a *activity) left() []string {
	var out []string
	for o, n := range a.live {
		if n <= 0 || keptForGood(o) {
			continue
		}
		text := C.gt_describe(C.guint64(o.address))
		out = append(out, fmt.Sprintf("%s %s", o.kind, C.GoString((*C.char)(text))))
		C.g_free(C.gpointer(unsafe.Pointer(text)))
	}
	slices.Sort(out)
	return out
}

func keptForGood(o object) bool {
	kind := cstr(o.kind)
	defer cfree(kind)
	return C.gt_may_be_leaked(kind, C.guint64(o.address)) != 0
}
