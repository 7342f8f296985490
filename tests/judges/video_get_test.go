package judges

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/tests/kit"
)

// TestVideoGet: what gst-kinesis video get writes ffprobe, mkvinfo and mkvmerge open without a complaint, and it holds what was put,
// with its times.
func TestVideoGet(t *testing.T) {
	t.Parallel()
	f := clipFootage(t)[0]
	data, err := os.ReadFile(f.made(t))
	require.NoError(t, err)
	m := readMatroska(t, bytes.NewReader(data))
	srv := stored(t, streamed(t, m))
	fragments, err := srv.Fragments("cam")
	require.NoError(t, err)
	env := append(kit.GStreamer(t), "LC_ALL=C.UTF-8")
	get := func(output string, flags ...string) string {
		out, _ := kit.Run(t, env, filepath.Join(kit.Build(t), "gst-kinesis"), append([]string{"video", "get", "cam", "-o", output,
			"--endpoint-uri", srv.URL(), "--region", "us-east-1", "--access-key", "a", "--secret-access-key", "s"}, flags...)...)
		return out
	}
	dir := t.TempDir()
	from, to := fmt.Sprintf("%.3f", float64(base-1000)/1000), fmt.Sprintf("%.3f", float64(base+3600_000)/1000)
	live, between := filepath.Join(dir, "live.mkv"), filepath.Join(dir, "range.mkv")
	get(live, "--start", "earliest", "--count", fmt.Sprint(len(fragments)))
	get(between, "--from", from, "--to", to)
	piped := filepath.Join(dir, "piped.mkv")
	require.NoError(t, os.WriteFile(piped, []byte(get("-", "--from", from, "--to", to)), 0o600))
	for _, name := range []string{live, between, piped} {
		requireRecording(t, env, name, m, len(fragments))
	}
	clip := filepath.Join(dir, "clip.mp4")
	get(clip, "--from", from, "--to", to)
	requireClip(t, clip, m)
}

// requireRecording holds a file to the frames that were put, a Cluster for each fragment.
func requireRecording(t *testing.T, env []string, name string, m *matroska, fragments int) {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	again := readMatroska(t, bytes.NewReader(data))
	requireSame(t, packets(t, name), again)
	require.Equal(t, fragments, again.clusters)
	first := m.order[0].Timecode
	for number, frames := range m.frames {
		require.Len(t, again.frames[number], len(frames))
		for i, f := range frames {
			require.Equal(t, f.hash, again.frames[number][i].hash)
			require.Equal(t, f.Timecode-first, again.frames[number][i].Timecode)
		}
	}
	out, complaint := kit.Run(t, env, "mkvinfo", "-a", name)
	require.Empty(t, complaint)
	for _, bad := range []string{"nknown element", "rror", "arning", "resync"} {
		require.NotContains(t, out, bad)
	}
	require.Equal(t, fragments, strings.Count(out, "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP"))
	_, complaint = kit.Run(t, env, "ffmpeg", "-v", "warning", "-i", name, "-fps_mode", "passthrough", "-enc_time_base:v", "1:1000", "-f", "null", "-")
	require.Empty(t, complaint, "it decodes")
	kit.Run(t, env, "mkvmerge", "-q", "-o", name+".again.mkv", name)
}
