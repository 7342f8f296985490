package judges

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/mkv"
	"gst-kinesis/tests/kit"
)

// written is a session of PutMedia: what it was made of, and its bytes.
type written struct {
	header mkv.Header
	frames map[uint64][]frame
	bytes  []byte
	blocks int
	starts int // clusters
}

// putMedia makes fragments of what was read, one from each key frame to the next, with tags before each, the times shifted by base.
func putMedia(t *testing.T, m *matroska, base int64) *written {
	t.Helper()
	w := &written{frames: map[uint64][]frame{}}
	w.header = mkv.Header{SegmentUID: [16]byte{1, 2, 3}, Title: "road", MuxingApp: "gst-kinesis", WritingApp: "gst-kinesis", Tracks: m.tracks}
	for i := range m.tracks {
		m.tracks[i].Name, m.tracks[i].DefaultDuration = []string{"video", "audio"}[i], 0
	}
	var err error
	w.bytes, err = mkv.AppendHeader(nil, w.header)
	require.NoError(t, err)
	cluster := int64(-1)
	for _, f := range m.order {
		if f.Key && f.Track == m.tracks[0].Number || cluster < 0 {
			cluster = f.Timecode
			w.starts++
			w.bytes = mkv.AppendTags(w.bytes, []mkv.Tag{{Name: "place", Value: "north entrance"}})
			w.bytes = mkv.AppendTags(w.bytes, []mkv.Tag{{Name: "weather", Value: ""}})
			w.bytes = mkv.AppendCluster(w.bytes, uint64(base+cluster))
		}
		var flags mkv.BlockFlags
		if f.Key {
			flags = mkv.KeyFrame
		}
		w.bytes = mkv.AppendSimpleBlockHeader(w.bytes, f.Track, int16(f.Timecode-cluster), flags, len(f.Data))
		w.bytes = append(w.bytes, f.Data...)
		f.Timecode += base
		w.frames[f.Track] = append(w.frames[f.Track], f)
		w.blocks++
	}
	w.bytes = mkv.AppendEndOfFragment(w.bytes)
	return w
}

// TestOurMatroska: what is written here mkvmerge, mkvinfo, ffprobe and GStreamer open without a complaint, and find the same frames, with
// times from 0 and with times since 1970.
func TestOurMatroska(t *testing.T) {
	t.Parallel()
	for _, f := range someFootage() {
		for name, base := range map[string]int64{"relative": 0, "absolute": 1_795_209_996_817} {
			t.Run(f.name+" "+name, func(t *testing.T) {
				t.Parallel()
				in := f.made(t)
				env := kit.GStreamer(t)
				source := filepath.Join(t.TempDir(), "source.mkv")
				kit.Run(t, env, "ffmpeg", "-loglevel", "error", "-y", "-i", in, "-c", "copy", source)
				data, err := os.ReadFile(source)
				require.NoError(t, err)
				w := putMedia(t, readMatroska(t, bytes.NewReader(data)), base)
				ours := filepath.Join(t.TempDir(), "ours.mkv")
				require.NoError(t, os.WriteFile(ours, w.bytes, 0o600))
				require.Greater(t, w.starts, 1)
				again := readMatroska(t, bytes.NewReader(w.bytes))
				require.Equal(t, w.starts, again.unknown)
				requireSame(t, packets(t, ours), again)
				for number, frames := range w.frames {
					require.Len(t, again.frames[number], len(frames))
					for i, f := range frames {
						require.Equal(t, f.hash, again.frames[number][i].hash)
						require.Equal(t, f.Timecode, again.frames[number][i].Timecode)
					}
				}
				asMkvmergeSees(t, env, ours, w)
				asMkvinfoSees(t, env, ours, w)
				asGStreamerSees(t, env, ours, w)
			})
		}
	}
}

// asMkvmergeSees: it knows the tracks, and makes a file of them without a warning (which would be exit status 1).
func asMkvmergeSees(t *testing.T, env []string, ours string, w *written) {
	t.Helper()
	out, _ := kit.Run(t, env, "mkvmerge", "-J", ours)
	var j struct {
		Container struct {
			Recognized, Supported bool
			Type                  string
		}
		Errors, Warnings []string
		Tracks           []struct {
			Type       string
			Properties struct {
				CodecID    string `json:"codec_id"`
				Number     uint64
				Name       string `json:"track_name"`
				Dimensions string `json:"pixel_dimensions"`
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &j))
	require.True(t, j.Container.Recognized && j.Container.Supported)
	require.Equal(t, "Matroska", j.Container.Type)
	require.Empty(t, j.Errors)
	require.Empty(t, j.Warnings)
	require.Len(t, j.Tracks, len(w.header.Tracks))
	for i, track := range w.header.Tracks {
		require.Equal(t, track.Type.String(), j.Tracks[i].Type)
		require.Equal(t, track.CodecID, j.Tracks[i].Properties.CodecID)
		require.Equal(t, track.Number, j.Tracks[i].Properties.Number)
		require.Equal(t, track.Name, j.Tracks[i].Properties.Name)
	}
	kit.Run(t, env, "mkvmerge", "-q", "-o", ours+".again.mkv", ours)
}

// asMkvinfoSees: it finds each element, and knows all of them.
func asMkvinfoSees(t *testing.T, env []string, ours string, w *written) {
	t.Helper()
	out, complaint := kit.Run(t, append(env, "LC_ALL=C.UTF-8"), "mkvinfo", "-a", ours)
	require.Empty(t, complaint)
	for _, bad := range []string{"nknown element", "rror", "arning", "resync"} {
		require.NotContains(t, out, bad)
	}
	require.Contains(t, out, "Segment: size unknown")
	require.Equal(t, w.starts, strings.Count(out, "Cluster timestamp:"))
	require.Equal(t, w.blocks, strings.Count(out, "Simple block:"))
	require.Equal(t, w.starts, strings.Count(out, "Name: weather"))
	require.Equal(t, 1, strings.Count(out, "Name: AWS_KINESISVIDEO_END_OF_FRAGMENT"))
}

// asGStreamerSees: its demuxer gives the same bytes, and warns of nothing: neither when the stream is pushed into it, as a live one is, nor when
// it reads a file as it likes. Then it looks ahead for where it could seek to, and does not know Position there, which AWS's producer writes too.
func asGStreamerSees(t *testing.T, env []string, ours string, w *written) {
	t.Helper()
	queue := []string{"!", "queue", "max-size-buffers=0", "max-size-bytes=0", "max-size-time=0", "!"}
	for _, into := range [][]string{queue, {"!"}} {
		dir := t.TempDir()
		args := append([]string{"-q", "filesrc", "location=" + ours}, append(into, "matroskademux", "name=d")...)
		for _, pad := range []string{"video_0", "audio_0"} {
			args = append(append(append(args, "d."+pad), queue...), "filesink", "async=false", "location="+filepath.Join(dir, pad))
		}
		_, complaints := kit.Run(t, append(env, "GST_DEBUG=2"), "gst-launch-1.0", args...)
		for line := range strings.Lines(complaints) {
			if len(into) > 1 || !strings.Contains(line, "peek_cluster_info:<d> Unknown ebml id 0x000000a7") {
				require.NotContains(t, line, "matroska")
			}
		}
		for i, pad := range []string{"video_0", "audio_0"} {
			got, err := os.ReadFile(filepath.Join(dir, pad))
			require.NoError(t, err)
			var want []byte
			for _, f := range w.frames[w.header.Tracks[i].Number] {
				want = append(want, f.Data...)
			}
			require.True(t, bytes.Equal(want, got), "%s: %d bytes in place of %d", pad, len(got), len(want))
		}
	}
}
