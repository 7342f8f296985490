package mkv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// errNotYet is what a connection says that has no more for now.
var errNotYet = errors.New("not yet")

// el makes an element of these contents, with a size of the given length; 0 for the shortest.
func el(id uint32, length int, contents ...[]byte) []byte {
	content := bytes.Join(contents, nil)
	if length == 0 {
		length = sizeLength(uint64(len(content)))
	}
	return append(appendSize(appendID(nil, id), uint64(len(content)), length), content...)
}

// open makes an element of unknown size, which takes this many bytes.
func open(id uint32, length int, contents ...[]byte) []byte {
	b := appendSize(appendID(nil, id), 1<<(7*length)-1, length)
	return append(b, bytes.Join(contents, nil)...)
}

func num(id uint32, n uint64) []byte { return appendUint(nil, id, n, numberBytes(n)) }

// simple is a SimpleBlock of track 1.
func simple(relative int16, flags byte, payload ...byte) []byte {
	return el(idSimpleBlock, 0, blockOf(relative, flags, payload...))
}

func blockOf(relative int16, flags byte, payload ...byte) []byte {
	return append([]byte{0x81, byte(uint16(relative) >> 8), byte(relative), flags}, payload...)
}

var (
	theEBML   = []byte(ebmlHeader)
	theTracks = el(idTracks, 0, el(idTrackEntry, 0, num(idTrackNumber, 1), num(idTrackType, 1), el(idCodecID, 0, []byte("V_X"))))
)

// doc is a document of one Segment of unknown size.
func doc(contents ...[]byte) []byte {
	return bytes.Join([][]byte{theEBML, open(idSegment, 1, append([][]byte{theTracks}, contents...)...)}, nil)
}

// body leaves out what doc puts first.
func body(list []kept) []Event { return events(list)[3:] }

func aBlock(timecode uint64, relative int16, data ...byte) *Block {
	if data == nil {
		data = []byte{}
	}
	return &Block{Track: 1, Relative: relative, Timecode: int64(timecode) + int64(relative), Frames: 1, Data: data}
}

// TestEventsComeAtOnce: after each byte of a stream, what is complete is given, and no more is asked for.
func TestEventsComeAtOnce(t *testing.T) {
	t.Parallel()
	known := bytes.Join([][]byte{theEBML, el(idSegment, 8, theTracks, el(idCluster, 4, num(idTimecode, 7), simple(0, 0x80, 1, 2), el(idVoid, 0, make([]byte, 5))),
		AppendTags(nil, []Tag{{"a", "b"}}))}, nil)
	ours := bytes.Repeat(aSession(t), 2)
	for _, stream := range [][]byte{ours, known} {
		var done []int // how much of the stream each event needs
		whole := NewReader(bytes.NewReader(stream), Limits{})
		for {
			e, err := whole.Next()
			if err != nil {
				break
			}
			k := keep(whole, e)
			done = append(done, needed(k, stream))
		}
		require.Greater(t, len(done), 5)
		for n := range len(stream) {
			r := NewReader(io.MultiReader(bytes.NewReader(stream[:n]), errReader{errNotYet}), Limits{})
			list, err := readAll(r)
			require.ErrorIs(t, err, errNotYet)
			want := 0
			for want < len(done) && done[want] <= n {
				want++
			}
			require.Len(t, list, want, "after %d bytes", n)
		}
	}
}

// aSession has a bit of everything that is written here.
func aSession(tb testing.TB) []byte {
	stream, err := AppendHeader(nil, someHeader())
	require.NoError(tb, err)
	stream = AppendTags(stream, []Tag{{"a", "b"}})
	stream = append(AppendSimpleBlockHeader(AppendCluster(stream, 5), 1, 0, KeyFrame, 6), "123456"...)
	stream = append(AppendSimpleBlockHeader(stream, 2, 3, 0, 1), 7)
	stream = append(AppendSimpleBlockHeader(AppendCluster(stream, 50), 1, -1, Discardable, 300), make([]byte, 300)...)
	return AppendEndOfFragment(stream)
}

// needed is how many bytes of the stream have to be there for an event.
func needed(k kept, stream []byte) int {
	at := int(k.at)
	head := func(at int) int { // id and size
		if at == len(stream) {
			return 1 << 30 // only with the end
		}
		n := vintLength(stream[at])
		return n + vintLength(stream[at+n])
	}
	switch e := k.event.(type) {
	case *ClusterStart:
		at += head(at)
		return at + head(at) + int(stream[at+1]&0x7F)
	case *ClusterEnd:
		// One of known size ends by itself.
		begin := at - int(e.Size)
		if stream[begin+4]&0xF0 == 0x10 {
			return at
		}
		return at + head(at)
	case *SegmentEnd:
		if begin := at - int(e.Size); stream[begin+4] == 0x01 {
			return at
		}
		return at + head(at)
	}
	return at + len(k.raw)
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

// TestStreamsThatBreakOff: at each byte a stream either may end, or the error says so and names the place.
func TestStreamsThatBreakOff(t *testing.T) {
	t.Parallel()
	stream := AppendTags(nil, []Tag{{"a", "b"}})
	stream = append(AppendSimpleBlockHeader(AppendCluster(stream, 5), 1, 0, KeyFrame, 6), "123456"...)
	header, err := AppendHeader(nil, someHeader())
	require.NoError(t, err)
	stream = AppendEndOfFragment(append(header, stream...))
	var boundaries []int64
	r := NewReader(bytes.NewReader(stream), Limits{})
	for {
		e, err := r.Next()
		if err != nil {
			break
		}
		switch k := keep(r, e); e.(type) {
		case *EBMLHeader:
		case *ClusterStart:
			boundaries = append(boundaries, k.at+15, k.at+18)
		case *ClusterEnd, *SegmentEnd:
		default:
			boundaries = append(boundaries, k.at+int64(len(k.raw)))
		}
	}
	ends := 0
	for n := range stream {
		_, err := readAll(NewReader(bytes.NewReader(stream[:n]), Limits{}))
		clean := n == 0
		for _, b := range boundaries {
			clean = clean || b == int64(n)
		}
		if clean {
			require.NoError(t, err, "after %d bytes", n)
			ends++
			continue
		}
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, "after %d bytes", n)
		require.NotErrorIs(t, err, ErrInvalid)
		var e *Error
		require.ErrorAs(t, err, &e)
		require.LessOrEqual(t, e.Offset, int64(n))
	}
	require.Equal(t, 8, ends)
	_, err = readAll(NewReader(bytes.NewReader(stream[:len(stream)-EndOfFragmentSize-1]), Limits{}))
	require.ErrorContains(t, err, "SimpleBlock at byte ")
}

// TestKnownSizesThatAreNotKept: a container of known size may end nowhere else, not even between its elements.
func TestKnownSizesThatAreNotKept(t *testing.T) {
	t.Parallel()
	for _, cluster := range [][]byte{
		el(idCluster, 1, num(idTimecode, 1), simple(0, 0, 1), el(idVoid, 0, make([]byte, 9))),
		open(idCluster, 1, num(idTimecode, 1), simple(0, 0, 1), el(idVoid, 0, make([]byte, 9))),
	} {
		stream := append(bytes.Clone(theEBML), el(idSegment, 2, theTracks, cluster)...)
		read(t, stream)
		for n := 1; n < len(stream); n++ {
			_, err := readAll(NewReader(bytes.NewReader(stream[:n]), Limits{}))
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "after %d bytes", n)
		}
	}
	known := append(bytes.Clone(theEBML), el(idSegment, 2, theTracks, el(idCluster, 1, num(idTimecode, 1), simple(0, 0, 1)))...)
	for n, says := range map[int]string{
		len(known) - 7:  "Cluster at byte 64: the stream breaks off after 8 of its 15 bytes: unexpected EOF",
		len(known) - 15: "Segment at byte 40: the stream breaks off after 24 of its 39 bytes: unexpected EOF",
	} {
		_, err := readAll(NewReader(bytes.NewReader(known[:n]), Limits{}))
		require.EqualError(t, err, "reading Matroska: "+says)
	}
}

// TestErrorsStay: what failed once fails again, and the reader below is not asked.
func TestErrorsStay(t *testing.T) {
	t.Parallel()
	r := NewReader(io.MultiReader(bytes.NewReader(doc()), errReader{errNotYet}), Limits{})
	list, err := readAll(r)
	require.ErrorIs(t, err, errNotYet)
	require.Len(t, list, 3)
	_, again := r.Next()
	require.Equal(t, err, again)
	require.EqualError(t, err, "reading Matroska: the next element at byte "+strconv.Itoa(len(doc()))+": not yet")
	r.Reset(bytes.NewReader(doc()))
	list, err = readAll(r)
	require.NoError(t, err)
	require.Len(t, list, 4)
	_, err = r.Next()
	require.Equal(t, io.EOF, err)
	r = NewReader(stuck{}, Limits{})
	_, err = r.Next()
	require.ErrorIs(t, err, io.ErrNoProgress)
	r = NewReader(liar{}, Limits{})
	_, err = r.Next()
	require.ErrorContains(t, err, "impossible count")
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

type liar struct{}

func (liar) Read(b []byte) (int, error) { return len(b) + 1, nil }

// TestFormsOfStreams are documents as others make them.
func TestFormsOfStreams(t *testing.T) {
	t.Parallel()
	void, crc := el(idVoid, 8, make([]byte, 300)), el(idCRC32, 0, make([]byte, 4))
	cluster := [][]byte{num(idTimecode, 100), simple(3, 0, 'x')}
	start, block := &ClusterStart{100, -1}, aBlock(100, 3, 'x')
	for name, c := range map[string]struct {
		stream []byte
		want   []Event
	}{
		"sizes of each length": {doc(open(idCluster, 8, cluster...), open(idCluster, 3, cluster...)),
			[]Event{start, block, &ClusterEnd{4 + 8 + 3 + 7}, start, block, &ClusterEnd{4 + 3 + 3 + 7}}},
		"known cluster": {doc(el(idCluster, 2, cluster...)), []Event{&ClusterStart{100, 10}, block, &ClusterEnd{4 + 2 + 10}}},
		"void, checksums and what is not known": {doc(void, el(idSeekHead, 0, void), el(idCues, 0), el(idChapters, 0, void), el(idAttachments, 0, void),
			el(0x4DBB, 0, void), open(idCluster, 1, crc, void, el(idPosition, 0), num(idTimecode, 100), num(idPrevSize, 3), el(0x4DBB, 0), cluster[1], void)),
			[]Event{start, block, &ClusterEnd{5 + 6 + 309 + 2 + 3 + 3 + 3 + 7 + 309}}},
		"tags before and after": {doc(AppendTags(nil, []Tag{{"a", "1"}}), open(idCluster, 1, cluster...), AppendTags(nil, []Tag{{"b", "2"}})),
			[]Event{&Tags{[]Tag{{"a", "1"}}}, start, block, &ClusterEnd{15}, &Tags{[]Tag{{"b", "2"}}}}},
		"default timecode": {doc(open(idCluster, 1, el(idTimecode, 0))), []Event{&ClusterStart{0, -1}, &ClusterEnd{7}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := body(read(t, c.stream))
			require.Equal(t, c.want, got[:len(got)-1])
			require.IsType(t, &SegmentEnd{}, got[len(got)-1])
		})
	}
}

// TestSeveralDocuments: GetMedia may begin anew in the middle; a known size ends a Segment, an unknown one what follows it.
func TestSeveralDocuments(t *testing.T) {
	t.Parallel()
	known := append(bytes.Clone(theEBML), el(idSegment, 0, theTracks, open(idCluster, 1, num(idTimecode, 1)))...)
	stream := bytes.Join([][]byte{doc(open(idCluster, 1, num(idTimecode, 9))), known, el(idVoid, 0), known, open(idSegment, 8, theTracks), doc()}, nil)
	var kinds string
	for _, e := range events(read(t, stream)) {
		switch e.(type) {
		case *EBMLHeader:
			kinds += "E"
		case *SegmentStart:
			kinds += "("
		case *Tracks:
			kinds += "t"
		case *ClusterStart:
			kinds += "["
		case *ClusterEnd:
			kinds += "]"
		case *SegmentEnd:
			kinds += ")"
		}
	}
	require.Equal(t, "E(t[])E(t[])E(t[])(t)E(t)", kinds)
}

func TestBlockGroups(t *testing.T) {
	t.Parallel()
	group := func(parts ...[]byte) []byte { return el(idBlockGroup, 0, parts...) }
	list := body(read(t, doc(open(idCluster, 1, num(idTimecode, 10),
		group(el(idBlock, 0, blockOf(-3, 0, 1, 2))),
		group(num(idBlockDuration, 40), el(idBlock, 0, blockOf(4, 0x09, 3)), el(idReferenceBlock, 0, []byte{0xFF}), el(0x75A1, 0, []byte{1})),
	))))
	require.Equal(t, []Event{
		&Block{Track: 1, Relative: -3, Timecode: 7, Key: true, Frames: 1, Data: []byte{1, 2}},
		&Block{Track: 1, Relative: 4, Timecode: 14, Duration: 40, Invisible: true, Frames: 1, Data: []byte{3}},
	}, list[1:3])
}

func TestLacing(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte{7}, 600)
	for name, c := range map[string]struct {
		flags  byte
		lace   []byte
		frames [][]byte
	}{
		"xiph":  {0x02, bytes.Join([][]byte{{2, 255, 255, 90, 1}, long, {8}, {9, 9}}, nil), [][]byte{long, {8}, {9, 9}}},
		"fixed": {0x04, []byte{2, 1, 1, 2, 2, 3, 3}, [][]byte{{1, 1}, {2, 2}, {3, 3}}},
		"ebml": {0x06, bytes.Join([][]byte{{3, 0x42, 0x58, 0x5D, 0xA8, 0xC0}, long, {8}, {9, 9}, {}}, nil),
			[][]byte{long, {8}, {9, 9}, {}}},
		"one":   {0x06, []byte{0, 5}, [][]byte{{5}}},
		"empty": {0x04, []byte{1}, [][]byte{{}, {}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := body(read(t, doc(open(idCluster, 1, num(idTimecode, 10), simple(1, 0x80|c.flags, c.lace...), simple(2, 0, 6)))))
			require.Len(t, list, len(c.frames)+4)
			for i, data := range c.frames {
				require.Equal(t, &Block{Track: 1, Relative: 1, Timecode: 11, Key: true, Lacing: Lacing(c.flags >> 1), Frame: i, Frames: len(c.frames), Data: data},
					list[1+i])
			}
			require.Equal(t, aBlock(10, 2, 6), list[len(c.frames)+1])
		})
	}
}

// TestHeadersOfOthers: defaults, unknown elements, texts that end with zeros, what others put into tracks and tags.
func TestHeadersOfOthers(t *testing.T) {
	t.Parallel()
	f32 := binary.BigEndian.AppendUint32(nil, math.Float32bits(44100))
	stream := bytes.Join([][]byte{
		el(idEBML, 4, el(idCRC32, 0, make([]byte, 4)), el(idDocType, 0, []byte("webm\x00\x00")), num(0x42AA, 3)),
		open(idSegment, 1,
			el(idInfo, 0, el(idDuration, 0, f32), el(idTitle, 0, []byte("T\xffx"))),
			el(idTracks, 0, el(idVoid, 0),
				el(idTrackEntry, 0, num(idTrackNumber, 3), num(idTrackType, 2), el(idAudio, 0), el(0x22B59C, 0, []byte("eng"))),
				el(idTrackEntry, 0, num(idTrackNumber, 4), num(idTrackType, 17), el(idContentEncodings, 0), el(idAudio, 0, el(idSamplingFrequency, 0, f32)))),
			el(idTags, 0, el(idVoid, 0), el(idTag, 0, el(0x63C0, 0), el(idSimpleTag, 0, el(idTagName, 0, []byte("A")),
				el(idSimpleTag, 0, el(idTagName, 0, []byte("C")), el(idTagString, 0, []byte("3"))), el(idTagString, 0, []byte("1")))))),
	}, nil)
	list := events(read(t, stream))
	require.Equal(t, []Event{
		&EBMLHeader{"webm", 1, 1, 4, 8}, &SegmentStart{-1},
		&Info{TimecodeScale: 1_000_000, Duration: 44100, Title: "T\uFFFDx"},
		&Tracks{[]Track{{Number: 3, Type: Audio, SamplingFrequency: 8000, Channels: 1},
			{Number: 4, Type: 17, Encoded: true, SamplingFrequency: 44100, Channels: 1}}},
		&Tags{[]Tag{{"A", "1"}, {"C", "3"}}},
	}, list[:5])
	tracks, tags := list[3].(*Tracks), list[4].(*Tags)
	require.Equal(t, &tracks.Tracks[1], tracks.Find(4))
	require.Nil(t, tracks.Find(1))
	require.Equal(t, []string{"audio", "type 17", "video"}, []string{tracks.Tracks[0].Type.String(), tracks.Tracks[1].Type.String(), Video.String()})
	value, ok := tags.Find("C")
	require.Equal(t, "3", value)
	require.True(t, ok)
	_, ok = tags.Find("D")
	require.False(t, ok)
}
