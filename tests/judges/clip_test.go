package judges

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/mp4"
	"gst-kinesis/tests/kit"
)

// clipFootage is what clips can be made of.
func clipFootage(t *testing.T) []footage {
	pattern := []string{"-f", "lavfi", "-i", "testsrc2=size=320x240:rate=30000/1001"}
	sine := []string{"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"}
	list := []footage{
		{name: "avc b-frames aac", make: slices.Concat(pattern, sine, []string{"-c:v", "libx264", "-bf", "3", "-g", "30", "-flags", "+cgop", "-c:a", "aac", "-t", "6"}),
			file: "in.mkv", video: "h264parse", audio: "aacparse", frames: 180},
		{name: "hevc alaw", make: slices.Concat(pattern, sine, []string{"-c:v", "libx265", "-x265-params", "log-level=error:keyint=20:open-gop=0", "-c:a", "pcm_alaw", "-ar", "8000", "-t", "3"}),
			file: "in.mkv", frames: 90},
		{name: "avc mulaw, sound later", make: slices.Concat(pattern, []string{"-itsoffset", "0.7"}, sine, []string{"-c:v", "libx264", "-bf", "0", "-g", "15", "-c:a", "pcm_mulaw", "-ar", "8000", "-t", "3"}),
			file: "in.mkv", frames: 90},
		{name: "the road", make: []string{"-i", "CLIP", "-c", "copy"}, file: "in.mkv", frames: kit.ClipFrames},
	}
	bottle := filepath.Join(filepath.Dir(kit.Clip(t)), "bottle-detection.mp4")
	if _, err := os.Stat(bottle); err == nil {
		list = append(list, footage{name: "bottles", make: []string{"-i", bottle, "-c", "copy", "-an"}, file: "in.mkv", frames: 1189})
	}
	return list
}

// base is when the footage of clips begins.
const base = int64(1_795_209_996_817)

// streamed makes the body of a session: each fragment has the frames of all tracks from one key frame of video to the next, by their times,
// in the order they came.
func streamed(t *testing.T, m *matroska) []byte {
	t.Helper()
	var starts []int64
	video := m.tracks[0].Number
	for _, f := range m.frames[video] {
		if f.Key && (len(starts) == 0 || f.Timecode >= starts[len(starts)-1]+1000) {
			starts = append(starts, f.Timecode)
		}
	}
	starts[0] = min(starts[0], m.order[0].Timecode)
	bodies := make([][]byte, len(starts))
	for _, f := range m.order {
		at := len(starts) - 1
		for at > 0 && f.Timecode < starts[at] {
			at--
		}
		var flags mkv.BlockFlags
		if f.Key {
			flags = mkv.KeyFrame
		}
		bodies[at] = mkv.AppendSimpleBlockHeader(bodies[at], f.Track, int16(f.Timecode-starts[at]), flags, len(f.Data))
		bodies[at] = append(bodies[at], f.Data...)
	}
	for i := range m.tracks {
		m.tracks[i].DefaultDuration, m.tracks[i].Name = 0, "track"
	}
	out, err := mkv.AppendHeader(nil, mkv.Header{Tracks: m.tracks})
	require.NoError(t, err)
	for i, b := range bodies {
		out = append(mkv.AppendCluster(out, uint64(base+starts[i])), b...)
	}
	return out
}

// stored sends footage to an endpoint.
func stored(t *testing.T, body []byte) *local.Server {
	t.Helper()
	srv := localtest.Start(t, local.Settings{Limits: local.LimitsNone, VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL()+"/putMedia", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("x-amzn-stream-name", "cam")
	r.Header.Set("x-amzn-fragment-timecode-type", "ABSOLUTE")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	acks, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NotContains(t, string(acks), "ERROR")
	return srv
}

// getClip makes a clip of all that is stored.
func getClip(t *testing.T, srv *local.Server) []byte {
	t.Helper()
	in, err := json.Marshal(map[string]any{"StreamName": "cam", "ClipFragmentSelector": map[string]any{"FragmentSelectorType": "PRODUCER_TIMESTAMP",
		"TimestampRange": map[string]any{"StartTimestamp": float64(base-1000) / 1000, "EndTimestamp": float64(base+3600_000) / 1000}}})
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL()+"/getClip", bytes.NewReader(in))
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "video/mp4", resp.Header.Get("Content-Type"), "%s", b)
	require.EqualValues(t, len(b), resp.ContentLength)
	return b
}

// TestClips: what was put comes out of GetClip frame by frame, as ffprobe, ffmpeg and GStreamer see it.
func TestClips(t *testing.T) {
	t.Parallel()
	for _, f := range clipFootage(t) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(f.made(t))
			require.NoError(t, err)
			m := readMatroska(t, bytes.NewReader(data))
			require.Len(t, m.frames[m.tracks[0].Number], f.frames)
			clip := filepath.Join(t.TempDir(), "clip.mp4")
			require.NoError(t, os.WriteFile(clip, getClip(t, stored(t, streamed(t, m))), 0o600))
			requireClip(t, clip, m)
		})
	}
}

// TestMP4WithTablesLast: the same of what is written as samples come.
func TestMP4WithTablesLast(t *testing.T) {
	t.Parallel()
	f := clipFootage(t)[0]
	data, err := os.ReadFile(f.made(t))
	require.NoError(t, err)
	m := readMatroska(t, bytes.NewReader(data))
	name := filepath.Join(t.TempDir(), "clip.mp4")
	file, err := os.Create(name)
	require.NoError(t, err)
	defer file.Close()
	w, err := mp4.NewWriter(file, []mp4.Track{
		{Codec: mp4.AVC, Config: m.tracks[0].CodecPrivate, Timescale: 1000, Width: 320, Height: 240},
		{Codec: mp4.AAC, Config: m.tracks[1].CodecPrivate, Timescale: 1000, SampleRate: 48000, Channels: 1},
	})
	require.NoError(t, err)
	for _, b := range m.order {
		require.NoError(t, w.Write(int(b.Track-1), mp4.Sample{Time: b.Timecode, Key: b.Key}, b.Data))
	}
	require.NoError(t, w.Close())
	requireClip(t, name, m)
}

// requireClip holds a clip to the frames it was made of.
func requireClip(t *testing.T, clip string, m *matroska) {
	t.Helper()
	requireClipWithin(t, clip, m, 1.01)
}

// requireClipWithin lets frames of audio be off by some ms: a clip lets each begin where the one before ends, if it is 2 ms from there.
func requireClipWithin(t *testing.T, clip string, m *matroska, audio float64) {
	t.Helper()
	env := kit.GStreamer(t)
	first := m.order[0].Timecode
	for _, f := range m.order {
		first = min(first, f.Timecode)
	}
	out, complaint := kit.Run(t, env, "ffprobe", "-v", "warning", "-show_packets", "-show_data_hash", "sha256", "-of", "json", clip)
	require.Empty(t, complaint)
	var all struct {
		Packets []struct {
			packet
			PTSTime string `json:"pts_time"`
			DTS     int64
			DTSTime string `json:"dts_time"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	place, decode := map[int]int{}, map[int]int64{}
	for _, p := range all.Packets {
		number := m.tracks[p.Stream].Number
		i := place[p.Stream]
		place[p.Stream]++
		want := m.frames[number][i]
		require.Equal(t, want.hash, p.Hash, "frame %d of track %d", i, number)
		var at float64
		require.NoError(t, json.Unmarshal([]byte(p.PTSTime), &at))
		most := 1.01
		if m.tracks[p.Stream].Type == mkv.Audio {
			most = audio
		}
		require.InDelta(t, float64(want.Timecode-first), at*1000, most, "frame %d of track %d", i, number)
		require.LessOrEqual(t, p.DTS, p.PTS)
		if i > 0 {
			require.Greater(t, p.DTS, decode[p.Stream])
		}
		decode[p.Stream] = p.DTS
		if m.tracks[p.Stream].Type == mkv.Video {
			require.Equal(t, want.Key, p.Flags[0] == 'K', "frame %d", i)
		}
	}
	for i, track := range m.tracks {
		require.Equal(t, len(m.frames[track.Number]), place[i])
	}
	_, complaint = kit.Run(t, env, "ffmpeg", "-v", "warning", "-guess_layout_max", "0", "-i", clip, "-fps_mode", "passthrough", "-enc_time_base:v", "1:1000", "-f", "null", "-")
	require.Empty(t, complaint, "it decodes")
	clipInGStreamer(t, env, clip, m)
}

// clipInGStreamer: qtdemux gives the same bytes.
func clipInGStreamer(t *testing.T, env []string, clip string, m *matroska) {
	t.Helper()
	dir := t.TempDir()
	args := []string{"-q", "filesrc", "location=" + clip, "!", "qtdemux", "name=d"}
	pads := []string{"video_0", "audio_0"}[:len(m.tracks)]
	for _, pad := range pads {
		args = append(args, "d."+pad, "!", "queue", "max-size-buffers=0", "max-size-bytes=0", "max-size-time=0", "!", "filesink", "async=false", "location="+filepath.Join(dir, pad))
	}
	_, complaints := kit.Run(t, append(env, "GST_DEBUG=2"), "gst-launch-1.0", args...)
	for line := range strings.Lines(complaints) {
		// A file that is not in fragments has no defaults of fragments; G.711 it plays, but has no node for in its printed tree.
		if !strings.Contains(line, "failed to find fragment defaults") && !strings.Contains(line, "unknown QuickTime node type") {
			require.NotContains(t, line, "qtdemux")
		}
	}
	for i, pad := range pads {
		got, err := os.ReadFile(filepath.Join(dir, pad))
		require.NoError(t, err)
		want := sha256.New()
		for _, f := range m.frames[m.tracks[i].Number] {
			want.Write(f.Data)
		}
		sum := sha256.Sum256(got)
		require.Equal(t, hex.EncodeToString(want.Sum(nil)), hex.EncodeToString(sum[:]), pad)
	}
}
