package pipeline

import (
	"errors"
	"strings"
	"sync"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/supervise"
)

// mayBeUnit says whether an element is a source from the network, or a bin that may come to hold one (uridecodebin and its kind).
func mayBeUnit(e *gst.Object) bool {
	return e.IsSource() && !e.IsSink() && (strings.Contains(e.Klass(), "Network") || e.IsBin())
}

// unit is a live source of the pipeline; it is the supervise.Source of its supervisor.
type unit struct {
	p       *Pipeline
	bin     *gst.Object // that the element is in, owned
	e       *gst.Object // owned
	name    string
	path    string
	signals []uint64

	moving chan struct{} // holds one while the source is being stopped or started, and from letGoOf on
	parted bool          // letGoOf was called; of the goroutine that stops the pipeline

	mu      sync.Mutex // never held across a call into gst: signals come from within those
	sup     *supervise.Supervisor
	pads    map[uintptr]*outlet
	targets []*target
	hold    bool
	eos     bool      // of an outlet that is gone
	gone    uint64    // buffers of outlets that are gone
	started time.Time // the last start
}

// outlet is a source pad of the unit.
type outlet struct {
	pad   *gst.Object // owned
	watch gst.Watch
	name  string // keyOf the pad
	media string
	used  bool // it was linked
}

// target is a pad downstream that a pad of the unit was linked to: gst_parse_launch links pads that come later once, and no more.
type target struct {
	name, media string
	sink        *gst.Object // owned
}

func newUnit(p *Pipeline, bin, e *gst.Object) *unit {
	u := &unit{p: p, bin: bin, e: e, name: e.Name(), path: e.Path(), pads: map[uintptr]*outlet{}, started: time.Now(), moving: make(chan struct{}, 1)}
	for _, pad := range e.Pads() {
		u.added(pad)
		pad.Unref()
	}
	connect := func(signal string, f func(pad *gst.Object)) {
		id := e.Connect(signal, func(args []any) any {
			if pad, ok := args[1].(*gst.Object); ok && pad != nil && pad.IsSrcPad() {
				f(pad)
			}
			return nil
		})
		if id != 0 {
			u.signals = append(u.signals, id)
		}
	}
	connect("pad-added", u.added)
	connect("pad-removed", u.removed)
	u.signals = append(u.signals, e.Connect("no-more-pads", func([]any) any { u.complete(); return nil }))
	return u
}

// close gives everything back. The pipeline is in NULL and the supervisor closed.
func (u *unit) close() {
	for _, id := range u.signals {
		u.e.Disconnect(id)
	}
	u.mu.Lock()
	pads, targets := u.pads, u.targets
	u.pads, u.targets = map[uintptr]*outlet{}, nil
	u.mu.Unlock()
	for _, o := range pads {
		o.close()
	}
	for _, t := range targets {
		t.sink.Unref()
	}
	u.e.Unref()
	u.bin.Unref()
}

// supervise begins to keep the unit going if it is a live source of the network.
func (u *unit) supervise() {
	if _, r := u.e.GetState(0); r != gst.StateChangeNoPreroll || !fromNetwork(u.e) {
		return
	}
	sup := supervise.New(u, u.p.set.Supervise, observer{u})
	u.mu.Lock()
	u.sup = sup
	u.mu.Unlock()
	u.holdEOS(true)
	sup.Start()
}

// fromNetwork says whether an element is, or holds, a source from the network.
func fromNetwork(e *gst.Object) bool {
	if e.IsSource() && strings.Contains(e.Klass(), "Network") {
		return true
	}
	found := false
	for _, child := range e.Children() {
		found = found || fromNetwork(child)
		child.Unref()
	}
	return found
}

func (u *unit) supervisor() *supervise.Supervisor {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.sup
}

// owns says whether a message came from within.
func (u *unit) owns(m *gst.Message) bool {
	return u.supervisor() != nil && (m.Path == u.path || strings.HasPrefix(m.Path, u.path+"/"))
}

// holdEOS keeps ends of stream from going downstream, from now on.
func (u *unit) holdEOS(on bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.hold = on
	for _, o := range u.pads {
		o.watch.HoldEOS(on)
	}
}

// ---- supervise.Source ----

// move marks the source as being stopped or started, and keeps it alive meanwhile: it may take longer than the pipeline lives. False where the pipeline
// is being ended: its supervisor may begin at that very moment.
func (u *unit) move() (done func(), ok bool) {
	select {
	case u.moving <- struct{}{}:
	default:
		return nil, false
	}
	u.e.Ref()
	return func() {
		u.e.Unref()
		<-u.moving
	}, true
}

// letGoOf waits until the source is neither being stopped nor started, and lets it be no more. A source that hangs is taken out of the pipeline, which
// could not change its state otherwise.
func (u *unit) letGoOf() {
	if u.parted {
		return
	}
	u.parted = true
	select {
	case u.moving <- struct{}{}:
	case <-time.After(hangs):
		u.bin.Remove(u.e)
	}
}

var errEnding = errors.New("the pipeline is being ended")

// hangs is how long the end of a run waits for a source that is being stopped or started.
const hangs = time.Second

// Stop takes the source down. It is locked then, so that the pipeline, if it is ended now, leaves it alone.
func (u *unit) Stop() error {
	done, ok := u.move()
	if !ok {
		return errEnding
	}
	defer done()
	u.remember()
	u.e.LockState(true)
	if u.e.SetState(gst.StateNull) == gst.StateChangeFailure {
		return errors.New("the source cannot be stopped")
	}
	return nil
}

// Start brings the source back into the pipeline's time; its pads are linked again as they come.
func (u *unit) Start() error {
	done, ok := u.move()
	if !ok {
		return errEnding
	}
	defer done()
	u.mu.Lock()
	u.started, u.eos = time.Now(), false
	for _, o := range u.pads {
		o.watch.Reset()
	}
	u.mu.Unlock()
	if u.e.Rejoin(u.p.o) == gst.StateChangeFailure {
		return errors.New("the source cannot be started")
	}
	u.e.LockState(false)
	u.p.resume.Store(true)
	return nil
}

// EOS says whether an end of stream was held back.
func (u *unit) EOS() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	eos := u.eos
	for _, o := range u.pads {
		eos = eos || o.used && o.watch.EOS()
	}
	return eos
}

// Buffers counts what went through pads that somebody is linked to.
func (u *unit) Buffers() uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := u.gone
	for _, o := range u.pads {
		if o.used {
			n += o.watch.Buffers()
		}
	}
	return n
}

// busyAfter is the silence from which on it is asked whether it is downstream that holds the data up.
const busyAfter = 100 * time.Millisecond

// Silence is that of the video, where there is some: sound may well be silent, and a picture must not freeze behind its sound.
func (u *unit) Silence() time.Duration {
	silence, pads := u.silence()
	defer unref(pads)
	if silence < busyAfter {
		return silence
	}
	for _, pad := range pads {
		if pad.PadBusy() {
			return 0
		}
	}
	return silence
}

// silence gives also the pads that are linked, owned.
func (u *unit) silence() (time.Duration, []*gst.Object) {
	u.mu.Lock()
	defer u.mu.Unlock()
	var pads []*gst.Object
	least, most, video := time.Since(u.started), time.Duration(0), false
	for _, o := range u.pads {
		if !o.used {
			continue
		}
		pads = append(pads, o.pad.Ref())
		s := o.watch.Silence()
		least = min(least, s)
		if strings.Contains(o.media, "video") {
			video, most = true, max(most, s)
		}
	}
	if video {
		return min(most, time.Since(u.started)), pads
	}
	return least, pads
}

func unref(objects []*gst.Object) {
	for _, o := range objects {
		o.Unref()
	}
}

// observer tells the program what happens to a unit.
type observer struct{ u *unit }

func (o observer) Lost(l supervise.Loss)   { o.u.p.events.Lost(o.u.name, l) }
func (o observer) Stuck(doing string)      { o.u.p.events.Stuck(o.u.name, doing) }
func (o observer) Back(down time.Duration) { o.u.p.events.Back(o.u.name, down) }
