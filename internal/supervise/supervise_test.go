package supervise_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/supervise"
)

func TestEndOfStreamIsALoss(t *testing.T) {
	bubble(t, supervise.Default(), func(t *testing.T, r *rig) {
		r.playing(t)
		r.set(func() { r.eos, r.flowing = true, false })
		pass(2 * time.Second)
		require.Equal(t, supervise.Playing, r.Stats().State)
		lost := r.told.losses()
		require.Len(t, lost, 1)
		require.Equal(t, supervise.CauseEOS, lost[0].Cause)
		require.Equal(t, 250*time.Millisecond, lost[0].Next)
		require.Len(t, r.told.back, 1)
		s := r.Stats()
		require.EqualValues(t, 1, s.Losses)
		require.EqualValues(t, 1, s.Reconnects)
		require.EqualValues(t, 1, s.Tries)
		require.Equal(t, r.told.back[0], s.Downtime)
		require.InDelta(t, 0.35, s.Downtime.Seconds(), 0.15)
	})
}

func TestSilence(t *testing.T) {
	bubble(t, supervise.Settings{Stall: 5 * time.Second, RetryFor: supervise.Forever}, func(t *testing.T, r *rig) {
		r.playing(t)
		r.set(func() { r.flowing = false })
		pass(4900 * time.Millisecond)
		require.Empty(t, r.told.losses(), "a short silence is none")
		pass(300 * time.Millisecond)
		lost := r.told.losses()
		require.Len(t, lost, 1)
		require.Equal(t, supervise.CauseStall, lost[0].Cause)
		require.GreaterOrEqual(t, lost[0].Silent, 5*time.Second)
		require.Contains(t, lost[0].Error(), "nothing came for 5")
		pass(time.Second)
		require.Equal(t, supervise.Playing, r.Stats().State)
	})
}

func TestNoStallIsLookedForWhereItIsOff(t *testing.T) {
	bubble(t, supervise.Settings{RetryFor: supervise.Forever}, func(t *testing.T, r *rig) {
		r.playing(t)
		r.set(func() { r.flowing = false })
		pass(time.Hour)
		require.Empty(t, r.told.losses())
	})
}

func TestErrorIsALoss(t *testing.T) {
	bubble(t, supervise.Default(), func(t *testing.T, r *rig) {
		r.playing(t)
		broken := errors.New("reading from the camera: reset")
		r.Failed(broken)
		r.Failed(errors.New("another of the same moment"))
		pass(2 * time.Second)
		lost := r.told.losses()
		require.Len(t, lost, 1, "what it said while it went down is not another loss")
		require.ErrorIs(t, lost[0], broken)
		require.Equal(t, 1, r.stops)
		require.Equal(t, supervise.Playing, r.Stats().State)
	})
}

func TestBackOff(t *testing.T) {
	bubble(t, supervise.Default(), func(t *testing.T, r *rig) {
		r.playing(t)
		refused := errors.New("refused")
		r.set(func() { r.up, r.startup = false, refused })
		r.Failed(refused)
		pass(5 * time.Minute)
		lost := r.told.losses()
		var pauses []time.Duration
		for i, l := range lost {
			pauses = append(pauses, l.Next)
			require.Equal(t, i, l.Tries)
		}
		ms := time.Millisecond
		require.Equal(t, []time.Duration{250 * ms, 500 * ms, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second,
			30 * time.Second, 30 * time.Second}, pauses[:9])
		require.EqualValues(t, 1, r.Stats().Losses, "it is one loss, however often it is tried")
		require.Equal(t, supervise.Lost, r.Stats().State)
		require.InDelta(t, 300, r.Stats().Downtime.Seconds(), 1, "the time so far counts")
		r.set(func() { r.up, r.startup = true, nil })
		pass(time.Minute)
		require.Equal(t, supervise.Playing, r.Stats().State)
		n := len(r.told.losses())
		r.Failed(refused)
		pass(time.Second)
		require.Equal(t, 250*ms, r.told.losses()[n].Next, "it had recovered")
	})
}

func TestJitter(t *testing.T) {
	for _, random := range []float64{0, 0.5, 1} {
		t.Run(fmt.Sprint(random), func(t *testing.T) {
			bubble(t, supervise.Default(), func(t *testing.T, r *rig) {
				set := supervise.Default()
				set.Random = func() float64 { return random }
				told := &record{}
				src := newFake()
				s := supervise.New(src, set, told)
				s.Start()
				s.Failed(errors.New("x"))
				pass(400 * time.Millisecond)
				s.Close()
				require.Equal(t, time.Duration(float64(125*time.Millisecond)*(1+random)), told.losses()[0].Next)
			})
		})
	}
}

// A camera that comes and goes at once is not hammered.
func TestFlappingKeepsItsBackOff(t *testing.T) {
	bubble(t, supervise.Default(), func(t *testing.T, r *rig) {
		r.playing(t)
		r.Failed(errors.New("first"))
		for range 6 {
			n := len(r.told.losses())
			for len(r.told.losses()) == n || r.Stats().State != supervise.Playing {
				pass(50 * time.Millisecond)
				if r.Stats().State == supervise.Playing {
					r.Failed(errors.New("again"))
				}
			}
		}
		lost := r.told.losses()
		require.Greater(t, lost[len(lost)-1].Next, 4*time.Second)
	})
}

func TestStartThatBringsNothing(t *testing.T) {
	bubble(t, supervise.Settings{Stall: 2 * time.Second, RetryFor: supervise.Forever}, func(t *testing.T, r *rig) {
		r.playing(t)
		r.set(func() { r.up, r.eos, r.flowing = false, true, false })
		pass(14 * time.Second)
		require.Len(t, r.told.losses(), 1, "a start may take longer than a stall")
		require.Equal(t, supervise.Starting, r.Stats().State)
		pass(2 * time.Second)
		lost := r.told.losses()
		require.Len(t, lost, 2)
		require.Equal(t, supervise.CauseNoData, lost[1].Cause)
	})
}

func TestAbsentAtTheStart(t *testing.T) {
	bubble(t, supervise.Default(), func(t *testing.T, r *rig) {
		r.set(func() { r.flowing, r.up = false, false })
		r.Failed(errors.New("refused"))
		pass(time.Second)
		require.Zero(t, r.told.losses()[0].Played)
		r.set(func() { r.up = true })
		pass(time.Minute)
		require.Equal(t, supervise.Playing, r.Stats().State)
		require.EqualValues(t, 1, r.Stats().Losses)
	})
}

func TestRetryFor(t *testing.T) {
	for name, c := range map[string]struct {
		retry, after time.Duration
		lost         int
	}{
		"never":       {0, 200 * time.Millisecond, 1},
		"ten seconds": {10 * time.Second, 10*time.Second + 200*time.Millisecond, 2},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, supervise.Settings{Stall: time.Second, RetryFor: c.retry}, func(t *testing.T, r *rig) {
				r.playing(t)
				r.set(func() { r.up = false })
				gone := errors.New("gone")
				r.Failed(gone)
				pass(c.after)
				select {
				case <-r.Done():
				default:
					t.Fatal("it is not given up")
				}
				require.Equal(t, supervise.GivenUp, r.Stats().State)
				require.GreaterOrEqual(t, len(r.told.losses()), c.lost)
				require.Zero(t, r.told.losses()[len(r.told.losses())-1].Next)
				require.Error(t, r.Err())
			})
		})
	}
}

func TestPermanentErrors(t *testing.T) {
	password := fmt.Errorf("unauthorized: %w", supervise.ErrPermanent)
	t.Run("before it ever played", func(t *testing.T) {
		bubble(t, supervise.Default(), func(t *testing.T, r *rig) {
			r.set(func() { r.flowing = false })
			r.Failed(password)
			pass(time.Second)
			require.ErrorIs(t, r.Err(), password)
		})
	})
	t.Run("after it has played", func(t *testing.T) {
		bubble(t, supervise.Default(), func(t *testing.T, r *rig) {
			r.playing(t)
			r.Failed(password)
			pass(time.Second)
			require.NoError(t, r.Err())
			require.Equal(t, supervise.Playing, r.Stats().State)
		})
	})
}

func TestStopThatHangs(t *testing.T) {
	bubble(t, supervise.Default(), func(t *testing.T, r *rig) {
		r.playing(t)
		hang := make(chan struct{})
		r.set(func() { r.hang = hang })
		r.Failed(errors.New("hung"))
		pass(time.Minute)
		require.Equal(t, []string{"stopping"}, r.told.stuck)
		require.Empty(t, r.starts, "it is not started while it is being stopped")
		require.Equal(t, supervise.Lost, r.Stats().State)
		r.set(func() { r.hang = nil })
		close(hang)
		pass(time.Second)
		require.Equal(t, supervise.Playing, r.Stats().State)
	})
}

func TestStopThatHangsForTooLong(t *testing.T) {
	bubble(t, supervise.Settings{Stall: time.Second, RetryFor: 20 * time.Second}, func(t *testing.T, r *rig) {
		r.playing(t)
		hang := make(chan struct{})
		r.set(func() { r.hang = hang })
		r.Failed(errors.New("hung"))
		pass(21 * time.Second)
		require.ErrorContains(t, r.Err(), "stopping it does not come to an end")
		close(hang)
		pass(time.Second)
	})
}

func TestCloseEndsAtOnce(t *testing.T) {
	t.Run("while it plays", func(t *testing.T) {
		bubble(t, supervise.Default(), func(t *testing.T, r *rig) {
			r.playing(t)
			before := time.Now()
			r.Close()
			require.Zero(t, time.Since(before))
			require.Equal(t, supervise.Ended, r.Stats().State)
			require.NoError(t, r.Err())
		})
	})
	t.Run("while it waits", func(t *testing.T) {
		bubble(t, supervise.Default(), func(t *testing.T, r *rig) {
			r.Failed(errors.New("x"))
			pass(110 * time.Millisecond)
			before := time.Now()
			r.Close()
			require.Zero(t, time.Since(before))
			require.Empty(t, r.starts)
		})
	})
	t.Run("while it hangs", func(t *testing.T) {
		bubble(t, supervise.Default(), func(t *testing.T, r *rig) {
			hang := make(chan struct{})
			r.set(func() { r.hang = hang })
			r.Failed(errors.New("x"))
			pass(time.Second)
			r.Close()
			close(hang)
		})
	})
}

// Over many losses the figures add up.
func TestFiguresAddUp(t *testing.T) {
	bubble(t, supervise.Settings{Stall: 5 * time.Second, RetryFor: supervise.Forever}, func(t *testing.T, r *rig) {
		r.playing(t)
		for i := range 120 {
			switch i % 3 {
			case 0:
				r.set(func() { r.eos = true })
			case 1:
				r.Failed(errors.New("x"))
			default:
				r.set(func() { r.flowing = false })
			}
			pass(time.Minute)
			require.Equal(t, supervise.Playing, r.Stats().State)
		}
		s := r.Stats()
		require.EqualValues(t, 120, s.Losses)
		require.EqualValues(t, 120, s.Reconnects)
		require.EqualValues(t, 120, s.Tries)
		var down time.Duration
		for _, d := range r.told.back {
			down += d
		}
		require.Equal(t, down, s.Downtime)
	})
}
