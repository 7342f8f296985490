package videofiles

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local/datadir"
	"gst-kinesis/internal/local/videostreams"
	"gst-kinesis/internal/mkv"
)

// someSegment is a segment with a header and two fragments.
func someSegment(t testing.TB) []byte {
	t.Helper()
	raw, err := mkv.AppendHeader(nil, mkv.Header{Tracks: []mkv.Track{{Number: 1, UID: 1, Type: mkv.Video, CodecID: mkv.CodecAVC}}})
	require.NoError(t, err)
	b, err := appendHead([]byte(magic), description{Kind: kindHeader, Header: 1}, raw)
	require.NoError(t, err)
	b = append(b, raw...)
	for i := range 2 {
		n, err := videostreams.ParseNumber("91343852333189949529091069500639873442556776862")
		require.NoError(t, err)
		media := append(mkv.AppendSimpleBlockHeader(nil, 1, 0, mkv.KeyFrame, 3), 1, 2, byte(i))
		f := &videostreams.Fragment{Number: n, Server: time.UnixMilli(5), Producer: time.UnixMilli(6), Timecode: 7, Tags: []mkv.Tag{{Name: "a"}}}
		b, err = appendHead(b, describe(f, 1), media)
		require.NoError(t, err)
		b = append(b, media...)
	}
	return b
}

// FuzzScan: whatever stands in a segment, reading it ends, what is sound is yielded, and with checks all of that can be read.
func FuzzScan(f *testing.F) {
	b := someSegment(f)
	f.Add(b)
	f.Add(b[:len(b)-3])
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		seg := &datadir.Segment{}
		n := 0
		good, err := scan(bytes.NewReader(b), seg, true, func(fragment *videostreams.Fragment, k videostreams.Kept) bool {
			n++
			at := k.(*kept)
			require.EqualValues(t, at.size, fragment.Bytes)
			_, err := readMedia(bytes.NewReader(b), at.offset, at.size, at.check)
			require.NoError(t, err)
			return true
		})
		require.LessOrEqual(t, good, int64(len(b)))
		require.Equal(t, err == nil, good == int64(len(b)) && good > 0)
		require.Equal(t, n, seg.Live)
	})
}

func TestScan(t *testing.T) {
	t.Parallel()
	b := someSegment(t)
	for _, check := range []bool{true, false} {
		var got []*videostreams.Fragment
		good, err := scan(bytes.NewReader(b), &datadir.Segment{}, check, func(f *videostreams.Fragment, _ videostreams.Kept) bool {
			got = append(got, f)
			return true
		})
		require.NoError(t, err)
		require.EqualValues(t, len(b), good)
		require.Len(t, got, 2)
		require.Equal(t, []mkv.Tag{{Name: "a"}}, got[1].Tags)
		require.EqualValues(t, 7, got[1].Timecode)
		require.Len(t, got[1].Header.Tracks, 1)
	}
}
