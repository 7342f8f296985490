package trouble

import (
	"math/rand/v2"
	"time"

	"gst-kinesis/internal/awserr"
)

// Backoff is how long to wait before trying again: a random time up to
// First·2^(n-1) after the n-th failure in a row ("full jitter"), at least Floor, so
// that nothing is ever tried in a hot loop, and at most Most.
type Backoff struct {
	Floor, First, Most time.Duration
}

// BackoffFor returns the back-off of a class of failure.
func BackoffFor(class awserr.Class) Backoff {
	switch class {
	case awserr.Throttled:
		// A shard's tank refills within a second.
		return Backoff{Floor: 25 * time.Millisecond, First: 100 * time.Millisecond, Most: 2 * time.Second}
	case awserr.Permanent:
		// Somebody may be about to mend it; permanent-grace wants an end in time.
		return Backoff{Floor: 100 * time.Millisecond, First: 500 * time.Millisecond, Most: 2 * time.Second}
	case awserr.Expired, awserr.ClockSkew:
		return Backoff{Floor: 20 * time.Millisecond, First: 50 * time.Millisecond, Most: 2 * time.Second}
	default:
		return Backoff{Floor: 20 * time.Millisecond, First: 100 * time.Millisecond, Most: 5 * time.Second}
	}
}

// Wait returns the time to wait after the n-th failure in a row, n from 1.
func (b Backoff) Wait(n int, random *rand.Rand) time.Duration {
	limit := b.First
	for range n - 1 {
		if limit *= 2; limit >= b.Most {
			limit = b.Most
			break
		}
	}
	return max(b.Floor, time.Duration(random.Int64N(int64(limit)+1)))
}
