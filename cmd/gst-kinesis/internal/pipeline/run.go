package pipeline

import (
	"context"
	"fmt"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/supervise"
)

// How a run came to its end.
type End int

// The ends.
const (
	EndOfStream End = iota // of sources that have one
	Interrupted            // asked for, and drained
	Forced                 // asked for twice, or not drained in time
	Failed                 // an error
)

// Outcome is how a run ended, and why where it failed.
type Outcome struct {
	End End
	Err error
}

const (
	tick = 100 * time.Millisecond
	// letGo is how long a live source may take to pass an end of stream on, with what it still holds, before it is passed over.
	letGo = 2 * time.Second
	// grace is what a drain may take beyond the sinks' drain-timeout.
	grace = 5 * time.Second
)

const wanted = gst.MessageEOS | gst.MessageError | gst.MessageWarning | gst.MessageInfo | gst.MessageElement | gst.MessageLatency | gst.MessageClockLost

// Run plays the pipeline until it ends, and stops it. When ctx ends it is drained: sources end, and what the sinks have is delivered within their
// drain-timeout; force cuts that short. It returns with the pipeline in NULL, except where that hangs. Once a pipeline.
func (p *Pipeline) Run(ctx context.Context, force <-chan struct{}) Outcome {
	out := p.play()
	if out == nil {
		out = p.loop(ctx, force)
	}
	for _, u := range p.units {
		if sup := u.supervisor(); sup != nil {
			sup.Close()
		}
	}
	limit := closeLimit
	if out.End == Forced {
		limit = time.Second
	}
	if !p.stop(limit) && out.Err == nil {
		out.Err = fmt.Errorf("stopping the pipeline: it takes longer than %v", limit+p.longest("stop-timeout"))
	}
	return *out
}

// play starts the pipeline; nil where that went well.
func (p *Pipeline) play() *Outcome {
	r := p.o.SetState(gst.StatePaused)
	if r == gst.StateChangeFailure {
		return &Outcome{End: Failed, Err: p.pending("starting the pipeline: it does not go to PAUSED")}
	}
	for _, u := range p.units {
		u.supervise()
	}
	if p.o.SetState(gst.StatePlaying) == gst.StateChangeFailure {
		return &Outcome{End: Failed, Err: p.pending("starting the pipeline: it does not go to PLAYING")}
	}
	return nil
}

// loop reads the bus until something ends the run.
func (p *Pipeline) loop(ctx context.Context, force <-chan struct{}) *Outcome {
	for {
		if out := p.message(p.bus.Pop(tick, wanted)); out != nil {
			return out
		}
		p.replay()
		if ctx.Err() != nil {
			return p.drain(&Outcome{End: Interrupted}, force)
		}
		for _, u := range p.units {
			if sup := u.supervisor(); sup != nil && sup.Err() != nil {
				return p.drain(&Outcome{End: Failed, Err: fmt.Errorf("%s is lost: %w", u.name, sup.Err())}, force)
			}
		}
	}
}

// replay brings a pipeline to PLAYING that an error kept from getting there: a source that was not there at the start, while the sinks waited for
// data, makes GStreamer give the whole change up.
func (p *Pipeline) replay() {
	if p.resume.CompareAndSwap(true, false) && p.o.Current() != gst.StatePlaying {
		p.o.SetState(gst.StatePlaying)
	}
}

// message deals with one message; what it gives ends the run.
func (p *Pipeline) message(m *gst.Message) *Outcome {
	if m == nil {
		return nil
	}
	switch m.Type {
	case gst.MessageEOS:
		return &Outcome{End: EndOfStream}
	case gst.MessageError:
		for _, u := range p.units {
			if u.owns(m) {
				u.failed(u.failure(m))
				return nil
			}
		}
		return &Outcome{End: Failed, Err: &Failure{Element: m.Source, Err: m.Err}}
	case gst.MessageWarning:
		p.events.Warning(m)
	case gst.MessageInfo:
		p.events.Info(m)
	case gst.MessageElement:
		if m.Structure != nil && m.Structure.Name == "kinesissink-ack" {
			p.events.Acks(m.Source, acksOf(m.Structure))
		}
	case gst.MessageLatency:
		p.o.RecalculateLatency()
	case gst.MessageClockLost:
		p.o.SetState(gst.StatePaused)
		p.o.SetState(gst.StatePlaying)
	}
	return nil
}

// acksOf reads the lists of an acknowledgement.
func acksOf(s *gst.Structure) []Ack {
	column := func(name string) []any { list, _ := s.Get(name).([]any); return list }
	numbers, shards, keys, sizes := column("sequence-number"), column("shard-id"), column("partition-key"), column("bytes")
	n := min(len(numbers), len(shards), len(keys), len(sizes))
	acks := make([]Ack, n)
	for i := range acks {
		a := &acks[i]
		a.SequenceNumber, _ = numbers[i].(string)
		a.ShardID, _ = shards[i].(string)
		a.PartitionKey, _ = keys[i].(string)
		a.Bytes, _ = sizes[i].(uint64)
	}
	return acks
}

// drain ends the sources and waits until the sinks have accounted for what they have. out is how the run ends if that goes well.
func (p *Pipeline) drain(out *Outcome, force <-chan struct{}) *Outcome {
	if p.empty() {
		return out
	}
	begun := time.Now()
	limit := p.longest("drain-timeout") + letGo + grace
	playing := p.endSources()
	for passed := false; ; {
		switch m := p.bus.Pop(tick, wanted); {
		case m != nil && m.Type == gst.MessageEOS:
			return out
		case m != nil && m.Type == gst.MessageError:
			if !p.owned(m) {
				return &Outcome{End: Failed, Err: &Failure{Element: m.Source, Err: m.Err}}
			}
		default:
			p.message(m)
		}
		select {
		case <-force:
			return &Outcome{End: Forced, Err: out.Err}
		default:
		}
		since := time.Since(begun)
		if since > letGo && !passed {
			passed = true
			for _, u := range playing {
				p.sends.Go(u.end)
			}
		}
		if since > limit || passed && p.idle() {
			return p.undrained(out)
		}
	}
}

// endSources sends an end of stream through the sources, and past those that are down. It gives the units that it went through. The pipeline itself
// is not asked to: it would hold its own state still for as long as one of them does not answer.
func (p *Pipeline) endSources() []*unit {
	var playing []*unit
	down := map[uintptr]bool{}
	for _, u := range p.units {
		sup := u.supervisor()
		if sup == nil {
			continue
		}
		plays := sup.Stats().State == supervise.Playing
		sup.Close()
		u.holdEOS(false)
		if plays {
			playing = append(playing, u)
		} else {
			down[u.e.Ptr()] = true
			p.sends.Go(u.end)
		}
	}
	p.eachOfLine(p.o, func(_, e *gst.Object) {
		if e.IsSource() && !down[e.Ptr()] {
			e.Ref()
			p.sends.Go(func() {
				defer e.Unref()
				e.SendEvent(gst.NewEOS())
			})
		}
	})
	return playing
}

func (p *Pipeline) owned(m *gst.Message) bool {
	for _, u := range p.units {
		if u.owns(m) {
			return true
		}
	}
	return false
}

// neverPlayed says whether nothing ever came of the live sources: of one of them, or of all.
func (p *Pipeline) neverPlayed() (one, all bool) {
	all = true
	for _, u := range p.units {
		if u.supervisor() != nil {
			never := u.Buffers() == 0
			one, all = one || never, all && never
		}
	}
	return one, one && all
}

// empty says that no end of stream is worth waiting for: no source ever had anything and no sink has.
func (p *Pipeline) empty() bool {
	_, all := p.neverPlayed()
	for _, b := range p.Books() {
		all = all && b.Accepted.Records == 0
	}
	return all
}

// idle says that a source was never there, so that its end cannot come through, and that no sink has anything left.
func (p *Pipeline) idle() bool {
	one, _ := p.neverPlayed()
	for _, b := range p.Books() {
		one = one && b.InFlight.Records == 0
	}
	return one
}

// undrained is the end of a drain that no end of stream came out of.
func (p *Pipeline) undrained(out *Outcome) *Outcome {
	if out.End == Failed || p.idle() {
		return out
	}
	return &Outcome{End: Forced, Err: out.Err}
}

var _ supervise.Source = (*unit)(nil)
