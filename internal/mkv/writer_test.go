package mkv

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// unhex reads hexadecimal digits; what follows a # on a line is a remark.
func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	var digits strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	require.NoError(tb, err)
	return b
}

// TestHeaderByteByByte is the layout of the specification, element by element.
func TestHeaderByteByByte(t *testing.T) {
	t.Parallel()
	want := unhex(t, `
		1A45DFA3 A3                                         # EBML
		4286 81 01  42F7 81 01  42F2 81 04  42F3 81 08      # EBMLVersion, EBMLReadVersion, EBMLMaxIDLength, EBMLMaxSizeLength
		4282 88 6D6174726F736B61  4287 81 02  4285 81 02    # DocType "matroska", DocTypeVersion, DocTypeReadVersion
		18538067 FF                                         # Segment of unknown size
		1549A966 404F                                       # Info, 79 bytes
		73A4 90 000102030405060708090A0B0C0D0E0F            # SegmentUID
		2AD7B1 88 00000000000F4240                          # TimecodeScale 1000000
		7BA9 91 4B696E6573697320566964656F2053444B          # Title "Kinesis Video SDK"
		4D80 8B 6773742D6B696E65736973                      # MuxingApp "gst-kinesis"
		5741 8B 6773742D6B696E65736973                      # WritingApp
		1654AE6B 10000098                                   # Tracks, 152 bytes
		AE 10000053                                         # TrackEntry
		D7 81 01  73C5 88 0000000000000001  83 81 01        # TrackNumber, TrackUID, TrackType video
		536E 8D 6B696E657369735F766964656F                  # Name "kinesis_video"
		86 8F 565F4D504547342F49534F2F415643                # CodecID "V_MPEG4/ISO/AVC"
		E0 10000008  B0 82 0780  BA 82 0438                 # Video 1920 x 1080
		63A2 91 0142C01EFFE1000467424000010002 68CE         # CodecPrivate
		AE 1000003B                                         # TrackEntry
		D7 81 02  73C5 88 0000000000000002  83 81 02        # TrackNumber, TrackUID, TrackType audio
		536E 85 617564696F                                  # Name "audio"
		86 85 415F414143                                    # CodecID "A_AAC"
		E1 10000011  B5 88 40E7700000000000  9F 81 02  6264 81 10 # Audio 48 kHz, 2 channels, 16 bits
		63A2 82 1190                                        # CodecPrivate
	`)
	h := someHeader()
	h.Title, h.WritingApp = "Kinesis Video SDK", "gst-kinesis"
	h.Tracks[0].Width, h.Tracks[0].Height = 1920, 1080
	h.Tracks[0].CodecPrivate = unhex(t, "0142C01EFFE1000467424000010002 68CE")
	h.Tracks[1].BitDepth = 16
	got, err := AppendHeader(nil, h)
	require.NoError(t, err)
	require.Equal(t, hex.EncodeToString(want), hex.EncodeToString(got))
	require.Len(t, got, HeaderSize(h))
}

// TestFragmentByteByByte: a cluster, its tags before it, a block, the end of the fragment.
func TestFragmentByteByByte(t *testing.T) {
	t.Parallel()
	want := unhex(t, `
		1254C367 010000000000003B  7373 0100000000000031  67C8 0100000000000027 # Tags > Tag > SimpleTag
		45A3 0100000000000006 63616D657261                                      # TagName "camera"
		4487 010000000000000D 6E6F7274682D67617465776179                        # TagString "north-gateway"
		1F43B675 FF  E7 88 0000016FF5E1A3C1  A7 81 00                           # Cluster, Timecode, Position
		A3 0100000000000007  81 0000 80  AABBCC                                 # SimpleBlock of track 1, a key frame
		A3 0100000000000005  82 FFFE 09  DD                                     # of track 2, two ticks earlier, invisible, discardable
		A3 0100000000000005  407F 0001 00                                       # of track 127, empty
		1254C367 0100000000000048  7373 010000000000003E  67C8 0100000000000034 # Tags > Tag > SimpleTag
		45A3 0100000000000020 4157535F4B494E45534953564944454F5F454E445F4F465F465241474D454E54
		4487 0100000000000000
	`)
	got := AppendTags(nil, []Tag{{"camera", "north-gateway"}})
	got = AppendCluster(got, 0x16FF5E1A3C1)
	got = append(AppendSimpleBlockHeader(got, 1, 0, KeyFrame, 3), 0xAA, 0xBB, 0xCC)
	got = append(AppendSimpleBlockHeader(got, 2, -2, Invisible|Discardable, 1), 0xDD)
	got = AppendSimpleBlockHeader(got, 127, 1, 0, 0)
	before := len(got)
	got = AppendEndOfFragment(got)
	require.Equal(t, EndOfFragmentSize, len(got)-before)
	require.Equal(t, hex.EncodeToString(want), hex.EncodeToString(got))
	require.Empty(t, AppendTags(nil, nil))
	require.Zero(t, TagsSize(nil))
}

func TestHeadersThatTheServiceRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(h *Header)
		says   string
	}{
		"no track":       {func(h *Header) { h.Tracks = nil }, "there is no track"},
		"four tracks":    {func(h *Header) { h.Tracks = make([]Track, 4) }, "4 tracks, and the service takes at most 3"},
		"a number twice": {func(h *Header) { h.Tracks[1].Number = 1 }, "two tracks have the number 1"},
		"a UID twice":    {func(h *Header) { h.Tracks[1].UID = 1 }, "or the UID 1"},
		"number 0":       {func(h *Header) { h.Tracks[0].Number = 0 }, "track number 0 is not within 1.."},
		"large number":   {func(h *Header) { h.Tracks[0].Number = 1<<56 - 1 }, "track number 72057594037927935"},
		"no UID":         {func(h *Header) { h.Tracks[1].UID = 0 }, "track 2 has no UID"},
		"no type":        {func(h *Header) { h.Tracks[1].Type = 0 }, "track 2 has no type"},
		"no codec":       {func(h *Header) { h.Tracks[1].CodecID = "" }, "track 2 has no CodecID"},
		"codec id":       {func(h *Header) { h.Tracks[0].CodecID = strings.Repeat("c", 33) }, "CodecID of track 1 has 33 bytes, and at most 32"},
		"track name":     {func(h *Header) { h.Tracks[1].Name = strings.Repeat("n", 33) }, "Name of track 2 has 33 bytes, and at most 32"},
		"private data":   {func(h *Header) { h.Tracks[0].CodecPrivate = make([]byte, 1<<20+1) }, "CodecPrivate of track 1 has 1048577 bytes, and at most 1048576"},
		"title":          {func(h *Header) { h.Title = strings.Repeat("t", 127) }, "Title has 127 bytes, and at most 126"},
		"muxing app":     {func(h *Header) { h.MuxingApp = strings.Repeat("t", 127) }, "MuxingApp has 127 bytes"},
		"writing app":    {func(h *Header) { h.WritingApp = strings.Repeat("t", 127) }, "WritingApp has 127 bytes"},
		"width":          {func(h *Header) { h.Tracks[0].Width = 65536 }, "Width of track 1 is 65536, not within 0..65535"},
		"height":         {func(h *Header) { h.Tracks[0].Height = -1 }, "Height of track 1 is -1"},
		"channels":       {func(h *Header) { h.Tracks[1].Channels = 256 }, "Channels of track 2 is 256"},
		"depth":          {func(h *Header) { h.Tracks[1].BitDepth = 256 }, "BitDepth of track 2 is 256"},
		"rate":           {func(h *Header) { h.Tracks[1].SamplingFrequency = math.NaN() }, "track 2 has a SamplingFrequency of NaN Hz"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := someHeader()
			c.change(&h)
			got, err := AppendHeader([]byte("before"), h)
			require.ErrorContains(t, err, "writing a Matroska header: ")
			require.ErrorContains(t, err, c.says)
			require.Equal(t, "before", string(got))
		})
	}
}

// TestHeadersAtTheLimits: what is just allowed is written, and read.
func TestHeadersAtTheLimits(t *testing.T) {
	t.Parallel()
	h := someHeader()
	h.Title, h.MuxingApp, h.WritingApp = strings.Repeat("t", 126), strings.Repeat("m", 126), strings.Repeat("w", 126)
	h.Tracks = append(h.Tracks, Track{Number: 1<<56 - 2, UID: math.MaxUint64, Type: Video, Name: strings.Repeat("n", 32),
		CodecID: strings.Repeat("c", 32), CodecPrivate: make([]byte, 1<<20), Width: 65535, Height: 65535})
	h.Tracks[0].CodecPrivate, h.Tracks[1].CodecPrivate = make([]byte, 1<<20), make([]byte, 1<<20)
	stream, err := AppendHeader(nil, h)
	require.NoError(t, err)
	require.Len(t, stream, HeaderSize(h))
	list := read(t, stream)
	require.Equal(t, &Tracks{h.Tracks}, list[3].event)
}

func TestTagsThatTheServiceRefuses(t *testing.T) {
	t.Parallel()
	require.NoError(t, CheckTags(make10()))
	require.NoError(t, Tag{strings.Repeat("n", 128), strings.Repeat("v", 256)}.Check())
	require.NoError(t, Tag{"aws", ""}.Check())
	for says, tags := range map[string][]Tag{
		"11 tags, and the service takes at most 10 a fragment": append(make10(), Tag{"k", "v"}),
		"it has no name": {{"", "v"}},
		"its name has 129 bytes, and at most 128 are allowed": {{strings.Repeat("n", 129), "v"}},
		`"AWS_X": names that begin with AWS`:                  {{"AWS_X", "v"}},
		"its value has 257 bytes, and at most 256":            {{"k", strings.Repeat("v", 257)}},
		"UTF-8 without zero bytes":                            {{"k", "v\x00"}},
		`checking the tag "k\xff"`:                            {{"k\xff", "v"}},
	} {
		require.ErrorContains(t, CheckTags(tags), says)
	}
}

func make10() (tags []Tag) {
	for range 10 {
		tags = append(tags, Tag{"name", "value"})
	}
	return tags
}

func TestWaveFormat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		format WaveFormat
		want   string
	}{
		{WaveFormat{WaveALaw, 1, 8000, 8}, "0600 0100 401F0000 401F0000 0100 0800 0000"},
		{WaveFormat{WaveMuLaw, 2, 16000, 8}, "0700 0200 803E0000 007D0000 0200 0800 0000"},
		{WaveFormat{WavePCM, 2, 48000, 16}, "0100 0200 80BB0000 00EE0200 0400 1000 0000"},
	} {
		got, err := c.format.Append([]byte{9})
		require.NoError(t, err)
		require.Equal(t, unhex(t, "09"+c.want), got)
		require.Len(t, got, 1+WaveFormatSize)
		back, err := ParseWaveFormat(got[1:])
		require.NoError(t, err)
		require.Equal(t, c.format, back)
	}
	for _, bad := range []WaveFormat{{0, 1, 8000, 8}, {6, 0, 8000, 8}, {6, 1, 0, 8}, {6, 1, 8000, 0}, {6, 255, 1 << 30, 64}, {1 << 16, 1, 1, 8}} {
		_, err := bad.Append(nil)
		require.ErrorContains(t, err, "writing a WAVEFORMATEX: format ")
	}
	_, err := ParseWaveFormat(make([]byte, 15))
	require.EqualError(t, err, "reading a WAVEFORMATEX: 15 bytes, and it has at least 16")
}
