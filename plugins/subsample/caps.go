package subsample

import (
	"math"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/thin"
)

// rewriter rewrites the frame rate of caps: down the stream to what is left, or up to what must come in.
type rewriter struct {
	rule thin.Rule
	max  thin.Rate
	up   bool
}

var anyRate = gst.FractionRange{Min: gst.Fraction{Num: 0, Den: 1}, Max: gst.Fraction{Num: math.MaxInt32, Den: 1}}

func (r rewriter) structure(s *gst.Structure) {
	for _, field := range []string{"framerate", "max-framerate"} {
		if v := s.Get(field); v != nil {
			s.Set(field, r.value(v))
		}
	}
	// A variable rate that is bounded says so as GStreamer does elsewhere.
	if f, ok := s.Get("framerate").(gst.Fraction); ok && f.Num == 0 && !r.up && !r.max.Variable() && s.Get("max-framerate") == nil {
		s.Set("max-framerate", gst.Fraction{Num: r.max.Num, Den: r.max.Den})
	}
}

func (r rewriter) value(v any) any {
	switch v := v.(type) {
	case gst.Fraction:
		return r.fraction(v)
	case gst.FractionRange:
		return r.bounds(v)
	case []any:
		out := make([]any, 0, len(v))
		for _, x := range v {
			out = append(out, r.value(x))
		}
		return out
	}
	return v
}

func (r rewriter) fraction(f gst.Fraction) any {
	in := thin.Rate{Num: f.Num, Den: f.Den}
	if !r.up {
		out := r.rule.Out(in, r.max)
		return gst.Fraction{Num: out.Num, Den: out.Den}
	}
	if out, exact := r.rule.In(in, r.max); exact {
		return gst.Fraction{Num: out.Num, Den: out.Den}
	}
	return anyRate
}

func (r rewriter) bounds(v gst.FractionRange) any {
	lo, hi := r.fraction(v.Min), r.fraction(v.Max)
	a, ok := lo.(gst.Fraction)
	if !ok && r.up && v.Min.Num == 0 {
		a, ok = v.Min, true // variable stays variable
	}
	b, ok2 := hi.(gst.Fraction)
	if !ok || !ok2 {
		return anyRate
	}
	switch {
	case a == b:
		return a
	case b.Num == 0: // only key frames pass: any rate may be left
		return anyRate
	}
	return gst.FractionRange{Min: a, Max: b}
}
