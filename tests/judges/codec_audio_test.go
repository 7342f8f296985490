package judges

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/codec"
	"gst-kinesis/tests/kit"
)

// tone encodes a tone with ffmpeg into files of one encoding.
func tone(t *testing.T, rate int, layout, encoder string, names ...string) {
	t.Helper()
	args := []string{"-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", fmt.Sprintf("sine=440:sample_rate=%d:duration=1", rate),
		"-af", "aformat=channel_layouts=" + layout, "-ar", fmt.Sprint(rate), "-c:a", encoder, names[0]}
	kit.Run(t, kit.Environ(), "ffmpeg", args...)
	for _, name := range names[1:] {
		kit.Run(t, kit.Environ(), "ffmpeg", "-hide_banner", "-loglevel", "error", "-i", names[0], "-c", "copy", name)
	}
}

// TestAACConfig: ffmpeg's encoder says what the AudioSpecificConfig is; the other layouts have a program_config_element.
func TestAACConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rate, channels int
		layout         string
		program        bool
	}{
		{8000, 1, "mono", false}, {16000, 1, "mono", false}, {44100, 2, "stereo", false}, {48000, 3, "3.0", false}, {48000, 4, "4.0", false},
		{96000, 6, "5.1", false}, {48000, 4, "quad", true}, {48000, 8, "octagonal", true}, {48000, 5, "5.0(side)", true},
	} {
		t.Run(fmt.Sprintf("%d Hz %s", c.rate, c.layout), func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "tone.m4a")
			tone(t, c.rate, c.layout, "aac", name)
			p := probed(t, name)
			asc := p.bytes(t)
			config, err := codec.ParseAudioConfig(asc)
			require.NoError(t, err, "%x", asc)
			require.Equal(t, codec.AudioConfig{ObjectType: 2, SampleRate: c.rate, OutputRate: c.rate, Channels: c.channels, FrameSize: 1024}, config, "%x", asc)
			track, err := codec.AAC(asc)
			require.NoError(t, err)
			require.Equal(t, asc, track.Private)
			require.Equal(t, c.program, asc[1]>>3&15 == 0)
			if !c.program {
				built, err := codec.BuildAudioConfig(c.rate, c.channels)
				require.NoError(t, err)
				require.Equal(t, asc[:2], built)
			}
		})
	}
}

// TestADTSFrames: what ffmpeg puts into ADTS comes out as aacparse gives it raw.
func TestADTSFrames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m4a, adts := filepath.Join(dir, "tone.m4a"), filepath.Join(dir, "tone.aac")
	tone(t, 44100, "stereo", "aac", m4a, adts)
	frames := t.TempDir()
	kit.Run(t, kit.Environ(), "gst-launch-1.0", "filesrc", "location="+adts, "!", "aacparse", "!", "audio/mpeg,stream-format=raw", "!",
		"multifilesink", "location="+filepath.Join(frames, "%05d"))
	want := buffers(t, frames)
	require.Greater(t, len(want), 40)
	data, err := os.ReadFile(adts)
	require.NoError(t, err)
	asc, err := codec.ADTSConfig(data)
	require.NoError(t, err)
	built, err := codec.BuildAudioConfig(44100, 2)
	require.NoError(t, err)
	require.Equal(t, built, asc)
	var got [][]byte
	for len(data) > 0 {
		require.Error(t, codec.CheckRaw(data))
		var raw []byte
		raw, data, err = codec.StripADTS(data)
		require.NoError(t, err)
		require.NoError(t, codec.CheckRaw(raw))
		got = append(got, raw)
	}
	require.Equal(t, want, got)
}

// TestOpusHeads: ffmpeg's OpusHead is read, and written again as it was.
func TestOpusHeads(t *testing.T) {
	t.Parallel()
	for layout, channels := range map[string]int{"mono": 1, "stereo": 2, "5.1": 6, "7.1": 8} {
		t.Run(layout, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "tone.mkv")
			tone(t, 48000, layout, "libopus", name)
			p := probed(t, name)
			head := p.bytes(t)
			config, err := codec.ParseOpusHead(head)
			require.NoError(t, err)
			require.Equal(t, channels, config.Channels)
			track, err := codec.Opus(config)
			require.NoError(t, err)
			require.Equal(t, head, track.Private)
			require.Positive(t, track.CodecDelay)
		})
	}
}

// TestFilmed: real footage, from MP4, goes through h264parse into start codes and comes back as it was in the file.
func TestFilmed(t *testing.T) {
	t.Parallel()
	clip := kit.Clip(t)
	clips := []string{clip}
	if other := filepath.Join(filepath.Dir(clip), "bottle-detection.mp4"); exists(other) {
		clips = append(clips, other)
	}
	for _, clip := range clips {
		t.Run(filepath.Base(clip), func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "stream.h264")
			kit.Run(t, kit.Environ(), "ffmpeg", "-hide_banner", "-loglevel", "error", "-i", clip, "-an", "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "h264", name)
			filed := t.TempDir()
			kit.Run(t, kit.Environ(), "gst-launch-1.0", "filesrc", "location="+clip, "!", "qtdemux", "!", "video/x-h264,stream-format=avc,alignment=au", "!",
				"multifilesink", "location="+filepath.Join(filed, "%05d"))
			e := elementary{}
			parsed, want := e.parse(t, name, "byte-stream"), buffers(t, filed)
			require.Len(t, parsed.units, len(want))
			sets := codec.NewH264Sets()
			for i, au := range parsed.units {
				size, err := codec.ConvertedSize(au)
				require.NoError(t, err)
				dst := make([]byte, size)
				require.Equal(t, size, codec.Convert(dst, au))
				require.True(t, same(pictures(e, t, want[i]), pictures(e, t, dst)), "frame %d", i)
				got := codec.H264Access(codec.Prefixed(want[i], 4))
				require.Equal(t, parsed.delta[i], got == codec.Delta, "frame %d: %v", i, got)
				change, err := sets.Update(codec.AnnexB(au))
				require.NoError(t, err)
				require.Equal(t, i == 0, change == codec.SequenceSets, "frame %d", i)
			}
			record, err := sets.Record()
			require.NoError(t, err)
			track, err := codec.H264(record)
			require.NoError(t, err)
			p := probed(t, name)
			require.Equal(t, []int{p.Width, p.Height}, []int{track.Width, track.Height})
		})
	}
}

// pictures gives the units of an access unit that hold pictures.
func pictures(e elementary, t *testing.T, au []byte) (list [][]byte) {
	t.Helper()
	for _, nal := range e.nals(t, codec.Prefixed(au, 4)) {
		// The road clip's last unit has an end of stream behind a start code of its own within it, which parsers take for two units.
		if i := bytes.Index(nal, []byte{0, 0, 1}); i >= 0 {
			nal = bytes.TrimRight(nal[:i], "\x00")
		}
		if kind := nal[0] & 31; kind >= 1 && kind <= 5 {
			list = append(list, nal)
		}
	}
	require.NotEmpty(t, list)
	return list
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
