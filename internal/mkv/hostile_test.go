package mkv

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// huge is an element that claims to have 2^56-2 bytes.
func huge(id uint32) []byte { return appendSize(appendID(nil, id), 1<<56-2, 8) }

// inFirst is a document whose cluster goes on with b.
func inFirst(b ...[]byte) []byte {
	return doc(open(idCluster, 1, append([][]byte{num(idTimecode, 1)}, b...)...))
}

func TestInvalidStreams(t *testing.T) {
	t.Parallel()
	track := func(parts ...[]byte) []byte {
		return append(bytes.Clone(theEBML), open(idSegment, 1, el(idTracks, 0, el(idTrackEntry, 0, parts...)))...)
	}
	ebml := func(parts ...[]byte) []byte {
		return el(idEBML, 0, append(parts, el(idDocType, 0, []byte("matroska")))...)
	}
	group := func(parts ...[]byte) []byte { return inFirst(el(idBlockGroup, 0, parts...)) }
	for _, c := range []struct {
		says   string
		stream []byte
	}{
		// Something else than Matroska. The second is what AWS's producer may send after an outage.
		{"the stream's beginning at byte 0: invalid Matroska: the bytes 89 50 4E 47 0D 0A begin no EBML header", []byte("\x89PNG\r\n")},
		{"SimpleBlock at byte 0: invalid Matroska: a stream begins with an EBML header", simple(0, 0, 1)},
		{"Segment at byte 0: invalid Matroska: a stream begins with an EBML header", open(idSegment, 1)},
		{"the next element at byte 0: invalid Matroska: the bytes 00 00 00 01 begin no EBML header", []byte{0, 0, 0, 1}},
		{"Segment at byte 2: invalid Matroska: there is no EBML header before it", append(el(idVoid, 0), open(idSegment, 1)...)},
		{"Cluster at byte 40: invalid Matroska: it lies outside of a Segment", append(bytes.Clone(theEBML), open(idCluster, 1)...)},
		{"EBML header at byte 40: invalid Matroska: a Segment has to follow the one before", append(bytes.Clone(theEBML), theEBML...)},
		{"TrackEntry at byte 40: invalid Matroska: an EBML header or a Segment was expected; there are the bytes AE 80", append(bytes.Clone(theEBML), 0xAE, 0x80)},
		// EBML headers.
		{`the DocType is "matroskb", not matroska or webm`, bytes.Replace(theEBML, []byte("ska"), []byte("skb"), 1)},
		{"EBMLReadVersion 2: only version 1 is known", ebml(num(idEBMLReadVersion, 2))},
		{"DocTypeReadVersion 5: only versions up to 4 are known", ebml(num(idDocTypeReadVersion, 5))},
		{"EBMLMaxIDLength 5: in Matroska it is 4", ebml(num(idEBMLMaxIDLength, 5))},
		{"EBMLMaxSizeLength 9 is not within 1..8", ebml(num(idEBMLMaxSizeLength, 9))},
		{"the next element at byte 20: invalid Matroska: the bytes 18 53 80 67 40 05", append(ebml(num(idEBMLMaxSizeLength, 1)), el(idSegment, 2, make([]byte, 5))...)},
		{"EBMLReadVersion at byte 5: invalid Matroska: a number of 9 bytes", el(idEBML, 0, el(idEBMLReadVersion, 0, make([]byte, 9)))},
		// Ids and sizes.
		{"the next element at byte 71: invalid Matroska: the bytes FF 80", inFirst([]byte{0xFF, 0x80})},
		{"the next element at byte 71: invalid Matroska: the bytes 40 7E 80 begin no element", inFirst([]byte{0x40, 0x7E, 0x80})},
		{"the next element at byte 71: invalid Matroska: the bytes A3 00", inFirst([]byte{0xA3, 0x00, 0x00})},
		{"SimpleBlock at byte 71: invalid Matroska: its size is unknown, which only a Segment and a Cluster may leave open", inFirst(open(idSimpleBlock, 1))},
		{"Void at byte 71: invalid Matroska: its size is unknown", inFirst(open(idVoid, 1))},
		{"Tag at byte 71: invalid Matroska: its size is unknown", inFirst(open(0x7373, 1))},
		// Places.
		{"SimpleBlock at byte 63: invalid Matroska: it lies outside of a Cluster", doc(simple(0, 0))},
		{"Cluster at byte 63: invalid Matroska: it has no Timecode", doc(open(idCluster, 1), open(idCluster, 1))},
		{"Cluster at byte 63: invalid Matroska: it has no Timecode", doc(el(idCluster, 1))},
		{"SimpleBlock at byte 68: invalid Matroska: it stands before the Timecode of its Cluster", doc(open(idCluster, 1, simple(0, 0)))},
		{"Timecode at byte 71: invalid Matroska: the Cluster at byte 63 has told its Timecode before", inFirst(num(idTimecode, 1))},
		{"Tags at byte 71: invalid Matroska: it lies in a Cluster, where it does not belong, which goes on until byte 76",
			doc(el(idCluster, 1, num(idTimecode, 1), el(idTags, 0)))},
		{"SimpleBlock at byte 71: invalid Matroska: it goes on until byte 77, and the Cluster that it lies in only until 76",
			doc(el(idCluster, 1, num(idTimecode, 1), simple(0, 0)[:5]))},
		{"Cluster at byte 45: invalid Matroska: it goes on until byte 53, and the Segment that it lies in only until 50",
			append(bytes.Clone(theEBML), el(idSegment, 1, el(idCluster, 1, num(idTimecode, 1))[:5])...)},
		// Blocks.
		{"SimpleBlock at byte 71: invalid Matroska: 3 bytes are too few for a track, a timecode and flags", inFirst(el(idSimpleBlock, 0, []byte{0x81, 0, 0}))},
		{"SimpleBlock at byte 71: invalid Matroska: it belongs to no track", inFirst(el(idSimpleBlock, 0, []byte{0x80, 0, 0, 0}))},
		{"BlockGroup at byte 71: invalid Matroska: it holds no Block", group()},
		{"BlockGroup at byte 71: invalid Matroska: it holds two Blocks", group(el(idBlock, 0, blockOf(0, 0)), el(idBlock, 0, blockOf(0, 0)))},
		{"BlockGroup at byte 73: invalid Matroska: its Block is longer than itself", group([]byte{0xA1, 0x85, 1})},
		{"BlockDuration at byte 73: invalid Matroska: a number of 9 bytes", group(el(idBlockDuration, 0, make([]byte, 9)))},
		{"its lacing: the count of frames is missing", inFirst(simple(0, 2))},
		{"its lacing: the sizes of the frames break off or are none", inFirst(simple(0, 2, 1, 255, 255))},
		{"its lacing: the sizes of the frames break off or are none", inFirst(simple(0, 6, 2, 0x81))},
		{"its lacing: the sizes of the frames break off or are none", inFirst(simple(0, 6, 2, 0x81, 0x80, 5))},
		{"its lacing: the frames are longer than the block", inFirst(simple(0, 2, 1, 9, 1))},
		{"its lacing: the frames cannot be of one size", inFirst(simple(0, 4, 1, 9, 1, 3))},
		// Headers.
		{"Timecode at byte 68: invalid Matroska: a number of 9 bytes is too much", doc(open(idCluster, 1, el(idTimecode, 0, make([]byte, 9))))},
		{"TimecodeScale at byte 68: invalid Matroska: it is 0", doc(el(idInfo, 0, num(idTimecodeScale, 0)))},
		{"Duration at byte 68: invalid Matroska: a float of 3 bytes", doc(el(idInfo, 0, el(idDuration, 0, make([]byte, 3))))},
		{"its TrackNumber 0 is not within 1..", track(num(idTrackType, 1))},
		{"track 1 has no TrackType", track(num(idTrackNumber, 1))},
		{"TrackType at byte 52: invalid Matroska: there is no type 300", track(num(idTrackType, 300))},
		{"PixelWidth at byte 54: invalid Matroska: 4294967295 is too much", track(el(idVideo, 0, num(idPixelWidth, 1<<32-1)))},
		{"there is a track 1 already", append(bytes.Clone(theEBML), open(idSegment, 1, el(idTracks, 0, theTracks[5:], theTracks[5:]))...)},
		{"Tags at byte 68: invalid Matroska: the bytes 00 in it begin no element", doc(el(idTags, 0, []byte{0}))},
		{"the size of its Tag is unknown", doc(el(idTags, 0, open(idTag, 1)))},
	} {
		_, err := readAll(NewReader(bytes.NewReader(c.stream), Limits{}))
		require.ErrorContains(t, err, "reading Matroska: ", c.says)
		require.ErrorContains(t, err, c.says)
		require.ErrorIs(t, err, ErrInvalid, c.says)
		require.NotErrorIs(t, err, ErrLimit, c.says)
	}
}

// endless gives the same bytes for ever, and counts them.
type endless struct {
	bytes []byte
	n     int
}

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = e.bytes[e.n%len(e.bytes)]
		e.n++
	}
	return len(b), nil
}

// TestHostileStreams: sizes that nobody has memory for, nesting, streams of nothing. All end with an error, and soon.
func TestHostileStreams(t *testing.T) {
	t.Parallel()
	nested := el(idSimpleTag, 0)
	for range 200 {
		nested = el(idSimpleTag, 0, nested)
	}
	var many [][]byte
	for i := range uint64(65) {
		many = append(many, el(idTrackEntry, 0, num(idTrackNumber, i+1), num(idTrackType, 1)))
	}
	for _, c := range []struct {
		says   string
		stream []byte
		rest   []byte // what follows for ever
	}{
		{"SimpleBlock at byte 71: beyond a limit: bytes: 72057594037927934, and at most 52428800 are accepted", inFirst(huge(idSimpleBlock)), []byte{0}},
		{"BlockGroup at byte 71: beyond a limit: bytes: 72057594037927934", inFirst(huge(idBlockGroup)), []byte{0}},
		{"EBML header at byte 0: beyond a limit: bytes: 72057594037927934, and at most 8388608", huge(idEBML), []byte{0}},
		{"Tracks at byte 63: beyond a limit: bytes: 72057594037927934, and at most 8388608", doc(huge(idTracks)), []byte{0}},
		{"Tags at byte 63: beyond a limit: bytes: 72057594037927934, and at most 262144", doc(huge(idTags)), []byte{0}},
		{"Void at byte 63: beyond a limit: bytes to skip at once: 72057594037927943, and at most 1048576", doc(huge(idVoid)), []byte{0}},
		{"element 4DBB at byte 63: beyond a limit: bytes to skip at once", doc(huge(0x4DBB)), []byte{0}},
		{"Void at byte ", doc(), el(idVoid, 0)},
		{"Void at byte ", nil, el(idVoid, 0)},
		{"Position at byte ", doc(open(idCluster, 1)), el(idPosition, 0)},
		{"SimpleTag at byte ", doc(el(idTags, 0, el(idTag, 0, nested))), []byte{0}},
		{"Tracks at byte 63: beyond a limit: tracks: 65, and at most 64 are accepted", doc(el(idTracks, 0, many...)), []byte{0}},
		{"CodecPrivate at byte ", doc(el(idTracks, 0, el(idTrackEntry, 0, el(idCodecPrivate, 0, make([]byte, 1<<20+1))))), []byte{0}},
	} {
		src := &endless{bytes: c.rest}
		r := NewReader(io.MultiReader(bytes.NewReader(c.stream), src), Limits{MaxSkip: 1 << 20})
		_, err := readAll(r)
		require.ErrorIs(t, err, ErrLimit, c.says)
		require.ErrorContains(t, err, c.says)
		require.Less(t, src.n, 2<<20)
		require.LessOrEqual(t, len(r.in.buf), 4<<20, c.says)
	}
	_, err := readAll(NewReader(bytes.NewReader(doc(huge(idVoid))), Limits{}))
	require.ErrorContains(t, err, "and at most 67108864 are accepted")
	// Known sizes that nobody sends cost nothing either: they are those of containers.
	_, err = readAll(NewReader(bytes.NewReader(append(bytes.Clone(theEBML), append(huge(idSegment), huge(idCluster)[:12]...)...)), Limits{}))
	require.ErrorContains(t, err, "Cluster at byte 52: invalid Matroska: it goes on until byte 72057594037927998, and the Segment")
}

// TestASizeAloneTakesNoMemory: of a block of 50 MB of which nothing came, nothing is held.
func TestASizeAloneTakesNoMemory(t *testing.T) {
	t.Parallel()
	stream := inFirst(appendSize([]byte{idSimpleBlock}, MaxFragment, 8), make([]byte, 100_000))
	r := NewReader(bytes.NewReader(stream), Limits{})
	_, err := readAll(r)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorContains(t, err, "SimpleBlock at byte 71: the stream breaks off after 100009 of its 52428809 bytes")
	require.LessOrEqual(t, len(r.in.buf), 256<<10)
}

// TestLimitsOfTheCaller are held to the byte.
func TestLimitsOfTheCaller(t *testing.T) {
	t.Parallel()
	block := simple(0, 0, make([]byte, 96)...)
	tags := AppendTags(nil, []Tag{{"a", "b"}})
	for name, c := range map[string]struct {
		stream []byte
		limits func(n int) Limits
		size   int
	}{
		"block":  {inFirst(block), func(n int) Limits { return Limits{MaxBlock: n} }, len(block) - 2},
		"tags":   {doc(tags), func(n int) Limits { return Limits{MaxTags: n} }, len(tags) - 12},
		"header": {doc(), func(n int) Limits { return Limits{MaxHeader: n} }, len(theEBML) - 5},
		"skip":   {doc(el(idVoid, 0, make([]byte, 98))), func(n int) Limits { return Limits{MaxSkip: n} }, 100},
		"private": {doc(el(idTracks, 0, el(idTrackEntry, 0, num(idTrackNumber, 1), num(idTrackType, 1), el(idCodecPrivate, 0, make([]byte, 9))))),
			func(n int) Limits { return Limits{MaxCodecPrivate: n} }, 9},
		"tracks": {doc(), func(n int) Limits { return Limits{MaxTracks: n} }, 1},
	} {
		_, err := readAll(NewReader(bytes.NewReader(c.stream), c.limits(c.size)))
		require.NoError(t, err, name)
		if c.size > 1 {
			_, err = readAll(NewReader(bytes.NewReader(c.stream), c.limits(c.size-1)))
			require.ErrorIs(t, err, ErrLimit, name)
		}
	}
}
