package stamp

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const sec = int64(1e9)

func TestAnAnchorIsWhereTheFirstFrameWasTaken(t *testing.T) {
	t.Parallel()
	var a Anchor
	unix, moved := a.Unix(Moment{Running: 5 * sec, Now: 1005*sec + 300e6, Zero: 1000 * sec, HasZero: true})
	require.Equal(t, 1005*sec, unix, "not when it came, 300 ms later")
	require.Zero(t, moved)
	unix, _ = a.Unix(Moment{Running: 6 * sec, Now: 1009 * sec, Zero: 1000 * sec, HasZero: true})
	require.Equal(t, 1006*sec, unix)

	a = Anchor{}
	unix, _ = a.Unix(Moment{Running: 3600 * sec, Now: 1000 * sec, Zero: 999 * sec, HasZero: true})
	require.Equal(t, 1000*sec, unix, "what has times of its own is anchored where it came")

	a = Anchor{}
	unix, _ = a.Unix(Moment{Running: 7 * sec, Now: 1000 * sec})
	require.Equal(t, 1000*sec, unix, "without a clock too")
	unix, moved = a.Unix(Moment{Running: 8 * sec, Now: 1001 * sec, Zero: 5 * sec, HasZero: true})
	require.Equal(t, 1001*sec, unix)
	require.Zero(t, moved, "the clock that appears is the one to follow from here on")
}

func TestAnAnchorFollowsTheClock(t *testing.T) {
	t.Parallel()
	var a Anchor
	zero, last := 1000*sec, int64(0)
	for i := range int64(1000) { // a clock that gains 100 ppm
		zero += sec / 10000
		unix, moved := a.Unix(Moment{Running: i * sec, Now: zero + i*sec, Zero: zero, HasZero: true})
		require.Zero(t, moved)
		require.InDelta(t, zero+i*sec, unix, slack+float64(sec)/5000)
		require.Greater(t, unix, last)
		last = unix
	}
	zero += 60 * sec
	unix, moved := a.Unix(Moment{Running: 1000 * sec, Now: zero + 1000*sec, Zero: zero, HasZero: true})
	require.InDelta(t, 60*sec, moved, slack+float64(sec)/1000, "it was set, or the pipeline stood still")
	require.InDelta(t, zero+1000*sec, unix, slack+float64(sec)/1000)
}

func TestAFilesAnchorStays(t *testing.T) {
	t.Parallel()
	a := Anchor{Fixed: true}
	a.SetAt(2*sec, 500*sec)
	unix, moved := a.Unix(Moment{Running: 3 * sec, Now: 9999 * sec, Zero: 9990 * sec, HasZero: true})
	require.Equal(t, 501*sec, unix)
	require.Zero(t, moved)
	a.Reset()
	unix, _ = a.Unix(Moment{Running: 0, Now: 700 * sec, Zero: 699 * sec, HasZero: true})
	require.Equal(t, 700*sec, unix)
}
