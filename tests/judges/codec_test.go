package judges

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/codec"
	"gst-kinesis/tests/kit"
)

// elementary is a bitstream that x264 or x265 makes, and what is known of it beforehand.
type elementary struct {
	name     string
	h265     bool
	size     string
	format   string // pix_fmt
	profile  string // as ffprobe names it
	options  string // of the encoder
	flags    []string
	field    bool // its timing counts fields
	openness codec.Access
}

func bitstreams() []elementary {
	return []elementary{
		{name: "cropped to 1080, B-frames, two slices", size: "1920x1080", format: "yuv420p", profile: "High", options: "keyint=12:bframes=2:slices=2", openness: codec.IDR},
		{name: "baseline, odd size", size: "322x182", format: "yuv420p", profile: "Constrained Baseline", options: "keyint=10:aud=1", flags: []string{"-profile:v", "baseline"}, openness: codec.IDR},
		{name: "main", size: "640x360", format: "yuv420p", profile: "Main", options: "keyint=10:repeat-headers=1", flags: []string{"-profile:v", "main"}, openness: codec.IDR},
		{name: "interlaced", size: "720x576", format: "yuv420p", profile: "High", options: "keyint=10:tff=1", openness: codec.IDR},
		{name: "open groups", size: "320x180", format: "yuv420p", profile: "High", options: "keyint=8:bframes=3:open-gop=1:scenecut=0", openness: codec.Recovery},
		{name: "rolling refresh", size: "320x180", format: "yuv420p", profile: "High", options: "keyint=8:intra-refresh=1", openness: codec.Gradual},
		{name: "4:2:2, 10 bits, scaling lists", size: "352x286", format: "yuv422p10le", profile: "High 4:2:2", options: "keyint=10:cqm=jvt", openness: codec.IDR},
		{name: "4:4:4", size: "351x287", format: "yuv444p", profile: "High 4:4:4 Predictive", options: "keyint=10", openness: codec.IDR},
		{name: "h265, cropped to 1080", h265: true, size: "1920x1080", format: "yuv420p", profile: "Main", options: "keyint=12:open-gop=0:bframes=2", openness: codec.IDR},
		{name: "h265, 10 bits, open groups", h265: true, size: "322x182", format: "yuv420p10le", profile: "Main 10", options: "keyint=8:open-gop=1:bframes=3:scenecut=0:repeat-headers=1", openness: codec.Recovery},
		{name: "h265, 4:4:4, delimiters, lists", h265: true, size: "320x180", format: "yuv444p", profile: "Rext", options: "keyint=10:aud=1:scaling-list=default:open-gop=0", openness: codec.IDR},
		{name: "h265, layers", h265: true, size: "320x180", format: "yuv420p", profile: "Main", options: "keyint=10:temporal-layers=1:slices=2:open-gop=0", openness: codec.IDR},
		{name: "h265, fields", h265: true, size: "320x180", format: "yuv420p", profile: "Main", options: "keyint=10:interlace=tff:open-gop=0", field: true, openness: codec.IDR},
	}
}

// codedFrames is how many pictures each bitstream has.
const codedFrames = 26

// encode makes the bitstream, with start codes.
func (e *elementary) encode(t *testing.T, dir string) (name string) {
	t.Helper()
	name = filepath.Join(dir, "stream."+e.extension())
	args := []string{"-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=" + e.size + ":rate=30000/1001",
		"-frames:v", fmt.Sprint(codedFrames), "-pix_fmt", e.format}
	if e.h265 {
		args = append(args, "-c:v", "libx265", "-x265-params", "log-level=error:"+e.options)
	} else {
		args = append(args, "-c:v", "libx264", "-preset", "fast", "-x264-params", e.options)
	}
	args = append(append(args, e.flags...), "-f", map[bool]string{true: "hevc", false: "h264"}[e.h265], name)
	kit.Run(t, kit.Environ(), "ffmpeg", args...)
	return name
}

func (e *elementary) extension() string {
	if e.h265 {
		return "h265"
	}
	return "h264"
}

func (e *elementary) access(u codec.Units) codec.Access {
	if e.h265 {
		return codec.H265Access(u)
	}
	return codec.H264Access(u)
}

func (e *elementary) sets() *codec.Sets {
	if e.h265 {
		return codec.NewH265Sets()
	}
	return codec.NewH264Sets()
}

func (e *elementary) track(record []byte) (codec.Track, error) {
	if e.h265 {
		return codec.H265(record)
	}
	return codec.H264(record)
}

// delimiter says whether a NAL unit is an access unit delimiter, which GStreamer's parsers add and take away.
func (e *elementary) delimiter(nal []byte) bool {
	if e.h265 {
		return nal[0]>>1&63 == 35
	}
	return nal[0]&31 == 9
}

// parsed is a bitstream as h264parse or h265parse gives it.
type parsed struct {
	units  [][]byte // a buffer each
	delta  []bool
	record []byte // codec_data
}

var (
	chainLine = regexp.MustCompile(`last-message = chain .*flags: \w+ ([a-z -]*)`)
	codecData = regexp.MustCompile(`codec_data=\(buffer\)([0-9a-f]+)`)
)

// parse lets GStreamer's parser bring a bitstream into a form.
func (e *elementary) parse(t *testing.T, name, form string) (p parsed) {
	t.Helper()
	dir := t.TempDir()
	out, _ := kit.Run(t, kit.Environ(), "gst-launch-1.0", "-v", "filesrc", "location="+name, "!", e.extension()+"parse", "!",
		fmt.Sprintf("video/x-%s,stream-format=%s,alignment=au", e.extension(), form), "!", "identity", "silent=false", "!", "multifilesink", "location="+filepath.Join(dir, "%05d"))
	for _, m := range chainLine.FindAllStringSubmatch(out, -1) {
		p.delta = append(p.delta, strings.Contains(m[1], "delta-unit"))
	}
	if m := codecData.FindStringSubmatch(out); m != nil {
		var err error
		p.record, err = hex.DecodeString(m[1])
		require.NoError(t, err)
	}
	p.units = buffers(t, dir)
	require.Len(t, p.delta, len(p.units))
	return p
}

func buffers(t *testing.T, dir string) (list [][]byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		list = append(list, data)
	}
	return list
}

// nals gives an access unit's NAL units, without delimiters.
func (e *elementary) nals(t *testing.T, u codec.Units) (list [][]byte) {
	t.Helper()
	for nal, ok := u.Next(); ok; nal, ok = u.Next() {
		if !e.delimiter(nal) {
			list = append(list, nal)
		}
	}
	require.NoError(t, u.Err())
	return list
}

// TestElementaryStreams: x264 and x265 make bitstreams; GStreamer's parsers say what they are as length-prefixed units, frame by frame, and ffprobe
// what their parameter sets say.
func TestElementaryStreams(t *testing.T) {
	t.Parallel()
	for _, e := range bitstreams() {
		t.Run(e.name, func(t *testing.T) {
			name := e.encode(t, t.TempDir())
			start, lengths := e.parse(t, name, "byte-stream"), e.parse(t, name, map[bool]string{true: "hvc1", false: "avc"}[e.h265])
			require.Len(t, start.units, len(lengths.units))
			require.GreaterOrEqual(t, len(start.units), codedFrames)
			raw, err := os.ReadFile(name)
			require.NoError(t, err)

			var all [][]byte
			var converted [][]byte
			sets := e.sets()
			for i, au := range start.units {
				size, err := codec.ConvertedSize(au)
				require.NoError(t, err)
				dst := make([]byte, size)
				require.Equal(t, size, codec.Convert(dst, au))
				converted = append(converted, dst)
				want := e.nals(t, codec.Prefixed(lengths.units[i], 4))
				require.True(t, same(want, e.nals(t, codec.Prefixed(dst, 4))), "frame %d", i)
				all = append(all, want...)
				change, err := sets.Update(codec.AnnexB(au))
				require.NoError(t, err)
				require.Equal(t, i == 0, change == codec.SequenceSets, "frame %d: %v", i, change)
			}
			require.True(t, same(e.nals(t, codec.AnnexB(raw)), all), "the bitstream as the encoder wrote it holds the same units")
			e.checkKeys(t, start, lengths)
			record, err := sets.Record()
			require.NoError(t, err)
			e.checkRecords(t, name, record, lengths.record)
			e.checkPicture(t, name, converted, record)
		})
	}
}

func same(a, b [][]byte) bool {
	return bytes.Equal(bytes.Join(a, []byte("|unit|")), bytes.Join(b, []byte("|unit|")))
}

// checkKeys: what GStreamer's parser marks as a key frame is at least Intra, and the other way round; both forms say the same.
func (e *elementary) checkKeys(t *testing.T, start, lengths parsed) {
	t.Helper()
	worst := codec.IDR
	for i, au := range start.units {
		got := e.access(codec.AnnexB(au))
		require.Equal(t, got, e.access(codec.Prefixed(lengths.units[i], 4)))
		require.Equal(t, start.delta[i], got == codec.Delta, "frame %d: %v", i, got)
		if got != codec.Delta {
			worst = min(worst, got)
		}
	}
	require.Equal(t, e.openness, worst)
}

// probe is what ffprobe says of a stream.
type probe struct {
	Profile   string `json:"profile"`
	Width     int    `json:"width"`
	Height    int    `json:"height"`
	Level     int    `json:"level"`
	Rate      string `json:"r_frame_rate"`
	Format    string `json:"pix_fmt"`
	Extradata string `json:"extradata"`
}

func probed(t *testing.T, name string) probe {
	t.Helper()
	out, _ := kit.Run(t, kit.Environ(), "ffprobe", "-v", "error", "-show_streams", "-show_data", "-of", "json", name)
	var p struct {
		Streams []probe `json:"streams"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &p))
	require.Len(t, p.Streams, 1)
	return p.Streams[0]
}

// bytes gives the extradata of its dump.
func (p *probe) bytes(t *testing.T) []byte {
	t.Helper()
	var digits strings.Builder
	for _, line := range strings.Split(strings.TrimSpace(p.Extradata), "\n") {
		_, line, _ = strings.Cut(line, ": ")
		digits.WriteString(strings.ReplaceAll(line[:min(len(line), 40)], " ", ""))
	}
	b, err := hex.DecodeString(digits.String())
	require.NoError(t, err)
	return b
}

// checkRecords: the record that we build says the same as those that GStreamer and ffmpeg build, and as ffprobe reads the stream.
func (e *elementary) checkRecords(t *testing.T, name string, record, gst []byte) {
	t.Helper()
	mp4 := filepath.Join(filepath.Dir(name), "stream.mp4")
	kit.Run(t, kit.Environ(), "ffmpeg", "-hide_banner", "-loglevel", "error", "-i", name, "-c", "copy", "-map_metadata", "-1", mp4)
	stream, muxed := probed(t, name), probed(t, mp4)
	for i, r := range [][]byte{record, gst, muxed.bytes(t)} {
		track, err := e.track(r)
		require.NoError(t, err, "%d", i)
		require.Equal(t, []int{stream.Width, stream.Height}, []int{track.Width, track.Height})
		require.Equal(t, 4, track.LengthSize)
		rate := fmt.Sprintf("%d/%d", track.RateNum, track.RateDen)
		if e.field {
			rate = stream.Rate
			require.NotZero(t, track.RateNum)
		}
		require.Equal(t, stream.Rate, rate)
		require.Equal(t, strings.Contains(stream.Format, "10le"), track.BitDepth == 10)
	}
	require.Equal(t, e.profile, stream.Profile)
	if e.h265 {
		ours, err := codec.ParseHVCC(record)
		require.NoError(t, err)
		theirs, err := codec.ParseHVCC(gst)
		require.NoError(t, err)
		require.Equal(t, stream.Level, int(ours.Level))
		theirs.Complete, theirs.LengthSize = ours.Complete, ours.LengthSize
		require.Equal(t, theirs, ours)
		return
	}
	require.Equal(t, muxed.bytes(t), record)
	ours, err := codec.ParseAVCC(record)
	require.NoError(t, err)
	theirs, err := codec.ParseAVCC(gst)
	require.NoError(t, err)
	require.Equal(t, stream.Level, int(ours.Level))
	require.Equal(t, theirs, ours)
}

// checkPicture: a decoder that gets our record and our units shows what it shows of the bitstream.
func (e *elementary) checkPicture(t *testing.T, name string, units [][]byte, record []byte) {
	t.Helper()
	dir := t.TempDir()
	for i, u := range units {
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d", i)), u, 0o600))
	}
	decode := func(name string, source ...string) [16]byte {
		args := append([]string{"-q"}, source...)
		args = append(args, "!", "avdec_"+e.extension(), "!", "filesink", "location="+name)
		kit.Run(t, kit.Environ(), "gst-launch-1.0", args...)
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NotEmpty(t, data)
		return md5.Sum(data)
	}
	form := map[bool]string{true: "hev1", false: "avc"}[e.h265]
	caps := fmt.Sprintf("video/x-%s,stream-format=%s,alignment=au,parsed=true,framerate=30000/1001,codec_data=(buffer)%x", e.extension(), form, record)
	got := decode(filepath.Join(dir, "ours.raw"), "multifilesrc", "location="+filepath.Join(dir, "%05d"), "caps="+caps)
	want := decode(filepath.Join(dir, "theirs.raw"), "filesrc", "location="+name, "!", e.extension()+"parse")
	require.Equal(t, want, got)
}
