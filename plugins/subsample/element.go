// Package subsample is the element that thins a stream: it passes one frame and skips some, bounds the rate, or keeps key frames only.
//
//	gst-launch-1.0 videotestsrc is-live=true ! subsample gap=3 ! jpegenc ! fakesink
//
// It takes any caps. The frame rate in the caps and the durations of the frames are rewritten to what is left. With gap=0 and nothing
// else set, each buffer goes on as it is: the same buffer, no copy. On inter-coded video (H.264, H.265, …) a frame can be decoded only if those
// it refers to are there, so there only key frames pass as soon as anything is skipped; the element says so once on the bus.
package subsample

import (
	"strings"
	"sync/atomic"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/thin"
)

// Class describes the element.
func Class() *gst.Class {
	return &gst.Class{
		Factory: "subsample", Type: "GstSubsample", LongName: "Frame subsampler", Klass: "Filter/Generic",
		Description: "Passes one frame in so many, a bounded rate, or key frames only",
		Author:      "gst-kinesis",
		Kind:        gst.KindGenerate,
		Pads: []gst.PadTemplate{
			{Name: "sink", Direction: gst.PadSink, Presence: gst.PadAlways, Caps: "ANY"},
			{Name: "src", Direction: gst.PadSrc, Presence: gst.PadAlways, Caps: "ANY"},
		},
		Properties:        properties,
		ForwardAllocation: true,
		New:               newElement,
	}
}

// element belongs to the streaming thread, except for settings and the counters.
type element struct {
	e        *gst.Element
	settings *gst.Store[Settings]

	media   string // media type of the input
	inter   bool   // its frames refer to each other
	told    bool   // said that only key frames pass
	discont bool   // a discontinuity upstream lies in what was dropped
	gate    thin.Gate

	in, out                      atomic.Uint64
	dropGap, dropRate, dropDelta atomic.Uint64
}

func newElement(e *gst.Element) any {
	s := &element{e: e, settings: gst.NewStore(e, properties), gate: thin.NewGate()}
	s.settings.Changed = func(string) { e.Reconfigure() }
	return s
}

// Start begins a stream: its first frame passes.
func (s *element) Start() error {
	s.told, s.discont = false, false
	s.gate = thin.NewGate()
	for _, n := range []*atomic.Uint64{&s.in, &s.out, &s.dropGap, &s.dropRate, &s.dropDelta} {
		n.Store(0)
	}
	return nil
}

// TransformCaps rewrites the frame rate, in either direction.
func (s *element) TransformCaps(direction gst.PadDirection, caps gst.Caps) gst.Caps {
	settings := s.settings.Get()
	if caps.IsAny() || settings.rule(false).All() {
		return caps.Ref()
	}
	structures := caps.Structures()
	for i := range structures {
		r := rewriter{rule: settings.rule(interCoded(structures[i].Name)), max: settings.maxRate(), up: direction == gst.PadSrc}
		r.structure(structures[i].Structure)
	}
	return gst.NewCaps(structures...)
}

// SetCaps learns what comes.
func (s *element) SetCaps(in, _ gst.Caps) error {
	s.media = in.Name()
	s.inter = interCoded(s.media)
	return nil
}

// Generate passes a frame or does not.
func (s *element) Generate(in *gst.View, out *gst.Outputs) gst.Flow {
	rule := s.settings.Get().rule(s.inter)
	s.in.Add(1)
	if s.inter && rule.KeysOnly() && !rule.KeyframesOnly && !s.told {
		s.told = true
		s.tellKeyframesOnly()
	}
	time := in.PTS()
	if time == gst.ClockTimeNone {
		time = in.DTS()
	}
	if v := s.gate.Offer(rule, time, in.Has(gst.BufferDeltaUnit)); v != thin.Pass {
		s.drop(v, in)
		return gst.FlowOK
	}
	s.pass(rule, in, out)
	return gst.FlowOK
}

// pass gives the frame on, with the duration that it now stands for.
func (s *element) pass(rule thin.Rule, in *gst.View, out *gst.Outputs) {
	s.out.Add(1)
	discont := s.discont && !in.Has(gst.BufferDiscont)
	s.discont = false
	duration := rule.Duration(in.Duration())
	if !discont && duration == in.Duration() {
		out.Pass()
		return
	}
	b := in.Buffer().Ref().Writable()
	b.SetDuration(duration)
	if discont {
		b.SetFlags(gst.BufferDiscont, 0)
	}
	out.Push(b)
}

// drop counts the frame and ends its delivery token. What is skipped of raw or intra-coded video is no discontinuity to whoever
// reads on; a discontinuity that came from upstream, or the loss of frames that others refer to, is.
func (s *element) drop(v thin.Verdict, in *gst.View) {
	s.discont = s.discont || s.inter || in.Has(gst.BufferDiscont)
	switch v {
	case thin.DropGap:
		s.dropGap.Add(1)
	case thin.DropRate:
		s.dropRate.Add(1)
	default:
		s.dropDelta.Add(1)
	}
	if t := in.Token(); !t.IsNil() {
		t.Complete(gst.OutcomeDropped)
	}
}

// Event begins anew after a flush.
func (s *element) Event(ev gst.Event) bool {
	if ev.Type() == gst.EventFlushStop {
		s.gate = thin.NewGate()
		s.discont = false
	}
	return s.e.ParentEvent(ev)
}

// ReadProperty gives the stats.
func (s *element) ReadProperty(string) any {
	gap, rate, delta := s.dropGap.Load(), s.dropRate.Load(), s.dropDelta.Load()
	return gst.NewStructure("application/x-subsample-stats",
		gst.Field{Name: "in", Value: s.in.Load()},
		gst.Field{Name: "out", Value: s.out.Load()},
		gst.Field{Name: "drop", Value: gap + rate + delta},
		gst.Field{Name: "drop-gap", Value: gap},
		gst.Field{Name: "drop-rate", Value: rate},
		gst.Field{Name: "drop-delta", Value: delta},
	)
}

func (s *element) tellKeyframesOnly() {
	s.e.PostInfo(&gst.Error{
		Code: gst.StreamFormat,
		Text: s.media + " refers from frame to frame, so only key frames pass, and gap counts key frames. " +
			"To thin all frames, decode before subsample.",
	})
}

// intraCoded are the compressed video types whose every frame stands alone; so does all of image/* and raw video.
const intraCoded = " video/x-dv video/x-prores video/x-dnxhd video/x-cineform video/x-huffyuv video/x-ffv video/x-jpc video/x-j2c "

// interCoded says whether frames of the media type refer to others.
func interCoded(media string) bool {
	return strings.HasPrefix(media, "video/") && media != "video/x-raw" && media != "video/x-bayer" &&
		!strings.Contains(intraCoded, " "+media+" ")
}
