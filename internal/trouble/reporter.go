package trouble

import (
	"sync"
	"time"
)

// Observer hears of troubles, from one goroutine.
type Observer interface {
	Trouble(t Trouble)
	Recovered(r Recovery)
	Failed(t Trouble)
}

// Timer is what an owner's AfterFunc returns; *time.Timer is one.
type Timer interface {
	Reset(d time.Duration) bool
	Stop() bool
}

// Owner is who writes a Ledger, as a Reporter needs to know it.
type Owner struct {
	// Lock guards the Ledger; Situation, whose Last counts for nothing, and Told are called with it. Told says that all was told that the
	// Ledger's Hurry asked for.
	Lock      sync.Locker
	Ledger    *Ledger
	Situation func() Situation
	Told      func()
	// Now counts as the Ledger's moments do. AfterFunc is time's, or a fake's.
	Now       func() time.Duration
	AfterFunc func(d time.Duration, f func()) Timer
}

// Reporter tells an observer what there is to tell: troubles, recoveries and failure, in order.
type Reporter struct {
	owner    Owner
	observer Observer
	wake     chan struct{}
}

// NewReporter makes one; somebody has to call Run.
func NewReporter(o Owner, observer Observer) *Reporter {
	return &Reporter{owner: o, observer: observer, wake: make(chan struct{}, 1)}
}

// Wake lets it look whether there is something to tell. It never blocks.
func (r *Reporter) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run tells until quit is closed, and then what is left.
func (r *Reporter) Run(quit <-chan struct{}) {
	timer := r.owner.AfterFunc(Interval, r.Wake)
	defer timer.Stop()
	for {
		if next := r.tell(false); next != Never {
			timer.Reset(max(next-r.owner.Now(), time.Millisecond))
		}
		select {
		case <-r.wake:
		case <-quit:
			r.tell(true)
			return
		}
	}
}

// tell tells what is due, all of it when it is the last time, and returns when there will be more.
func (r *Reporter) tell(last bool) (next time.Duration) {
	n, next := r.news(last)
	for _, t := range n.Troubles {
		r.observer.Trouble(t)
	}
	if n.Recovery != nil {
		r.observer.Recovered(*n.Recovery)
	}
	if n.Failure != nil {
		r.observer.Failed(*n.Failure)
	}
	o := &r.owner
	o.Lock.Lock()
	defer o.Lock.Unlock()
	if o.Ledger.Hurries() {
		o.Ledger.Told(n)
		o.Told()
	}
	return next
}

func (r *Reporter) news(last bool) (News, time.Duration) {
	o := &r.owner
	o.Lock.Lock()
	defer o.Lock.Unlock()
	at := o.Situation()
	at.Last = last
	return o.Ledger.News(o.Now(), at)
}
