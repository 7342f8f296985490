package stamp

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const second = int64(1e9)

// at is a frame whose clock says ns, and which arrives 5 ms later.
func at(ns int64) Times { return Times{Clock: ns, HasClock: true, Arrival: ns + 5e6} }

func (t Times) reference(ns int64) Times {
	t.Reference, t.HasReference = ns, true
	return t
}

func TestAutoTakesTheBestThatIsThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		times Times
		want  int64
		from  Source
	}{
		"reference":                 {at(100 * second).reference(99 * second), 99 * second, Reference},
		"clock":                     {at(100 * second), 100 * second, Clock},
		"arrival":                   {Times{Arrival: 7}, 7, Arrival},
		"reference without a clock": {Times{Arrival: 7}.reference(5), 5, Reference},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(Auto)
			ns, change := s.Stamp(c.times)
			require.Equal(t, c.want, ns)
			require.Nil(t, change)
			require.Equal(t, c.from, s.Current())
		})
	}
}

func TestTimesDoNotGoBackWhenTheSenderReportComes(t *testing.T) {
	t.Parallel()
	s := New(Auto)
	const frame = 40 * int64(1e6)
	last := int64(0)
	for i := range int64(100) {
		f := at(1000*second + i*frame)
		if i >= 50 {
			f = f.reference(f.Clock - 3*frame) // taken three frames before it was clocked here
		}
		ns, change := s.Stamp(f)
		require.Greater(t, ns, last, "frame %d", i)
		require.Equal(t, i == 50, change != nil, "frame %d", i)
		if i == 50 {
			require.Equal(t, Change{From: Clock, To: Reference, Shift: -3 * frame}, *change)
		}
		if i >= 56 { // times rise half as fast meanwhile
			require.Equal(t, f.Reference, ns, "frame %d", i)
		}
		last = ns
	}
	require.EqualValues(t, 1, s.Changes())
}

func TestFramesWithoutTheMarkStayOnTheCamerasTime(t *testing.T) {
	t.Parallel()
	s := New(Auto)
	for i := range int64(50) {
		f := at(1000*second + i*second)
		if i%3 == 0 {
			f = f.reference(f.Clock - second)
		}
		ns, change := s.Stamp(f)
		require.Nil(t, change)
		require.Equal(t, f.Clock-second, ns)
	}
}

func TestACameraWhoseClockWasNeverSet(t *testing.T) {
	t.Parallel()
	year := 365 * 86400 * second
	auto, reference := New(Auto), New(Reference)
	for i := range int64(5) {
		f := at(50*year + i*second).reference(i * second)
		ns, change := auto.Stamp(f)
		require.Equal(t, f.Clock, ns)
		require.Equal(t, i == 0, change != nil && change.Skewed)
		ns, _ = reference.Stamp(f)
		require.Equal(t, f.Reference, ns, "who asks for the reference gets it")
	}
	require.Zero(t, auto.Changes())
}

func TestBFramesMayGoBackWithinOneSource(t *testing.T) {
	t.Parallel()
	s := New(Clock)
	for _, pts := range []int64{0, 3, 1, 2, 6, 4, 5} {
		ns, _ := s.Stamp(at(1000*second + pts).reference(1))
		require.Equal(t, 1000*second+pts, ns)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for s := Auto; s <= Arrival; s++ {
		got, err := Parse(s.String())
		require.NoError(t, err)
		require.Equal(t, s, got)
	}
	_, err := Parse("ntp")
	require.ErrorContains(t, err, `"ntp"`)
}

// Frames that are shown in another order than they come in keep theirs while the source changes, whichever of the two is ahead.
func TestBFramesKeepTheirOrderWhenTheSenderReportComes(t *testing.T) {
	t.Parallel()
	const frame = 33_519_553
	for _, shift := range []int64{-8 * second, -200e6, -33e6, -1e6, 0, 1e6, 33e6, 200e6, 8 * second} {
		for first := range int64(8) { // where in a group of frames it comes
			s, given := New(Reference), map[int64]int64{}
			for i := range int64(600) {
				place := i/4*4 + []int64{3, 1, 0, 2}[i%4]
				f := at(1000*second + place*frame)
				if i >= 100+first {
					f = f.reference(f.Clock + shift)
				}
				ns, _ := s.Stamp(f)
				given[place] = ns
				if i >= 590 {
					require.Equal(t, f.Reference, ns)
				}
			}
			for place := int64(1); place < 600; place++ {
				require.GreaterOrEqual(t, given[place]-given[place-1], int64(frame/3), "shift %d from frame %d on: frame %d", shift, 100+first, place)
			}
		}
	}
}
