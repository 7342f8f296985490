package thin

import "math"

// Rate is a frame rate: frames a second as a fraction. 0/1 is "variable".
type Rate struct{ Num, Den int32 }

// Interval is the time between two frames in ns; 0 for a variable rate.
func (r Rate) Interval() uint64 {
	if r.Num <= 0 || r.Den <= 0 {
		return 0
	}
	return uint64(r.Den) * 1e9 / uint64(r.Num)
}

// Less says whether r is the smaller rate.
func (r Rate) Less(other Rate) bool {
	return int64(r.Num)*int64(other.Den) < int64(other.Num)*int64(r.Den)
}

// Variable says whether the rate is 0/1.
func (r Rate) Variable() bool { return r.Num == 0 }

// Scale gives r times num/den. Where that does not fit a fraction of 32 bit numbers it is the nearest below the largest.
func (r Rate) Scale(num, den int64) Rate {
	n, d := int64(r.Num)*num, int64(r.Den)*den
	g := gcd(n, d)
	if g > 1 {
		n, d = n/g, d/g
	}
	for n > math.MaxInt32 && d > 1 || d > math.MaxInt32 {
		n, d = (n+1)/2, (d+1)/2
	}
	return Rate{int32(min(n, math.MaxInt32)), int32(d)}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Out gives the rate that is left of a fixed rate under the rule; max is the rate that Interval stands for (0/1: none). What cannot
// be told beforehand is variable.
func (r Rule) Out(in, max Rate) Rate {
	if in.Variable() || r.KeysOnly() {
		return Rate{0, 1}
	}
	out := in.Scale(1, int64(r.Gap)+1)
	if !max.Variable() && max.Less(out) {
		out = max
	}
	return out
}

// In gives the rate that must come in so that a fixed rate is left; false where any might.
func (r Rule) In(out, max Rate) (Rate, bool) {
	if out.Variable() || r.KeysOnly() || !max.Variable() {
		return Rate{}, false
	}
	return out.Scale(int64(r.Gap)+1, 1), true
}

// Duration gives how long a frame stands that passed under the rule; d is its own duration in ns, None where it has none.
func (r Rule) Duration(d uint64) uint64 {
	switch {
	case d == None || r.All():
		return d
	case r.KeysOnly():
		return None
	case d > math.MaxUint64/2/(uint64(r.Gap)+1):
		return None
	}
	return max(d*(uint64(r.Gap)+1), r.Interval)
}
