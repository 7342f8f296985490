package bus

import (
	"context"
	"sync"
)

// Canceller is a context that can be cancelled and made anew, as unlock and unlock_stop, or the two events of a flush, ask for it.
type Canceller struct {
	mu   sync.Mutex
	ctx  context.Context
	stop context.CancelFunc
}

// NewCanceller gives one that is not cancelled.
func NewCanceller() *Canceller {
	c := new(Canceller)
	c.Renew()
	return c
}

// Context is the one in force.
func (c *Canceller) Context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ctx
}

// Cancel cancels it.
func (c *Canceller) Cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop()
}

// Renew cancels it and puts a new one in its place.
func (c *Canceller) Renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil {
		c.stop()
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
}
