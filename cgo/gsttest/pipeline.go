package gsttest

import (
	"testing"
	"time"

	"gst-kinesis/cgo/gst"
)

// Pipeline is a launch line that runs in the test's process.
type Pipeline struct {
	*gst.Object
	tb  testing.TB
	bus gst.Bus
}

// Parse makes a pipeline; it is brought to NULL and given back when the test ends.
func Parse(tb testing.TB, line string) *Pipeline {
	tb.Helper()
	o, err := gst.Parse(line)
	if err != nil {
		tb.Fatal(err)
	}
	p := &Pipeline{Object: o, tb: tb, bus: o.Bus()}
	tb.Cleanup(p.Close)
	return p
}

// Close brings the pipeline to NULL and gives it back. It is called when the test ends; calling it again does nothing.
func (p *Pipeline) Close() {
	if p.Object == nil {
		return
	}
	p.SetState(gst.StateNull)
	p.bus.Unref()
	p.Unref()
	p.Object = nil
}

// Play begins PLAYING; a change that fails at once fails the test with the error on the bus.
func (p *Pipeline) Play() {
	p.tb.Helper()
	p.To(gst.StatePlaying)
}

// To begins a change to the state, as Play does.
func (p *Pipeline) To(s gst.State) {
	p.tb.Helper()
	if p.SetState(s) == gst.StateChangeFailure {
		p.tb.Fatalf("the pipeline does not go to %v: %s", s, p.problem())
	}
}

// Settle waits until the change of state has ended and fails the test unless the pipeline is in s then.
func (p *Pipeline) Settle(s gst.State) {
	p.tb.Helper()
	got, r := p.GetState(Limit)
	if got != s || r == gst.StateChangeFailure || r == gst.StateChangeAsync {
		p.tb.Fatalf("the pipeline is in %v, not in %v: %s", got, s, p.problem())
	}
}

func (p *Pipeline) problem() string {
	if m := p.bus.Pop(0, gst.MessageError); m != nil {
		return m.Source + ": " + m.Err.Text + " (" + m.Err.Debug + ")"
	}
	return "no error on the bus"
}

// Message gives the next message of the types; nil where none came within d. Others before it are thrown away.
func (p *Pipeline) Message(d time.Duration, types gst.MessageType) *gst.Message {
	return p.bus.Pop(d, types)
}

// Await gives the next message of the types, waiting up to Limit for it. An error that is not asked for fails the test.
func (p *Pipeline) Await(types gst.MessageType) *gst.Message {
	p.tb.Helper()
	m := p.bus.Pop(Limit, types|gst.MessageError)
	if m == nil {
		p.tb.Fatalf("no message of type %#x came within %v", uint32(types), Limit)
	}
	if m.Type == gst.MessageError && types&gst.MessageError == 0 {
		p.tb.Fatalf("%s: %s (%s)", m.Source, m.Err.Text, m.Err.Debug)
	}
	return m
}

// Run plays the pipeline to its end of stream.
func (p *Pipeline) Run() {
	p.tb.Helper()
	p.Play()
	p.Await(gst.MessageEOS)
}

// Element gives an element by name, borrowed until the test ends.
func (p *Pipeline) Element(name string) *gst.Object {
	p.tb.Helper()
	e := p.ByName(name)
	if e == nil {
		p.tb.Fatalf("there is no element %q in the pipeline", name)
	}
	p.tb.Cleanup(e.Unref)
	return e
}
