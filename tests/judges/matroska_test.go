package judges

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/mkv"
	"gst-kinesis/tests/kit"
)

// footage is a file that others make, with a video and an audio track.
type footage struct {
	name   string
	make   []string // ffmpeg's arguments; CLIP is the road clip
	file   string
	demux  string // GStreamer's elements for it
	video  string
	audio  string
	frames int
	laced  bool // by mkvmerge
}

// someFootage is H.264 of a camera with AAC, H.264 with B-frames and Opus, and H.265 with G.711.
func someFootage() []footage {
	sine := []string{"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"}
	pattern := []string{"-f", "lavfi", "-i", "testsrc2=size=320x240:rate=30000/1001"}
	add := func(lists ...[]string) (out []string) {
		for _, l := range lists {
			out = append(out, l...)
		}
		return out
	}
	return []footage{
		{"avc_aac", add([]string{"-i", "CLIP"}, sine, []string{"-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", "-t", "12"}), "in.mp4",
			"qtdemux", "h264parse", "aacparse", 150, true},
		{"avc_b_frames_opus", add(pattern, sine, []string{"-c:v", "libx264", "-bf", "2", "-g", "30", "-c:a", "libopus", "-t", "4"}), "in.mkv",
			"matroskademux", "h264parse", "opusparse", 120, true},
		{"hevc_alaw", add(pattern, sine, []string{"-c:v", "libx265", "-x265-params", "log-level=error:keyint=20", "-c:a", "pcm_alaw", "-ar", "8000", "-t", "3"}), "in.mkv",
			"matroskademux", "h265parse", "audio/x-alaw", 90, false},
	}
}

// made makes the footage in a folder of the test.
func (f footage) made(t *testing.T) string {
	t.Helper()
	in := filepath.Join(t.TempDir(), f.file)
	args := []string{"-hide_banner", "-loglevel", "error", "-y"}
	for _, a := range f.make {
		if a == "CLIP" {
			a = kit.Clip(t)
		}
		args = append(args, a)
	}
	kit.Run(t, kit.Environ(), "ffmpeg", append(args, in)...)
	return in
}

// packet is a frame in ffprobe's words.
type packet struct {
	Stream int    `json:"stream_index"`
	PTS    int64  `json:"pts"`
	Flags  string `json:"flags"`
	Hash   string `json:"data_hash"`
}

// packets lets ffprobe read a file, which must not make it complain.
func packets(t *testing.T, file string) [][]packet {
	t.Helper()
	out, complaint := kit.Run(t, kit.Environ(), "ffprobe", "-v", "warning", "-show_packets", "-show_data_hash", "sha256", "-of", "json", file)
	require.Empty(t, complaint)
	var all struct{ Packets []packet }
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	var tracks [][]packet
	for _, p := range all.Packets {
		for len(tracks) <= p.Stream {
			tracks = append(tracks, nil)
		}
		tracks[p.Stream] = append(tracks[p.Stream], p)
	}
	return tracks
}

// frame is what our reader gives, kept.
type frame struct {
	mkv.Block
	hash string
}

// matroska is a file as our reader sees it.
type matroska struct {
	info     mkv.Info
	tracks   []mkv.Track
	frames   map[uint64][]frame // by track number, in the order of the file
	order    []frame
	clusters int
	laced    int
	unknown  int // clusters of unknown size
}

// readMatroska reads all of it.
func readMatroska(t *testing.T, src io.Reader) *matroska {
	t.Helper()
	m := &matroska{frames: map[uint64][]frame{}}
	for r := mkv.NewReader(src, mkv.Limits{}); ; {
		event, err := r.Next()
		if errors.Is(err, io.EOF) {
			return m
		}
		require.NoError(t, err)
		switch e := event.(type) {
		case *mkv.Info:
			m.info = *e
		case *mkv.Tracks:
			m.tracks = e.Tracks
		case *mkv.ClusterStart:
			m.clusters++
			if e.Size < 0 {
				m.unknown++
			}
		case *mkv.Block:
			sum := sha256.Sum256(e.Data)
			f := frame{*e, "SHA256:" + hex.EncodeToString(sum[:])}
			f.Data = bytes.Clone(e.Data)
			if e.Frames > 1 {
				m.laced++
			}
			m.frames[e.Track] = append(m.frames[e.Track], f)
			m.order = append(m.order, f)
		}
	}
}

// requireSame holds our reading of a file to ffprobe's: the frames of each track in order, their bytes, times and key flags.
func requireSame(t *testing.T, want [][]packet, m *matroska) {
	t.Helper()
	require.Len(t, want, len(m.tracks))
	for i, track := range m.tracks {
		got := m.frames[track.Number]
		require.Len(t, got, len(want[i]), "track %d", track.Number)
		// ffprobe subtracts what the decoder has to throw away.
		delay := (int64(track.CodecDelay) + 500_000) / 1_000_000
		for j, p := range want[i] {
			require.Equal(t, p.Hash, got[j].hash, "frame %d of track %d", j, track.Number)
			if got[j].Frame == 0 {
				require.Equal(t, p.PTS+delay, got[j].Timecode, "frame %d of track %d", j, track.Number)
			}
			if track.Type == mkv.Video {
				require.Equal(t, p.Flags[0] == 'K', got[j].Key, "frame %d of track %d", j, track.Number)
			}
		}
	}
}

// TestMatroskaOfOthers: what mkvmerge, ffmpeg and GStreamer write is read here as ffprobe reads it.
func TestMatroskaOfOthers(t *testing.T) {
	t.Parallel()
	for _, f := range someFootage() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			in := f.made(t)
			env := kit.GStreamer(t)
			for name, c := range map[string]struct {
				live bool // clusters of unknown size
				args []string
			}{
				"mkvmerge":         {false, []string{"mkvmerge", "-q", "-o", "OUT", in}},
				"mkvmerge short":   {false, []string{"mkvmerge", "-q", "--no-cues", "--cluster-length", "500ms", "-o", "OUT", in}},
				"ffmpeg":           {false, []string{"ffmpeg", "-loglevel", "error", "-y", "-i", in, "-c", "copy", "-f", "matroska", "OUT"}},
				"ffmpeg live":      {false, []string{"ffmpeg", "-loglevel", "error", "-y", "-i", in, "-c", "copy", "-f", "matroska", "-live", "1", "-seekable", "0", "OUT"}},
				"matroskamux":      {false, f.remux(in, "false")},
				"matroskamux live": {true, f.remux(in, "true")},
			} {
				out := filepath.Join(t.TempDir(), "out.mkv")
				for i, a := range c.args {
					if a == "OUT" || a == "location=OUT" {
						c.args[i] = a[:len(a)-3] + out
					}
				}
				kit.Run(t, env, c.args[0], c.args[1:]...)
				data, err := os.ReadFile(out)
				require.NoError(t, err)
				m := readMatroska(t, iotest.HalfReader(bytes.NewReader(data)))
				t.Logf("%s: %d frames, %d of them laced, %d clusters, %d of unknown size", name, len(m.order), m.laced, m.clusters, m.unknown)
				require.Len(t, m.frames[m.tracks[0].Number], f.frames, name)
				require.Equal(t, c.live, m.unknown == m.clusters, name)
				require.Equal(t, f.laced && c.args[0] == "mkvmerge", m.laced > 0, name)
				requireSame(t, packets(t, out), m)
			}
		})
	}
}

// remux is a launch line of GStreamer's own demuxer and muxer.
func (f footage) remux(in, streamable string) []string {
	return []string{"gst-launch-1.0", "-q", "filesrc", "location=" + in, "!", f.demux, "name=d", "matroskamux", "name=m", "streamable=" + streamable,
		"!", "filesink", "location=OUT", "d.video_0", "!", "queue", "max-size-buffers=0", "max-size-bytes=0", "max-size-time=0", "!", f.video, "!", "m.",
		"d.audio_0", "!", "queue", "max-size-buffers=0", "max-size-bytes=0", "max-size-time=0", "!", f.audio, "!", "m."}
}
