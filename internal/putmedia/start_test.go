package putmedia

import (
	"context"
	"fmt"
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

// While the stream drains tries are closer to each other, so that a service that comes back is met, and still not many.
func TestADrainTriesOften(t *testing.T) {
	for name, fail := range map[string]func(f *fakeService, down func() bool){
		"no connection": func(f *fakeService, down func() bool) {
			f.open = func(int) error {
				if down() {
					return refusedError()
				}
				return nil
			}
		},
		"no stream to be found": func(f *fakeService, down func() bool) {
			f.locate = func(int) error {
				if down() {
					return refusedError()
				}
				return nil
			}
		},
	} {
		for _, back := range []time.Duration{61500, 63000, 64500, 66000, 68000} { // ms after the beginning
			t.Run(fmt.Sprint(name, " up to ", int(back), " ms"), func(t *testing.T) {
				began := time.Time{}
				var service *fakeService
				bench(t, func(s *Settings, f *fakeService) {
					began, service = time.Now(), f
					s.DrainTimeout = 10 * time.Second
					fail(f, func() bool { return time.Since(began) < back*time.Millisecond })
				}, func(r *rig) {
					r.play(time.Minute)
					tries := len(service.opened) + service.located
					require.NoError(r, r.s.Flush(context.Background()))
					require.Less(r, time.Since(began), back*time.Millisecond+time.Second)
					require.Less(r, len(service.opened)+service.located-tries, 60, "a try is two calls at the most")
					require.Zero(r, r.s.Books().DroppedAll())
				})
			})
		}
	}
}
