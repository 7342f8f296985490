package kinesisvideosink_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/tests/kit"
)

// packet is one access unit of a file, as ffprobe has it.
type packet struct {
	Codec string  `json:"codec_type"`
	PTS   string  `json:"pts_time"`
	Flags string  `json:"flags"`
	Hash  string  `json:"data_hash"`
	at    float64 // s
}

// packets lists a file's access units in the order they are stored in, by kind.
func packets(t *testing.T, file string) map[string][]packet {
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-show_packets", "-show_data_hash", "sha256", "-of", "json", file).Output()
	require.NoError(t, err)
	var all struct{ Packets []packet }
	require.NoError(t, json.Unmarshal(out, &all))
	kinds := map[string][]packet{}
	for _, p := range all.Packets {
		p.at, err = strconv.ParseFloat(p.PTS, 64)
		require.NoError(t, err)
		kinds[p.Codec] = append(kinds[p.Codec], p)
	}
	return kinds
}

// Real footage is stored as it is: each access unit's bytes, its time to the millisecond, its key frames.
func TestFootageIsStoredAsItIs(t *testing.T) {
	clip := kit.Clip(t)
	files := []string{clip}
	if others, _ := filepath.Glob(filepath.Join(filepath.Dir(clip), "*.mp4")); len(others) > 0 {
		files = others
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want := packets(t, file)
			srv := localtest.Start(t, local.Settings{Limits: local.LimitsNone})
			line := "filesrc location=" + file + " ! qtdemux name=d d.video_0 ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! h264parse ! k. "
			if len(want["audio"]) > 0 {
				line += "d.audio_0 ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! aacparse ! k. "
			}
			s := run(t, line+"kinesisvideosink name=k stream-name=footage streaming-type=offline file-start-time=1700000000"+keys+srv.URL())
			require.Zero(t, s.Uint64("frames-skipped"), s)
			require.EqualValues(t, 1, s.Uint64("sessions"), s)
			fragments, err := srv.Fragments("footage")
			require.NoError(t, err)
			got := map[string][]packet{}
			for _, f := range fragments {
				base := f.ProducerTimestamp.UnixMilli() - f.Timecode
				for _, frame := range f.Frames {
					kind, flags := "video", ""
					if frame.Track == 2 {
						kind = "audio"
					}
					if frame.Key {
						flags = "K"
					}
					sum := sha256.Sum256(frame.Data)
					got[kind] = append(got[kind], packet{Hash: "SHA256:" + hex.EncodeToString(sum[:]), Flags: flags, at: float64(frame.Timestamp+base) / 1000})
				}
			}
			for kind, list := range want {
				sameMedia(t, kind, list, got[kind], int(s.Uint64("frames-dropped")))
			}
		})
	}
}

// sameMedia holds what was stored to what the file has; sound that comes before the first picture is dropped.
func sameMedia(t *testing.T, kind string, want, got []packet, dropped int) {
	t.Helper()
	if kind == "audio" {
		require.LessOrEqual(t, dropped, 2)
		want = want[dropped:]
	}
	require.Len(t, got, len(want), kind)
	for i := range want {
		require.Equal(t, strings.ToLower(want[i].Hash), strings.ToLower(got[i].Hash), "%s %d", kind, i)
		require.InDelta(t, want[i].at-want[0].at, got[i].at-got[0].at, 0.0011, "%s %d", kind, i)
		if kind == "video" {
			require.Equal(t, strings.HasPrefix(want[i].Flags, "K"), got[i].Flags == "K", "%s %d", kind, i)
		}
	}
}
