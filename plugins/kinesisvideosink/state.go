package kinesisvideosink

import (
	"slices"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/plugins/internal/bus"
)

// ChangeState ends what blocks before the pads are ended, and posts the EOS message that waited for PLAYING. Frames are taken in PAUSED
// too: there is no preroll.
func (s *element) ChangeState(t gst.StateChange) gst.StateChangeReturn {
	switch t {
	case gst.ReadyToPaused:
		s.eachPad(func(p *pad) { p.wait.Renew() })
	case gst.PlayingToPaused:
		s.play(false)
	case gst.PausedToReady:
		s.eachPad((*pad).unblock)
		if session := s.current(); session != nil {
			session.drain.Cancel()
		}
	}
	r := s.e.ParentChangeState(t)
	if t == gst.PausedToPlaying && r != gst.StateChangeFailure {
		s.play(true)
		s.postEOS()
	}
	return r
}

func (s *element) play(on bool) {
	s.mu.Lock()
	s.playing = on
	session := s.session
	s.mu.Unlock()
	if session != nil {
		session.times.play(on)
	}
}

// eachPad calls f for the pads that are made, without the lock.
func (s *element) eachPad(f func(*pad)) {
	s.mu.Lock()
	pads := slices.DeleteFunc(slices.Clone(s.pads), func(p *pad) bool { return p.p == nil })
	s.mu.Unlock()
	for _, p := range pads {
		f(p)
	}
}

// allEnded reports whether there are pads and all have had their EOS.
func (s *element) allEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pads) > 0 && !slices.ContainsFunc(s.pads, func(p *pad) bool { return !p.eos })
}

// endOfStream waits until what was accepted is stored, at most stop-stream-timeout, and says that the element has ended. What goes wrong
// meanwhile the engine has told already. A flush, or a state below PAUSED, ends the waiting, and then nothing has ended.
func (s *element) endOfStream(session *session) {
	s.e.PostProgress(gst.ProgressStart, "drain", "Waiting for the fragments that are left")
	ctx := session.drain.Context()
	err := session.queue.Drain(ctx)
	if err == nil {
		err = session.engine.Flush(ctx)
	}
	session.report.flush()
	if err != nil {
		s.e.Log(gst.LevelWarning, "draining: %v", err)
		s.e.PostProgress(gst.ProgressCanceled, "drain", bus.Sentence(err))
		if ctx.Err() != nil || session.failed.Load() {
			return
		}
	} else {
		s.e.PostProgress(gst.ProgressComplete, "drain", "All frames are accounted for")
	}
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.postEOS()
}

// postEOS posts the EOS message once, in PLAYING.
func (s *element) postEOS() {
	s.mu.Lock()
	due, seqnum := s.ended && s.playing, s.seqnum
	if due {
		s.ended = false
	}
	s.mu.Unlock()
	if due {
		s.e.PostEOS(seqnum)
	}
}

// Query answers for all pads together where a pipeline asks its sinks; frames are taken as they come, so the sink itself adds nothing.
func (s *element) Query(_ gst.PadDirection, q gst.Query) bool {
	if q.Type() != gst.QueryLatency {
		return s.e.ParentQuery(gst.PadSink, q)
	}
	answered, live, least, most := s.upstream()
	if answered {
		q.SetLatency(live, least, most)
	}
	return answered
}

// upstream asks what feeds the pads whether it is live, and how long it takes, in ns.
func (s *element) upstream() (answered, live bool, least, most uint64) {
	most = gst.ClockTimeNone
	s.eachPad(func(p *pad) {
		q := gst.NewLatencyQuery()
		defer q.Unref()
		if !p.p.PeerQuery(q) {
			return
		}
		answered = true
		if isLive, lo, hi := q.Latency(); isLive {
			live, least, most = true, max(least, lo), min(most, hi)
		}
	})
	return answered, live, least, most
}

// pace lets the queue wait as long as what feeds the pads takes.
func (s *element) pace(session *session) {
	if answered, live, least, _ := s.upstream(); answered {
		session.pace(live, least)
	}
}

// SendEvent gives the latency to what feeds each pad; other events go as GStreamer has it.
func (s *element) SendEvent(ev gst.Event) bool {
	if ev.Type() != gst.EventLatency {
		return s.e.ParentSendEvent(ev)
	}
	ok := true
	s.eachPad(func(p *pad) { ok = p.p.PushEvent(ev.Ref()) && ok })
	ev.Unref()
	if session := s.current(); session != nil {
		s.pace(session)
	}
	return ok
}
