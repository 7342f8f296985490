package streams

import "time"

// bucket is a token bucket that refills with the injected time. The zero bucket is empty; newBucket makes a full one.
type bucket struct {
	rate, size float64 // tokens a second, and the most it holds
	tokens     float64
	last       time.Time
}

func newBucket(rate, size float64, now time.Time) bucket {
	return bucket{rate: rate, size: size, tokens: size, last: now}
}

// refill adds what the time since the last call is worth. A clock that steps back adds nothing.
func (b *bucket) refill(now time.Time) {
	if d := now.Sub(b.last).Seconds(); d > 0 {
		b.tokens = min(b.size, b.tokens+d*b.rate)
	}
	b.last = now
}

// has tells whether n tokens are there; call refill first.
func (b *bucket) has(n float64) bool { return b.tokens >= n }

// take removes n tokens.
func (b *bucket) take(n float64) { b.tokens -= n }

// owe removes n tokens after the fact. What was there is forfeited when it does not suffice, so that an answer of n bytes
// blocks for n/rate seconds: the service documents five seconds after a full answer.
func (b *bucket) owe(n float64) {
	if n > b.tokens && b.tokens > 0 {
		b.tokens = 0
	}
	b.tokens -= n
}
