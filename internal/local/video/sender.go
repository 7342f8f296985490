package video

import (
	"net/http"
	"time"

	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/front"
	"gst-kinesis/internal/local/videostreams"
)

// sender writes a long answer: within the service's rates, and with what faults have for it. It belongs to the request's goroutine.
type sender struct {
	call      *front.Call
	plan      fault.Plan
	limited   bool
	sent      int64
	rate      videostreams.Rate
	fragments videostreams.Rate
	slow      videostreams.Rate
	settled   bool
	buf       []byte // used again
}

// newSender begins the answer.
func newSender(c *front.Call, plan fault.Plan, limited bool, contentType string) *sender {
	now := time.Now()
	s := &sender{call: c, plan: plan, limited: limited, rate: videostreams.NewRate(videostreams.GetBytes, now),
		fragments: videostreams.NewRate(videostreams.FragmentRate, now)}
	if plan.ReadRate > 0 {
		s.slow = videostreams.NewRate(float64(plan.ReadRate), now)
		s.slow.Owe(float64(plan.ReadRate)*0.9, now) // no burst
	}
	c.W.Header().Set("Content-Type", contentType)
	c.W.WriteHeader(http.StatusOK)
	_ = flushed(c.W)
	return s
}

// piece is how much is written at once.
const piece = 64 << 10

// send writes bytes; it returns endBody if more may follow, else why not.
func (s *sender) send(b []byte) (why string) {
	if s.plan.Garble {
		b = make([]byte, len(b)) // no document, no box begins so
	}
	most := piece
	if s.plan.ReadRate > 0 {
		most = int(max(min(s.plan.ReadRate/10, piece), 1))
	}
	if s.plan.Cut == fault.CutMidAnswer {
		b = b[:len(b)/2]
	}
	for len(b) > 0 {
		n := min(len(b), most)
		if s.plan.CutAfter > 0 {
			if n = int(min(int64(n), s.plan.CutAfter-s.sent)); n == 0 {
				return endCut
			}
		}
		if _, err := s.call.W.Write(b[:n]); err != nil {
			return endLost
		}
		s.sent += int64(n)
		b = b[n:]
		if why := s.pace(n); why != endBody {
			return why
		}
	}
	if s.plan.Cut == fault.CutMidAnswer {
		_ = flushed(s.call.W)
		return endCut
	}
	if flushed(s.call.W) != nil {
		return endLost
	}
	return endBody
}

// pace waits as the rates want it.
func (s *sender) pace(n int) (why string) {
	now := time.Now()
	var wait time.Duration
	if s.limited {
		wait = s.rate.Owe(float64(n), now)
	}
	if s.plan.ReadRate > 0 {
		if flushed(s.call.W) != nil {
			return endLost
		}
		wait = max(wait, s.slow.Owe(float64(n), now))
	}
	return s.wait(wait)
}

// fragment counts a fragment that was sent.
func (s *sender) fragment() (why string) {
	if !s.limited {
		return endBody
	}
	return s.wait(s.fragments.Owe(1, time.Now()))
}

func (s *sender) wait(d time.Duration) (why string) {
	switch {
	case d <= 0 || s.call.Wait(d):
		return endBody
	case s.call.R.Context().Err() != nil:
		return endLost
	}
	return endStopped
}

// keep keeps a buffer for the next fragment, unless it is of one that was large.
func (s *sender) keep(b []byte) {
	if cap(b) <= 4<<20 {
		s.buf = b
	}
}

// settle closes the books.
func (s *sender) settle(why string) {
	if !s.settled {
		s.settled = true
		s.call.Settle(http.StatusOK, why)
	}
}
