package producer

import (
	"math/rand/v2"
	"time"

	"gst-kinesis/internal/awserr"
)

// backoff is how long to wait before trying again: a random time up to
// first·2^(n-1) after the n-th failure in a row ("full jitter"), at least floor,
// so that nothing is ever tried in a hot loop, and at most most.
type backoff struct {
	floor, first, most time.Duration
}

// backoffFor returns the back-off of a class of failure.
func backoffFor(class awserr.Class) backoff {
	switch class {
	case awserr.Throttled:
		// A shard's tank refills within a second.
		return backoff{floor: 25 * time.Millisecond, first: 100 * time.Millisecond, most: 2 * time.Second}
	case awserr.Permanent:
		// Somebody may be about to mend it; permanent-grace wants an end in time.
		return backoff{floor: 100 * time.Millisecond, first: 500 * time.Millisecond, most: 2 * time.Second}
	case awserr.Expired, awserr.ClockSkew:
		return backoff{floor: 20 * time.Millisecond, first: 50 * time.Millisecond, most: 2 * time.Second}
	default:
		return backoff{floor: 20 * time.Millisecond, first: 100 * time.Millisecond, most: 5 * time.Second}
	}
}

// wait returns the time to wait after the n-th failure in a row, n from 1.
func (b backoff) wait(n int, random *rand.Rand) time.Duration {
	limit := b.first
	for range n - 1 {
		if limit *= 2; limit >= b.most {
			limit = b.most
			break
		}
	}
	return max(b.floor, time.Duration(random.Int64N(int64(limit)+1)))
}
