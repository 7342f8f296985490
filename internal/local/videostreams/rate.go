package videostreams

import "time"

// Rate is a bucket that refills with the injected time: what a limit of so many a second lets through. The zero Rate lets
// nothing through; see NewRate.
type Rate struct {
	each, size float64
	have       float64
	last       time.Time
}

// NewRate returns a full bucket of a second's worth.
func NewRate(each float64, now time.Time) Rate {
	return Rate{each: each, size: each, have: each, last: now}
}

// Take takes n if that much is there.
func (r *Rate) Take(n float64, now time.Time) bool {
	r.refill(now)
	if r.have < n {
		return false
	}
	r.have -= n
	return true
}

// Owe takes n in any case and tells how long to wait until it is paid for.
func (r *Rate) Owe(n float64, now time.Time) time.Duration {
	r.refill(now)
	r.have -= n
	if r.have >= 0 {
		return 0
	}
	return time.Duration(-r.have / r.each * float64(time.Second))
}

func (r *Rate) refill(now time.Time) {
	if d := now.Sub(r.last).Seconds(); d > 0 {
		r.have = min(r.size, r.have+d*r.each)
	}
	r.last = now
}
