package producer

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Flush waits until every record accepted so far is accounted for and the
// observer was told, of losses by Trouble too; what waits is sent without lingering.
//
// When drain-timeout is over, what is left is dropped (drain) and the error wraps
// ErrDrainTimeout. When ctx is done first, nothing is dropped and its error is
// returned. If the stream fails, everything is dropped and the error wraps
// ErrFailed. Records put meanwhile do not prolong it.
func (p *Producer) Flush(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	upTo := p.seq
	if p.spool != nil { // records of the spool get their numbers when they come into memory
		upTo = math.MaxUint64
	}
	p.phase.draining++
	p.phase.drainUpTo = max(p.phase.drainUpTo, upTo)
	defer func() { p.phase.draining-- }()
	p.poke()

	stop := context.AfterFunc(ctx, p.stir)
	defer stop()
	over := false
	if d := p.settings.DrainTimeout; d >= 0 {
		timer := p.clock.AfterFunc(d, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			over = true
			p.settled.Broadcast()
		})
		defer timer.Stop()
	}
	err := p.drain(ctx, upTo, &over)
	p.phase.leaving = p.phase.closing && p.phase.leaving
	if p.spool != nil {
		p.wakePager()
	}
	p.awaitWord()
	return err
}

// awaitWord waits, with mu held, until the reporter has told of all losses: who
// hears that the stream has ended may listen no longer.
func (p *Producer) awaitWord() {
	p.health.ledger.Hurry()
	p.wakeReporter()
	for p.health.ledger.Hurries() && !p.phase.over {
		p.settled.Wait()
	}
}

// drain is Flush's wait, with mu held.
func (p *Producer) drain(ctx context.Context, upTo uint64, over *bool) error {
	before := p.books.Dropped[ReasonDrain].Records
	for !p.isAccounted(upTo) || p.hasBacklog() {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("draining the producer: %w", err)
		}
		if *over {
			p.phase.leaving = true
			p.abandon(upTo, ReasonDrain)
			if p.isAccounted(upTo) {
				break
			}
		}
		p.settled.Wait()
	}
	dropped := int(p.books.Dropped[ReasonDrain].Records - before)
	switch {
	case p.phase.failure != nil:
		return p.phase.failure
	case dropped > 0:
		p.noteLeft(ReasonDrain, "records were left when drain-timeout was over", dropped, p.now())
		return fmt.Errorf("draining the producer: %w", ErrDrainTimeout)
	default:
		return nil
	}
}

// hasBacklog reports whether there is more in the spool that may be sent yet.
func (p *Producer) hasBacklog() bool {
	return p.backlog.count.Records > 0 && !p.phase.leaving && p.phase.failure == nil
}

// stir lets Flush and Close look again.
func (p *Producer) stir() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settled.Broadcast()
}

// isAccounted reports whether no record up to a sequence number is held and the
// observer was told of all.
func (p *Producer) isAccounted(upTo uint64) bool {
	if p.telling > 0 || p.morgue.open > 0 || p.flying.holds(upTo) {
		return false
	}
	l := p.lanes.oldest()
	return l == nil || l.waiting.head.seq > upTo
}

// abandon drops all records up to a sequence number: those that wait at once,
// those in flight when their calls, which it cuts, have returned. The lock is
// released while the observer is told.
func (p *Producer) abandon(upTo uint64, reason string) {
	var dead list
	p.loseWaiting(upTo, reason, &dead)
	for _, q := range p.flying.requests {
		if q.cutReason == "" || q.cutUpTo < upTo {
			q.cut(reason, upTo)
		}
	}
	if dead.n > 0 {
		p.telling++
		p.mu.Unlock()
		p.bury(&dead)
		p.mu.Lock()
	}
}

// Close stops accepting records, sends what is left within stop-timeout and drops
// the rest (stop). When it returns, all goroutines have ended, the observer is no
// longer called, and Books has its last state. It may be called again and by
// several goroutines; all wait for the end.
func (p *Producer) Close() {
	p.mu.Lock()
	if p.phase.closing {
		p.mu.Unlock()
		<-p.closed
		return
	}
	p.phase.closing = true
	p.phase.drainUpTo = math.MaxUint64
	p.space.Broadcast()
	p.poke()
	p.drainToStop()
	p.mu.Unlock()

	p.cancel()
	p.stopLetters()
	close(p.quit)
	close(p.work)
	p.running.Wait()
	p.mu.Lock()
	p.phase.over = true
	p.settled.Broadcast()
	p.mu.Unlock()
	p.pool.clear()
	close(p.closed)
}

// drainToStop is Close's wait, with mu held: until nothing is held, at most
// stop-timeout and the time cut calls take to return.
func (p *Producer) drainToStop() {
	over := false
	timer := p.clock.AfterFunc(p.settings.StopTimeout, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		over = true
		p.settled.Broadcast()
	})
	defer timer.Stop()
	letters := p.clock.AfterFunc(p.settings.StopTimeout+letterGrace, p.stopLetters)
	defer letters.Stop()
	began := p.now()
	for !p.isAccounted(math.MaxUint64) || len(p.flying.requests) > 0 || p.hasBacklog() && p.settings.StopTimeout > 0 {
		if over || p.settings.StopTimeout == 0 {
			p.phase.leaving = true
			p.abandon(math.MaxUint64, ReasonStop)
			if p.isAccounted(math.MaxUint64) && len(p.flying.requests) == 0 {
				break
			}
		}
		p.settled.Wait()
	}
	p.phase.leaving = true
	if dropped := int(p.books.Dropped[ReasonStop].Records); dropped > 0 {
		p.noteLeft(ReasonStop, fmt.Sprintf("records were left %v after the stop", (p.now()-began).Round(time.Millisecond)), dropped, p.now())
	}
}
