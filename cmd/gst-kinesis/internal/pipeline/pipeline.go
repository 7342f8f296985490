// Package pipeline runs a launch line for as long as it is wanted: it plays it, keeps its live network sources going, tells what is on its bus, ends it so
// that everything accepted is accounted for, and reads the books of its sinks.
//
//	rtspsrc ! depay ! … ! kinesissink        taken down and started again when the camera is lost: a unit
//	└─unit─┘                                 everything behind it stays, with the producer and its books
//
// A [unit] is an element at the top of the pipeline that is a live source from the network, or a bin that holds one. One goroutine reads the bus
// ([Pipeline.Run]), each unit has a supervisor with another.
package pipeline

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/supervise"
)

// Settings say how a pipeline is run.
type Settings struct {
	// Acks makes sinks tell of each record, unless the line itself says what they tell.
	Acks bool
	// Metrics says where sinks show their figures, unless they say so themselves; of it Address, Embedded and Interval count.
	Metrics metrics.Options
	// Supervise is how live sources are kept going.
	Supervise supervise.Settings
}

// Pipeline is a launch line. Stats, Books and Sources are safe for concurrent use, until Close.
type Pipeline struct {
	o      *gst.Object
	bus    gst.Bus
	set    Settings
	events Events
	sinks  []*gst.Object // those that keep books
	units  []*unit
	down   bool           // in NULL, for good
	resume atomic.Bool    // a source was started again
	sends  sync.WaitGroup // events on their way, which may block until the pipeline is down
}

// Ack is one record that the service took.
type Ack struct {
	SequenceNumber, ShardID, PartitionKey string
	Bytes                                 uint64
}

// Events hears what happens. Acks, Warning and Info come from the goroutine of Run, the others from those of the supervisors.
type Events interface {
	Acks(sink string, acks []Ack)
	Warning(m *gst.Message)
	Info(m *gst.Message)
	Lost(source string, l supervise.Loss)
	Stuck(source, doing string)
	Back(source string, down time.Duration)
}

var acksSet = regexp.MustCompile(`(^|\s)acks\s*=`)

// Open makes a pipeline of a launch line. The caller closes it.
func Open(line string, set Settings, events Events) (*Pipeline, error) {
	o, err := gst.Parse(line)
	if err != nil {
		return nil, err
	}
	p := &Pipeline{o: o, bus: o.Bus(), set: set, events: events}
	o.TracePaths()
	p.find()
	for _, s := range p.sinks {
		if err := p.prepare(s, set.Acks && s.Factory() == "kinesissink" && !acksSet.MatchString(line)); err != nil {
			p.Close()
			return nil, err
		}
	}
	return p, nil
}

// prepare sets what the program wants of a sink and the line leaves open.
func (p *Pipeline) prepare(s *gst.Object, acks bool) error {
	if acks {
		if err := s.Set("acks", "messages"); err != nil {
			return fmt.Errorf("asking %s for acknowledgements: %w", s.Name(), err)
		}
	}
	m := &p.set.Metrics
	if s.Get("metrics-interval") == nil { // somebody else's sink
		return nil
	}
	if m.Address != "" && !isSet(s, "metrics-address") {
		if err := s.Set("metrics-address", m.Address); err != nil {
			return fmt.Errorf("asking %s for metrics: %w", s.Name(), err)
		}
	}
	if m.Embedded == "" || isSet(s, "metrics-emf") {
		return nil
	}
	if err := errors.Join(s.Set("metrics-emf", m.Embedded), s.Set("metrics-interval", m.Interval.Milliseconds())); err != nil {
		return fmt.Errorf("asking %s for metrics: %w", s.Name(), err)
	}
	return nil
}

// isSet says whether a text property has one.
func isSet(s *gst.Object, property string) bool {
	text, _ := s.Get(property).(string)
	return text != ""
}

// eachOfLine calls f with every element that the line itself names, the first one first, and with the bin that it is in: the pipeline, or what the
// line puts in brackets. Both are borrowed.
func (p *Pipeline) eachOfLine(bin *gst.Object, f func(bin, e *gst.Object)) {
	for _, e := range slices.Backward(bin.Children()) { // the last of the line is the first of the children
		if e.Factory() == "bin" {
			p.eachOfLine(e, f)
		} else {
			f(bin, e)
		}
		e.Unref()
	}
}

// find looks for sources in the line, and for sinks that keep books, at any depth.
func (p *Pipeline) find() {
	p.eachOfLine(p.o, func(bin, e *gst.Object) {
		p.findSinks(e)
		if mayBeUnit(e) {
			p.units = append(p.units, newUnit(p, bin.Ref(), e.Ref()))
		}
	})
}

func (p *Pipeline) findSinks(e *gst.Object) {
	if e.IsSink() && !e.IsBin() && keepsBooks(e) {
		p.sinks = append(p.sinks, e.Ref())
	}
	if !e.IsBin() {
		return
	}
	for _, child := range slices.Backward(e.Children()) {
		p.findSinks(child)
		child.Unref()
	}
}

// Close ends the pipeline, whatever it does, and gives everything back; what hangs is left as it is. Stats and Books may not be called any more.
func (p *Pipeline) Close() {
	if !p.down && !p.stop(closeLimit) {
		return
	}
	p.sends.Wait()
	for _, u := range p.units {
		u.close()
	}
	for _, s := range p.sinks {
		s.Unref()
	}
	p.bus.Unref()
	p.o.Unref()
}

// closeLimit is how long a pipeline may take to go down, beside what its sinks were told they may.
const closeLimit = 5 * time.Second

// stop brings the pipeline to NULL. False where it did not get there in time; then it goes on trying by itself.
func (p *Pipeline) stop(limit time.Duration) bool {
	for _, u := range p.units {
		u.letGoOf()
	}
	late := time.After(limit + p.longest("stop-timeout"))
	// From NULL, READY would be a start: a file sink would empty its file.
	if p.o.Current() > gst.StateReady && !p.reach(gst.StateReady, late) {
		return false
	}
	p.flush()
	p.down = p.reach(gst.StateNull, late)
	return p.down
}

// reach sets a state and hands over what the sinks tell meanwhile; false when it was late before.
func (p *Pipeline) reach(s gst.State, late <-chan time.Time) bool {
	reached := make(chan struct{})
	go func() {
		defer close(reached)
		p.o.SetState(s)
	}()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-reached:
			return true
		case <-late:
			return false
		case <-ticker.C:
			p.flush()
		}
	}
}

// flush hands over what was told and is not looked at otherwise any more.
func (p *Pipeline) flush() {
	for {
		m := p.bus.Pop(0, gst.MessageElement|gst.MessageWarning)
		if m == nil {
			return
		}
		p.message(m)
	}
}

// longest gives the longest time that any sink that keeps books may take by a property, drain-timeout or stop-timeout. kinesisvideosink has one
// for both.
func (p *Pipeline) longest(property string) time.Duration {
	var d time.Duration
	for _, s := range p.sinks {
		if ns, ok := s.Get(property).(uint64); ok && ns < 1<<62 {
			d = max(d, time.Duration(ns))
		}
		if seconds, ok := s.Get("stop-stream-timeout").(uint32); ok {
			d = max(d, time.Duration(seconds)*time.Second)
		}
	}
	return d
}

// Failure is an error that an element posted.
type Failure struct {
	Element string
	Err     *gst.Error
}

// Error gives the element and its words. GStreamer's own elements are short of words, and what happened stands in what they tell developers.
func (f *Failure) Error() string {
	text := strings.TrimSpace(f.Err.Text)
	if f.Element != "" {
		text = f.Element + ": " + text
	}
	if f.Err.Details != nil {
		return text
	}
	_, more, _ := strings.Cut(strings.TrimSpace(f.Err.Debug), "\n") // the first line is a place in the source
	if more = strings.Join(strings.Fields(more), " "); more != "" {
		text += " (" + more + ")"
	}
	return text
}

// Unwrap gives the element's error.
func (f *Failure) Unwrap() error { return f.Err }

// failure makes an error of a message from within a unit, one that no retry mends where it is of that kind.
func (u *unit) failure(m *gst.Message) error {
	f := &Failure{Element: m.Source, Err: m.Err}
	if m.Source == u.name {
		f.Element = "" // who reads it knows
	}
	switch m.Err.Code {
	case gst.ResourceNotAuthorized, gst.ResourceSettings, gst.CoreMissingPlugin:
		return &permanent{f}
	}
	if strings.Contains(m.Err.Debug, "not-linked") {
		return &permanent{f}
	}
	return f
}

// permanent is a failure that stays.
type permanent struct{ error }

// Is says that retrying does not help.
func (p *permanent) Is(target error) bool { return target == supervise.ErrPermanent }

// Unwrap gives the failure.
func (p *permanent) Unwrap() error { return p.error }

// pending gives the error that waits on the bus.
func (p *Pipeline) pending(otherwise string) error {
	if m := p.bus.Pop(0, gst.MessageError); m != nil {
		return &Failure{Element: m.Source, Err: m.Err}
	}
	return errors.New(otherwise)
}
