package producer

import (
	"time"

	"gst-kinesis/internal/shard"
)

const (
	// firstTarget is the size of requests before anything is known of the link.
	firstTarget = 1 * shard.MiB
	// leastTarget is as small as slow links make requests, single records apart.
	leastTarget = 32 * shard.KiB
	// mostPatience is how many times request-timeout a request may be given when
	// even a single record does not get through in time.
	mostPatience = 16
	// leastSilence is how long a request may go unanswered before it is a trouble.
	leastSilence = 2 * time.Second
)

// pace is how much is put on the link: it yields when requests time out, so that
// a slow uplink cannot make the same request time out for ever, and grows again
// while answers come in a quarter of request-timeout.
type pace struct {
	target, maxTarget int           // bytes of a request
	flight, maxFlight int           // requests at a time
	timeout           time.Duration // of the next requests
	baseTimeout       time.Duration
	slowest           time.Duration // of the answers lately
	yielded           instant       // when it yielded last
}

func newPace(s Settings) pace {
	return pace{
		target: min(firstTarget, s.MaxBatchBytes), maxTarget: s.MaxBatchBytes,
		flight: s.MaxInFlight, maxFlight: s.MaxInFlight,
		timeout: s.RequestTimeout, baseTimeout: s.RequestTimeout,
	}
}

// answered takes note of an answer to a request of so many bytes.
func (c *pace) answered(bytes int, took time.Duration) {
	c.slowest = max(took, c.slowest-c.slowest/8)
	if took >= c.baseTimeout/4 {
		return
	}
	c.timeout = max(c.timeout/2, c.baseTimeout)
	c.flight = min(2*c.flight, c.maxFlight)
	if bytes >= c.target-c.target/4 {
		c.target = min(2*c.target, c.maxTarget)
	}
}

// timedOut takes note that a request got no answer in time. Requests that were
// already under way when it yielded last do not count again.
func (c *pace) timedOut(bytes, records int, sent, now instant) {
	if sent < c.yielded {
		return
	}
	c.yielded = now
	c.flight = max(1, c.flight/2)
	if records > 1 {
		c.target = max(min(c.target, bytes)/2, min(leastTarget, c.maxTarget))
		return
	}
	c.timeout = min(2*c.timeout, mostPatience*c.baseTimeout)
}

// silence is how long a request may go unanswered before that is a trouble.
func (c *pace) silence() time.Duration { return max(leastSilence, 2*c.slowest) }
