package putmedia

import (
	"sync"
	"time"

	"gst-kinesis/internal/trouble"
)

// newReporter makes what tells an observer about troubles, recoveries and failure; settled is whose waiting ends when losses were told.
func newReporter(mu sync.Locker, h *health, p *phase, settled *sync.Cond, now func() time.Duration, observer Observer) *trouble.Reporter {
	return trouble.NewReporter(trouble.Owner{
		Lock: mu, Ledger: &h.ledger, Now: now, Told: settled.Broadcast,
		Situation: func() trouble.Situation {
			at := trouble.Situation{Well: h.failures == 0}
			if p.failure != nil {
				at.Failure = &p.failure.trouble
			}
			return at
		},
		AfterFunc: func(d time.Duration, f func()) trouble.Timer { return time.AfterFunc(d, f) },
	}, observer)
}
