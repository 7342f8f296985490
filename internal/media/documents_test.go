package media

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/mkv"
)

func head(tb testing.TB) []byte {
	b, err := mkv.AppendHeader(nil, mkv.Header{Tracks: []mkv.Track{{Number: 1, UID: 1, Type: mkv.Video, CodecID: mkv.CodecAVC, Width: 2, Height: 2}}})
	require.NoError(tb, err)
	return b
}

func tags(pairs ...string) []byte {
	var list []mkv.Tag
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, mkv.Tag{Name: pairs[i], Value: pairs[i+1]})
	}
	return mkv.AppendTags(nil, list)
}

func cluster(at uint64, frames ...string) []byte {
	b := mkv.AppendCluster(nil, at)
	for i, f := range frames {
		b = append(mkv.AppendSimpleBlockHeader(b, 1, int16(i), 0, len(f)), f...)
	}
	return b
}

func number(n string) []byte {
	return tags(mkv.TagFragmentNumber, n, mkv.TagServerTimestamp, "5.25", mkv.TagProducerTimestamp, "1.2345E1")
}

func behind(ms, token string) []byte {
	return tags(mkv.TagMillisBehind, ms, mkv.TagContinuation, token)
}

// text is a fragment in a line.
func text(f *Fragment) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s server %d producer %d at %d behind %d token %s", f.Number, f.ServerTime.UnixMilli(), f.ProducerTime.UnixMilli(), f.Timecode, f.MillisBehind, f.ContinuationToken)
	for _, t := range f.Tags {
		fmt.Fprintf(&b, " %s=%s", t.Name, t.Value)
	}
	for i := range f.Frames {
		fmt.Fprintf(&b, " %s", f.Frames[i].Data)
	}
	return b.String()
}

// What the service may send, in whatever order its tags come.
func TestDocuments(t *testing.T) {
	t.Parallel()
	h := head(t)
	errorTags := tags(mkv.TagErrorCode, "INTERNAL_ERROR", mkv.TagErrorID, "5000")
	const one, two = "7 server 5250 producer 12345 at 3 behind 40 token t1 a b", "8 server 5250 producer 12345 at 4 behind 0 token t2 c"
	for name, c := range map[string]struct {
		parts    [][]byte
		trailing bool
		want     []string
		err      string
	}{
		"a document each": {[][]byte{h, number("7"), cluster(3, "a", "b"), behind("40", "t1"), h, number("8"), cluster(4, "c"), behind("0", "t2")}, true, []string{one, two}, "EOF"},
		"one document":    {[][]byte{h, number("7"), cluster(3, "a", "b"), behind("40", "t1"), number("8"), cluster(4, "c"), behind("0", "t2")}, true, []string{one, two}, "EOF"},
		"each tag by itself": {[][]byte{h, tags(mkv.TagFragmentNumber, "7"), tags(mkv.TagServerTimestamp, "5.25"), tags(mkv.TagProducerTimestamp, "12.345"),
			cluster(3, "a", "b"), tags(mkv.TagContinuation, "t1"), tags(mkv.TagMillisBehind, "40"), h}, true, []string{one}, "EOF"},
		"all tags in one": {[][]byte{h, number("7"), cluster(3, "a", "b"), tags(mkv.TagMillisBehind, "40", mkv.TagContinuation, "t1", "lane", "2"), cluster(4, "c")}, true,
			[]string{one, " server -62135596800000 producer -62135596800000 at 4 behind -1 token  lane=2 c"}, "EOF"},
		"the producer's": {[][]byte{h, tags("lane", "2"), number("7"), cluster(3, "a"), tags(mkv.TagEndOfFragment, ""), behind("40", "t1")}, true,
			[]string{"7 server 5250 producer 12345 at 3 behind 40 token t1 lane=2 a"}, "EOF"},
		"nothing after":    {[][]byte{h, number("7"), cluster(3, "a"), h, number("8"), cluster(4, "c")}, true, []string{"7 server 5250 producer 12345 at 3 behind -1 token  a", "8 server 5250 producer 12345 at 4 behind -1 token  c"}, "EOF"},
		"of a list":        {[][]byte{h, tags(mkv.TagFragmentNumber, "7", mkv.TagServerSideTimestamp, "5.25", mkv.TagProducerSideTimestamp, "12.345"), cluster(3, "a")}, false, []string{"7 server 5250 producer 12345 at 3 behind -1 token  a"}, "EOF"},
		"nothing recorded": {[][]byte{h, behind("0", "t")}, true, nil, "EOF"},
		"an error":         {[][]byte{h, number("7"), cluster(3, "a", "b"), behind("40", "t1"), h, errorTags}, true, []string{one}, "error 5000 INTERNAL_ERROR"},
		"no times": {[][]byte{h, tags(mkv.TagFragmentNumber, "7", mkv.TagServerTimestamp, "soon", mkv.TagProducerTimestamp, "NaN"), cluster(3, "a")}, false,
			[]string{"7 server -62135596800000 producer -62135596800000 at 3 behind -1 token  a"}, "EOF"},
		"no tracks": {[][]byte{h[:bytes.Index(h, []byte("\x16\x54\xAE\x6B"))], cluster(3, "a")}, true, nil, "no Tracks"},
	} {
		d := documents{trailing: c.trailing}
		d.reset(bytes.NewReader(bytes.Join(c.parts, nil)), mkv.Limits{})
		var got []string
		for {
			f, err := d.next()
			if err != nil {
				require.ErrorContains(t, err, c.err, name)
				break
			}
			got = append(got, text(f))
		}
		require.Equal(t, c.want, got, name)
	}
}

// A fragment is given when its last tag is there, not with the next one.
func TestAFragmentWaitsForNothing(t *testing.T) {
	t.Parallel()
	from, to := io.Pipe()
	d := documents{trailing: true}
	d.reset(from, mkv.Limits{})
	for i := range 3 {
		go func() {
			_, _ = to.Write(bytes.Join([][]byte{head(t), number("7"), cluster(uint64(i), "a"), behind("40", "t1")}, nil))
		}()
		f, err := d.next()
		require.NoError(t, err)
		require.EqualValues(t, i, f.Timecode)
	}
}

func TestSeen(t *testing.T) {
	t.Parallel()
	var s seen
	at := func(ms int64) *Fragment { return &Fragment{ProducerTime: time.UnixMilli(ms)} }
	for i := range int64(3 * mostSeen) {
		require.False(t, s.before(at(i)))
		require.True(t, s.before(at(i)))
		require.True(t, s.before(at(max(0, i-mostSeen+1))))
	}
	require.Len(t, s.known, mostSeen, "it does not grow")
	require.False(t, s.before(at(0)), "too long ago")
	require.False(t, s.before(&Fragment{}))
	require.False(t, s.before(&Fragment{}), "without a time each is new")
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for _, ms := range []int64{0, 1, 999, 1000, 1_795_210_566_028, 1_795_210_566_999, -1, -1500} {
		b, err := epoch{time.UnixMilli(ms)}.MarshalJSON()
		require.NoError(t, err)
		var e epoch
		require.NoError(t, e.UnmarshalJSON(b))
		require.Equal(t, ms, e.UnixMilli(), "%s", b)
	}
	var e epoch
	require.NoError(t, e.UnmarshalJSON([]byte("1.795210566028E9")))
	require.EqualValues(t, 1_795_210_566_028, e.UnixMilli())
	require.Error(t, e.UnmarshalJSON([]byte(`"soon"`)))
}

// Nothing is allocated for a frame, neither when it is read nor when it is written.
func TestNothingIsAllocatedPerFrame(t *testing.T) {
	frames := make([]string, 2000)
	for i := range frames {
		frames[i] = "0123456789"
	}
	stream := bytes.Join([][]byte{head(t), number("7"), cluster(3, frames...), behind("40", "t1")}, nil)
	d := documents{trailing: true}
	w := NewWriter(io.Discard, "test")
	src := bytes.NewReader(stream)
	once := func() {
		src.Reset(stream)
		d.reset(src, mkv.Limits{})
		f, err := d.next()
		if err != nil || w.Write(f) != nil || len(f.Frames) != len(frames) {
			panic(err)
		}
	}
	once()
	require.Less(t, testing.AllocsPerRun(20, once), 50.0, "of the header and the tags")
}

// FuzzDocuments reads any bytes within bounds. What was read is written, and reads the same.
func FuzzDocuments(f *testing.F) {
	h := head(f)
	f.Add(bytes.Join([][]byte{h, number("7"), cluster(3, "a", "b"), behind("40", "t1"), h, tags("lane", "2"), number("8"), cluster(4, "c"), behind("0", "t2")}, nil))
	f.Add(bytes.Join([][]byte{h, number("7"), cluster(3, "a"), number("8"), cluster(1, "c"), tags(mkv.TagExceptionCode, "4000")}, nil))
	f.Fuzz(func(t *testing.T, stream []byte) {
		d := documents{trailing: true}
		d.reset(bytes.NewReader(stream), mkv.Limits{MaxBlock: 4096, MaxHeader: 4096, MaxTracks: 4, MaxCodecPrivate: 256, MaxTags: 1024, MaxSkip: 2048})
		var file bytes.Buffer
		w := NewWriter(&file, "fuzz")
		var want [][]byte
		for {
			got, err := d.next()
			if err != nil {
				break
			}
			if w.Write(got) != nil { // a header that the service would not have taken
				return
			}
			for i := range got.Frames {
				want = append(want, bytes.Clone(got.Frames[i].Data))
			}
		}
		again := documents{}
		again.reset(&file, mkv.Limits{})
		var have [][]byte
		for {
			got, err := again.next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			for i := range got.Frames {
				have = append(have, bytes.Clone(got.Frames[i].Data))
			}
		}
		require.Equal(t, want, have)
	})
}
