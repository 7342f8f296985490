package main

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gstrtsp"
)

// number is the buffer's place in the list it was made for.
func number(t testing.TB, b *gstrtsp.Buffer) int {
	t.Helper()
	n := -1
	require.NoError(t, b.Read(func(p []byte) { n = int(p[0])<<8 | int(p[1]) }))
	return n
}

func numbered(t testing.TB, n int) *gstrtsp.Buffer {
	t.Helper()
	require.NoError(t, gstrtsp.Init())
	return gstrtsp.BufferFrom([]byte{byte(n >> 8), byte(n)})
}

const tick = 40 * time.Millisecond

// track makes units of one tick each with these places in the order of display, given in the order of decoding.
// Numbers in keys are key frames.
func unitsOf(t testing.TB, places []int, keys ...int) gstrtsp.Track {
	t.Helper()
	tr := gstrtsp.Track{Caps: "video/x-h264"}
	for i, place := range places {
		tr.Units = append(tr.Units, gstrtsp.Unit{
			Buffer: numbered(t, i), PTS: time.Duration(place) * tick, Duration: tick, Key: slices.Contains(keys, i),
		})
	}
	return tr
}

func filmOf(t testing.TB, places []int, keys ...int) *film {
	t.Helper()
	f, err := newFilm(unitsOf(t, places, keys...))
	require.NoError(t, err)
	t.Cleanup(f.unref)
	return f
}

func TestFilmWithoutReordering(t *testing.T) {
	t.Parallel()
	f := filmOf(t, []int{0, 1, 2, 3}, 0, 2)
	require.Equal(t, 4*tick, f.period)
	require.Zero(t, f.delay)
	require.Equal(t, 2*tick, f.longestWait())
	for i, u := range f.frames {
		require.Equal(t, time.Duration(i)*tick, u.pts)
		require.Equal(t, u.pts, u.due, "a live camera sends at once what needs no reordering")
		require.Equal(t, tick, u.duration)
	}
}

func TestFilmWithReordering(t *testing.T) {
	t.Parallel()
	f := filmOf(t, []int{0, 4, 2, 1, 3, 8, 6, 5, 7}, 0) // I P B b b P B b b
	require.Equal(t, 9*tick, f.period)
	require.Equal(t, 3*tick, f.delay, "picture 4 is the second to be sent")
	for i, u := range f.frames {
		require.Equal(t, time.Duration(i)*tick+f.delay, u.due, "an even pace")
		require.GreaterOrEqual(t, u.due, u.pts, "nothing is sent before it was taken")
	}
}

// For any clip: sending is in order and even over the seam, nothing is sent before its time, and the pictures of one
// repetition end where those of the next begin.
func TestFilmRepeatsWithoutGap(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		places := []int{0}
		for len(places) < 2+r.IntN(40) { // groups: one picture ahead, then those it skipped in any order
			base, size := len(places), 1+r.IntN(5)
			group := r.Perm(size)
			slices.SortFunc(group[1:], func(a, b int) int { return r.IntN(3) - 1 })
			for _, g := range group {
				places = append(places, base+g)
			}
		}
		f := filmOf(t, places, 0)
		var shown []time.Duration
		last := time.Duration(-1)
		for n := range int64(3 * len(places)) {
			u, base := f.at(n)
			require.Greater(t, base+u.due, last)
			last = base + u.due
			require.GreaterOrEqual(t, u.due, u.pts)
			shown = append(shown, base+u.pts)
		}
		slices.Sort(shown)
		for i := range shown {
			require.Equal(t, time.Duration(i)*tick, shown[i])
		}
	}
}

func TestFilmLeavesOutWhatCannotBeDecoded(t *testing.T) {
	t.Parallel()
	tr := unitsOf(t, []int{0, 1, 5, 3, 4, 6}, 2) // a cut: two pictures before the key frame, two that lead it
	f, err := newFilm(tr)
	require.NoError(t, err)
	t.Cleanup(f.unref)
	require.Len(t, f.frames, 2)
	require.Equal(t, 2*tick, f.period)
	require.Equal(t, 5*tick, f.start)
	require.Equal(t, 2, number(t, f.frames[0].buffer))
	require.Equal(t, 5, number(t, f.frames[1].buffer))

	_, err = newFilm(unitsOf(t, []int{0, 1, 2}))
	require.ErrorIs(t, err, errNoKeyFrame)
	_, err = newFilm(gstrtsp.Track{})
	require.ErrorIs(t, err, errNoKeyFrame)
}

// Matroska rounds to milliseconds; 29.97 pictures a second come out as 33 and 34 of them.
func TestFilmSettlesRoundedTimes(t *testing.T) {
	t.Parallel()
	rate := fraction{30000, 1001}
	tr := unitsOf(t, []int{0, 2, 1, 3, 5, 4}, 0)
	tr.Caps = "video/x-h264, framerate=(fraction)30000/1001, width=(int)320"
	for i := range tr.Units {
		tr.Units[i].PTS = rate.times(int64(tr.Units[i].PTS / tick)).Round(time.Millisecond)
		tr.Units[i].Duration = 33 * time.Millisecond
	}
	f, err := newFilm(tr)
	require.NoError(t, err)
	t.Cleanup(f.unref)
	require.Equal(t, rate.times(6), f.period)
	require.Equal(t, rate.times(2), f.frames[1].pts)

	// A clip whose rate varies keeps its own times.
	tr = unitsOf(t, []int{0, 1, 3, 7}, 0)
	tr.Caps = "video/x-h264, framerate=(fraction)25/1"
	f, err = newFilm(tr)
	require.NoError(t, err)
	t.Cleanup(f.unref)
	require.Equal(t, 8*tick, f.period)
	require.Equal(t, 7*tick, f.frames[3].pts)
	require.Equal(t, 4*tick, f.frames[2].duration)
}

func TestFilmOfOnePicture(t *testing.T) {
	t.Parallel()
	tr := unitsOf(t, []int{0}, 0)
	tr.Units[0].Duration = -1
	f, err := newFilm(tr)
	require.NoError(t, err)
	t.Cleanup(f.unref)
	require.Equal(t, time.Second/25, f.period)
	u, base := f.at(1000)
	require.Equal(t, 40*time.Second, base+u.pts)
}

func TestKeyBefore(t *testing.T) {
	t.Parallel()
	f := filmOf(t, []int{0, 1, 2, 3, 4, 5}, 0, 2, 5)
	for at, want := range map[time.Duration]int{0: 0, tick: 0, 2*tick - 1: 0, 2 * tick: 2, 4 * tick: 2, 5 * tick: 5, 6*tick - 1: 5} {
		require.Equal(t, want, f.keyBefore(at), "%v", at)
	}
}

// soundOf makes a sound of n frames for a film of this period.
func soundOf(t testing.TB, n int, rate int64, start, period time.Duration) *sound {
	t.Helper()
	s := &sound{samples: aacSamples, rate: rate, start: start, period: period}
	for i := range n {
		s.frames = append(s.frames, numbered(t, i))
	}
	s.silence = numbered(t, 9999)
	t.Cleanup(s.unref)
	return s
}

// The audio's own time has no seam, and what is heard fits what is seen to half a frame, for ever.
func TestSoundFitsThePicture(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		frames        int
		rate          int64
		start, period time.Duration
	}{
		{1416, 48000, 0, 30160 * time.Millisecond},
		{94, 48000, -5 * time.Millisecond, 2 * time.Second},
		{100, 44100, 21 * time.Millisecond, 2002 * time.Millisecond},
		{16, 8000, 0, 2*time.Second + 1},
		{toneFrames, toneRate, 0, tonePeriod},
	} {
		s := soundOf(t, c.frames, c.rate, c.start, c.period)
		half := s.length()/2 + time.Microsecond
		silent := 0
		for _, from := range []int64{0, 1 << 20, 1 << 31} { // years of it do not overflow
			for n := from; n < from+3000; n++ {
				require.InDelta(t, s.length(), s.time(n+1)-s.time(n), 1, "frame follows frame")
				seen := s.time(n) % c.period
				i := number(t, s.at(n))
				if i == 9999 {
					silent++
					before := seen < s.start+half
					after := seen > s.start+s.time(int64(len(s.frames)))-half
					require.True(t, before || after, "silence in the middle, at %v", seen)
					continue
				}
				require.LessOrEqual(t, (seen - s.start - s.time(int64(i))).Abs(), half, "frame %d", n)
			}
		}
		if c.rate == toneRate && c.frames == toneFrames {
			require.Zero(t, silent, "the tone fills its period")
		}
	}
}

// Within one repetition each frame of the file comes once, in order.
func TestSoundPlaysEachFrameInTurn(t *testing.T) {
	t.Parallel()
	s := soundOf(t, 1416, 48000, 0, 30160*time.Millisecond)
	last := -1
	for n := range int64(20000) {
		i := number(t, s.at(n))
		if i == 9999 {
			continue
		}
		if last >= 0 && i != last+1 {
			require.GreaterOrEqual(t, last, 1411, "frame %d", n)
			require.LessOrEqual(t, i, 1, "frame %d", n)
		}
		last = i
	}
}

func TestSoundFirstAt(t *testing.T) {
	t.Parallel()
	s := soundOf(t, 1, 44100, 0, time.Second)
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		at := time.Duration(r.Int64N(int64(10 * 365 * 24 * time.Hour)))
		n := s.firstAt(at)
		require.GreaterOrEqual(t, s.time(n), at)
		require.Less(t, s.time(n-1), at)
	}
	require.Zero(t, s.firstAt(-time.Hour))
}
