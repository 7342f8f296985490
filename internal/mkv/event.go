package mkv

// Event is what [Reader.Next] gives: one of
//
//	*EBMLHeader    a document begins
//	*SegmentStart
//	*Info          may be absent
//	*Tracks
//	*Tags          in the order of the stream: before the cluster that they are about, or after all of them
//	*ClusterStart  when its Timecode has been read
//	*Block         one frame: of a laced block one after another
//	*ClusterEnd    each ClusterStart has one, unless an error comes first
//	*SegmentEnd    each SegmentStart has one, unless an error comes first
//
// What they point to is used again by the Reader: it is valid until the next call of Next. What hangs on Info, Tracks and Tags
// (strings, private data, slices) is the caller's for ever; Block.Data is not.
type Event interface{ event() }

// EBMLHeader begins a document.
type EBMLHeader struct {
	DocType                            string // "matroska" or "webm"
	DocTypeVersion, DocTypeReadVersion uint64
	MaxIDLength, MaxSizeLength         uint64
}

// SegmentStart begins what a document consists of.
type SegmentStart struct {
	Size int64 // of its content, in bytes; -1 if unknown, as in a live stream
}

// Info is about the whole Segment.
type Info struct {
	SegmentUID                   [16]byte
	HasUID                       bool
	TimecodeScale                uint64  // ns a tick
	Duration                     float64 // in ticks, 0 if it is not told
	Title, MuxingApp, WritingApp string
}

// Tracks are all there are in the Segment, in the order of the stream.
type Tracks struct{ Tracks []Track }

// Find gives the track of this number, nil if there is none.
func (t *Tracks) Find(number uint64) *Track {
	for i := range t.Tracks {
		if t.Tracks[i].Number == number {
			return &t.Tracks[i]
		}
	}
	return nil
}

// Tags are those of one Tags element, whatever they aim at; nested ones follow the one around them.
type Tags struct{ Tags []Tag }

// Find gives the value of the first tag of this name.
func (t *Tags) Find(name string) (value string, ok bool) {
	for i := range t.Tags {
		if t.Tags[i].Name == name {
			return t.Tags[i].Value, true
		}
	}
	return "", false
}

// ClusterStart begins a cluster: with the service a fragment. [Reader.Offset] is that of the Cluster, not of the Timecode.
type ClusterStart struct {
	Timecode uint64 // in ticks
	Size     int64  // of its content, in bytes; -1 if unknown
}

// Lacing is how a block holds several frames.
type Lacing uint8

// The kinds of lacing.
const (
	NoLacing    Lacing = 0
	XiphLacing  Lacing = 1
	FixedLacing Lacing = 2
	EBMLLacing  Lacing = 3
)

// Block is one frame of a SimpleBlock or of a BlockGroup.
type Block struct {
	Track    uint64
	Relative int16 // ticks after the cluster's timecode
	// Timecode is that of the cluster plus Relative, in ticks. The frames of a laced block all have that of the first: each next
	// one is the track's DefaultDuration, or the length of the frame before it, later.
	Timecode    int64
	Duration    uint64 // of the whole block in ticks, 0 if it is not told; only a BlockGroup tells
	Key         bool   // of a BlockGroup: it refers to no other block
	Invisible   bool
	Discardable bool // only a SimpleBlock tells
	Lacing      Lacing
	Frame       int // the place in the lace, from 0
	Frames      int // of the lace, 1 without lacing
	Data        []byte
}

// ClusterEnd ends a cluster. It comes with what follows the cluster, if its size was unknown, but never waits for the whole of that.
type ClusterEnd struct {
	Size int64 // of the whole Cluster, in bytes
}

// SegmentEnd ends a Segment.
type SegmentEnd struct {
	Size int64 // of the whole Segment, in bytes
}

func (*EBMLHeader) event()   {}
func (*SegmentStart) event() {}
func (*Info) event()         {}
func (*Tracks) event()       {}
func (*Tags) event()         {}
func (*ClusterStart) event() {}
func (*Block) event()        {}
func (*ClusterEnd) event()   {}
func (*SegmentEnd) event()   {}
