package mkv

import (
	"encoding/binary"
	"math"
)

// lace is the frames of one block. Source: RFC 9559, 10.3.
type lace struct {
	data  []byte // of the frames that are left
	sizes [256]int
	next  int
	count int
}

// frame gives the next frame.
func (l *lace) frame(b *Block) {
	n := l.sizes[l.next]
	b.Frame, b.Frames, b.Data = l.next, l.count, l.data[:n:n]
	l.data = l.data[n:]
	l.next++
}

func (r *Reader) readSimpleBlock(content []byte) (Event, error) {
	r.block = Block{}
	flags, err := r.readBlock(idSimpleBlock, content)
	if err != nil {
		return nil, err
	}
	r.block.Key = flags&byte(KeyFrame) != 0
	r.block.Discardable = flags&byte(Discardable) != 0
	return &r.block, nil
}

func (r *Reader) readBlockGroup(group children) (Event, error) {
	r.block = Block{}
	key, found := true, false
	var duration uint64
	for group.next() {
		switch group.child {
		case idBlock:
			if found {
				return nil, invalid(idBlockGroup, r.at, "it holds two Blocks")
			}
			found = true
			if _, err := r.readBlock(idBlock, group.value); err != nil {
				return nil, err
			}
		case idBlockDuration:
			duration = group.uint(0)
		case idReferenceBlock:
			key = false
		}
	}
	if group.err != nil {
		return nil, group.err
	}
	if !found {
		return nil, invalid(idBlockGroup, r.at, "it holds no Block")
	}
	r.block.Key, r.block.Duration = key, duration
	return &r.block, nil
}

// readBlock reads what SimpleBlock and Block have in common, up to the first frame.
func (r *Reader) readBlock(id uint32, b []byte) (flags byte, err error) {
	if !r.timed {
		return 0, invalid(id, r.at, "it stands before the Timecode of its Cluster")
	}
	track, unknown, n := vintAt(b)
	if n == 0 || len(b) < n+3 {
		return 0, invalid(id, r.at, "%d bytes are too few for a track, a timecode and flags", len(b))
	}
	if track == 0 || unknown {
		return 0, invalid(id, r.at, "it belongs to no track")
	}
	flags = b[n+2]
	r.block.Track = track
	r.block.Relative = int16(binary.BigEndian.Uint16(b[n:]))
	r.block.Timecode = int64(r.start.Timecode) + int64(r.block.Relative)
	r.block.Invisible = flags&byte(Invisible) != 0
	r.block.Lacing = Lacing(flags >> 1 & 3)
	if complaint := r.laced.read(r.block.Lacing, b[n+3:]); complaint != "" {
		return 0, invalid(id, r.at, "its lacing: %s", complaint)
	}
	r.laced.frame(&r.block)
	return flags, nil
}

// read finds the frames; the complaint is "" if they are sound.
func (l *lace) read(kind Lacing, b []byte) (complaint string) {
	l.next, l.count, l.data = 0, 0, nil
	if kind == NoLacing {
		l.count, l.sizes[0], l.data = 1, len(b), b
		return ""
	}
	if len(b) == 0 {
		return "the count of frames is missing"
	}
	count := int(b[0]) + 1
	b = b[1:]
	ok := true
	switch kind {
	case XiphLacing:
		b, ok = l.xiph(count, b)
	case EBMLLacing:
		b, ok = l.ebml(count, b)
	default:
		if len(b)%count != 0 {
			return "the frames cannot be of one size"
		}
		for i := range count {
			l.sizes[i] = len(b) / count
		}
	}
	if !ok {
		return "the sizes of the frames break off or are none"
	}
	left := len(b)
	for i := range count - 1 {
		if left -= l.sizes[i]; left < 0 {
			return "the frames are longer than the block"
		}
	}
	l.sizes[count-1] = left
	l.count, l.data = count, b
	return ""
}

// xiph reads the sizes of all frames but the last: each a sum of bytes that ends with the first that is not 255.
func (l *lace) xiph(count int, b []byte) (rest []byte, ok bool) {
	for i := range count - 1 {
		size := 0
		for {
			if len(b) == 0 {
				return nil, false
			}
			c := b[0]
			b = b[1:]
			size += int(c)
			if c != 255 {
				break
			}
		}
		l.sizes[i] = size
	}
	return b, true
}

// ebml reads the sizes of all frames but the last: the first as it is, each other as the difference from the one before, with a bias.
func (l *lace) ebml(count int, b []byte) (rest []byte, ok bool) {
	size := int64(0)
	for i := range count - 1 {
		n, unknown, length := vintAt(b)
		if length == 0 || unknown {
			return nil, false
		}
		b = b[length:]
		if i == 0 {
			size = int64(n)
		} else {
			size += int64(n) - (1<<(7*length-1) - 1)
		}
		if size < 0 || size > math.MaxInt32 {
			return nil, false
		}
		l.sizes[i] = int(size)
	}
	return b, true
}
