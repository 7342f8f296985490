package kinesisvideosink

import (
	"errors"
	"sync/atomic"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/interleave"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/putmedia"
	"gst-kinesis/plugins/internal/bus"
)

// pad is a request pad. What is not said otherwise belongs to the goroutine of its inbox, and to its streaming thread when that has settled.
type pad struct {
	s    *element
	p    *gst.Pad
	kind mkv.TrackType
	wait *bus.Canceller // ends what blocks the goroutine

	format *format // nil: no caps yet
	times  padTimes

	latest atomic.Pointer[description] // of the last frame that was put, nil after the end has gone through the queue too
	track  *interleave.Track[item]     // under s.mu; nil while the element is stopped
	eos    bool                        // under s.mu
}

// RequestPad gives a pad of video or audio, one of each.
func (s *element) RequestPad(template, name string, _ gst.Caps) *gst.Pad {
	kind := mkv.Audio
	if template == videoTemplate {
		kind = mkv.Video
	}
	p := &pad{s: s, kind: kind, wait: bus.NewCanceller()}
	s.mu.Lock()
	for _, other := range s.pads {
		if other.kind == kind {
			s.mu.Unlock()
			s.e.Log(gst.LevelWarning, "there is a pad of %v already, and Video Streams takes one", kind)
			return nil
		}
	}
	s.pads = append(s.pads, p)
	s.mu.Unlock()
	if name == "" {
		name = kind.String() + "_0"
	}
	made := s.e.NewPad(template, name, gst.PadFuncs{
		Take:  p.take,
		Event: func(_ *gst.Pad, ev gst.Event) bool { return p.event(ev) },
	})
	if made == nil {
		s.forget(p)
		return nil
	}
	s.mu.Lock()
	p.p = made
	session := s.session
	s.mu.Unlock()
	if session != nil {
		p.open(session)
	}
	return made
}

// open lets the pad take buffers for a session, which may end meanwhile.
func (p *pad) open(session *session) {
	track := session.queue.Add(int(p.kind))
	p.s.mu.Lock()
	p.track, p.eos = track, false
	p.s.mu.Unlock()
	p.p.Inbox().SetPrompt(session.spool != nil) // what upstream has given is in the spool
	if err := p.p.Inbox().Open(); err != nil {
		p.s.e.PostError(&gst.Error{Code: gst.ResourceFailed, Text: bus.Sentence(err)})
	}
	if p.s.current() != session {
		p.p.Inbox().Close()
	}
}

// ReleasePad ends the pad's stream: what came is sent, and where all other pads have ended the element has too.
func (s *element) ReleasePad(g *gst.Pad) {
	p := s.padFor(g)
	if p == nil {
		return
	}
	p.unblock()
	s.e.RemovePad(g) // waits for its streaming thread
	p.p.Inbox().Close()
	session := s.current()
	if track := p.current(); session != nil && track != nil {
		p.finish(session, track)
		track.Remove()
	}
	s.forget(p)
	if session != nil && s.allEnded() {
		session.running.Go(func() { s.endOfStream(session) })
	}
}

// settleTimeout is how long a pad's inbox may take to become empty before what blocks it is ended.
const settleTimeout = 100 * time.Millisecond

// unblock ends what its streaming thread and its goroutine wait for. Where nothing blocks, what is in the inbox is not lost.
func (p *pad) unblock() {
	p.p.Inbox().Refuse(gst.FlowFlushing)
	p.p.Inbox().SettleWithin(settleTimeout)
	p.wait.Cancel()
}

// take makes a frame of a buffer and puts it. A header alone, and an empty buffer, are none.
func (p *pad) take(v *gst.View) gst.Flow {
	session, track := p.s.current(), p.current()
	switch {
	case session == nil || track == nil:
		return gst.FlowFlushing
	case p.format == nil:
		session.drop(reasonMalformed, v, 0)
		return gst.FlowNotNegotiated
	case v.Size() == 0:
		if v.Has(gst.BufferGap) && v.PTS() != gst.ClockTimeNone {
			p.advance(session, track, v.PTS())
		}
		bus.Complete(tokenOf(v), gst.OutcomeDropped)
		return gst.FlowOK
	}
	at := p.times.of(session.times, p.kind, v)
	if at.outside && !session.settings.DisableClipping && p.kind == mkv.Audio {
		session.drop(reasonClipped, v, at.pts)
		return gst.FlowOK
	}
	frame, err := p.format.frame(session.engine, v)
	switch {
	case errors.Is(err, errNoSets):
		session.drop(putmedia.ReasonBeforeKey, v, at.pts)
		return gst.FlowOK
	case err != nil:
		session.drop(reasonMalformed, v, at.pts)
		session.report.malformed(err)
		return gst.FlowOK
	}
	frame.PTS, frame.DTS = at.pts, at.dts
	frame.Invisible = frame.Invisible || at.outside && !session.settings.DisableClipping
	frame.Token = tokenOf(v)
	p.latest.Store(p.format.track)
	return session.put(p.wait.Context(), track, item{frame: frame, pad: p, track: p.format.track}, p.times.turn(frame))
}

// tokenOf gives the buffer's delivery token with a reference of its own; nil where there is none.
func tokenOf(v *gst.View) any {
	if t := v.Token(); !t.IsNil() {
		return t.Ref()
	}
	return nil
}

// advance says that nothing comes before a position of the segment.
func (p *pad) advance(session *session, track *interleave.Track[item], position uint64) {
	if running, ok := p.times.segment.RunningTime(position); ok && p.times.hasSegment {
		if at, known := session.times.where(running); known {
			track.Advance(tick(at))
		}
	}
}

// finish puts the end of the pad's stream behind its frames.
func (p *pad) finish(session *session, track *interleave.Track[item]) {
	session.put(p.wait.Context(), track, item{pad: p}, p.times.last)
	track.End()
}

// event takes an event. Those that flow with the data wait until the buffers before them were dealt with.
func (p *pad) event(ev gst.Event) bool {
	session, track := p.s.current(), p.current()
	if ev.IsSerialized() {
		p.p.Inbox().Settle()
	}
	switch ev.Type() {
	case gst.EventFlushStart:
		p.unblock()
		if session != nil {
			session.drain.Cancel()
		}
	case gst.EventFlushStop:
		p.flushStop(session, track, ev.FlushStop())
	case gst.EventCaps:
		if !p.setCaps(ev.Caps()) {
			ev.Unref()
			return false
		}
	case gst.EventSegment:
		p.times.segment, p.times.hasSegment = ev.Segment(), true
		if session != nil {
			p.s.pace(session)
		}
	case gst.EventGap:
		if at, duration := ev.Gap(); track != nil && at != gst.ClockTimeNone {
			if duration != gst.ClockTimeNone {
				at += duration
			}
			p.advance(session, track, at)
		}
	case gst.EventStreamStart:
		p.reopen(track)
	case gst.EventEOS:
		if session != nil && track != nil {
			p.endOfStream(session, track, ev.Seqnum())
		}
	case gst.EventCustomDownstream, gst.EventCustomOOB, gst.EventCustomBoth:
		if session != nil {
			session.custom(ev.Structure())
		}
	}
	return p.p.EventDefault(ev)
}

// setCaps takes caps; what is wrong with them stands on the bus.
func (p *pad) setCaps(caps gst.Caps) bool {
	settings := p.s.settings.Get()
	f, err := newFormat(caps, &settings)
	if err != nil {
		p.s.e.PostError(&gst.Error{Code: gst.StreamFormat, Text: bus.Sentence(err)})
		return false
	}
	if old := p.format; old != nil && f.track != nil && f.track.same(old.track) {
		f.track = old.track
	}
	p.format = f
	p.p.Inbox().Resume(gst.FlowNotNegotiated)
	return true
}

// flushStop lets the stream go on after a flush. What came before it was sent.
func (p *pad) flushStop(session *session, track *interleave.Track[item], reset bool) {
	p.wait.Renew()
	p.p.Inbox().Resume(gst.FlowFlushing)
	p.times.reset()
	p.times.hasSegment = false
	if session != nil {
		session.drain.Renew()
		if reset {
			session.times.reset()
		}
	}
	p.reopen(track)
}

func (p *pad) reopen(track *interleave.Track[item]) {
	p.s.mu.Lock()
	p.eos = false
	p.s.mu.Unlock()
	if track != nil {
		track.Reopen()
	}
}

// endOfStream ends the pad's stream, and where it was the last one waits until all is stored.
func (p *pad) endOfStream(session *session, track *interleave.Track[item], seqnum uint32) {
	p.finish(session, track)
	p.s.mu.Lock()
	p.eos, p.s.seqnum = true, seqnum
	p.s.mu.Unlock()
	if p.s.allEnded() {
		p.s.endOfStream(session)
	}
}

// current is the pad's place in the queue; nil while the element is stopped.
func (p *pad) current() *interleave.Track[item] {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.track
}
