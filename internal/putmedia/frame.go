package putmedia

import (
	"encoding/binary"
	"sync"
	"time"

	"gst-kinesis/internal/mediacall"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/sizeclass"
	"gst-kinesis/internal/spool"
)

// headroom is what lies before a frame's payload in memory: HTTP's, the Cluster's and the
// SimpleBlock's headers on the way to the service, and what the spool has to know on the way to
// disk; tailroom is what lies behind it, for HTTP.
const (
	headroom = 64
	tailroom = mediacall.RoomAfter
)

// Frame is one access unit of video, or one frame of audio. Reserve gives one; after Put
// it belongs to the stream and must not be touched.
type Frame struct {
	// Data is the payload as Matroska has it, with the length that was asked of Reserve;
	// it may be made shorter.
	Data []byte
	// Track is the number of one of the tracks.
	Track uint64
	// PTS and DTS are nanoseconds since 1970. PTS is when the frame is shown and what
	// the service is told; by DTS the frames of a track come in order.
	PTS, DTS int64
	// Key is a frame with which decoding may begin. All of audio's are.
	Key bool
	// Invisible frames are decoded and not shown; Discardable ones no other frame needs.
	Invisible, Discardable bool
	// Token comes back to the observer.
	Token any

	buffer   []byte // headroom, payload, tailroom
	class    int
	accepted time.Duration // since the stream's start
	id       spool.ID      // in the spool; 0 is not there
}

func (f *Frame) count() Count { return Count{Frames: 1, Bytes: int64(len(f.Data))} }

// memory is what the frame takes.
func (f *Frame) memory() int64 { return int64(cap(f.buffer)) + frameOverhead }

const frameOverhead = 192

// ms is the frame's time in the ticks of the stream.
func (f *Frame) ms() int64 { return floorMillis(f.PTS) }

// floorMillis rounds nanoseconds down, also before 1970.
func floorMillis(ns int64) int64 {
	ms := ns / 1e6
	if ns%1e6 < 0 {
		ms--
	}
	return ms
}

func (f *Frame) flags() (b mkv.BlockFlags) {
	if f.Key {
		b |= mkv.KeyFrame
	}
	if f.Invisible {
		b |= mkv.Invisible
	}
	if f.Discardable {
		b |= mkv.Discardable
	}
	return b
}

// block writes the frame's SimpleBlock, and before it the Cluster's header if cluster is
// not negative, into the headroom, and returns all of it: one write, with room around it.
func (f *Frame) block(cluster int64, relative int16) piece {
	begin := headroom - mkv.SimpleBlockHeaderSize(f.Track)
	if cluster >= 0 {
		begin -= mkv.ClusterSize
	}
	header := f.buffer[begin:begin:headroom]
	if cluster >= 0 {
		header = mkv.AppendCluster(header, uint64(cluster))
	}
	mkv.AppendSimpleBlockHeader(header, f.Track, relative, f.flags(), len(f.Data))
	return piece{bytes: f.buffer[begin : headroom+len(f.Data)], room: f.buffer, at: begin}
}

// A frame in the spool:
//
//	version  1 byte: 1
//	flags    1 byte: those of a SimpleBlock; 1<<6: a head follows: the frame begins a fragment
//	track    1 byte
//	pts, dts 8 bytes each, big-endian, ns since 1970
//	[head    4 bytes length, and as much: see head.go]
//	payload
const (
	spooledVersion = 1
	spooledHead    = 1 << 6
	spooledMeta    = 3 + 8 + 8
)

// spooled returns the frame as the spool keeps it; head is nil but for the first of a
// fragment, which is copied for it.
func (f *Frame) spooled(head []byte) []byte {
	begin := headroom - spooledMeta
	meta := f.buffer[begin:headroom]
	meta[0], meta[1], meta[2] = spooledVersion, byte(f.flags()), byte(f.Track)
	binary.BigEndian.PutUint64(meta[3:], uint64(f.PTS))
	binary.BigEndian.PutUint64(meta[11:], uint64(f.DTS))
	if head == nil {
		return f.buffer[begin : headroom+len(f.Data)]
	}
	out := make([]byte, 0, spooledMeta+4+len(head)+len(f.Data))
	out = append(out, meta...)
	out[1] |= spooledHead
	out = binary.BigEndian.AppendUint32(out, uint32(len(head)))
	return append(append(out, head...), f.Data...)
}

// pool keeps frames with their memory for use again, up to a bound.
type pool struct {
	most int64 // bytes kept

	mu     sync.Mutex
	kept   int64
	free   [classes][]*Frame
	idlest [classes]int // the least len(free[i]) since the last trim
}

// The pool's size classes: from 256 bytes to 64 MiB.
const (
	leastBits = 8
	mostBits  = 26
	classes   = (mostBits-leastBits)*sizeclass.Steps + 1
)

func sizes() sizeclass.Range { return sizeclass.Range{Least: leastBits, Most: mostBits} }

// take returns a frame whose Data has the given length.
func (p *pool) take(size int) *Frame {
	class := sizes().Of(headroom + size + tailroom)
	if class == sizeclass.None {
		b := make([]byte, headroom+size+tailroom)
		return &Frame{buffer: b, Data: b[headroom : headroom+size], class: sizeclass.None}
	}
	p.mu.Lock()
	var f *Frame
	if free := p.free[class]; len(free) > 0 {
		f = free[len(free)-1]
		free[len(free)-1] = nil
		p.free[class] = free[:len(free)-1]
		p.kept -= f.memory()
		p.idlest[class] = min(p.idlest[class], len(p.free[class]))
	}
	p.mu.Unlock()
	if f == nil {
		f = &Frame{buffer: make([]byte, sizes().Bytes(class)), class: class}
	}
	f.Data = f.buffer[headroom : headroom+size]
	return f
}

// give takes a frame back.
func (p *pool) give(f *Frame) {
	*f = Frame{buffer: f.buffer, class: f.class}
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.class == sizeclass.None || p.kept+f.memory() > p.most {
		return
	}
	p.kept += f.memory()
	p.free[f.class] = append(p.free[f.class], f)
}

// trim frees memory that lay idle ever since it was called last.
func (p *pool) trim() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for class, free := range p.free {
		idle := min(p.idlest[class], len(free))
		for _, f := range free[:idle] {
			p.kept -= f.memory()
		}
		n := copy(free, free[idle:])
		clear(free[n:])
		p.free[class], p.idlest[class] = free[:n], n
	}
}
