package putmedia

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/trouble"
)

// When the spool gives up all that lies on disk alone, what is in memory after it comes next, and before what comes.
func TestWhatIsBehindAGapThatVanishes(t *testing.T) {
	t.Parallel()
	s := &Stream{gap: gap{count: Count{Frames: 3, Bytes: 30}}, books: Books{Dropped: map[string]Count{}, Spooled: Count{Frames: 3, Bytes: 30}}}
	s.settled.L = &s.mu
	s.health = health{ledger: trouble.NewLedger()}
	s.reporter = newReporter(&s.mu, &s.health, &s.phase, &s.settled, s.now, silent{})
	older := &fragment{}
	s.append(older)
	require.Len(t, s.back, 1)
	s.vanish(ReasonSpoolFull, 3, 30)
	newer := &fragment{}
	s.append(newer)
	require.Equal(t, []*fragment{older, newer}, s.front)
	require.Empty(t, s.back)
	require.Less(t, older.seq, newer.seq)
	require.EqualValues(t, 3, s.books.Dropped[ReasonSpoolFull].Frames)
}
