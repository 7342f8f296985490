package mkv

import (
	"bytes"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// narrow are limits that a fuzzer's inputs reach.
var narrow = Limits{MaxBlock: 4096, MaxHeader: 4096, MaxTracks: 4, MaxCodecPrivate: 256, MaxTags: 1024, MaxSkip: 2048}

// FuzzReader reads any bytes, in one piece and one by one: with the same result, and within bounds. What was read is written by our
// writer, and reads the same.
func FuzzReader(f *testing.F) {
	f.Add(aSession(f))
	f.Add(doc(el(idCluster, 4, num(idTimecode, 7), simple(0, 0x82, 1, 2, 1, 1, 1), el(idVoid, 0, make([]byte, 5)))))
	f.Add(bytes.Join([][]byte{theEBML, el(idSegment, 8, el(idSeekHead, 0), theTracks), theEBML, open(idSegment, 8)}, nil))
	f.Fuzz(readsTheSame)
}

// FuzzCluster puts the bytes into a cluster, so that the fuzzer need not find headers.
func FuzzCluster(f *testing.F) {
	f.Add(bytes.Join([][]byte{simple(-1, 0x80, 1, 2), simple(1, 0x84, 1, 3, 4), simple(2, 0x06, 2, 0x81, 0xC0, 5, 6, 7)}, nil))
	f.Add(bytes.Join([][]byte{el(idBlockGroup, 0, el(idBlock, 0, blockOf(4, 0x02, 1, 1, 9, 8)), num(idBlockDuration, 5), el(idReferenceBlock, 0))}, nil))
	f.Add(AppendEndOfFragment(nil))
	f.Fuzz(func(t *testing.T, b []byte) { readsTheSame(t, inFirst(b)) })
}

func readsTheSame(t *testing.T, stream []byte) {
	whole := NewReader(bytes.NewReader(stream), narrow)
	list, err := readAll(whole)
	require.LessOrEqual(t, len(whole.in.buf), firstWindow)
	slow, again := readAll(NewReader(iotest.OneByteReader(bytes.NewReader(stream)), narrow))
	require.Equal(t, list, slow)
	if err != nil {
		// The bytes that a message shows are those that have come so far.
		require.Error(t, again)
		require.Equal(t, errorPlace(t, err), errorPlace(t, again))
		return
	}
	require.NoError(t, again)
	rewritten, want := rewrite(list)
	got, err := readAll(NewReader(bytes.NewReader(rewritten), Limits{}))
	require.NoError(t, err)
	_, plain := rewrite(got)
	require.Equal(t, want, plain)
	last := int64(0)
	for _, k := range list {
		require.GreaterOrEqual(t, k.at, last)
		require.True(t, bytes.HasPrefix(stream[k.at:], k.raw))
		last = k.at
	}
}

// errorPlace is what does not depend on pieces in an error.
func errorPlace(t *testing.T, err error) [2]any {
	var e *Error
	require.ErrorAs(t, err, &e)
	return [2]any{e.Offset, e.Element}
}

// rewrite writes what was read, and gives what has to be read from that: the same, but for sizes, lacing and what our writer does not write.
func rewrite(list []kept) (stream []byte, want []Event) {
	for _, k := range list {
		switch e := k.event.(type) {
		case *EBMLHeader:
			stream = append(stream, el(idEBML, 0, el(idDocType, 0, []byte(e.DocType)), num(idDocTypeVersion, e.DocTypeVersion),
				num(idDocTypeReadVersion, e.DocTypeReadVersion))...)
			want = append(want, &EBMLHeader{e.DocType, e.DocTypeVersion, e.DocTypeReadVersion, 4, 8})
		case *SegmentStart:
			stream = append(stream, segmentStart...)
			want = append(want, &SegmentStart{-1})
		case *Tracks:
			tracks := &Tracks{}
			h := Header{}
			for _, t := range e.Tracks {
				if t.Encoded = false; t.check() == nil {
					if t.audioSize() > 0 && t.SamplingFrequency == 0 && t.Channels == 0 {
						t.BitDepth = 0 // alone it would read with the defaults of the others
					}
					h.Tracks = append(h.Tracks, t)
					tracks.Tracks = append(tracks.Tracks, t)
				}
			}
			stream = appendSize(appendID(stream, idTracks), uint64(tracksSize(&h)), 4)
			for i := range h.Tracks {
				stream = h.Tracks[i].append(stream)
			}
			want = append(want, tracks)
		case *Tags:
			stream = AppendTags(stream, e.Tags)
			if len(e.Tags) > 0 {
				want = append(want, e)
			}
		case *ClusterStart:
			stream = AppendCluster(stream, e.Timecode)
			want = append(want, &ClusterStart{e.Timecode, -1})
		case *Block:
			var flags BlockFlags
			for _, f := range []struct {
				flag BlockFlags
				set  bool
			}{{KeyFrame, e.Key}, {Invisible, e.Invisible}, {Discardable, e.Discardable}} {
				if f.set {
					flags |= f.flag
				}
			}
			stream = append(AppendSimpleBlockHeader(stream, e.Track, e.Relative, flags, len(e.Data)), e.Data...)
			b := *e
			b.Duration, b.Lacing, b.Frame, b.Frames = 0, NoLacing, 0, 1
			want = append(want, &b)
		case *ClusterEnd:
			want = append(want, &ClusterEnd{})
		case *SegmentEnd:
			want = append(want, &SegmentEnd{})
		}
	}
	return stream, want
}
