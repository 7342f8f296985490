package codec

import (
	"strings"
	"time"
)

// Track is what Matroska's TrackEntry and CreateStream's MediaType say of a stream.
type Track struct {
	CodecID string // as Matroska's codec mappings and AWS's own producer have it
	Private []byte // CodecPrivate, in memory of its own; nil for A_MS/ACM, whose WAVEFORMATEX the writer makes of FormatTag, rate and channels

	Width, Height    int    // of what is shown, in pixels
	RateNum, RateDen uint64 // frames a second as the SPS has them; 0/0: not told

	SampleRate int // Hz, of the core (AAC), of the decoder (Opus)
	OutputRate int // Hz, where the decoder gives another than SampleRate (SBR); 0: the same
	Channels   int
	BitDepth   int    // of a sample: video's luma, 8 for A-law and mu-law, 0 where it says nothing (AAC, Opus)
	FormatTag  uint16 // wFormatTag for A_MS/ACM

	CodecDelay, SeekPreRoll time.Duration // Opus: what a decoder throws away at the beginning, and how far before a point it has to begin

	LengthSize  int    // H.264, H.265: bytes of a NAL unit's length in the blocks
	ContentType string // as AWS's own producer has it: "video/h264", …
}

// The codecs as Matroska names them.
const (
	CodecAVC  = "V_MPEG4/ISO/AVC"
	CodecHEVC = "V_MPEGH/ISO/HEVC"
	CodecAAC  = "A_AAC"
	CodecACM  = "A_MS/ACM"
	CodecOpus = "A_OPUS"
)

// The content types that AWS's own producer gives streams; Opus, which it does not take, has the one of RFC 7587.
const (
	ContentH264  = "video/h264"
	ContentH265  = "video/h265"
	ContentAAC   = "audio/aac"
	ContentALaw  = "audio/alaw"
	ContentMuLaw = "audio/mulaw"
	ContentOpus  = "audio/opus"
)

// wFormatTag of WAVEFORMATEX (RFC 2361, A.4 and A.5).
const (
	FormatALaw  = 0x0006
	FormatMuLaw = 0x0007
)

// The limits of the service and of its own producer.
const (
	MaxPrivate = 1 << 20 // bytes of CodecPrivate
	minG711    = 8000    // Hz
	maxG711    = 192000
)

// MediaType is what CreateStream says of a stream with these tracks: the content types, video first, with commas.
func MediaType(tracks ...Track) string {
	list := make([]string, len(tracks))
	for i, t := range tracks {
		list[i] = t.ContentType
	}
	return strings.Join(list, ",")
}

// H264 describes a stream by its avcC (caps: codec_data; of a byte-stream: Sets.Record). An error says what is wrong with it, or that the sets are in
// band (avc3): then Sets builds a record.
func H264(avcC []byte) (Track, error) {
	c, err := ParseAVCC(avcC)
	if err != nil {
		return Track{}, err
	}
	if len(c.SPS) == 0 {
		return Track{}, fault("the avcC", "build it of the first key frame's", "it holds no SPS: they are in band (avc3)")
	}
	s, err := ParseH264SPS(c.SPS[0])
	if err != nil {
		return Track{}, err
	}
	return video(CodecAVC, ContentH264, parseH264, avcC, c.LengthSize, s.Picture)
}

// H265 describes a stream by its hvcC, as H264 does by its avcC.
func H265(hvcC []byte) (Track, error) {
	c, err := ParseHVCC(hvcC)
	if err != nil {
		return Track{}, err
	}
	if len(c.SPS) == 0 {
		return Track{}, fault("the hvcC", "build it of the first key frame's", "it holds no SPS: they are in band (hev1)")
	}
	s, err := ParseH265SPS(c.SPS[0])
	if err != nil {
		return Track{}, err
	}
	return video(CodecHEVC, ContentH265, parseH265, hvcC, c.LengthSize, s.Picture)
}

func video(codec, content, remedy string, private []byte, size int, p Picture) (Track, error) {
	if len(private) > MaxPrivate {
		return Track{}, fault("the codec_data of "+content, remedy, "%d bytes, more than the %d that Video Streams takes", len(private), MaxPrivate)
	}
	return Track{CodecID: codec, ContentType: content, Private: append([]byte(nil), private...), LengthSize: size,
		Width: p.Width, Height: p.Height, RateNum: p.RateNum, RateDen: p.RateDen, BitDepth: p.BitDepthLuma}, nil
}

// AAC describes a stream by its AudioSpecificConfig (caps: codec_data; else BuildAudioConfig).
func AAC(asc []byte) (Track, error) {
	c, err := ParseAudioConfig(asc)
	if err != nil {
		return Track{}, err
	}
	t := Track{CodecID: CodecAAC, ContentType: ContentAAC, Private: append([]byte(nil), asc...), SampleRate: c.SampleRate, Channels: c.Channels}
	if c.OutputRate != c.SampleRate {
		t.OutputRate = c.OutputRate
	}
	return t, nil
}

// ALaw describes G.711 A-law of a rate (8000 to 192000 Hz, as AWS's own producer has it) and 1 or 2 channels.
func ALaw(rate, channels int) (Track, error) { return g711(ContentALaw, FormatALaw, rate, channels) }

// MuLaw describes G.711 mu-law, likewise.
func MuLaw(rate, channels int) (Track, error) { return g711(ContentMuLaw, FormatMuLaw, rate, channels) }

func g711(content string, tag uint16, rate, channels int) (Track, error) {
	if rate < minG711 || rate > maxG711 || channels < 1 || channels > 2 {
		return Track{}, fault("the caps of "+content, "put audioresample and audioconvert before the encoder",
			"a rate of %d Hz and %d channels: Video Streams takes %d to %d Hz, 1 or 2 channels", rate, channels, minG711, maxG711)
	}
	return Track{CodecID: CodecACM, ContentType: content, FormatTag: tag, SampleRate: rate, Channels: channels, BitDepth: 8}, nil
}

// Opus describes a stream by what its OpusHead says.
func Opus(c OpusConfig) (Track, error) {
	head, err := c.Head()
	if err != nil {
		return Track{}, err
	}
	return Track{CodecID: CodecOpus, ContentType: ContentOpus, Private: head, SampleRate: opusRate, Channels: c.Channels,
		CodecDelay: c.delay(), SeekPreRoll: opusPreRoll}, nil
}
