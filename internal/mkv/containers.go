package mkv

import (
	"errors"
	"fmt"
	"io"
)

func (r *Reader) openSegment(e element) (Event, error) {
	r.opened = false
	r.level = inSegment
	r.segment = container{start: r.in.offset, end: unknownSize}
	if e.size >= 0 {
		r.segment.end = r.in.offset + e.whole()
	}
	r.at, r.held, r.raw = r.in.offset, e.head, r.in.peek(e.head)
	r.began = SegmentStart{Size: e.size}
	return &r.began, nil
}

// openCluster waits with the event for the Timecode.
func (r *Reader) openCluster(e element) error {
	r.level, r.timed = inCluster, false
	r.cluster = container{start: r.in.offset, end: unknownSize}
	if e.size >= 0 {
		r.cluster.end = r.in.offset + e.whole()
	}
	r.start = ClusterStart{Size: e.size}
	r.in.take(e.head)
	return nil
}

// closeFor ends the container that e cannot lie in, which takes nothing of e.
func (r *Reader) closeFor(e element) (Event, error) {
	open, id := r.segment, uint32(idSegment)
	if r.level == inCluster {
		open, id = r.cluster, idCluster
	}
	if open.end >= 0 {
		return nil, invalid(e.id, r.in.offset, "it lies in a %s, where it does not belong, which goes on until byte %d", elementName(id), open.end)
	}
	if r.level == inCluster {
		return r.closeCluster()
	}
	return r.closeSegment(), nil
}

func (r *Reader) closeCluster() (Event, error) {
	if !r.timed {
		return nil, invalid(idCluster, r.cluster.start, "it has no Timecode")
	}
	r.level = inSegment
	r.at = r.in.offset
	r.ended = ClusterEnd{Size: r.in.offset - r.cluster.start}
	return &r.ended, nil
}

func (r *Reader) closeSegment() Event {
	r.level = atTop
	r.at = r.in.offset
	r.endedWith = SegmentEnd{Size: r.in.offset - r.segment.start}
	return &r.endedWith
}

// finish is the end of the stream between two elements.
func (r *Reader) finish() (Event, error) {
	switch {
	case r.level == inCluster && r.cluster.end >= 0:
		return nil, broken(idCluster, r.cluster.start, r.in.offset-r.cluster.start, r.cluster.end-r.cluster.start, io.EOF)
	case r.level >= inSegment && r.segment.end >= 0:
		return nil, broken(idSegment, r.segment.start, r.in.offset-r.segment.start, r.segment.end-r.segment.start, io.EOF)
	case r.level == inCluster:
		if !r.timed {
			return nil, broken(idCluster, r.cluster.start, 0, 0, io.EOF)
		}
		return r.closeCluster()
	case r.level == inSegment:
		return r.closeSegment(), nil
	case r.opened:
		return nil, broken(idSegment, r.in.offset, 0, 0, io.EOF)
	}
	return nil, io.EOF
}

// fits holds an element to the ends of what it lies in.
func (r *Reader) fits(e element) error {
	if e.size < 0 {
		if e.id == idSegment || e.id == idCluster {
			return nil
		}
		return invalid(e.id, r.in.offset, "its size is unknown, which only a Segment and a Cluster may leave open")
	}
	end, id := int64(unknownSize), uint32(idSegment)
	if r.level >= inSegment {
		end = r.segment.end
	}
	if r.level == inCluster && r.cluster.end >= 0 {
		end, id = r.cluster.end, idCluster
	}
	if end >= 0 && r.in.offset+e.whole() > end {
		return invalid(e.id, r.in.offset, "it goes on until byte %d, and the %s that it lies in only until %d", r.in.offset+e.whole(), elementName(id), end)
	}
	return nil
}

// whole waits for all of an element, makes it what the event is about, and gives its content.
func (r *Reader) whole(e element) ([]byte, error) {
	if limit := r.limits.of(e.id); e.size > int64(limit) {
		return nil, beyond(e.id, r.in.offset, "bytes", e.size, int64(limit))
	}
	n := int(e.whole())
	if err := r.in.need(n); err != nil {
		return nil, broken(e.id, r.in.offset, int64(r.in.have()), int64(n), err)
	}
	r.at, r.held, r.raw = r.in.offset, n, r.in.peek(n)
	return r.raw[e.head:], nil
}

// pass skips an element.
func (r *Reader) pass(e element) error {
	if err := r.fits(e); err != nil {
		return err
	}
	if r.skipped += e.whole(); r.skipped > int64(r.limits.MaxSkip) {
		return beyond(e.id, r.in.offset, "bytes to skip at once", r.skipped, int64(r.limits.MaxSkip))
	}
	at := r.in.offset
	if passed, err := r.in.skip(e.whole()); err != nil {
		return broken(e.id, at, passed, e.whole(), err)
	}
	return nil
}

func (r *Reader) notMatroska(e element) error {
	if r.in.offset == 0 {
		return &Error{0, "the stream's beginning", r.garbage()}
	}
	return invalid(e.id, r.in.offset, "an EBML header or a Segment was expected; there are the bytes % X", r.in.peek(min(r.in.have(), 8)))
}

// misplaced is for an element that stands outside of what it belongs into.
func (r *Reader) misplaced(e element) error {
	if r.in.offset == 0 {
		return invalid(e.id, 0, "a stream begins with an EBML header")
	}
	if place(e.id) == inCluster {
		return invalid(e.id, r.in.offset, "it lies outside of a Cluster")
	}
	if e.id == idSegment {
		return invalid(e.id, r.in.offset, "there is no EBML header before it")
	}
	return invalid(e.id, r.in.offset, "it lies outside of a Segment")
}

// garbage is for bytes that are no element.
func (r *Reader) garbage() error {
	what := "no element"
	if r.in.offset == 0 {
		what = "no EBML header"
	}
	return fmt.Errorf("%w: the bytes % X begin %s", ErrInvalid, r.in.peek(min(r.in.have(), 8)), what)
}

// cut is for a stream that breaks off within an id or a size.
func (r *Reader) cut(within string, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return &Error{r.in.offset, "the next element", fmt.Errorf("the stream breaks off within %s: %w", within, err)}
}
