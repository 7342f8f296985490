package producer

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// countingClock counts how often a timer is set: each is one look of a goroutine.
type countingClock struct{ set atomic.Int64 }

func (c *countingClock) Now() time.Time { return time.Now() }

func (c *countingClock) AfterFunc(d time.Duration, f func()) Timer {
	c.set.Add(1)
	return &countedTimer{Timer: time.AfterFunc(d, f), clock: c}
}

type countedTimer struct {
	*time.Timer
	clock *countingClock
}

func (t *countedTimer) Reset(d time.Duration) bool {
	t.clock.set.Add(1)
	return t.Timer.Reset(d)
}

// TestNoGoroutineSpins lets states last for an hour and counts how often anybody
// looked whether there is something to do.
func TestNoGoroutineSpins(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(*Settings, *fakeClient)
		put     bool
		most    int64
	}{
		"idle":        {func(*Settings, *fakeClient) {}, false, 400},
		"idle after":  {func(*Settings, *fakeClient) {}, true, 400},
		"hung":        {hang, true, 500},
		"refused":     {func(_ *Settings, f *fakeClient) { f.script = failWith(refusedError(), 1) }, true, 15000},
		"refused ttl": {func(s *Settings, f *fakeClient) { s.RecordTTL = time.Minute; f.script = failWith(refusedError(), 1) }, true, 1000},
		"denied": {func(s *Settings, f *fakeClient) {
			s.PermanentGrace = 2 * time.Hour
			f.script = failWith(apiError("AccessDenied", 400), 2)
		}, true, 30000},
		"failed":    {func(_ *Settings, f *fakeClient) { f.script = failWith(apiError("AccessDenied", 400), 1) }, true, 400},
		"throttled": {func(_ *Settings, f *fakeClient) { f.recordFault = always("ProvisionedThroughputExceededException") }, true, 80000},
		"key disabled": {func(s *Settings, f *fakeClient) {
			s.PermanentGrace = 2 * time.Hour
			f.recordFault = later("KMSDisabledException")
		}, true, 30000},
		"start": {func(s *Settings, f *fakeClient) { hang(s, f); s.StartTimeout = 30 * time.Minute }, true, 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				clock := new(countingClock)
				inBubble(t, c.prepare, func(r *rig) {
					if c.put {
						r.put("k", "first")
						r.settle(time.Second)
						for i := range 10 {
							_ = r.p.Put(context.Background(), r.record(fmt.Sprint(i), "x"))
						}
					}
					r.settle(time.Hour)
					require.Less(r, clock.set.Load(), c.most)
				}, WithClock(clock))
			})
		})
	}
}

func refusedError() error { return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED} }

func always(code string) func(int, stored) (string, string) {
	return func(int, stored) (string, string) { return code, "" }
}

func later(code string) func(int, stored) (string, string) {
	return func(call int, _ stored) (string, string) {
		if call == 1 {
			return "", ""
		}
		return code, ""
	}
}
