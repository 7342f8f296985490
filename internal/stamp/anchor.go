package stamp

// Anchor ties a pipeline's running time to the wall clock, for all streams of an element together, so that they stay in step.
//
// It is set by the first frame and then follows the wall clock: slowly where the two clocks drift, at once where the wall clock was set or the
// pipeline stood still. Use it from one goroutine.
type Anchor struct {
	// Fixed keeps the anchor where the first frame set it: for files.
	Fixed bool

	set    bool
	offset int64 // unix - running
	tied   bool
	zero   int64 // the unix time of running time 0 that offset belongs to
	last   int64 // running time
}

// Moment is what is known when a frame comes, in ns.
type Moment struct {
	// Running is the frame's running time.
	Running int64
	// Now is the wall clock, since 1970.
	Now int64
	// Zero is the wall-clock time of running time 0 by the pipeline's clock now; HasZero says that it is known.
	Zero    int64
	HasZero bool
}

const (
	// step is how far the clocks may be apart before the anchor is set anew, in ns.
	step = 500e6
	// slack is how far they may be apart without the anchor being moved: they are not read at one instant, and the times of frames of one
	// running time must not differ by that.
	slack = 5e6
	// slew is the part of the time passed by which an anchor moves at most.
	slew = 1000
)

// Unix gives the frame's time in ns since 1970, and by how much the anchor was set anew, 0 mostly.
func (a *Anchor) Unix(m Moment) (unix, moved int64) {
	if !a.set {
		a.set, a.last = true, m.Running
		a.offset = m.Now - m.Running
		// The pipeline's clock knows better than the arrival when a live frame was taken; of a file it knows nothing.
		if d := m.Zero - a.offset; m.HasZero && !a.Fixed && d < MaxSkew && d > -MaxSkew {
			a.offset = m.Zero
		}
	}
	if m.HasZero && !a.Fixed {
		moved = a.follow(m)
	}
	a.last = max(a.last, m.Running)
	return m.Running + a.offset, moved
}

func (a *Anchor) follow(m Moment) int64 {
	if !a.tied {
		a.tied, a.zero = true, m.Zero
		return 0
	}
	drift := m.Zero - a.zero
	if drift > step || drift < -step {
		a.zero, a.offset = m.Zero, a.offset+drift
		return drift
	}
	if drift < slack && drift > -slack {
		return 0
	}
	most := max(0, m.Running-a.last) / slew
	by := min(max(drift, -most), most)
	a.zero, a.offset = a.zero+by, a.offset+by
	return 0
}

// SetAt sets the anchor: the running time is the unix time's.
func (a *Anchor) SetAt(running, unix int64) {
	a.set, a.offset, a.last = true, unix-running, running
}

// Reset forgets the anchor: running time begins anew.
func (a *Anchor) Reset() { *a = Anchor{Fixed: a.Fixed} }
