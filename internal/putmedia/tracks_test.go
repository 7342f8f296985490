package putmedia

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/mkv"
)

// both plays video, 25 frames a second with a key frame every second, and sound between, live, each while it is there.
func (r *rig) both(d time.Duration, video, sound func(at time.Duration) bool) {
	r.Helper()
	for end := r.at + d; r.at < end; r.at += 40 * time.Millisecond {
		ms := int(r.at.Milliseconds())
		if video(r.at) {
			r.add(1, ms, ms%1000 == 0, fmt.Sprintf("frame %06d", r.n))
			r.n++
		}
		if sound(r.at) {
			r.add(2, ms+20, true, fmt.Sprintf("frame %06d", r.n))
			r.n++
		}
		time.Sleep(40 * time.Millisecond)
	}
	synctest.Wait()
}

// always is there, but from one time to another.
func always(time.Duration) bool { return true }
func never(time.Duration) bool  { return false }
func but(from, to time.Duration) func(time.Duration) bool {
	return func(at time.Duration) bool { return at < from || at >= to }
}

// whole holds what is stored to all that was put: once, in order, each fragment in a session of the tracks that it has.
func (r *rig) whole(twice int) {
	r.Helper()
	frames, _, repeated := r.f.all()
	require.Equal(r, twice, repeated)
	require.Len(r, frames, r.n)
	for i, f := range frames {
		require.Equal(r, fmt.Sprintf("frame %06d", i), f.data)
	}
	require.Zero(r, r.f.unfit, "the service refused fragments for their tracks")
	b := r.s.Books()
	require.EqualValues(r, r.n, b.Persisted.Frames)
	require.Zero(r, b.SkippedAll())
	require.Empty(r, r.o.troubles)
}

// What a track that is silent costs is a session, and never a fragment; a short pause costs nothing.
func TestSilentTracks(t *testing.T) {
	second, quiet := time.Second, []string{"track-silent"}
	for name, c := range map[string]struct {
		video, sound func(time.Duration) bool
		prepare      func(*Settings)
		sessions     int
		notices      []string
		longest      time.Duration // fragment
	}{
		"none":             {always, always, nil, 1, nil, second},
		"a short pause":    {always, but(5*second+200*time.Millisecond, 8*second+100*time.Millisecond), nil, 1, nil, 3 * second},
		"a pause":          {always, but(5*second+200*time.Millisecond, 40*second+300*time.Millisecond), nil, 3, quiet, 5 * second},
		"no sound at all":  {always, never, nil, 2, quiet, 5 * second},
		"sound at last":    {always, but(0, 30*second), nil, 3, quiet, 5 * second},
		"sound at first":   {always, but(30*second, time.Hour), nil, 2, quiet, 5 * second},
		"now and then":     {always, func(at time.Duration) bool { return at/second%2 == 1 }, nil, 1, nil, 2 * second},
		"video that stops": {but(5*second, 40*second), always, nil, 3, []string{"fragment-cut", "track-silent"}, 20 * second},
		"relative": {always, but(5*second, 40*second), func(s *Settings) { s.Timecodes = Relative }, 3, quiet,
			5 * second},
		"without acknowledgements": {always, but(5*second, 40*second), func(s *Settings) { s.Acks = false }, 3, quiet, 5 * second},
		"long fragments": {always, but(5*second, 40*second), func(s *Settings) { s.KeyFrameFragments, s.FragmentDuration = false, 8*second }, 3, quiet,
			8 * second},
	} {
		t.Run(name, func(t *testing.T) {
			bench(t, func(s *Settings, _ *fakeService) {
				if c.prepare != nil {
					c.prepare(s)
				}
			}, func(r *rig) {
				require.NoError(r, r.s.SetTracks([]mkv.Track{videoTrack, audioTrack}))
				r.both(60*second, c.video, c.sound)
				r.flush()
				r.whole(0)
				require.Len(r, r.f.sessions, c.sessions)
				longest := int64(0)
				for _, f := range r.f.stored {
					longest = max(longest, f.frames[len(f.frames)-1].ms-f.frames[0].ms)
				}
				require.InDelta(r, c.longest.Milliseconds(), longest, 1100)
				var codes []string
				for _, n := range r.o.notices {
					codes = append(codes, n.Code)
				}
				require.Equal(r, c.notices, codes)
			})
		})
	}
}

// Where fragments begin while sound pauses.
func TestAFragmentGoesOnWhileSoundPauses(t *testing.T) {
	bench(t, nil, func(r *rig) {
		require.NoError(r, r.s.SetTracks([]mkv.Track{videoTrack, audioTrack}))
		for i := range 7 {
			r.add(1, i*1000, true, "x")
			if i != 1 && i != 2 {
				r.add(2, i*1000+10, true, "a")
			}
		}
		r.flush()
		require.Equal(r, []string{"0: 1@0 2@10", "1000: 1@1000 1@2000 1@3000 2@3010", "4000: 1@4000 2@4010", "5000: 1@5000 2@5010",
			"6000: 1@6000 2@6010"}, r.layoutOf())
	})
}

// Sound that comes and goes replaces sessions twice in mostSilence at most.
func TestSoundThatComesAndGoes(t *testing.T) {
	bench(t, nil, func(r *rig) {
		require.NoError(r, r.s.SetTracks([]mkv.Track{videoTrack, audioTrack}))
		r.both(10*time.Minute, always, func(at time.Duration) bool { return at/time.Second%7 == 0 })
		r.flush()
		r.whole(0)
		require.LessOrEqual(r, len(r.f.sessions), 2*600/7+2)
		for i := 1; i < len(r.f.opened); i++ {
			require.GreaterOrEqual(r, r.f.opened[i].Sub(r.f.opened[i-1]), sessionInterval)
		}
	})
}

// A fragment that is ended early, by Flush or a pause of all, is stored without the track; what follows is expected with both.
func TestAFragmentThatEndsEarlyLacksATrack(t *testing.T) {
	bench(t, nil, func(r *rig) {
		require.NoError(r, r.s.SetTracks([]mkv.Track{videoTrack, audioTrack}))
		sound := but(3*time.Second, 4*time.Second)
		r.both(3*time.Second+200*time.Millisecond, always, sound)
		r.flush()
		require.Len(r, r.f.sessions, 2)
		r.at = 10 * time.Second
		r.both(10*time.Second, always, sound)
		r.flush()
		r.whole(0)
		require.Len(r, r.f.sessions, 3)
		require.True(r, r.f.sessions[1].ended, "at a fragment's boundary, in good order")
	})
}

// What an outage held up, in memory or on disk, is sent in as few sessions as its tracks allow.
func TestSilenceInAnOutage(t *testing.T) {
	for _, spooled := range []bool{false, true} {
		t.Run(fmt.Sprint("spooled ", spooled), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				var options []Option
				if spooled {
					s := openSpool(t, dir, nil)
					defer s.Close()
					options = append(options, WithSpool(s))
				}
				var it *rig
				inBubble(t, func(s *Settings, f *fakeService) {
					s.DrainTimeout = -1
					if spooled {
						s.StorageSize = 1 << 20
					}
					f.open = between(&it, 0, 300*time.Second, refusedError())
				}, func(r *rig) {
					it = r
					require.NoError(r, r.s.SetTracks([]mkv.Track{videoTrack, audioTrack}))
					r.both(310*time.Second, always, but(20*time.Second, 200*time.Second))
					r.flush()
					r.o.troubles = nil // those of the outage
					r.whole(0)
					opened := 0
					for i := range r.f.sessions {
						if r.f.opened[i].Sub(r.began) >= 300*time.Second {
							opened++
						}
					}
					require.Equal(r, 3, opened)
				}, options...)
			})
		})
	}
}

// What the service does not take for its tracks or its time is sent once more, at the beginning of a session; what it refuses
// again is skipped.
func TestRefusedOnce(t *testing.T) {
	for _, id := range []int{4004, 4011} {
		t.Run(refusals[id].code, func(t *testing.T) {
			bench(t, func(_ *Settings, f *fakeService) {
				f.script = func(session, fragment int, _ int64) reaction {
					if session == 0 && fragment == 3 {
						return reaction{errorID: id}
					}
					return reaction{}
				}
			}, func(r *rig) {
				r.play(10 * time.Second)
				r.flush()
				r.inOrder()
				require.Len(r, r.f.sessions, 2)
				require.Zero(r, r.s.Books().SkippedAll())
				require.Len(r, r.o.troubles, 1)
				require.Equal(r, refusals[id].code, r.o.troubles[0].Code)
			})
		})
	}
}

// A fragment before it that is not stored yet is not in the same session.
func TestARefusedFragmentBeginsASession(t *testing.T) {
	bench(t, func(_ *Settings, f *fakeService) {
		f.ackAfter = 700 * time.Millisecond
		f.script = func(_, fragment int, timecode int64) reaction {
			if fragment > 0 && timecode%7000 == f.at%7000 {
				return reaction{errorID: 4004}
			}
			return reaction{}
		}
	}, func(r *rig) {
		r.f.at = r.began.Add(3 * time.Second).UnixMilli()
		for range 500 {
			require.NoError(r, r.put())
			time.Sleep(40 * time.Millisecond)
		}
		require.NoError(r, r.s.Flush(context.Background()))
		synctest.Wait()
		r.inOrder()
		require.Zero(r, r.s.Books().SkippedAll())
	})
}
