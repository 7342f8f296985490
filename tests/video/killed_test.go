package video

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/spool"
	"gst-kinesis/tests/kit"
)

// TestKilled: gst-launch-1.0 is killed in the midst of a fragment, again and again, while the service is away, comes and goes. All that the sink had taken
// arrives when the next process runs with the same folder, once, in order. The end of a process loses nothing, however rarely the disk is synced; spool-sync
// bounds what a loss of power may cost, which internal/spool proves on a disk that forgets what was not synced.
func TestKilled(t *testing.T) {
	for _, policy := range []string{"always", "interval"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			kills, seed := 4, rand.Uint64()
			if soak() {
				kills = 60
			}
			t.Logf("seed %d", seed)
			k := &killing{T: t, film: newFilm(t), srv: newService(t, "none"), random: rand.New(rand.NewPCG(seed, 1)), spool: filepath.Join(t.TempDir(), "spool")}
			k.sink = k.srv.sink("spool-sync=" + policy + " storage-size=1 stop-stream-timeout=60 spool-directory=" + k.spool)
			for i := range kills {
				k.runAndKill(i)
			}
			k.drain()
		})
	}
}

type killing struct {
	*testing.T
	film        *film
	srv         *service
	random      *rand.Rand
	spool, sink string
	taken       []int // frames that each run's sink had taken when it was asked last
}

// left is how many frames the spool holds, as its next owner will find them.
func (k *killing) left() int {
	k.Helper()
	r, err := spool.Inspect(k.Context(), k.spool)
	require.NoError(k, err)
	return r.Records - r.Done
}

// runAndKill starts a process and kills it when it has taken some frames. In the first of two runs the service goes away meanwhile, in the second it comes back.
func (k *killing) runAndKill(i int) {
	k.Helper()
	left, metrics, enough := 0, kit.Address(k), 10+k.random.IntN(90)
	if i > 0 {
		left = k.left()
	}
	p := kit.Start(k, kit.GStreamer(k), "gst-launch-1.0", words("-q "+k.film.live()+k.sink+" metrics-address="+metrics)...)
	taken := func(n int) figures {
		return until(k.T, p, metrics, fmt.Sprint(n, " frames"), kit.Limit, func(f figures) bool { return int(f["frames_received_total"])-left >= n })
	}
	taken(enough / 2)
	if i%2 == 0 {
		k.srv.p.Kill()
	} else {
		k.srv.start()
	}
	f := taken(enough)
	balanced(k.T, f)
	require.Zero(k, f["frames_dropped_total"])
	p.Kill()
	k.taken = append(k.taken, int(f["frames_received_total"])-left)
}

// drain lets a last process show two seconds and send all that is left.
func (k *killing) drain() {
	k.Helper()
	left := k.left()
	_, _ = kit.Run(k, kit.GStreamer(k), "gst-launch-1.0", words(fmt.Sprintf("-q multifilesrc stop-index=1 location=%s ! %s ! identity sync=true ! %s", k.film.pattern, toAVC, k.sink))...)
	require.Zero(k, k.left())
	list, fragments, repeats := k.srv.stored(k.film)
	lengths := runs(k.T, list)
	require.Len(k, lengths, len(k.taken)+1)
	for i, n := range k.taken {
		require.GreaterOrEqual(k, lengths[i], n, "run %d had taken %d frames", i, n)
		require.Less(k, lengths[i], n+5*filmRate, "and hardly more")
	}
	require.Equal(k, 2*filmRate, lengths[len(k.taken)])
	k.Logf("%d kills: %d frames in %d fragments, none lost of what was taken, %d fragments twice; %d frames were left for the last run", len(k.taken), len(list), fragments, repeats, left)
	require.LessOrEqual(k, repeats, 3*len(k.taken), "what was under way in the moment of a kill")
}
