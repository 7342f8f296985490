package producer

import (
	"context"
	"fmt"
	"time"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/shard"
)

// Letter is a record that can never be delivered, with what is known of it.
type Letter struct {
	// Reason is one of the reasons of the books, or AWS's error code.
	Reason string
	// Code is AWS's error code, or one of package awserr, of the last try that failed; "" if
	// none did.
	Code            string
	PartitionKey    string
	ExplicitHashKey string
	// Data is what would have been sent: of a record in parts one part, of a compressed
	// one the envelope. Valid during the call.
	Data []byte
	// PTS is what the caller put into the record, or NoPTS.
	PTS uint64
	// Tries is how often it was sent.
	Tries int
	// Accepted is when Put took it.
	Accepted time.Time
}

// DeadLetters is a place for what can never be delivered.
type DeadLetters interface {
	// Write keeps all letters or none, for good, or returns an error that says what to
	// do. It is called from one goroutine, and must return soon after ctx is done.
	Write(ctx context.Context, letters []Letter) error
}

const (
	// mostLetters and letterBytes are how many are written at a time, which has to be possible
	// within one request-timeout. A larger one goes alone.
	mostLetters = 100
	letterBytes = 8 * shard.MiB
	// letterGrace is how long the end of stop-timeout waits for letters.
	letterGrace = 2 * time.Second
	// reasonNoLetter is the code of the trouble that letters could not be written.
	reasonNoLetter = "dead-letter-failed"
)

// WithDeadLetters gives what would be dropped to a place from where it can be sent
// again, but for what is dropped because there is no room (leaky).
func WithDeadLetters(d DeadLetters) Option { return func(p *Producer) { p.letters = d } }

// becomesLetter reports whether a record lost for a reason is written down.
func (p *Producer) becomesLetter(reason string) bool {
	return p.letters != nil && reason != ReasonLeakyOldest && reason != ReasonLeakyNewest
}

// morgue is the records that wait to be written down, in flight until they are.
type morgue struct {
	waiting list
	open    int           // records in it and being written
	came    chan struct{} // wakes the undertaker
}

// admitDead moves the records that become letters out of a list.
func (p *Producer) admitDead(dead *list) {
	if p.letters == nil {
		return
	}
	var others list
	p.mu.Lock()
	defer p.mu.Unlock()
	for r := dead.popFront(); r != nil; r = dead.popFront() {
		if p.becomesLetter(r.reason) && !r.kept {
			p.morgue.waiting.pushBack(r)
			p.morgue.open++
		} else {
			others.pushBack(r)
		}
	}
	*dead = others
	select {
	case p.morgue.came <- struct{}{}:
	default:
	}
}

// inter is the undertaker: it writes letters until the producer ends.
func (p *Producer) inter() {
	for {
		select {
		case <-p.morgue.came:
		case <-p.quit:
			return
		}
		for batch, bytes := p.nextDead(); batch.n > 0; batch, bytes = p.nextDead() {
			p.bringOut(&batch, p.letterTime(bytes))
		}
	}
}

// nextDead returns what is written next, and its bytes.
func (p *Producer) nextDead() (batch list, bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for batch.n < mostLetters && p.morgue.waiting.n > 0 {
		size := len(p.morgue.waiting.head.Data)
		if batch.n > 0 && bytes+size > letterBytes {
			break
		}
		bytes += size
		batch.pushBack(p.morgue.waiting.popFront())
	}
	return batch, bytes
}

// letterTime is how long so many bytes of letters may take to be written. On a link with a bound they
// wait for it, a third larger in the places that take base64.
func (p *Producer) letterTime(bytes int) time.Duration {
	return p.settings.RequestTimeout + 2*p.uplink.Duration(bytes+bytes/3)
}

// bringOut writes the letters of some records within a time and settles the books by that.
func (p *Producer) bringOut(batch *list, within time.Duration) {
	letters := make([]Letter, 0, batch.n)
	for r := batch.head; r != nil; r = r.next {
		letters = append(letters, Letter{
			Reason: r.reason, Code: r.code, PartitionKey: r.PartitionKey, ExplicitHashKey: r.ExplicitHashKey, Data: r.Data, PTS: r.PTS,
			Tries: int(r.tries), Accepted: p.started.Add(r.accepted),
		})
	}
	ctx, cancel := context.WithTimeout(p.letterContext, within)
	defer cancel()
	err := p.letters.Write(ctx, letters)
	count := batch.n
	p.mu.Lock()
	for r := batch.head; r != nil; r = r.next {
		p.leave(r)
		switch {
		case r.untold:
		case err == nil:
			p.finished(r)
			p.books.InFlight.sub(r.payload)
			p.books.DeadLettered.add(r.payload)
		default:
			p.finished(r)
			p.books.InFlight.sub(r.payload)
			p.books.drop(r.reason, r.payload)
		}
	}
	if err != nil {
		p.noteNoLetters(err, count)
	}
	p.mu.Unlock()
	if err == nil {
		p.tellEnded(batch, p.observer.DeadLettered)
	} else {
		p.tellEnded(batch, p.observer.Dropped)
	}
	p.pool.give(batch)
	p.clearDone()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.morgue.open -= count
	p.settled.Broadcast()
}

func (p *Producer) noteNoLetters(err error, records int) {
	t := p.troubleOf(awserr.Fault{
		Class: awserr.RecordFault, Party: awserr.Caller, Code: reasonNoLetter, Message: fmt.Sprintf("writing dead letters failed, so they are lost: %v", err),
		Remedy: "see that the dead-letter place can be written to",
	}, err, records)
	t.Reason = reasonNoLetter
	p.note(t, p.now())
}
