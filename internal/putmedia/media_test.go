package putmedia

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/mkv"
)

// add puts a frame of a track at an age of the stream in ms.
func (r *rig) add(track uint64, ms int, key bool, text string) {
	r.Helper()
	f := r.s.Reserve(len(text))
	copy(f.Data, text)
	f.Track, f.Key, f.PTS = track, key, r.began.Add(time.Duration(ms)*time.Millisecond).UnixNano()
	require.NoError(r, r.s.Put(context.Background(), f))
}

// layoutOf gives the stored fragments as text: times from the stream's start, frames with their track.
func (r *rig) layoutOf() (list []string) {
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	for _, s := range r.f.stored {
		var b strings.Builder
		fmt.Fprintf(&b, "%d:", s.timecode-r.began.UnixMilli())
		for _, f := range s.frames {
			fmt.Fprintf(&b, " %d@%d", f.track, f.ms-r.began.UnixMilli())
		}
		list = append(list, b.String())
	}
	return list
}

func TestWhereFragmentsBegin(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*Settings)
		tracks  []mkv.Track
		play    func(r *rig)
		want    []string
		dropped map[string]int
		notices int
	}{
		"key frames": {play: func(r *rig) {
			for i := range 6 {
				r.add(1, i*500, i%2 == 0, "x")
			}
		}, want: []string{"0: 1@0 1@500", "1000: 1@1000 1@1500", "2000: 1@2000 1@2500"}},
		"key frames closer than a second": {play: func(r *rig) {
			for i := range 6 {
				r.add(1, i*400, true, "x")
			}
		}, want: []string{"0: 1@0 1@400 1@800", "1200: 1@1200 1@1600 1@2000"}},
		"fragment-duration": {prepare: func(s *Settings) { s.KeyFrameFragments, s.FragmentDuration = false, 2*time.Second }, play: func(r *rig) {
			for i := range 6 {
				r.add(1, i*900, i%2 == 0, "x")
			}
		}, want: []string{"0: 1@0 1@900 1@1800 1@2700", "3600: 1@3600 1@4500"}},
		"before the key frame": {play: func(r *rig) {
			r.add(1, 0, false, "x")
			r.add(1, 40, false, "x")
			r.add(1, 80, true, "x")
			r.add(1, 120, false, "x")
		}, want: []string{"80: 1@80 1@120"}, dropped: map[string]int{ReasonBeforeKey: 2}},
		"a group of pictures without end": {play: func(r *rig) {
			for i := range 30 {
				r.add(1, i*1000, i == 0, "x")
			}
		}, want: []string{
			"0: " + at(1, 0, 1000, 20), "20000: " + at(1, 20000, 1000, 10),
		}, notices: 1},
		"audio alone": {tracks: []mkv.Track{audioTrack}, play: func(r *rig) {
			for i := range 10 {
				r.add(2, i*500, true, "a")
			}
		}, want: []string{"0: " + at(2, 0, 500, 4), "2000: " + at(2, 2000, 500, 4), "4000: " + at(2, 4000, 500, 2)}},
		"both": {tracks: []mkv.Track{videoTrack, audioTrack}, play: func(r *rig) {
			for i := range 4 {
				r.add(2, i*500-10, true, "a")
				r.add(1, i*500, i%2 == 0, "x")
			}
		}, want: []string{"0: 1@0 2@490 1@500 2@990", "1000: 1@1000 2@1490 1@1500"}, dropped: map[string]int{ReasonBeforeKey: 1}},
		"B-frames": {play: func(r *rig) {
			for i, ms := range []int{0, 120, 40, 80, 240, 160, 200} {
				r.add(1, ms, i == 0, "x")
			}
		}, want: []string{"0: 1@0 1@120 1@40 1@80 1@240 1@160 1@200"}},
		"open groups of pictures": {play: func(r *rig) {
			r.add(1, 0, true, "x")
			r.add(1, 1000, false, "x")
			r.add(1, 2000, true, "x")
			r.add(1, 1960, false, "x")
		}, want: []string{"0: 1@0 1@1000", "2000: 1@2000 1@1960"}},
		"sound that comes late": {tracks: []mkv.Track{videoTrack, audioTrack}, play: func(r *rig) {
			r.add(1, 0, true, "x")
			r.add(2, 10, true, "a")
			r.add(1, 960, false, "x")
			r.add(1, 1000, true, "x")
			r.add(2, 950, true, "a")
			r.add(2, 955, true, "a")
			r.add(2, 970, true, "a")
		}, want: []string{"0: 1@0 2@10 1@960", "1000: 1@1000 2@961 2@962 2@970"}, notices: 1},
		"a key frame behind the sound": {tracks: []mkv.Track{videoTrack, audioTrack}, play: func(r *rig) {
			r.add(1, 0, true, "x")
			r.add(2, 1010, true, "a")
			r.add(1, 1000, true, "x")
			r.add(1, 1040, false, "x")
		}, want: []string{"0: 1@0 2@1010", "1011: 1@1011 1@1040"}, notices: 1},
		"audio far behind": {tracks: []mkv.Track{videoTrack, audioTrack}, play: func(r *rig) {
			r.add(1, 100_000, true, "x")
			r.add(2, 100_000-33_000, true, "a")
			r.add(2, 100_000-32_000, true, "a")
		}, want: []string{"100000: 1@100000 2@68000"}, dropped: map[string]int{ReasonTimestamp: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			bench(t, func(s *Settings, _ *fakeService) {
				if c.prepare != nil {
					c.prepare(s)
				}
			}, func(r *rig) {
				if c.tracks != nil {
					require.NoError(r, r.s.SetTracks(c.tracks))
				}
				c.play(r)
				r.flush()
				require.Equal(r, c.want, r.layoutOf())
				require.Equal(r, c.dropped, r.o.dropped)
				require.Len(r, r.o.notices, c.notices)
			})
		})
	}
}

func at(track, first, step, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("%d@%d", track, first+i*step)
	}
	return strings.Join(list, " ")
}

// Time that goes back, and tracks that change, make a new session and lose nothing.
func TestNewSessions(t *testing.T) {
	t.Run("time", func(t *testing.T) {
		bench(t, nil, func(r *rig) {
			for i := range 4 {
				r.add(1, 10_000+i*1000, true, "x")
			}
			for i := range 4 {
				r.add(1, 5_000+i*1000, true, "x")
			}
			r.flush()
			require.Equal(r, []string{"10000: 1@10000", "11000: 1@11000", "12000: 1@12000", "13000: 1@13000",
				"5000: 1@5000", "6000: 1@6000", "7000: 1@7000", "8000: 1@8000"}, r.layoutOf())
			require.Len(r, r.f.sessions, 2)
			require.True(r, r.f.sessions[0].ended)
			require.Empty(r, r.o.troubles)
		})
	})
	t.Run("tracks", func(t *testing.T) {
		bench(t, nil, func(r *rig) {
			r.play(3*time.Second + 400*time.Millisecond)
			other := videoTrack
			other.CodecPrivate, other.Width = []byte("avcC of another size"), 1280
			require.NoError(r, r.s.SetTracks([]mkv.Track{other}))
			r.n, r.at = 100, 4*time.Second
			r.play(3 * time.Second)
			require.NoError(r, r.s.SetTracks([]mkv.Track{other}))
			r.play(time.Second)
			r.flush()
			require.Len(r, r.f.sessions, 2)
			require.Equal(r, []mkv.Track{videoTrack}, r.f.stored[3].tracks)
			require.Equal(r, []mkv.Track{other}, r.f.stored[4].tracks)
			require.EqualValues(r, 85+100, r.s.Books().Persisted.Frames)
		})
	})
}

// A stream that pauses has its last fragment stored, and goes on in the same session.
func TestSilence(t *testing.T) {
	bench(t, nil, func(r *rig) {
		r.play(2*time.Second + 400*time.Millisecond)
		require.EqualValues(r, 50, r.s.Books().Persisted.Frames)
		r.pause(22 * time.Second)
		require.EqualValues(r, 60, r.s.Books().Persisted.Frames)
		r.pause(10 * time.Minute)
		require.Len(r, r.f.sessions, 1)
		r.s.pool.mu.Lock()
		require.Zero(r, r.s.pool.kept, "memory that lies idle is given back")
		r.s.pool.mu.Unlock()
		r.n, r.at = 25*700, 700*time.Second
		r.play(2 * time.Second)
		r.flush()
		require.EqualValues(r, 110, r.s.Books().Persisted.Frames)
		require.Empty(r, r.o.troubles)
	})
}

// A stream that keeps nothing is content with RECEIVED; without acknowledgements what was sent counts.
func TestNothingIsKept(t *testing.T) {
	bench(t, func(_ *Settings, f *fakeService) { f.retention = 0 }, func(r *rig) {
		r.play(5 * time.Second)
		r.flush()
		require.EqualValues(r, 125, r.s.Books().Persisted.Frames)
		require.Empty(r, r.o.troubles)
	})
}

func TestWithoutAcknowledgements(t *testing.T) {
	bench(t, func(s *Settings, f *fakeService) {
		s.Acks = false
		f.script = func(int, int, int64) reaction { return reaction{silent: true} }
	}, func(r *rig) {
		r.play(5 * time.Minute)
		r.flush()
		r.inOrder()
		require.EqualValues(r, 7500, r.s.Books().Persisted.Frames)
		require.Len(r, r.f.sessions, 1)
		require.Empty(r, r.o.troubles)
	})
}

// A service that takes nothing any more, and one that says nothing, are noticed; tries are spaced.
func TestStaleness(t *testing.T) {
	bench(t, func(_ *Settings, f *fakeService) {
		f.script = func(session, _ int, _ int64) reaction { return reaction{silent: session < 3} }
	}, func(r *rig) {
		r.play(400 * time.Second)
		r.flush()
		r.inOrder()
		require.Len(r, r.f.sessions, 4)
		for i := 1; i < 4; i++ {
			require.Greater(r, r.f.opened[i].Sub(r.f.opened[i-1]), 55*time.Second)
		}
		require.NotEmpty(r, r.o.troubles)
	})
}

func TestMetadata(t *testing.T) {
	bench(t, nil, func(r *rig) {
		require.NoError(r, r.s.AddMetadata("site", "north", true))
		require.NoError(r, r.s.AddMetadata("event", "door", false))
		r.play(time.Second)
		r.play(40 * time.Millisecond)
		require.NoError(r, r.s.AddEvent(Event{Image: true, Notify: true, Prefix: "shots/", Fields: []mkv.Tag{{Name: "lane", Value: "2"}}}))
		require.NoError(r, r.s.AddMetadata("site", "south", true))
		r.play(time.Second)
		require.NoError(r, r.s.AddMetadata("site", "", true))
		r.play(time.Second)
		r.flush()
		tags := func(i int) []mkv.Tag { return r.f.stored[i].tags }
		require.Equal(r, []mkv.Tag{{Name: "site", Value: "north"}, {Name: "event", Value: "door"}}, tags(0))
		require.Equal(r, []mkv.Tag{{Name: "site", Value: "north"}}, tags(1))
		require.Equal(r, []mkv.Tag{{Name: "site", Value: "south"}, {Name: mkv.TagNotification}, {Name: mkv.TagImageGeneration},
			{Name: mkv.TagImagePrefix, Value: "shots/"}, {Name: "lane", Value: "2"}}, tags(2))
		require.Empty(r, tags(3))
	})
	bad := func(f func(*Stream) error) func(*testing.T) {
		return func(t *testing.T) {
			bench(t, nil, func(r *rig) { require.ErrorIs(r, f(r.s), ErrMetadata) })
		}
	}
	t.Run("reserved", bad(func(s *Stream) error { return s.AddMetadata("AWS_X", "1", false) }))
	t.Run("name too long", bad(func(s *Stream) error { return s.AddMetadata(strings.Repeat("n", 129), "1", false) }))
	t.Run("value too long", bad(func(s *Stream) error { return s.AddMetadata("n", strings.Repeat("v", 257), false) }))
	t.Run("no name", bad(func(s *Stream) error { return s.AddMetadata("", "1", false) }))
	t.Run("no event", bad(func(s *Stream) error { return s.AddEvent(Event{}) }))
	t.Run("too many", bad(func(s *Stream) error {
		for i := range 10 {
			if err := s.AddMetadata(fmt.Sprint("n", i), "v", i%2 == 0); err != nil {
				return err
			}
		}
		return s.AddMetadata("one more", "v", false)
	}))
}

// A frame of a track that nobody named, and one put after the end, are refused and counted.
func TestRefusedFrames(t *testing.T) {
	bench(t, nil, func(r *rig) {
		f := r.s.Reserve(10)
		f.Track = 7
		require.ErrorIs(r, r.s.Put(context.Background(), f), ErrTrack)
		require.EqualValues(r, 1, r.s.Books().Refused.Frames)
		require.Error(r, r.s.SetTracks([]mkv.Track{{Number: 1}}))
	})
}

// A frame costs its own memory, and nothing beside it.
func TestPutAllocatesTheFrameAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inBubble(t, func(s *Settings, _ *fakeService) { s.Acks = true }, func(r *rig) {
			require.NoError(r, r.put())
			r.play(5 * time.Second)
			allocated := testing.AllocsPerRun(1000, func() {
				f := r.s.Reserve(20_000)
				f.Track, f.PTS = 1, r.began.Add(r.at).UnixNano()
				_ = r.s.Put(context.Background(), f)
			})
			require.Less(r, allocated, 3.0) // a new frame, its memory, the slice
		})
	})
}
