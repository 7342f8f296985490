package mkv

import (
	"bytes"
	"math"
	"strings"
)

// deepest is how deep tags may lie in one another.
const deepest = 8

// maxTimecode leaves room for what a block adds to it.
const maxTimecode = 1 << 62

// children goes through the elements in one that is in memory as a whole. A mistake ends it, with err set.
type children struct {
	id    uint32 // of the element around them
	b     []byte // what is left
	at    int64  // its offset in the stream
	child uint32
	start int64 // the child's offset
	value []byte
	err   error
}

func (c *children) next() bool {
	if c.err != nil || len(c.b) == 0 {
		return false
	}
	n := vintLength(c.b[0])
	if n > maxIDLength || n >= len(c.b) {
		return c.fail("the bytes % X in it begin no element", c.b[:min(len(c.b), 8)])
	}
	id, ok := idOf(c.b[:n])
	size, unknown, length := vintAt(c.b[n:])
	if !ok || length == 0 {
		return c.fail("the bytes % X in it begin no element", c.b[:min(len(c.b), 8)])
	}
	head := n + length
	c.child, c.start = id, c.at
	if unknown {
		return c.fail("the size of its %s is unknown", elementName(id))
	}
	if size > uint64(len(c.b)-head) {
		return c.fail("its %s is longer than itself", elementName(id))
	}
	end := head + int(size)
	c.value = c.b[head:end:end]
	c.b = c.b[end:]
	c.at += int64(end)
	return true
}

func (c *children) fail(format string, args ...any) bool {
	c.err = invalid(c.id, c.at, format, args...)
	return false
}

// inner goes through the children of the child.
func (c *children) inner() children {
	return children{id: c.child, b: c.value, at: c.at - int64(len(c.value))}
}

// uint is the child's value; an empty one has the default.
func (c *children) uint(otherwise uint64) uint64 {
	if len(c.value) == 0 {
		return otherwise
	}
	n, ok := uintOf(c.value)
	if !ok {
		c.err = invalid(c.child, c.start, "a number of %d bytes", len(c.value))
	}
	return n
}

// int is a value that has to fit into 31 bits.
func (c *children) int() int {
	n := c.uint(0)
	if n > math.MaxInt32 {
		c.err = invalid(c.child, c.start, "%d is too much", n)
		return 0
	}
	return int(n)
}

func (c *children) float(otherwise float64) float64 {
	if len(c.value) == 0 {
		return otherwise
	}
	f, ok := floatOf(c.value)
	if !ok {
		c.err = invalid(c.child, c.start, "a float of %d bytes", len(c.value))
	}
	return f
}

// text ends at the first zero byte; what is not UTF-8 is replaced.
func (c *children) text() string {
	b, _, _ := bytes.Cut(c.value, []byte{0})
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

func (r *Reader) readEBML(c children) (Event, error) {
	if r.opened {
		return nil, invalid(idEBML, r.at, "a Segment has to follow the one before")
	}
	h := EBMLHeader{DocType: "", DocTypeVersion: 1, DocTypeReadVersion: 1, MaxIDLength: maxIDLength, MaxSizeLength: maxSizeLength}
	read := uint64(1)
	for c.next() {
		switch c.child {
		case idEBMLReadVersion:
			read = c.uint(1)
		case idEBMLMaxIDLength:
			h.MaxIDLength = c.uint(maxIDLength)
		case idEBMLMaxSizeLength:
			h.MaxSizeLength = c.uint(maxSizeLength)
		case idDocType:
			h.DocType = c.text()
		case idDocTypeVersion:
			h.DocTypeVersion = c.uint(1)
		case idDocTypeReadVersion:
			h.DocTypeReadVersion = c.uint(1)
		}
	}
	switch {
	case c.err != nil:
		return nil, c.err
	case h.DocType != "matroska" && h.DocType != "webm":
		return nil, invalid(idEBML, r.at, "the DocType is %.40q, not matroska or webm", h.DocType)
	case read != 1:
		return nil, invalid(idEBML, r.at, "EBMLReadVersion %d: only version 1 is known", read)
	case h.DocTypeReadVersion > maxDocTypeVersion:
		return nil, invalid(idEBML, r.at, "DocTypeReadVersion %d: only versions up to %d are known", h.DocTypeReadVersion, maxDocTypeVersion)
	case h.MaxIDLength != maxIDLength:
		return nil, invalid(idEBML, r.at, "EBMLMaxIDLength %d: in Matroska it is 4", h.MaxIDLength)
	case h.MaxSizeLength < 1 || h.MaxSizeLength > maxSizeLength:
		return nil, invalid(idEBML, r.at, "EBMLMaxSizeLength %d is not within 1..8", h.MaxSizeLength)
	}
	r.opened, r.sizes, r.ebml = true, int(h.MaxSizeLength), h
	return &r.ebml, nil
}

// maxDocTypeVersion is the newest that RFC 9559 describes.
const maxDocTypeVersion = 4

func (r *Reader) readTimecode(content []byte) (Event, error) {
	at := r.at
	r.at, r.raw = r.cluster.start, nil
	if r.timed {
		return nil, invalid(idTimecode, at, "the Cluster at byte %d has told its Timecode before", r.cluster.start)
	}
	n, ok := uintOf(content)
	if !ok || n > maxTimecode {
		return nil, invalid(idTimecode, at, "a number of %d bytes is too much", len(content))
	}
	r.timed, r.start.Timecode = true, n
	return &r.start, nil
}

func (r *Reader) readInfo(c children) (Event, error) {
	r.info = Info{TimecodeScale: DefaultTimecodeScale}
	for c.next() {
		switch c.child {
		case idSegmentUID:
			r.info.HasUID = copy(r.info.SegmentUID[:], c.value) == len(r.info.SegmentUID)
		case idTimecodeScale:
			if r.info.TimecodeScale = c.uint(DefaultTimecodeScale); r.info.TimecodeScale == 0 {
				return nil, invalid(idTimecodeScale, c.start, "it is 0")
			}
		case idDuration:
			r.info.Duration = c.float(0)
		case idTitle:
			r.info.Title = c.text()
		case idMuxingApp:
			r.info.MuxingApp = c.text()
		case idWritingApp:
			r.info.WritingApp = c.text()
		}
	}
	return &r.info, c.err
}
