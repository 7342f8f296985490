// Package stamp finds the wall-clock time at which a frame was taken.
//
// Three clocks may know it: the camera's own (a reference timestamp, by RTCP sender reports), the pipeline's (the frame's running time, counted
// back from now), and the host's at the moment the frame arrives. Which one is used is latched, so that the times of a stream form one line.
package stamp

import "fmt"

// Source is where a time comes from.
type Source int

// The sources; Auto takes the first of Reference, Clock and Arrival that is there.
const (
	Auto Source = iota
	Reference
	Clock
	Arrival
)

// String gives the name as properties have it.
func (s Source) String() string {
	return [...]string{"auto", "reference", "clock", "arrival"}[s]
}

// Parse reads a name.
func Parse(name string) (Source, error) {
	for s := Auto; s <= Arrival; s++ {
		if s.String() == name {
			return s, nil
		}
	}
	return Auto, fmt.Errorf("reading a timestamp source: %q is none of auto, reference, clock, arrival", name)
}

// MaxSkew is how far the camera's clock may be from ours before Auto takes it for a clock that was never set, in ns.
const MaxSkew = 10e9

// Times are what is known of one frame, each in ns since 1970; the flags say which are.
type Times struct {
	Reference, Clock, Arrival int64
	HasReference, HasClock    bool
}

// Change tells that the source of a stream's times is another from this frame on.
type Change struct {
	From, To Source
	Shift    int64 // ns by which the new source's time differs from the old one's
	// Skewed says that a reference was there, and not used, because it differs from the clock by Shift, more than MaxSkew.
	Skewed bool
}

// Stamper gives the frames of a stream their times. Use it from one goroutine.
type Stamper struct {
	want    Source
	current Source // Auto: no frame yet
	offset  int64  // reference - clock at the last frame that had both
	tied    bool   // offset is known
	latest  int64  // the latest time given
	bridge  bridge // from the source before
	skewed  bool
	changes uint64
}

// New gives a stamper for a new stream.
func New(want Source) *Stamper { return &Stamper{want: want} }

// Changes is the number of changes of the source so far, Current the source now (Auto before the first frame).
func (s *Stamper) Changes() uint64 { return s.changes }

// Current is the source of the last frame's time.
func (s *Stamper) Current() Source { return s.current }

// Stamp gives a frame's time in ns since 1970, and what changed, nil mostly.
//
// When the source changes, as it does when a camera's first sender report comes after two seconds, times do not go back, and frames that are shown
// in another order than they come in keep theirs: what is shown before the latest frame so far has its time by the old source still, and where the new
// one is behind, times rise half as fast until it has caught up.
func (s *Stamper) Stamp(t Times) (int64, *Change) {
	source, change := s.choose(t)
	ns := s.read(source, t)
	if source != s.current {
		if s.current != Auto {
			s.changes++
			old := s.read(s.current, t)
			change = &Change{From: s.current, To: source, Shift: ns - old}
			lead := s.bridge.over(old) - ns
			s.bridge = bridge{lead: lead, from: s.latest - lead}
		}
		s.current = source
	}
	ns = s.bridge.over(ns)
	s.latest = max(s.latest, ns)
	return ns, change
}

// bridge leads from the times of one source to those of another. It knows but the time of a frame, not the order they come in.
type bridge struct {
	lead int64 // of the old source's times before the new one's, of either sign; 0: there is none
	from int64 // the new source's time of the latest frame before the change
}

// over gives the time for a frame of the new source: a function that rises everywhere.
func (b *bridge) over(ns int64) int64 {
	switch since := ns - b.from; {
	case b.lead == 0 || since <= 0:
		return ns + b.lead
	case b.lead > 0:
		return ns + max(0, b.lead-since/2)
	}
	return ns
}

func (s *Stamper) choose(t Times) (Source, *Change) {
	var change *Change
	usable := t.HasReference
	if usable && t.HasClock && s.want == Auto {
		if d := t.Reference - t.Clock; d > MaxSkew || d < -MaxSkew {
			usable = false
			if !s.skewed {
				s.skewed = true
				change = &Change{From: s.current, To: s.current, Shift: d, Skewed: true}
			}
		}
	}
	if usable && t.HasClock {
		s.offset, s.tied = t.Reference-t.Clock, true
	}
	switch {
	case s.want == Arrival:
		return Arrival, change
	case s.want != Clock && usable:
		return Reference, change
	case s.current == Reference && s.tied && t.HasClock:
		return Reference, change // a frame without the mark: the clock carries the camera's time on
	case t.HasClock:
		return Clock, change
	}
	return Arrival, change
}

func (s *Stamper) read(source Source, t Times) int64 {
	switch {
	case source == Reference && s.tied && t.HasClock:
		return t.Clock + s.offset // the reference itself where this frame has one that is trusted
	case source == Reference && t.HasReference:
		return t.Reference
	case source == Clock && t.HasClock:
		return t.Clock
	}
	return t.Arrival
}
