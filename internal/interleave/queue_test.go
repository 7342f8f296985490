package interleave

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var settings = Settings{Wait: 200 * time.Millisecond, Begin: 2 * time.Second, MostBytes: 1000}

// line is what left a queue, and when.
type line struct {
	mu     sync.Mutex
	frames []string
	at     []time.Duration
	start  time.Time
	gate   chan struct{} // nil: open
	cancel context.CancelFunc
	ended  chan struct{}
}

func follow(t *testing.T, q *Queue[string], gate chan struct{}) *line {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &line{start: time.Now(), gate: gate, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		for f, ok := q.Next(ctx); ok; f, ok = q.Next(ctx) {
			if l.gate != nil {
				<-l.gate
			}
			l.mu.Lock()
			l.frames, l.at = append(l.frames, f), append(l.at, time.Since(l.start))
			l.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		cancel()
		if gate != nil {
			close(gate)
		}
		<-l.ended
	})
	return l
}

func (l *line) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.frames)
}

func put(t *testing.T, track *Track[string], name string, at int64) {
	t.Helper()
	direct, err := track.Put(context.Background(), name, at, 10)
	require.NoError(t, err)
	require.False(t, direct)
}

func TestOneTrackNeedsNoQueue(t *testing.T) {
	q := New[int](settings)
	track := q.Add(1)
	n := int64(0)
	ctx := context.Background()
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		n++
		if direct, err := track.Put(ctx, 1, n, 100); !direct || err != nil {
			t.Fatal(direct, err)
		}
	}))
	frames, bytes := q.Waiting()
	require.Zero(t, frames)
	require.Zero(t, bytes)
}

func TestTwoTracksDoNotAllocate(t *testing.T) {
	q := New[int](settings)
	a, b := q.Add(1), q.Add(2)
	ctx := context.Background()
	n := int64(0)
	_, _ = a.Put(ctx, 1, n, 10)
	round := func() { // a frame of each; one is left
		n++
		_, _ = b.Put(ctx, 2, n, 10)
		_, _ = a.Put(ctx, 1, n, 10)
		for range 2 {
			if _, ok := q.Next(ctx); !ok {
				t.Fatal("nothing came")
			}
		}
	}
	for range 100 {
		round()
	}
	require.Zero(t, testing.AllocsPerRun(20, round))
}

func TestFramesLeaveByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New[string](settings)
		audio, video := q.Add(2), q.Add(1)
		l := follow(t, q, nil)
		put(t, video, "v0", 0)
		put(t, video, "v40", 40)
		put(t, video, "v80", 80)
		synctest.Wait()
		require.Empty(t, l.all(), "audio may have an earlier one")
		put(t, audio, "a0", 0)
		synctest.Wait()
		require.Equal(t, []string{"v0", "a0"}, l.all())
		put(t, audio, "a50", 50)
		synctest.Wait()
		require.Equal(t, []string{"v0", "a0", "v40", "a50"}, l.all())
		require.Zero(t, l.at[3], "nothing waited")
		audio.Advance(80)
		synctest.Wait()
		require.Equal(t, "v80", l.all()[4], "audio told that it has nothing before")
	})
}

func TestASilentTrackIsWaitedForInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New[string](settings)
		audio, video := q.Add(2), q.Add(1)
		l := follow(t, q, nil)
		put(t, audio, "a0", 0)
		put(t, video, "v0", 0)
		for i := range 10 {
			time.Sleep(40 * time.Millisecond)
			put(t, video, "v", int64(i+1)*40)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, l.all(), 12)
		for i, at := range l.at[2:] {
			require.Equal(t, time.Duration(i+1)*40*time.Millisecond+settings.Wait, at, "each waited so long and no longer")
		}
		q.SetWait(0, 0)
		put(t, video, "v", 500)
		synctest.Wait()
		require.Len(t, l.all(), 13, "nothing is waited for any more")
		put(t, audio, "late", 100)
		synctest.Wait()
		require.Equal(t, "late", l.all()[13], "a late frame goes all the same")
	})
}

func TestATrackThatHasNotBegunIsWaitedForLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New[string](settings)
		audio, video := q.Add(2), q.Add(1)
		l := follow(t, q, nil)
		put(t, video, "v0", 0)
		time.Sleep(1900 * time.Millisecond)
		synctest.Wait()
		require.Empty(t, l.all())
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, []string{"v0"}, l.all())
		require.Equal(t, settings.Begin, l.at[0])
		audio.End()
		direct, err := video.Put(context.Background(), "v1", 40, 10)
		require.NoError(t, err)
		require.True(t, direct, "the other one has ended")
	})
}

func TestRemoveReopenAndDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New[string](settings)
		audio, video := q.Add(2), q.Add(1)
		l := follow(t, q, nil)
		put(t, audio, "a0", 0)
		put(t, audio, "a90", 90)
		put(t, video, "v10", 10)
		video.Remove()
		synctest.Wait()
		require.Equal(t, []string{"a0", "v10", "a90"}, l.all())
		video = q.Add(1)
		put(t, audio, "a99", 99)
		require.NoError(t, q.Drain(context.Background()))
		require.Equal(t, "a99", l.all()[3], "a drain waits for nobody")
		audio.Reopen()
		put(t, audio, "a5", 5)
		put(t, video, "v6", 6)
		synctest.Wait()
		require.Equal(t, "a5", l.all()[4], "time begins anew")
		q.Close()
		synctest.Wait()
		require.Equal(t, "v6", l.all()[5])
		_, err := video.Put(context.Background(), "x", 7, 1)
		require.ErrorIs(t, err, ErrClosed)
		<-l.ended
	})
}

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New[string](settings)
		video := q.Add(1)
		q.Add(1)
		gate := make(chan struct{}, 1000)
		l := follow(t, q, gate)
		ctx, cancel := context.WithCancelCause(context.Background())
		taken := 0
		ended := make(chan error)
		go func() {
			for {
				_, err := video.Put(ctx, "v", int64(taken), 100)
				if err != nil {
					ended <- err
					return
				}
				taken++
			}
		}()
		synctest.Wait()
		_, bytes := q.Waiting()
		require.Equal(t, settings.MostBytes, bytes)
		require.Equal(t, 11, taken, "one is with the taker")
		gate <- struct{}{}
		synctest.Wait()
		require.Equal(t, 12, taken)
		require.Len(t, l.all(), 1)
		why := errors.New("flushing")
		cancel(why)
		require.ErrorIs(t, <-ended, why)
	})
}

// Whatever comes, each track's frames keep their order, none is lost, and what is not late is in order of time.
func TestAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			type frame struct {
				track int
				at    int64
			}
			q := New[frame](settings)
			var out []frame
			done := make(chan struct{})
			go func() {
				defer close(done)
				for f, ok := q.Next(context.Background()); ok; f, ok = q.Next(context.Background()) {
					out = append(out, f)
				}
			}()
			var wg sync.WaitGroup
			sent := make([][]int64, 3)
			for i := range sent {
				track, step := q.Add(i), time.Duration(1+r.IntN(60))*time.Millisecond
				jitter := rand.New(rand.NewPCG(seed, uint64(i)+2))
				wg.Go(func() {
					for n := range 50 {
						time.Sleep(step/2 + time.Duration(jitter.Int64N(int64(step))))
						f := frame{i, int64(time.Duration(n) * step)}
						direct, err := track.Put(context.Background(), f, f.at, 7)
						if err != nil {
							panic(err)
						}
						if !direct { // the last of all tracks is alone at the end
							sent[i] = append(sent[i], f.at)
						}
					}
					track.End()
				})
			}
			wg.Wait()
			q.Close()
			<-done
			got := make([][]int64, 3)
			for _, f := range out {
				got[f.track] = append(got[f.track], f.at)
			}
			require.Equal(t, sent, got)
		})
	}
}
