package putmedia

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// start-timeout is kept to a second, whatever the stream waits for: the next try, or an answer.
func TestStartTimeoutIsKept(t *testing.T) {
	for name, prepare := range map[string]func(*fakeService){
		"refused":            func(f *fakeService) { f.locate = func(int) error { return refusedError() } },
		"no answer":          func(f *fakeService) { f.locate = func(int) error { return errHang } },
		"no media":           func(f *fakeService) { f.open = func(int) error { return refusedError() } },
		"no answer to media": func(f *fakeService) { f.open = func(int) error { return errHang } },
	} {
		t.Run(name, func(t *testing.T) {
			bench(t, func(s *Settings, f *fakeService) {
				s.StartTimeout = 7 * time.Second
				prepare(f)
			}, func(r *rig) {
				r.pause(20 * time.Second) // it counts from the first frame
				require.Empty(r, r.o.failures)
				first := time.Now()
				for n := 0; len(r.o.failures) == 0 && n < 25*30; n++ {
					f := r.s.Reserve(10)
					f.Track, f.Key, f.PTS = 1, n%25 == 0, time.Now().UnixNano()
					_ = r.s.Put(context.Background(), f)
					r.pause(40 * time.Millisecond)
				}
				require.Len(r, r.o.failures, 1)
				require.InDelta(r, 7.5, r.o.failedAt.Sub(first).Seconds(), 0.6)
			})
		})
	}
}
