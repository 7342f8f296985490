// Package thin decides which frames of a stream go on when it carries more than is wanted.
package thin

// None is "no time", as GStreamer has it.
const None = ^uint64(0)

// Verdict is what becomes of a frame.
type Verdict int

// The verdicts: it passes, or why it does not.
const (
	Pass      Verdict = iota
	DropGap           // one of the N frames after one that passed
	DropRate          // sooner than max-rate allows
	DropDelta         // not a key frame where only those may pass
)

// Rule says what passes. The zero Rule lets everything pass.
type Rule struct {
	Gap           uint32 // pass one, skip Gap
	Interval      uint64 // least time between two frames in ns; 0: any
	KeyframesOnly bool
	// Inter says that frames refer to others (H.264, …): once one is skipped, only key frames can be decoded, so a rule that skips at
	// all then passes key frames only, and Gap counts those.
	Inter bool
}

// All says whether the rule lets everything pass.
func (r Rule) All() bool { return r.Gap == 0 && r.Interval == 0 && !r.KeyframesOnly }

// KeysOnly says whether only key frames pass.
func (r Rule) KeysOnly() bool { return r.KeyframesOnly || r.Inter && !r.All() }

// Gate applies a rule to a stream, frame by frame. Use it from one goroutine.
type Gate struct {
	skip    uint32 // frames still to skip
	next    uint64 // first time that the rate allows; None: any
	before  uint64 // time of the last frame that the rate was asked for
	unit    uint64 // time of the access unit that the last buffer belonged to
	verdict Verdict
}

// NewGate gives a gate that lets the first frame pass.
func NewGate() Gate { return Gate{next: None, unit: None, before: None} }

// Offer tells what becomes of a buffer with the time (PTS, else DTS, in ns; None where it has none); delta says that it is no key frame.
//
// An access unit may come in several buffers of one time (alignment=nal): they share a verdict, and a unit is a key frame as
// soon as one of its buffers is.
func (g *Gate) Offer(r Rule, time uint64, delta bool) Verdict {
	if r.All() {
		g.unit, g.skip, g.next = None, 0, None
		return Pass
	}
	if r.Inter && time != None && time == g.unit && !(g.verdict == DropDelta && !delta) {
		return g.verdict
	}
	g.unit = time
	g.verdict = g.decide(r, time, delta)
	return g.verdict
}

func (g *Gate) decide(r Rule, time uint64, delta bool) Verdict {
	if delta && r.KeysOnly() {
		return DropDelta
	}
	// A smaller gap, set live, takes effect at once.
	if g.skip = min(g.skip, r.Gap); g.skip > 0 {
		g.skip--
		return DropGap
	}
	if r.Interval > 0 && time != None && !g.due(r.Interval, time) {
		return DropRate
	}
	g.skip = r.Gap
	return Pass
}

// due keeps a schedule of slots rather than a distance to the last frame, so that 30 frames a second thinned to 10 give 10 and not 7.5
// when a time is 1 ns short or a network made it jitter: the frame nearest to a slot takes it, if it is early by no more than half the distance
// between two frames, and an eighth of the interval.
func (g *Gate) due(interval, time uint64) bool {
	early := interval / 8
	if g.before < time {
		early = min(early, (time-g.before)/2)
	}
	g.before = time
	if g.next != None && time+early < g.next && g.next-time <= 2*interval {
		return false
	}
	if g.next == None || g.next > time && g.next-time > 2*interval || time >= g.next+interval {
		g.next = time // the first frame, a step back, or a pause: the schedule begins anew
	}
	g.next += interval
	return true
}
