package codec

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAudioConfig(t *testing.T) {
	t.Parallel()
	for asc, want := range map[string]AudioConfig{
		"1210":           {ObjectType: 2, SampleRate: 44100, Channels: 2, OutputRate: 44100, FrameSize: 1024},
		"1214":           {ObjectType: 2, SampleRate: 44100, Channels: 2, OutputRate: 44100, FrameSize: 960},
		"1588":           {ObjectType: 2, SampleRate: 8000, Channels: 1, OutputRate: 8000, FrameSize: 1024},
		"11b8":           {ObjectType: 2, SampleRate: 48000, Channels: 8, OutputRate: 48000, FrameSize: 1024},
		"139056e5a0":     {ObjectType: 2, SampleRate: 22050, Channels: 2, OutputRate: 44100, SBR: true, FrameSize: 1024}, // told compatibly
		"138856e5a54880": {ObjectType: 2, SampleRate: 22050, Channels: 1, OutputRate: 44100, SBR: true, PS: true, FrameSize: 1024},
		"121056e500":     {ObjectType: 2, SampleRate: 44100, Channels: 2, OutputRate: 44100, FrameSize: 1024}, // told that there is none
		"b990":           {ObjectType: 23, SampleRate: 48000, Channels: 2, OutputRate: 48000, FrameSize: 512}, // ER AAC LD
		"2b920800":       {ObjectType: 2, SampleRate: 22050, Channels: 2, OutputRate: 44100, SBR: true, FrameSize: 1024},
		"eb8a0800":       {ObjectType: 2, SampleRate: 22050, Channels: 1, OutputRate: 44100, SBR: true, PS: true, FrameSize: 1024},
		"17801f4010":     {ObjectType: 2, SampleRate: 16000, Channels: 2, OutputRate: 16000, FrameSize: 1024}, // the rate in 24 bits
		"f8f0212c00bc00": {ObjectType: 39, SampleRate: 16000, Channels: 1, OutputRate: 16000},                 // ER AAC ELD
	} {
		got, err := ParseAudioConfig(unhex(asc))
		require.NoError(t, err, asc)
		require.Equal(t, want, got, asc)
	}
	for asc, want := range map[string]string{
		"":               "it is cut short, or has a sampling rate that does not exist; put aacparse before the sink",
		"12":             "cut short",
		"16f0":           "a sampling rate that does not exist",
		"17800000":       "cut short",
		"1200":           "cut short, or tells no channels",
		"fff15080025ffc": "it is an ADTS header",
	} {
		_, err := ParseAudioConfig(unhex(asc))
		require.ErrorContains(t, err, want, asc)
		_, err = AAC(unhex(asc))
		require.ErrorContains(t, err, want, asc)
	}
	track, err := AAC(unhex("139056e5a0"))
	require.NoError(t, err)
	require.Equal(t, Track{CodecID: "A_AAC", ContentType: "audio/aac", Private: unhex("139056e5a0"), SampleRate: 22050, OutputRate: 44100, Channels: 2}, track)
}

// TestBuildAudioConfig: what is built for any rate and channels is read as those.
func TestBuildAudioConfig(t *testing.T) {
	t.Parallel()
	for _, rate := range append(aacRates(), 1, 16001, 1<<24-1) {
		for channels := range 10 {
			asc, err := BuildAudioConfig(rate, channels)
			if channels < 1 || channels > 8 {
				require.ErrorContains(t, err, "AAC has 1 to 8 channels")
				continue
			}
			require.NoError(t, err)
			got, err := ParseAudioConfig(asc)
			require.NoError(t, err)
			require.Equal(t, AudioConfig{ObjectType: 2, SampleRate: rate, OutputRate: rate, Channels: channels, FrameSize: 1024}, got)
		}
	}
	for _, rate := range []int{-1, 0, 1 << 24} {
		_, err := BuildAudioConfig(rate, 2)
		require.ErrorContains(t, err, "below 16777216 Hz")
	}
}

// adtsFrame is a frame of 44100 Hz and 2 channels with 6 bytes.
func adtsFrame(tb testing.TB) []byte {
	tb.Helper()
	return unhex("fff15080" + "01bffc" + "210049900219")
}

func TestADTS(t *testing.T) {
	t.Parallel()
	frame := adtsFrame(t)
	raw, rest, err := StripADTS(append(append([]byte(nil), frame...), 7, 8))
	require.NoError(t, err)
	require.Equal(t, unhex("210049900219"), raw)
	require.Equal(t, []byte{7, 8}, rest)
	require.ErrorContains(t, CheckRaw(frame), "it has an ADTS header; put aacparse before the sink, for stream-format=raw")
	require.NoError(t, CheckRaw(raw))
	require.NoError(t, CheckRaw(nil))
	require.Equal(t, unhex("1210"), must(ADTSConfig(frame)))

	crc := append([]byte(nil), frame...)
	crc[1] &^= 1
	raw, _, err = StripADTS(crc)
	require.NoError(t, err)
	require.Equal(t, unhex("49900219"), raw)

	several := append([]byte(nil), frame...)
	several[6] |= 2
	_, _, err = StripADTS(several)
	require.ErrorContains(t, err, "it holds 3 raw data blocks")
	_, _, err = StripADTS(frame[:len(frame)-1])
	require.ErrorContains(t, err, "its length is 13, with 7 bytes of header, where 12 bytes are left")
	_, _, err = StripADTS([]byte("raw data here"))
	require.ErrorContains(t, err, "13 bytes without its header")
	_, err = ADTSConfig(frame[:6])
	require.ErrorContains(t, err, "6 bytes without it")
	reserved := append([]byte(nil), frame...)
	reserved[2] |= 0x3C
	_, err = ADTSConfig(reserved)
	require.ErrorContains(t, err, "sampling frequency index 15")
}

func TestOpus(t *testing.T) {
	t.Parallel()
	stereo := OpusConfig{Channels: 2, PreSkip: 312, InputRate: 16000, Gain: -256}
	track, err := Opus(stereo)
	require.NoError(t, err)
	require.Equal(t, Track{CodecID: "A_OPUS", ContentType: "audio/opus", Private: unhex("4f70757348656164" + "0102" + "3801" + "803e0000" + "00ff" + "00"),
		SampleRate: 48000, Channels: 2, CodecDelay: 6500 * time.Microsecond, SeekPreRoll: 80 * time.Millisecond}, track)
	got, err := ParseOpusHead(track.Private)
	require.NoError(t, err)
	require.Equal(t, stereo, got)
	surround := OpusConfig{Channels: 6, Family: 1, Streams: 4, Coupled: 2, Mapping: []byte{0, 4, 1, 2, 3, 5}}
	head := must(surround.Head())
	require.Len(t, head, 27)
	got, err = ParseOpusHead(head)
	require.NoError(t, err)
	require.Equal(t, surround, got)
	_, err = ParseOpusHead(head[:26])
	require.ErrorContains(t, err, "26 bytes, where mapping family 1 with 6 channels needs 27")
	_, err = ParseOpusHead([]byte("OpusTags and many more bytes"))
	require.ErrorContains(t, err, "do not begin with")
	head[8] = 16
	_, err = ParseOpusHead(head)
	require.ErrorContains(t, err, "version 16 is not known")
	for want, c := range map[string]OpusConfig{
		"0 channels with mapping family 0":                 {},
		"3 channels with mapping family 0, which has 1 to": {Channels: 3},
		"9 channels with mapping family 1":                 {Channels: 9, Family: 1},
		"pre-skip 65536":                                   {Channels: 1, PreSkip: 1 << 16},
		"input rate -1":                                    {Channels: 1, InputRate: -1},
		"gain 32768":                                       {Channels: 1, Gain: 1 << 15},
		"0 streams, of which 0 coupled":                    {Channels: 1, Family: 1, Mapping: []byte{0}},
		"1 streams, of which 2 coupled":                    {Channels: 1, Family: 1, Streams: 1, Coupled: 2, Mapping: []byte{0}},
		"1 channels mapped of 2":                           {Channels: 2, Family: 1, Streams: 2, Mapping: []byte{0}},
		"channel 1 is mapped to 2 of 2 decoded ones":       {Channels: 2, Family: 255, Streams: 2, Mapping: []byte{255, 2}},
	} {
		_, err := Opus(c)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "Opus' caps")
	}
}

func TestG711(t *testing.T) {
	t.Parallel()
	a, err := ALaw(8000, 1)
	require.NoError(t, err)
	require.Equal(t, Track{CodecID: "A_MS/ACM", ContentType: "audio/alaw", FormatTag: 6, SampleRate: 8000, Channels: 1, BitDepth: 8}, a)
	mu, err := MuLaw(16000, 2)
	require.NoError(t, err)
	require.Equal(t, Track{CodecID: "A_MS/ACM", ContentType: "audio/mulaw", FormatTag: 7, SampleRate: 16000, Channels: 2, BitDepth: 8}, mu)
	for _, c := range [][2]int{{7999, 1}, {192001, 1}, {8000, 0}, {8000, 3}} {
		_, err := MuLaw(c[0], c[1])
		require.ErrorContains(t, err, "reading the caps of audio/mulaw")
	}
	require.Equal(t, "audio/alaw,audio/mulaw", MediaType(a, mu))
	require.Empty(t, MediaType())
}

func FuzzAudio(f *testing.F) {
	for _, s := range []string{"1210", "139056e5a0", "eb8a0800", "17801f4010", "1100", "4f707573486561640102380180bb0000000000"} {
		f.Add(unhex(s))
	}
	f.Add(adtsFrame(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ParseAudioConfig(b); err == nil {
			require.Positive(t, c.SampleRate*c.Channels)
		}
		if raw, rest, err := StripADTS(b); err == nil {
			require.Less(t, len(raw)+len(rest), len(b))
		}
		if asc, err := ADTSConfig(b); err == nil {
			_, err := ParseAudioConfig(asc)
			require.NoError(t, err)
		}
		if c, err := ParseOpusHead(b); err == nil {
			head := must(c.Head())
			again, err := ParseOpusHead(head)
			require.NoError(t, err)
			require.Equal(t, c, again)
		}
	})
}
