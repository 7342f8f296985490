package putmedia_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
)

// Sound that pauses for ten seconds: the endpoint, which refuses fragments that lack a track as the service does, has all of the
// video, and all of the sound.
func TestSilentTrackAgainstTheEndpoint(t *testing.T) {
	t.Parallel()
	srv := unlimited(t, local.Settings{VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}})
	cam := open(t, srv, nil)
	want := map[uint64][]int{}
	for n := range 25 * 20 {
		cam.n = n
		at := cam.began.Add(time.Duration(n) * 40 * time.Millisecond)
		require.NoError(t, cam.put(1, at, n%25 == 0, 4000))
		want[1] = append(want[1], n)
		if n < 25*5 || n >= 25*15 {
			require.NoError(t, cam.put(2, at.Add(7*time.Millisecond), true, 200))
			want[2] = append(want[2], n)
		}
	}
	require.NoError(t, cam.s.Flush(t.Context()))
	fragments, err := srv.Fragments("cam")
	require.NoError(t, err)
	got := map[uint64][]int{}
	for _, f := range fragments {
		has := map[uint64]bool{}
		for _, frame := range f.Frames {
			has[frame.Track] = true
			got[frame.Track] = append(got[frame.Track], int(binary.BigEndian.Uint64(frame.Data)))
		}
		require.Len(t, f.Tracks, len(has))
	}
	require.Equal(t, want, got)
	require.Zero(t, cam.s.Books().SkippedAll())
	require.Empty(t, cam.heard.failed)
	require.LessOrEqual(t, len(srv.PutMediaSessions("cam")), 4)
	for _, s := range srv.PutMediaSessions("cam") {
		require.NotContains(t, s.End, "error")
	}
}
