package kinesisvideosink

import (
	"sync"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/putmedia"
	"gst-kinesis/internal/stamp"
)

// timeline turns running time into time since 1970, for both pads, so that they stay in step. Safe from any thread.
type timeline struct {
	original bool  // the timestamps are since 1970
	begin    int64 // of a file, ns since 1970; 0: now
	file     bool
	noticed  func(text string)

	mu      sync.Mutex
	anchor  stamp.Anchor
	stamper *stamp.Stamper
	begun   bool
	offset  int64 // unix - running time of the last frame
	playing bool
}

func newTimeline(s *Settings, noticed func(string)) (*timeline, error) {
	t := &timeline{original: s.UseOriginalPTS || s.TimestampSource == sourceOriginal, file: s.StreamingType == offline,
		begin: int64(s.FileStartTime) * int64(time.Second), noticed: noticed} //nolint:gosec // bounded by the property
	source := stamp.Clock
	if !t.original {
		var err error
		if source, err = stamp.Parse(s.TimestampSource); err != nil {
			return nil, err
		}
	}
	if t.file && source == stamp.Auto {
		source = stamp.Clock
	}
	t.anchor.Fixed = t.file
	t.stamper = stamp.New(source)
	return t, nil
}

// at gives the time of a frame of a running time, which may bear the camera's own; now is when it came.
func (t *timeline) at(running, now int64, v *gst.View) int64 {
	m := stamp.Moment{Running: running, Now: now}
	if t.isPlaying() {
		m.Zero, m.HasZero = v.UnixZero()
	}
	reference, hasReference := v.UnixTime()
	t.mu.Lock()
	if !t.begun && t.file && t.begin != 0 {
		t.anchor.SetAt(running, t.begin)
	}
	t.begun = true
	clock, moved := t.anchor.Unix(m)
	unix, change := t.stamper.Stamp(stamp.Times{Reference: reference, HasReference: hasReference, Clock: clock, HasClock: true, Arrival: now})
	t.offset = unix - running
	t.mu.Unlock()
	t.tell(moved, change)
	return unix
}

// tell says what happened to the clocks.
func (t *timeline) tell(moved int64, change *stamp.Change) {
	if moved != 0 {
		t.noticed("the wall clock was set, or the pipeline stood still: timestamps move by " + time.Duration(moved).Round(time.Millisecond).String())
	}
	switch {
	case change == nil:
	case change.Skewed:
		t.noticed("the camera's clock differs from this machine's by " + time.Duration(change.Shift).Round(time.Second).String() +
			" and is not used; set it, or timestamp-source=reference")
	default:
		t.noticed("timestamps are of " + change.To.String() + " from here on, no longer of " + change.From.String())
	}
}

// where is the time of a running time, as the last frame had it; false before the first.
func (t *timeline) where(running int64) (int64, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return running + t.offset, t.begun
}

// play says whether the pipeline's clock runs.
func (t *timeline) play(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.playing = on
}

func (t *timeline) isPlaying() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.playing
}

// reset says that running time begins anew.
func (t *timeline) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.file {
		t.anchor.Reset()
	}
}

// padTimes keeps a pad's times in order. It belongs to the pad's streaming thread.
type padTimes struct {
	segment    gst.Segment
	hasSegment bool
	lastRaw    uint64 // timestamp of the last buffer
	step       uint64 // to the one before, or its duration
	hasLast    bool
	pts, dts   int64 // given last
	given      bool
	lead       int64 // from DTS to PTS of the last key frame
	last       int64 // the turn given last
}

// turn is when a frame's turn is beside those of the other pad, in ms: a key frame's by its PTS, as it begins a fragment, in which nothing may be
// earlier than what is in the one before; those that follow by their DTS, as far behind the key frame's.
func (p *padTimes) turn(f *putmedia.Frame) int64 {
	if f.Key {
		p.lead = f.PTS - f.DTS
	}
	p.last = tick(f.DTS + p.lead)
	return p.last
}

// tick is a time in the ms that are sent: of what is the same there video goes first.
func tick(ns int64) int64 { return ns / 1e6 }

// stamps are a frame's times in ns since 1970.
type stamps struct {
	pts, dts int64
	outside  bool // of the segment
}

// back is how far time may go back within a stream for that to be taken for an error of the timestamps, which is smoothed out.
const back = int64(time.Second)

// of gives the times of a buffer.
func (p *padTimes) of(t *timeline, kind mkv.TrackType, v *gst.View) stamps {
	now := time.Now().UnixNano()
	raw := p.raw(v)
	var s stamps
	running, ok := v.SignedRunningTime()
	outside := v.RunningTime() == gst.ClockTimeNone
	if v.PTS() == gst.ClockTimeNone && v.DTS() == gst.ClockTimeNone {
		running, ok = p.segment.RunningTime(raw)
		outside = p.segment.ToRunningTime(raw) == gst.ClockTimeNone
	}
	switch {
	case t.original && raw != gst.ClockTimeNone:
		s.pts = int64(raw) //nolint:gosec // until 2262
	case !p.hasSegment || !ok:
		s.pts = now
	default:
		s.pts = t.at(running, now, v)
		s.outside = outside
	}
	s.dts = s.pts
	if v.PTS() != gst.ClockTimeNone && v.DTS() != gst.ClockTimeNone {
		s.dts -= int64(v.PTS() - v.DTS()) //nolint:gosec // a difference, of either sign
	}
	if p.given {
		s.dts = after(p.dts, s.dts)
		if kind == mkv.Audio { // whose frames are shown in the order they come in
			s.pts = after(p.pts, s.pts)
		}
	}
	p.pts, p.dts, p.given = s.pts, s.dts, true
	return s
}

// after is the time, but just after the last one where it lies a little before that.
func after(last, t int64) int64 {
	if t <= last && last-t < back {
		return last + 1
	}
	return t
}

// raw is a buffer's timestamp, or where it should be by those before.
func (p *padTimes) raw(v *gst.View) uint64 {
	raw := v.PTS()
	if raw == gst.ClockTimeNone {
		raw = v.DTS()
	}
	if raw == gst.ClockTimeNone {
		if !p.hasLast {
			return raw
		}
		raw = p.lastRaw + p.step
	}
	switch {
	case v.Duration() != gst.ClockTimeNone:
		p.step = v.Duration()
	case p.hasLast && raw > p.lastRaw:
		p.step = raw - p.lastRaw
	}
	p.lastRaw, p.hasLast = raw, true
	return raw
}

// reset forgets the times of before a flush.
func (p *padTimes) reset() { *p = padTimes{segment: p.segment, hasSegment: p.hasSegment} }
