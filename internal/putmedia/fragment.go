package putmedia

import (
	"math"
	"time"

	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/spool"
)

// fragment is one Cluster: what is acknowledged as a whole.
type fragment struct {
	seq      uint64 // its place in the line, given anew when what is on disk comes before it
	born     uint64 // its first seq, by which a drain knows it; 0 of what was on disk
	layout   *layout
	apart    bool  // time went back before it: it begins a session of its own
	timecode int64 // of the Cluster: ms since 1970
	latest   int64 // ns since 1970: the latest PTS in it
	tags     []mkv.Tag
	frames   []*Frame
	has      tracks // that it has frames of
	count    Count
	memory   int64
	closed   bool // nothing comes any more
	ended    bool // and nothing follows soon: it is ended by a tag
	backlog  bool // an outage held it up
	loose    bool // not all of it is in the spool
	refusal  int  // the error id for which it was skipped; 0: it was not
	objected int  // the error id for which it is sent once more

	// What the session under way did with it.
	session  *session      // nil: it has not begun it
	begun    time.Duration // when it did
	sentAt   time.Duration
	sent     bool // all of it
	received bool
	attempts int // errors of the service's own over it
	wholly   int // sessions that sent all of it
}

func (f *fragment) add(frame *Frame) {
	f.frames = append(f.frames, frame)
	f.has |= f.layout.one(frame.Track)
	f.count.add(frame.count())
	f.memory += frame.memory()
	f.latest = max(f.latest, frame.PTS)
	f.loose = f.loose || frame.id == 0
}

// forget takes back what a session did that has ended.
func (f *fragment) forget() {
	f.session, f.sent, f.received = nil, false, false
}

// ids returns the frames' places in the spool.
func (f *fragment) ids() []spool.ID {
	var ids []spool.ID
	for _, frame := range f.frames {
		if frame.id != 0 {
			ids = append(ids, frame.id)
		}
	}
	return ids
}

// first returns the place of its first frame in the spool.
func (f *fragment) first() spool.ID { return f.frames[0].id }

// relative is a frame's time in the fragment in ms, and whether a block can say it.
func (f *fragment) relative(frame *Frame) (int16, bool) {
	ms := frame.ms() - f.timecode
	return int16(ms), ms >= math.MinInt16 && ms <= math.MaxInt16 //nolint:gosec // the bounds are told
}

// cutter decides where fragments begin. It belongs to whoever holds putting.
type cutter struct {
	layout   *layout
	pending  []mkv.Tag // of the next fragment
	lasting  []mkv.Tag // of every fragment
	needsKey bool      // what comes cannot be decoded before a key frame
	lastPTS  int64     // of the frame before
	latest   int64     // ms: the latest time so far
	floor    int64     // ms: the latest time in the fragments before; frames are later
	moved    bool      // a frame's time was moved for that
	quiet    quiet
	fell     tracks // silent, in the last fragment
}

// nothing is a time before all others.
const nothing = math.MinInt64

// mostMove is how far back a frame's time may lie behind the fragment before to be moved, ms;
// beyond that, time went back.
const mostMove = 1000

// verdict is what becomes of a frame.
type verdict struct {
	reason string // of dropping it; else it is taken
	begins bool   // it begins a fragment
	forced bool   // because the one before would be too long, not because it is a key frame
}

// decide says what becomes of a frame, with the fragment that is open, or nil.
func (c *cutter) decide(s *Settings, open *fragment, f *Frame) verdict {
	video := c.layout.video
	starts := video == 0 || f.Track == video && f.Key // decoding may begin here
	switch {
	case int64(len(f.Data)) > MaxFragmentBytes:
		return verdict{reason: ReasonOversize}
	case c.needsKey && !starts:
		return verdict{reason: ReasonBeforeKey}
	case open == nil || open.layout != c.layout:
		if !starts {
			return verdict{reason: ReasonBeforeKey}
		}
		return verdict{begins: true}
	}
	age := time.Duration(f.PTS - open.timecode*1e6)
	if starts && (age >= c.least(s) && !c.awaits(open, age) || age < 0) {
		return verdict{begins: true}
	}
	step := max(0, time.Duration(f.PTS-c.lastPTS))
	if age+min(step, time.Second) > MaxFragment || open.count.Bytes+int64(len(f.Data)) > MaxFragmentBytes {
		return verdict{begins: true, forced: !starts}
	}
	if _, fits := open.relative(f); !fits {
		return verdict{reason: ReasonTimestamp}
	}
	return verdict{}
}

// least is how old a fragment is at least before the next begins.
func (c *cutter) least(s *Settings) time.Duration {
	if s.KeyFrameFragments && c.layout.video != 0 {
		return MinFragment
	}
	return s.FragmentDuration
}

// begin makes the fragment that a frame begins.
func (c *cutter) begin(f *Frame) *fragment {
	c.floor = c.latest
	if c.floor-f.ms() >= mostMove && c.floor != nothing {
		c.floor, c.latest = nothing, nothing
	}
	c.place(f)
	g := &fragment{layout: c.layout, timecode: f.ms(), latest: f.PTS, apart: c.floor == nothing}
	g.tags = append(append(g.tags, c.lasting...), c.pending...)
	c.pending = nil
	return g
}

// place sees to it that a frame is later than all of the fragments before, as the service
// wants it (FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS): sound may come late, by less than a
// frame of video mostly, and is moved by that.
func (c *cutter) place(f *Frame) {
	if ms := f.ms(); ms <= c.floor {
		c.floor++
		f.PTS, c.moved = c.floor*1e6, true
	}
	c.latest = max(c.latest, f.ms())
}
