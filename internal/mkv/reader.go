package mkv

import (
	"errors"
	"io"
)

// Reader reads a stream of Matroska as it comes. It gives an event as soon as the last byte of what that is about is there, and never
// asks the reader below for more than it needs for that. Several documents may follow one another. It allocates nothing a block, and
// keeps a buffer of at most twice the largest element that came.
type Reader struct {
	in      window
	limits  Limits
	err     error
	held    int   // bytes at the window's start that the last event is about
	at      int64 // the last event's offset
	raw     []byte
	skipped int64 // bytes that were skipped since the last event

	level     int       // how many of the following are open
	segment   container // of level 1
	cluster   container // of level 2
	opened    bool      // an EBML header was read, and the Segment has to follow
	sizes     int       // EBMLMaxSizeLength
	timed     bool      // the cluster has told its Timecode
	laced     lace
	ebml      EBMLHeader
	began     SegmentStart
	info      Info
	tracks    Tracks
	tags      Tags
	start     ClusterStart
	block     Block
	ended     ClusterEnd
	endedWith SegmentEnd
}

// container is an open Segment or Cluster.
type container struct {
	start int64 // offset of its first byte
	end   int64 // offset after its last byte, or unknownSize
}

func (c container) reached(offset int64) bool { return c.end >= 0 && offset >= c.end }

// element is the id and size at the window's start.
type element struct {
	id   uint32
	head int   // bytes of id and size
	size int64 // of what follows them, or unknownSize
}

func (e element) whole() int64 { return int64(e.head) + e.size }

// NewReader reads from src, in whatever pieces that gives. No buffering is needed below it.
func NewReader(src io.Reader, limits Limits) *Reader {
	r := &Reader{limits: limits.orDefault()}
	r.Reset(src)
	return r
}

// Reset begins anew with another stream, in the same buffers.
func (r *Reader) Reset(src io.Reader) {
	in := r.in
	in.reset(src)
	*r = Reader{in: in, limits: r.limits, sizes: maxSizeLength}
}

// Offset is where in the stream the last event's element begins: its first byte, from 0. With ClusterEnd and SegmentEnd it is the
// offset after them.
func (r *Reader) Offset() int64 { return r.at }

// Raw is the whole element, id and size included, of an EBMLHeader, Info, Tracks, Tags or Block; of a SegmentStart its id and size;
// nil with other events. It is valid until the next call of Next.
func (r *Reader) Raw() []byte { return r.raw }

// Next gives the next event, and blocks until it is there. At the end of the stream, if that is a place where it may end, it gives the
// ends of what is open, and then io.EOF. After an error it gives that error again.
//
// Errors are of type *[Error] and wrap [ErrInvalid], [ErrLimit], io.ErrUnexpectedEOF where the stream ends within an element, or the
// error of the reader below.
func (r *Reader) Next() (Event, error) {
	if r.err != nil {
		return nil, r.err
	}
	if r.laced.next < r.laced.count {
		r.laced.frame(&r.block)
		return &r.block, nil
	}
	r.in.take(r.held)
	r.held, r.raw, r.skipped = 0, nil, 0
	for {
		e, err := r.step()
		if err != nil {
			r.err, r.raw = err, nil
			return nil, err
		}
		if e != nil {
			return e, nil
		}
	}
}

// step reads an element, or ends one; it gives nil where that is no event.
func (r *Reader) step() (Event, error) {
	switch {
	case r.level == inCluster && (r.cluster.reached(r.in.offset) || r.segment.reached(r.in.offset)):
		return r.closeCluster()
	case r.level == inSegment && r.segment.reached(r.in.offset):
		return r.closeSegment(), nil
	}
	e, err := r.header()
	if errors.Is(err, io.EOF) {
		return r.finish()
	}
	if err != nil {
		return nil, err
	}
	where := place(e.id)
	switch {
	case where == nobodyKnows && r.level == atTop:
		return nil, r.notMatroska(e)
	case where == anywhere || where == nobodyKnows:
		return nil, r.pass(e)
	case where < r.level:
		return r.closeFor(e)
	case where > r.level || e.id == idSegment && r.ebml.DocType == "":
		return nil, r.misplaced(e)
	}
	if err := r.fits(e); err != nil {
		return nil, err
	}
	return r.read(e)
}

// read gives the event of an element that stands where it belongs.
func (r *Reader) read(e element) (Event, error) {
	switch e.id {
	case idSegment:
		return r.openSegment(e)
	case idCluster:
		return nil, r.openCluster(e)
	case idEBML, idInfo, idTracks, idTags, idTimecode, idSimpleBlock, idBlockGroup:
	default:
		return nil, r.pass(e)
	}
	content, err := r.whole(e)
	if err != nil {
		return nil, err
	}
	master := children{id: e.id, b: content, at: r.at + int64(e.head)}
	switch e.id {
	case idEBML:
		return r.readEBML(master)
	case idInfo:
		return r.readInfo(master)
	case idTracks:
		return r.readTracks(master)
	case idTags:
		return r.readTags(master)
	case idTimecode:
		return r.readTimecode(content)
	case idBlockGroup:
		return r.readBlockGroup(master)
	}
	return r.readSimpleBlock(content)
}

// header reads the id and size at the window's start, without taking them. io.EOF is the end of the stream at an element's start;
// whether it may end there is not said with that.
func (r *Reader) header() (element, error) {
	if err := r.in.need(1); err != nil {
		if errors.Is(err, io.EOF) {
			return element{}, io.EOF
		}
		return element{}, &Error{r.in.offset, "the next element", err}
	}
	n := vintLength(r.in.peek(1)[0])
	if n > maxIDLength {
		return element{}, &Error{r.in.offset, "the next element", r.garbage()}
	}
	if err := r.in.need(n + 1); err != nil {
		return element{}, r.cut("its id", err)
	}
	id, ok := idOf(r.in.peek(n))
	length := vintLength(r.in.peek(n + 1)[n])
	if !ok || length > maxSizeLength || length > r.sizes && id != idEBML {
		return element{}, &Error{r.in.offset, "the next element", r.garbage()}
	}
	if err := r.in.need(n + length); err != nil {
		return element{}, r.cut("its size", err)
	}
	size, unknown := vint(r.in.peek(n + length)[n:])
	e := element{id: id, head: n + length, size: int64(size)}
	if unknown {
		e.size = unknownSize
	}
	return e, nil
}
