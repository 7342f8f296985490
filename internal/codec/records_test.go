package codec

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Records as x264 and x265 make them (with ffmpeg); size and profile as ffprobe tells them.
const (
	avcHigh1080    = "01640028ffe1001b67640028acd940780227e5c044000003000400000300c83c60c65801000668ebe3cb22c0fdf8f800"
	avcBaseline    = "0142c00dffe100186742c00dd901519e226c0440000003004000000c83c50a9201000568cb83cb20"
	avcInterlaced  = "0164001effe100186764001eacd940b424d8088000000300800000190f8a14cb01000668fba3cb22c0fdf8f800"
	avc422         = "017a000dffe1001a677a000db6cd9416097ef011000003000100000300320f14299601000768ebe3cb3002c0fefafa00"
	hevcMain1080   = "01016000000090000000000078f000fcfdf8f800000f03200001001840010c01ffff016000000300900000030000030078959809210001002a420101016000000300900000030000030078a003c08010e596566924caf0168080000003008000000c8422000100074401c172b46240"
	hevcMain10List = "0102200000009000000000003cf000fcfdfafa00000f03200001001840010c01ffff02200000030090000003000003003c959809210001002c42010102200000030090000003000003003ca00a480b9c94d96566924e5780b404000003000400000300642022000100074401c172b46240"
)

var (
	testSPS = unhex("67640028acd940780227e5c044000003000400000300c83c60c658")
	testPPS = unhex("68ebe3cb22c0")
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestH264Records(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		record     string
		sps        H264SPS
		lengthSize int
	}{
		{avcHigh1080, H264SPS{Picture{1920, 1080, 1, 8, 8, 25, 1}, 0, 100, 0, 40, false}, 4},
		{avcBaseline, H264SPS{Picture{322, 182, 1, 8, 8, 25, 1}, 0, 66, 0xC0, 13, false}, 4},
		{avcInterlaced, H264SPS{Picture{720, 576, 1, 8, 8, 25, 1}, 0, 100, 0, 30, true}, 4},
		{avc422, H264SPS{Picture{352, 286, 2, 10, 10, 25, 1}, 0, 122, 0, 13, false}, 4},
	} {
		record := unhex(c.record)
		got, err := ParseAVCC(record)
		require.NoError(t, err)
		require.Equal(t, 4, got.LengthSize)
		sps, err := ParseH264SPS(got.SPS[0])
		require.NoError(t, err)
		require.Equal(t, c.sps, sps)
		again, err := got.Record()
		require.NoError(t, err)
		require.Equal(t, record, again)
		track, err := H264(record)
		require.NoError(t, err)
		require.Equal(t, Track{CodecID: "V_MPEG4/ISO/AVC", ContentType: "video/h264", Private: record, LengthSize: 4, Width: sps.Width, Height: sps.Height,
			RateNum: 25, RateDen: 1, BitDepth: sps.BitDepthLuma}, track)
		cutEverywhere(t, record, func(b []byte) error { _, err := ParseAVCC(b); return err }, len(record)-4) // the extension may be left out
	}
}

func TestH265Records(t *testing.T) {
	t.Parallel()
	for record, want := range map[string]Picture{hevcMain1080: {1920, 1080, 1, 8, 8, 25, 1}, hevcMain10List: {322, 182, 1, 10, 10, 25, 1}} {
		record := unhex(record)
		got, err := ParseHVCC(record)
		require.NoError(t, err)
		require.False(t, got.Complete)
		sps, err := ParseH265SPS(got.SPS[0])
		require.NoError(t, err)
		require.Equal(t, want, sps.Picture)
		require.Equal(t, []any{got.Profile, got.Tier, got.Level, got.Compatibility, got.Constraints, got.TemporalLayers, got.TemporalNested},
			[]any{sps.Profile, sps.Tier, sps.Level, sps.Compatibility, sps.Constraints, sps.TemporalLayers, sps.TemporalNested})
		again, err := got.Record()
		require.NoError(t, err)
		require.Equal(t, record, again)
		track, err := H265(record)
		require.NoError(t, err)
		require.Equal(t, Track{CodecID: "V_MPEGH/ISO/HEVC", ContentType: "video/h265", Private: record, LengthSize: 4, Width: want.Width, Height: want.Height,
			RateNum: 25, RateDen: 1, BitDepth: want.BitDepthLuma}, track)
		got.Complete, got.LengthSize = true, 2
		again, err = got.Record()
		require.NoError(t, err)
		complete, err := ParseHVCC(again)
		require.NoError(t, err)
		require.Equal(t, got, complete)
		cutEverywhere(t, record, func(b []byte) error { _, err := ParseHVCC(b); return err }, len(record))
	}
}

// cutEverywhere: a record that is cut short anywhere before end is an error, which says what to do.
func cutEverywhere(t *testing.T, record []byte, parse func([]byte) error, end int) {
	t.Helper()
	for n := range end {
		err := parse(record[:n])
		require.Error(t, err, "%d bytes", n)
		require.Contains(t, err.Error(), "parse before the sink")
	}
}

func TestBadRecords(t *testing.T) {
	t.Parallel()
	avc := func(b string) func() error { return func() error { _, err := H264(unhex(b)); return err } }
	hevc := func(b string) func() error { return func() error { _, err := H265(unhex(b)); return err } }
	sps := func(b string) func() error { return func() error { _, err := ParseH264SPS(unhex(b)); return err } }
	for want, parse := range map[string]func() error{
		"reading the avcC: configurationVersion is 0, not 1; put h264parse before the sink": avc("00640028ffe1"),
		"reading the avcC: NAL unit lengths of 3 bytes do not exist":                        avc("01640028fee100"),
		"SPS 1 of 1 has 27 bytes, of which 2 are there":                                     avc("01640028ffe1001b6764"),
		"SPS 1 of 1, of 2 bytes, is no NAL unit of type 7":                                  avc("01640028ffe100026864"),
		"SPS 1 of 1, of 0 bytes, is no NAL unit of type 7":                                  avc("01640028ffe10000"),
		"before the number of PPS":                                                          avc("01640028ffe000"[:12]),
		"it holds no SPS: they are in band (avc3)":                                          avc("01640028ffe000"),
		"it holds no SPS: they are in band (hev1)":                                          hevc(hevcMain1080[:44] + "00"),
		"reading the hvcC: configurationVersion is 2, not 1":                                hevc("02" + hevcMain1080[2:]),
		"reading the hvcC: NAL unit lengths of 3":                                           hevc(hevcMain1080[:42] + "0e03"),
		"the size of an array":                                                              hevc(hevcMain1080[:44] + "0120"),
		"VPS 1 of 1 has 24 bytes":                                                           hevc(hevcMain1080[:44] + "012000010018"),
		"reading an H.264 SPS: 2 bytes that are no NAL unit of type 7":                      sps("6764"),
		"it is cut short before its picture's size":                                         sps("67640028acd9"),
		"seq_parameter_set_id is 63":                                                        sps("6742002802000000"),
	} {
		require.ErrorContains(t, parse(), want)
	}
	_, err := H264(append(unhex(avcHigh1080), make([]byte, MaxPrivate)...))
	require.ErrorContains(t, err, "more than the 1048576 that Video Streams takes")
	// SEI and other arrays are passed over.
	record := unhex(hevcMain1080)
	record[22]++
	_, err = H265(append(record, unhex("27000100044e010203")...))
	require.NoError(t, err)
}

func TestSets(t *testing.T) {
	t.Parallel()
	avc, err := ParseAVCC(unhex(avcHigh1080))
	require.NoError(t, err)
	other, err := ParseAVCC(unhex(avcBaseline))
	require.NoError(t, err)
	s := NewH264Sets()
	unit := func(nals ...[]byte) (au []byte) {
		for _, nal := range nals {
			au = append(append(au, 0, 0, 1), nal...)
		}
		return au
	}
	slice := []byte{0x65, 0x88, 0x84}
	update := func(want Change, nals ...[]byte) {
		t.Helper()
		got, err := s.Update(AnnexB(unit(nals...)))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err = s.Record()
	require.ErrorContains(t, err, "0 SPS and 0 PPS: one of each is needed; wait for a key frame")
	update(Same, slice)
	update(SequenceSets, avc.SPS[0])
	require.False(t, s.Ready())
	update(PictureSets, avc.PPS[0], slice)
	require.True(t, s.Ready())
	update(Same, avc.SPS[0], avc.PPS[0], slice)
	record, err := s.Record()
	require.NoError(t, err)
	require.Equal(t, unhex(avcHigh1080), record)
	second := append([]byte{0x68, 0x4B}, avc.PPS[0][2:]...) // pic_parameter_set_id 1
	update(PictureSets, second)
	update(Same, avc.PPS[0], second)
	update(SequenceSets, other.SPS[0], other.PPS[0], slice)
	c, err := ParseAVCC(must(s.Record()))
	require.NoError(t, err)
	require.Equal(t, [][]byte{other.PPS[0], second}, c.PPS)
	require.Equal(t, other.SPS, c.SPS)
	update(Same, slice, avc.SPS[0]) // nothing after a slice counts
	_, err = s.Update(AnnexB(unit([]byte{0x68, 0})))
	require.ErrorContains(t, err, "reading an H.264 parameter set: 1 bytes of type 0x68")
	_, err = s.Update(AnnexB(unit([]byte{0x67, 1, 2})))
	require.ErrorContains(t, err, "reading an H.264 SPS")
	_, err = s.Update(AnnexB([]byte{1, 2, 3, 4}))
	require.ErrorContains(t, err, "no start code")

	h, err := ParseHVCC(unhex(hevcMain1080))
	require.NoError(t, err)
	s = NewH265Sets()
	update(SequenceSets, h.VPS[0], h.SPS[0], h.PPS[0], []byte{0x26, 1, 0xAF})
	require.True(t, s.Ready())
	require.Equal(t, unhex(hevcMain1080), must(s.Record()))
	update(Same, h.VPS[0], h.SPS[0], h.PPS[0], []byte{0x00, 1, 0xAF}) // TRAIL_N, whose header begins with 0
	big := append([]byte(nil), h.PPS[0]...)
	update(PictureSets, append(big, []byte(strings.Repeat("x", 1<<16))...))
	_, err = s.Record()
	require.ErrorContains(t, err, "65543 bytes, more than a record can hold")
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// TestSeveralSPS: the record has the highest level, and the constraints that all keep.
func TestSeveralSPS(t *testing.T) {
	t.Parallel()
	first, second := append([]byte(nil), testSPS...), append([]byte(nil), testSPS...)
	first[2], first[3], second[2], second[3] = 0xC0, 30, 0x40, 41
	c := AVCC{SPS: [][]byte{first, second}, PPS: [][]byte{testPPS}, LengthSize: 2}
	got, err := ParseAVCC(must(c.Record()))
	require.NoError(t, err)
	require.Equal(t, AVCC{Profile: 100, Constraints: 0x40, Level: 41, LengthSize: 2, SPS: c.SPS, PPS: c.PPS}, got)
}

func FuzzRecords(f *testing.F) {
	for _, s := range []string{avcHigh1080, avcBaseline, avcInterlaced, avc422, hevcMain1080, hevcMain10List} {
		f.Add(unhex(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ParseAVCC(b); err == nil {
			if record, err := c.Record(); err == nil {
				again, err := ParseAVCC(record)
				require.NoError(t, err)
				require.Equal(t, [][][]byte{c.SPS, c.PPS}, [][][]byte{again.SPS, again.PPS})
			}
			if track, err := H264(b); err == nil {
				require.Positive(t, track.Width*track.Height)
			}
		}
		if c, err := ParseHVCC(b); err == nil {
			if record, err := c.Record(); err == nil {
				again, err := ParseHVCC(record)
				require.NoError(t, err)
				require.Equal(t, [][][]byte{c.VPS, c.SPS, c.PPS}, [][][]byte{again.VPS, again.SPS, again.PPS})
			}
			if track, err := H265(b); err == nil {
				require.Positive(t, track.Width*track.Height)
			}
		}
	})
}

func FuzzSPS(f *testing.F) {
	for _, s := range []string{avcHigh1080, avcBaseline, avcInterlaced, avc422} {
		c, err := ParseAVCC(unhex(s))
		require.NoError(f, err)
		f.Add(c.SPS[0])
	}
	for _, s := range []string{hevcMain1080, hevcMain10List} {
		c, err := ParseHVCC(unhex(s))
		require.NoError(f, err)
		f.Add(c.SPS[0])
	}
	inRange := func(t *testing.T, p Picture) {
		require.True(t, p.Width > 0 && p.Height > 0 && p.Width <= mostPixels && p.Height <= mostPixels && p.Chroma <= 3 && p.BitDepthLuma <= 16 && p.BitDepthChroma <= 16, "%+v", p)
		require.Equal(t, p.RateNum == 0, p.RateDen == 0)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := ParseH264SPS(b); err == nil {
			inRange(t, s.Picture)
		}
		if s, err := ParseH265SPS(b); err == nil {
			inRange(t, s.Picture)
		}
	})
}
