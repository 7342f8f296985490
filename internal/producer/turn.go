package producer

import (
	"time"

	"gst-kinesis/internal/uplink"
)

// turn is the dispatcher's place among those who want to send on the uplink.
type turn struct {
	have   bool // a request may be formed
	queued bool // there is no point in trying before the uplink says so
	bytes  int  // of the request that would be formed
}

// hasTurn asks the uplink whether a request may be formed now from the lanes that are
// ready. A turn that no request came of is kept.
func (p *Producer) hasTurn() bool {
	t := &p.turn
	if !t.have {
		t.have = p.uplink.Begin(p.class(), t.bytes, p.awaken)
	}
	t.queued = !t.have
	return t.have
}

// class is backlog if nothing that is ready is live.
func (p *Producer) class() uplink.Class {
	for _, l := range p.lanes.ready {
		if !l.waiting.head.paged {
			return uplink.Live
		}
	}
	return uplink.Backlog
}

// target is how many bytes a request should have at most, a single record apart.
func (p *Producer) target() int {
	if burst := p.uplink.Burst(); burst > 0 {
		return min(p.pace.target, burst)
	}
	return p.pace.target
}

// upload is how much longer a request may take because of max-bandwidth: twice the time
// it needs, as others that were begun before go first.
func (p *Producer) upload(q *request) time.Duration { return 2 * p.uplink.Duration(q.bytes) }

// silence is how long a request may go unanswered before that is a trouble.
func (p *Producer) silence(q *request) time.Duration { return p.pace.silence() + p.upload(q) }

// hasRoomToReplay reports whether the pager may bring more of the backlog. Where the
// bandwidth is limited it brings no more than goes out soon, so that live records never
// wait behind it for long.
func (p *Producer) hasRoomToReplay() bool {
	burst := p.uplink.Burst()
	return burst == 0 || p.bytes < 2*burst
}
