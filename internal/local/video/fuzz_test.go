package video

import (
	"bytes"
	"io"
	"strconv"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local/videostreams"
	"gst-kinesis/internal/mkv"
)

// outcome is what a body comes to.
type outcome struct {
	fragments []videostreams.Fragment
	id        int
}

// judge runs a body through the reader and the rules, as a session does.
func judge(src io.Reader) outcome {
	var out outcome
	g := newIngest(time.Time{}, func() (videostreams.Number, time.Time) { return videostreams.Number{}, time.Time{} })
	r := mkv.NewReader(src, mkv.Limits{})
	for {
		e, err := r.Next()
		if err != nil {
			if p := g.broken(err); p != nil {
				out.id = p.id
			}
			return out
		}
		done, p := g.take(r, e)
		if p != nil {
			out.id = p.id
			return out
		}
		if done != nil {
			out.fragments = append(out.fragments, *done)
		}
	}
}

// someBody is a session of two fragments with tags.
func someBody(t testing.TB) []byte {
	t.Helper()
	b, err := mkv.AppendHeader(nil, mkv.Header{Tracks: []mkv.Track{{Number: 1, UID: 1, Type: mkv.Video, CodecID: mkv.CodecAVC}, {Number: 2, UID: 2, Type: mkv.Audio, CodecID: mkv.CodecAAC}}})
	require.NoError(t, err)
	for i := range 2 {
		b = mkv.AppendCluster(mkv.AppendTags(b, []mkv.Tag{{Name: "a", Value: "b"}}), uint64(1000+i*1000))
		b = append(mkv.AppendSimpleBlockHeader(b, 1, 0, mkv.KeyFrame, 3), 1, 2, 3)
		b = append(mkv.AppendSimpleBlockHeader(b, 2, 10, 0, 2), 4, 5)
	}
	return mkv.AppendEndOfFragment(b)
}

// FuzzIngest: whatever comes, the outcome does not depend on the pieces it comes in; what is taken keeps the rules, and can be read
// again frame by frame.
func FuzzIngest(f *testing.F) {
	body := someBody(f)
	f.Add(body)
	f.Add(body[40:])
	f.Add(append(bytes.Clone(body), body...))
	f.Add(body[:len(body)-70])
	f.Add([]byte("garbage"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := judge(bytes.NewReader(b))
		require.Equal(t, got, judge(iotest.OneByteReader(bytes.NewReader(b))))
		if got.id != 0 {
			require.NotContains(t, errorCode(got.id), "ERROR_")
		}
		before := int64(-1)
		for i := range got.fragments {
			fragment := &got.fragments[i]
			frames, err := fragment.Frames()
			require.NoError(t, err)
			require.NotEmpty(t, frames)
			latest := before
			seen := map[uint64]bool{}
			for _, frame := range frames {
				require.Greater(t, frame.Timestamp, before)
				latest = max(latest, frame.Timestamp)
				seen[frame.Track] = true
			}
			require.Len(t, seen, len(fragment.Header.Tracks))
			require.LessOrEqual(t, fragment.Length, maxDuration*time.Millisecond)
			require.LessOrEqual(t, len(fragment.Tags), mkv.MaxTags)
			before = latest
		}
	})
}

func TestIngest(t *testing.T) {
	t.Parallel()
	got := judge(bytes.NewReader(someBody(t)))
	require.Zero(t, got.id)
	require.Len(t, got.fragments, 2)
	frames, err := got.fragments[1].Frames()
	require.NoError(t, err)
	require.Equal(t, []videostreams.Frame{{Track: 1, Timestamp: 2000, Key: true, Data: []byte{1, 2, 3}}, {Track: 2, Timestamp: 2010, Data: []byte{4, 5}}}, frames)
}

// endless is a session whose fragments of a thousand frames go on and on.
type endless struct {
	buf  []byte
	next uint64
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.buf) == 0 {
		e.next += 10_000
		e.buf = mkv.AppendCluster(e.buf[:0], e.next)
		for i := range 1000 {
			e.buf = mkv.AppendSimpleBlockHeader(e.buf, 1, int16(i), 0, 100)
			e.buf = append(e.buf, make([]byte, 100)...)
		}
	}
	n := copy(p, e.buf)
	e.buf = e.buf[n:]
	return n, nil
}

// TestFramesAllocateNothing: what a fragment takes does not depend on how many frames it has.
func TestFramesAllocateNothing(t *testing.T) {
	head, err := mkv.AppendHeader(nil, mkv.Header{Tracks: []mkv.Track{{Number: 1, UID: 1, Type: mkv.Video, CodecID: mkv.CodecAVC}}})
	require.NoError(t, err)
	r := mkv.NewReader(io.MultiReader(bytes.NewReader(head), &endless{}), mkv.Limits{})
	g := newIngest(time.Time{}, func() (videostreams.Number, time.Time) { return videostreams.Number{}, time.Time{} })
	one := func() {
		for {
			e, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if done, p := g.take(r, e); p != nil {
				t.Fatal(p)
			} else if done != nil {
				return
			}
		}
	}
	for range 3 {
		one()
	}
	require.Less(t, testing.AllocsPerRun(20, one), 20.0)
}

func TestAckLines(t *testing.T) {
	t.Parallel()
	n, err := videostreams.ParseNumber("91343852333189949529091069500639873442556776862")
	require.NoError(t, err)
	for want, ack := range map[string]Ack{
		`{"EventType":"PERSISTED","FragmentTimecode":1584462424721,"FragmentNumber":"91343852333189949529091069500639873442556776862"}` + "\n":                                                 {Type: AckPersisted, Timecode: 1584462424721, Number: n},
		`{"EventType":"ERROR","FragmentTimecode":152148,"FragmentNumber":"91343852333189949529091069500639873442556776862","ErrorCode":"MAX_FRAGMENT_DURATION_REACHED","ErrorId":4002}` + "\n": {Type: AckError, Timecode: 152148, Number: n, ErrorID: 4002},
		`{"EventType":"ERROR","ErrorCode":"INVALID_MKV_DATA","ErrorId":4006}` + "\n":                                                                                                           {Type: AckError, ErrorID: 4006},
		`{"EventType":"IDLE"}` + "\n": {Type: AckIdle},
	} {
		require.Equal(t, want, string(ack.append(nil)))
	}
}

func TestStartTimestamps(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"1700000000": 1_700_000_000_000, "1700000000.5": 1_700_000_000_500, "1700000000.028": 1_700_000_000_028, "1700000000.0281234": 1_700_000_000_028} {
		got, err := readSeconds(text)
		require.NoError(t, err)
		require.Equal(t, want, got.UnixMilli(), text)
	}
	for _, bad := range []string{"", "0", "-1", "x", "1.x", "1,5", "99999999999999999999", "1700000000.-5"} {
		_, err := readSeconds(bad)
		require.Error(t, err, bad)
	}
}

// TestBooksAreBounded: whatever sessions come, what is remembered of them is not more and more.
func TestBooksAreBounded(t *testing.T) {
	t.Parallel()
	s := &Service{}
	for i := range keptStreams + 10 {
		s.books.open(Session{Stream: strconv.Itoa(i)})
	}
	require.Len(t, s.books.by, keptStreams)
	require.Empty(t, s.Sessions("0"))
	for range 100 {
		e := s.books.open(Session{Stream: "cam"})
		for k := range keptAcks + 10 {
			e.ack(Ack{Timecode: int64(k)})
		}
	}
	list := s.Sessions("cam")
	require.Len(t, list, keptSessions)
	for i, got := range list {
		require.Equal(t, keptAcks+10, got.AckCount)
		require.EqualValues(t, keptAcks+9, got.Acks[len(got.Acks)-1].Timecode)
		if i < keptSessions-newSessions {
			require.Len(t, got.Acks, oldAcks)
		} else {
			require.GreaterOrEqual(t, len(got.Acks), keptAcks/2)
		}
	}
}
