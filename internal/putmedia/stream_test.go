package putmedia

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/mkv"
)

func TestFramesArrive(t *testing.T) {
	bench(t, nil, func(r *rig) {
		r.play(10 * time.Second)
		r.flush()
		r.inOrder()
		_, fragments, twice := r.f.all()
		require.Equal(r, 10, fragments)
		require.Zero(r, twice)
		b := r.s.Books()
		require.EqualValues(r, 250, b.Persisted.Frames)
		require.EqualValues(r, 10, b.FragmentsPersisted)
		require.Zero(r, b.InFlight)
		r.s.Close()
		require.Len(r, r.o.settled, 250)
		require.Len(r, r.o.up, 1)
		require.Len(r, r.o.down, 1)
		require.True(r, r.f.sessions[0].ended, "in good order")
		require.Empty(r, r.o.troubles)
		require.Equal(r, []mkv.Track{videoTrack}, r.f.stored[0].tracks)
	})
}

// What is not flushed is sent by Close within stop-timeout.
func TestCloseSendsWhatIsLeft(t *testing.T) {
	bench(t, nil, func(r *rig) {
		r.play(3 * time.Second)
		began := time.Now()
		r.s.Close()
		require.Less(r, time.Since(began), time.Second)
		r.inOrder()
		require.True(r, r.f.sessions[0].ended)
		require.ErrorIs(r, r.put(), ErrClosed)
	})
}

func TestRelativeTimecodes(t *testing.T) {
	bench(t, func(s *Settings, f *fakeService) {
		s.Timecodes, s.SessionDuration = Relative, 4*time.Second
	}, func(r *rig) {
		r.play(10 * time.Second)
		r.flush()
		r.inOrder()
		require.Greater(r, len(r.f.sessions), 1)
	})
}

// An error of the service's own, a cut connection, a lost acknowledgement: all is sent again from the first fragment that is not stored.
func TestNothingIsLostOverASession(t *testing.T) {
	for name, react := range map[string]reaction{
		"cut":           {cut: true},
		"archival":      {errorID: 5001},
		"internal":      {errorID: 5000},
		"too long":      {errorID: 4003},
		"unknown":       {errorID: 4999},
		"lost ack":      {lose: true},
		"never again":   {silent: true},
		"key elsewhere": {errorID: 4503},
	} {
		t.Run(name, func(t *testing.T) {
			bench(t, func(_ *Settings, f *fakeService) {
				f.script = func(session, fragment int, _ int64) reaction {
					if session == 0 && fragment == 3 {
						return react
					}
					return reaction{}
				}
			}, func(r *rig) {
				r.play(100 * time.Second)
				r.flush()
				r.inOrder()
				_, _, twice := r.f.all()
				require.LessOrEqual(r, int64(twice), r.s.Books().PossibleDuplicates)
				require.Len(r, r.f.sessions, 2)
				require.Len(r, r.o.troubles, 1)
				require.Len(r, r.o.recoveries, 1)
				require.Empty(r, r.o.failures)
			})
		})
	}
}

// A fragment that the service refuses is skipped, and it alone.
func TestRefusedFragments(t *testing.T) {
	for _, id := range []int{4001, 4002, 4004, 4006, 4009, 4011} {
		t.Run(refusals[id].code, func(t *testing.T) {
			var at int64
			bench(t, func(_ *Settings, f *fakeService) {
				f.script = func(session, fragment int, timecode int64) reaction {
					if session == 0 && fragment == 3 {
						at = timecode
					}
					if timecode == at {
						return reaction{errorID: id}
					}
					return reaction{}
				}
			}, func(r *rig) {
				r.play(10 * time.Second)
				r.flush()
				r.inOrder(span(75, 100)...)
				b := r.s.Books()
				require.EqualValues(r, 25, b.SkippedAll().Frames)
				require.EqualValues(r, 1, b.FragmentsSkipped)
				require.Len(r, r.o.lost, 25)
				require.Len(r, r.f.sessions, map[response]int{skip: 2, again: 3}[refusals[id].response])
				require.NotEmpty(r, r.o.troubles)
				require.Equal(r, refusals[id].code, r.o.troubles[0].Code)
			})
		})
	}
}

// What stays until somebody mends it ends the stream: at the start at once, later after permanent-grace.
func TestLastingRefusals(t *testing.T) {
	for _, id := range []int{4005, 4007, 4008, 4010, 4012, 4500, 4501, 4507} {
		t.Run(refusals[id].code, func(t *testing.T) {
			bench(t, func(_ *Settings, f *fakeService) {
				f.script = func(session, fragment int, _ int64) reaction {
					if session > 0 || fragment == 3 {
						return reaction{errorID: id}
					}
					return reaction{}
				}
			}, func(r *rig) {
				var err error
				for err == nil {
					err = r.put()
					time.Sleep(40 * time.Millisecond)
				}
				require.ErrorIs(r, err, ErrFailed)
				require.Len(r, r.o.failures, 1)
				require.InDelta(r, 33, r.o.failedAt.Sub(r.began).Seconds(), 3)
				require.Less(r, len(r.f.sessions), 60, "spaced")
			})
		})
	}
}
