package subsample

import (
	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/thin"
)

// Settings are the element's properties.
type Settings struct {
	Gap           uint32
	MaxRate       gst.Fraction
	KeyframesOnly bool
}

var properties = &gst.Properties[Settings]{
	Defaults: Settings{MaxRate: gst.Fraction{Num: 0, Den: 1}},
	List: []gst.Property[Settings]{
		{
			Name:  "gap",
			Blurb: "Frames to skip after each one that passes: 3 passes a quarter (0 = pass all). On inter-coded video it counts key frames",
			Field: func(s *Settings) any { return &s.Gap },
			Flags: gst.MutablePlaying,
		},
		{
			Name:  "max-rate",
			Blurb: "Most frames a second, by their timestamps (0/1 = no bound)",
			Field: func(s *Settings) any { return &s.MaxRate },
			Flags: gst.MutablePlaying,
		},
		{
			Name:  "keyframes-only",
			Blurb: "Pass key frames only",
			Field: func(s *Settings) any { return &s.KeyframesOnly },
			Flags: gst.MutablePlaying,
		},
		{
			Name:  "stats",
			Blurb: "Frames in, out and dropped, by reason (drop-gap, drop-rate, drop-delta)",
			Field: func(*Settings) any { return new(*gst.Structure) },
			Flags: gst.ReadOnly,
		},
	},
}

// rule is what the settings mean for a stream; inter says that its frames refer to each other.
func (s Settings) rule(inter bool) thin.Rule {
	return thin.Rule{Gap: s.Gap, Interval: s.maxRate().Interval(), KeyframesOnly: s.KeyframesOnly, Inter: inter}
}

func (s Settings) maxRate() thin.Rate { return thin.Rate{Num: s.MaxRate.Num, Den: s.MaxRate.Den} }
