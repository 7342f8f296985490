package producer

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/spool"
)

// What the spool brings and can never be delivered leaves it when it is written down, not before: the process may end in between.
func TestSpoolKeepsWhatIsNotWrittenDownYet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := openSpool(t, dir, nil)
		defer s.Close()
		_, err := s.Append(spool.Record{Key: "k", PTS: spool.NoPTS, Accepted: time.Now(), Data: []byte("far too large")})
		require.NoError(t, err)
		hanging := &fakeLetters{hangs: true}
		inBubble(t, func(s *Settings, _ *fakeClient) { s.MaxRecordSize, s.RequestTimeout = 5, 10*time.Second }, func(r *rig) {
			r.settle(time.Second) // it is being written down
			require.EqualValues(r, 1, r.p.Books().InFlight.Records)
			require.EqualValues(r, 1, s.Stats().Records)
			r.settle(20 * time.Second)
			require.EqualValues(r, 1, r.p.Books().Dropped[ReasonOversize].Records, "it could not be")
			require.Zero(r, s.Stats().Records)
		}, WithSpool(s), WithDeadLetters(hanging))
	})
}

// And so does what is written down.
func TestSpoolGivesUpWhatIsWrittenDown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := openSpool(t, dir, nil)
		defer s.Close()
		for _, data := range []string{"far too large", "good", "too large, too"} {
			_, err := s.Append(spool.Record{Key: "k", PTS: spool.NoPTS, Accepted: time.Now(), Data: []byte(data)})
			require.NoError(t, err)
		}
		f := new(fakeLetters)
		inBubble(t, func(s *Settings, _ *fakeClient) { s.MaxRecordSize = 5 }, func(r *rig) {
			r.flush()
			b := r.p.Books()
			require.EqualValues(r, 2, b.DeadLettered.Records)
			require.EqualValues(r, 1, b.Delivered.Records)
			require.Zero(r, s.Stats().Records)
			require.Len(r, f.letters, 2)
			require.Empty(r, r.p.backlog.resident)
		}, WithSpool(s), WithDeadLetters(f))
	})
}
