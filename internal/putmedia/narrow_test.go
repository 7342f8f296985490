package putmedia

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// However little memory there is beside a spool, also less than a fragment needs: after an outage all arrives, and soon.
func TestOutageThroughTheSpoolWithLittleMemory(t *testing.T) {
	t.Parallel()
	const storage = 1 << 20
	for _, percent := range []int{20, 30, 35, 40, 45, 48, 52, 60, 70, 90, 120, 250} {
		t.Run(fmt.Sprintf("fragments of %d percent", percent), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				s := openSpool(t, dir, nil)
				defer s.Close()
				var it *rig
				inBubble(t, func(set *Settings, f *fakeService) {
					set.StorageSize, set.DrainTimeout = storage, time.Minute
					f.open = between(&it, 10*time.Second, 60*time.Second, refusedError())
					f.script = cutBetween(&it, 10*time.Second, 60*time.Second)
				}, func(r *rig) {
					it = r
					for range 100 * 25 {
						r.putLarge(storage * percent / 100 / 25)
						time.Sleep(40 * time.Millisecond)
					}
					synctest.Wait()
					b := r.s.Books()
					require.LessOrEqual(r, b.Spooled.Frames+b.InFlight.Frames, int64(75), "half a minute after the outage only what comes now is under way")
					r.flush()
					frames, _, _ := r.f.all()
					require.Len(r, frames, r.n)
					for i, f := range frames {
						require.Equal(r, fmt.Sprintf("frame %06d", i), strings.TrimRight(f.data, "."))
					}
					require.Zero(r, r.s.Books().DroppedAll())
				}, WithSpool(s))
			})
		})
	}
}

// putLarge is put with a frame that takes so many bytes, or nearly, of every tenth fragment twice as many.
func (r *rig) putLarge(size int) {
	r.Helper()
	text := fmt.Sprintf("frame %06d", r.n)
	if r.n/25%10 == 0 {
		size *= 2
	}
	f := r.s.Reserve(size)
	copy(f.Data, text+strings.Repeat(".", size-len(text)))
	f.Track, f.Key, f.PTS = 1, r.n%25 == 0, r.began.Add(r.at).UnixNano()
	f.DTS, f.Token = f.PTS, r.n
	r.n++
	r.at += 40 * time.Millisecond
	require.NoError(r, r.s.Put(context.Background(), f))
}
