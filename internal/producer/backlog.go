package producer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/spool"
)

// WithSpool keeps each record on disk until it is delivered, so that neither an
// outage nor the end of the process loses it. A record is in the spool before it
// counts as accepted. What does not fit into memory waits there alone and is sent in
// the order it came; a key of which nothing waits there goes on live. What is left
// at the end stays in the spool, for the next run. The spool is the caller's to close,
// after Close.
func WithSpool(s *spool.Spool) Option { return func(p *Producer) { p.spool = s } }

const (
	// ReasonSpoolDamaged is the reason of records that the disk lost.
	ReasonSpoolDamaged = "spool-damaged"
	// codeSpool is the code of the trouble that the spool cannot be written.
	codeSpool = "spool-failed"
	// expireInterval is how often the spool's age limit is applied, and how long to
	// wait for a disk that fails.
	expireInterval = 10 * time.Second
	diskInterval   = time.Second
	// mostSpooledKeys bounds the keys that are told apart.
	mostSpooledKeys = 1 << 16
)

// backlog is the records that lie in the spool alone.
//
//   - A record is in memory or in the backlog, never both: resident tells which of the
//     spool's are in memory.
//   - Records of a key whose last one in the backlog has not been read join it.
type backlog struct {
	count    Count
	registry registry
	resident map[spool.ID]resident
	last     map[string]spool.ID // by key
	read     spool.ID            // the pager has come so far
	all      bool                // records of any key join it, until the pager has read to the end
	again    spool.ID            // the pager is to go back to here; 0 is nowhere
	done     []spool.ID          // to be told to the spool
	wake     chan struct{}       // the pager
}

// resident is a record of the spool that is in memory.
type resident struct {
	bytes int  // of its payload
	over  bool // it is finished, and the spool is about to hear of it
}

// open takes over what an earlier run left.
func (p *Producer) openBacklog() {
	b := &p.backlog
	b.resident, b.last, b.wake = make(map[spool.ID]resident), make(map[string]spool.ID), make(chan struct{}, 1)
	s := p.spool.Stats()
	b.count = Count{Records: s.Records, Bytes: s.Bytes}
	b.all = s.Records > 0
	b.registry.upTo = p.spool.NextID() - 1
	p.books.Accepted, p.books.Spooled = b.count, b.count
	p.wakePager()
}

func (p *Producer) wakePager() {
	select {
	case p.backlog.wake <- struct{}{}:
	default:
	}
}

// store appends a record to the spool. Done with no error means that it is accounted
// for already: there was no room. An id of 0 means that the disk failed and that
// the record has to do with memory.
func (p *Producer) store(ctx context.Context, r *Record, parts *list) (id spool.ID, done bool, err error) {
	record := spool.Record{Key: r.PartitionKey, ExplicitHash: r.ExplicitHashKey, PTS: r.PTS, Accepted: p.clock.Now(), Data: r.Data}
	for {
		id, err = p.spool.Append(record)
		switch {
		case err == nil:
			return id, false, nil
		case !errors.Is(err, spool.ErrFull):
			p.mu.Lock()
			p.noteSpool(err, 1)
			p.mu.Unlock()
			return 0, false, nil
		}
		if done, err = p.makeRoom(ctx, r, parts); done || err != nil {
			return 0, done, err
		}
	}
}

// register puts a record of the spool on the books, 0 for one that did not get there.
func (p *Producer) register(id spool.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.backlog.registry.enter(id)
	p.wakePager()
}

// makeRoom does what leaky says about a spool that is full.
func (p *Producer) makeRoom(ctx context.Context, r *Record, parts *list) (done bool, err error) {
	p.mu.Lock()
	leaky := p.leaky
	if leaky == LeakyNo {
		defer p.mu.Unlock()
		if err := p.waitForSpace(ctx); err != nil {
			return true, p.refuse(r, err)
		}
		return false, nil
	}
	p.mu.Unlock()
	if leaky == LeakyDownstream {
		dropped, dropErr := p.spool.DropOldest(int64(len(r.Data)))
		p.forget(dropped, ReasonLeakyOldest)
		if dropErr == nil && len(dropped.IDs) > 0 {
			return false, nil
		}
	}
	var dead list
	p.mu.Lock()
	p.stillborn(parts, ReasonLeakyNewest, &dead)
	p.noteLeak(ReasonLeakyNewest)
	p.telling++
	p.mu.Unlock()
	p.bury(&dead)
	return true, nil
}

// forget accounts for records that the spool gave up. Those in memory go on, from there alone.
func (p *Producer) forget(d spool.Dropped, reason string) {
	if len(d.IDs) == 0 {
		return
	}
	p.mu.Lock()
	gone := Count{Bytes: d.Bytes}
	for _, id := range d.IDs {
		if here, ok := p.backlog.resident[id]; ok {
			delete(p.backlog.resident, id)
			gone.Bytes -= int64(here.bytes)
			continue
		}
		gone.Records++
	}
	p.vanish(gone, reason)
	if reason == ReasonLeakyOldest {
		p.noteLeak(reason)
	}
	p.mu.Unlock()
	p.observer.Dropped(reason, make([]Lost, gone.Records))
}

// vanish takes records out of the backlog that were lost there.
func (p *Producer) vanish(gone Count, reason string) {
	b := &p.backlog.count
	*b = b.minus(gone)
	p.books.Spooled = p.books.Spooled.minus(gone)
	c := p.books.Dropped[reason]
	p.books.Dropped[reason] = c.plus(gone)
	p.settled.Broadcast()
}

// joins reports whether a new record of the spool waits there alone: because it would
// overtake others of its key, or because memory is full.
func (p *Producer) joins(r *Record, cost int64) bool {
	b := &p.backlog
	return b.all || b.last[r.PartitionKey] > b.read || p.phase.failure != nil || p.phase.closing || p.isFull(r, cost)
}

// join accounts for a record that waits in the spool alone.
func (p *Producer) join(r *Record, id spool.ID) {
	b := &p.backlog
	p.books.Accepted.add(r.payload)
	p.books.Spooled.add(r.payload)
	b.count.add(r.payload)
	if len(b.last) >= mostSpooledKeys {
		b.all = true
		clear(b.last)
	}
	b.last[r.PartitionKey] = id
	p.wakePager()
}

// finished takes note that a record need not come back after a restart.
func (p *Producer) finished(r *Record) {
	if r.spool == 0 {
		return
	}
	if here, ok := p.backlog.resident[r.spool]; ok && !here.over {
		here.over = true
		p.backlog.resident[r.spool] = here
		p.backlog.done = append(p.backlog.done, r.spool)
	}
}

// clearDone tells the spool what is finished. It does file I/O and is called without mu.
func (p *Producer) clearDone() {
	if p.spool == nil {
		return
	}
	p.mu.Lock()
	ids := p.backlog.done
	p.backlog.done = nil
	p.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	err := p.spool.Done(ids)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.noteSpool(err, 0)
	}
	for _, id := range ids {
		delete(p.backlog.resident, id)
	}
	if p.blocked > 0 {
		p.space.Broadcast()
	}
}

// keeps reports whether a record that is given up stays in the spool for the next run:
// where it is not its own fault, and not too old.
func (p *Producer) keeps(r *Record, reason string) bool {
	if r.spool == 0 || r.own {
		return false
	}
	switch reason {
	case ReasonTTL, ReasonRetries, ReasonOversize, ReasonBadKey, ReasonLeakyOldest, ReasonLeakyNewest:
		return false
	}
	here, ok := p.backlog.resident[r.spool]
	return ok && !here.over
}

// leaveSpooled accounts for a record that is not in memory any more and stays in the spool.
func (p *Producer) leaveSpooled(r *Record) {
	delete(p.backlog.resident, r.spool)
	p.books.InFlight.sub(r.payload)
	p.books.Spooled.add(r.payload)
	b := &p.backlog
	b.count.add(r.payload)
	b.all = true // what comes must not overtake it, and the pager has it behind it
	if b.again == 0 || r.spool < b.again {
		b.again = r.spool
	}
	p.wakePager()
}

func (p *Producer) noteSpool(err error, records int) {
	t := p.troubleOf(awserr.Fault{
		Class: awserr.RecordFault, Party: awserr.Caller, Code: codeSpool, Message: fmt.Sprint(err),
		Remedy: "see that the spool-directory can be written to and has room; meanwhile records are kept in memory alone",
	}, err, records)
	p.note(t, p.now())
}
