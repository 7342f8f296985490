package producer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/spool"
)

// Reserve returns a record whose Data has the given length, to be filled and given to
// Put, or back by Release. It never blocks. The memory may hold what was in
// it before.
func (p *Producer) Reserve(size int) *Record { return p.pool.take(size) }

// Release takes back a record that will not be Put. Nothing is counted.
func (p *Producer) Release(r *Record) { p.release(r) }

func (p *Producer) release(r *Record) {
	var one list
	one.pushBack(r)
	p.pool.give(&one)
}

// Put takes a record from Reserve, in any case: it must not be touched afterwards.
//
// A nil error means that the record is accounted for in the books, whether it
// waits now or was dropped at once (too large, bad key, no room while leaky). When
// a bound is reached and the producer is not leaky, Put blocks until there is
// room or ctx is done. An error means that the record was refused: ctx's own,
// ErrClosed, one that wraps ErrOversize, or one that wraps ErrFailed and the Trouble.
func (p *Producer) Put(ctx context.Context, r *Record) error {
	if err := p.awaitLimit(ctx, r); err != nil {
		r.payload = len(r.Data)
		p.mu.Lock()
		_ = p.refuse(r, err)
		p.mu.Unlock()
		p.release(r)
		return err
	}
	parts, fault := p.shape(r)
	if parts.head != r {
		defer p.release(r)
	}
	if p.spool != nil && fault.reason == "" {
		return p.putThrough(ctx, r, &parts)
	}
	return p.putInMemory(ctx, &parts, fault)
}

// putThrough puts a record into the spool, and from there on its way if it may go.
func (p *Producer) putThrough(ctx context.Context, r *Record, parts *list) error {
	p.mu.Lock()
	err := p.refusal()
	if err != nil {
		_ = p.refuse(r, err)
		p.mu.Unlock()
		p.pool.give(parts)
		return err
	}
	p.backlog.registry.begin()
	p.mu.Unlock()
	id, done, err := p.store(ctx, r, parts)
	if id == 0 {
		p.register(0)
		switch {
		case err != nil:
			p.pool.give(parts)
			return err
		case done:
			return nil
		}
		return p.putInMemory(ctx, parts, recordFault{})
	}
	p.goOn(parts, id)
	return nil
}

// goOn sends a record that is in the spool on its way, or leaves it there for now.
func (p *Producer) goOn(parts *list, id spool.ID) {
	for part := parts.head; part != nil; part = part.next {
		part.spool = id
	}
	first := parts.head
	p.mu.Lock()
	p.backlog.registry.enter(id)
	if p.joins(first, parts.cost()) {
		p.join(first, id)
		p.mu.Unlock()
		p.observer.Spooled([]Lost{lostOf(first)})
		p.pool.give(parts)
		return
	}
	p.backlog.resident[id] = resident{bytes: first.payload}
	p.enter(parts)
	poke := p.wantsDispatch(first.lane)
	if p.backlog.again != 0 { // the pager may have come across it
		p.wakePager()
	}
	p.mu.Unlock()
	if poke {
		p.poke()
	}
}

// putInMemory puts a record on its way, or drops or refuses it.
func (p *Producer) putInMemory(ctx context.Context, parts *list, fault recordFault) error {
	first := parts.head
	var dead list
	p.mu.Lock()
	err := p.admit(ctx, parts, fault, &dead)
	poke := err == nil && dead.n == 0 && p.wantsDispatch(first.lane)
	if dead.n > 0 {
		p.telling++
	}
	p.mu.Unlock()
	switch {
	case err != nil:
		p.pool.give(parts)
		return err
	case dead.n > 0:
		p.bury(&dead)
		p.poke() // what made room may have been all that waited in a lane
	case poke:
		p.poke()
	}
	return nil
}

// admit accepts the record, which then waits in a lane or is dropped into dead,
// or refuses it with an error.
func (p *Producer) admit(ctx context.Context, parts *list, fault recordFault, dead *list) error {
	r := parts.head
	if err := p.refusal(); err != nil {
		return p.refuse(r, err)
	}
	switch {
	case fault.reason == ReasonOversize && p.settings.Oversize == OversizeError:
		return p.refuse(r, fmt.Errorf("putting a record of %d bytes into stream %s, which takes %d: %w", r.size(), p.subject.Stream, p.largest(), fault.err))
	case fault.reason != "":
		p.stillborn(parts, fault.reason, dead)
		p.noteRecordFault(r, fault)
		return nil
	}
	for cost := parts.cost(); p.isFull(r, cost); {
		switch {
		case p.leaky == LeakyNo:
			if err := p.waitForSpace(ctx); err != nil {
				return p.refuse(r, err)
			}
		case p.leaky == LeakyUpstream, !p.dropOldest(dead):
			p.stillborn(parts, ReasonLeakyNewest, dead)
			p.noteLeak(ReasonLeakyNewest)
			return nil
		}
	}
	p.enter(parts)
	return nil
}

func (p *Producer) refuse(r *Record, err error) error {
	if !errors.Is(err, ErrWouldBlock) {
		p.books.Refused.add(r.payload)
	}
	return err
}

// refusal returns why nothing is accepted any more.
func (p *Producer) refusal() error {
	switch {
	case p.phase.failure != nil:
		return p.phase.failure
	case p.phase.closing:
		return ErrClosed
	default:
		return nil
	}
}

// waitForSpace waits until something changed.
func (p *Producer) waitForSpace(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("waiting for room in the producer: %w", context.Cause(ctx))
	}
	stop := context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.space.Broadcast()
	})
	p.blocked++
	p.space.Wait()
	p.blocked--
	stop()
	if err := p.refusal(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("waiting for room in the producer: %w", err)
	}
	return nil
}

// isFull reports whether there is no room for a record that takes so much memory.
func (p *Producer) isFull(r *Record, cost int64) bool {
	held, s := p.books.InFlight.Records, &p.settings
	switch {
	case held == 0:
		return false
	case s.MaxSizeBytes > 0 && p.held+cost > s.MaxSizeBytes:
		return true
	case s.MaxSizeBuffers > 0 && held >= int64(s.MaxSizeBuffers):
		return true
	default:
		return s.MaxSizeTime > 0 && p.span(r) >= s.MaxSizeTime
	}
}

// span returns the time from the oldest record held to a new one: by their
// timestamps, or where one has none by the clock.
func (p *Producer) span(r *Record) instant {
	oldest := p.flying.oldest()
	if l := p.lanes.oldest(); l != nil && (oldest == nil || l.waiting.head.seq < oldest.seq) {
		oldest = l.waiting.head
	}
	switch {
	case oldest == nil:
		return 0
	case oldest.PTS == NoPTS || r.PTS == NoPTS:
		return p.now() - oldest.accepted
	case r.PTS <= oldest.PTS:
		return 0
	default:
		return instant(min(r.PTS-oldest.PTS, uint64(never))) //nolint:gosec // bounded
	}
}

// enter takes a record, or all parts of one, into a lane.
func (p *Producer) enter(parts *list) {
	if p.seq == 0 {
		p.wakeSurvey()
		p.wakeLimit()
	}
	now := p.now()
	p.books.Accepted.add(parts.head.payload)
	p.books.InFlight.add(parts.head.payload)
	for r := parts.head; r != nil; {
		next := r.next // the lane's from here on
		p.seq++
		r.seq, r.accepted, r.state = p.seq, now, pending
		p.held += r.cost()
		p.lanes.push(r)
		p.waiting++
		p.bytes += r.size()
		r = next
	}
}

// stillborn accounts for a record that is accepted and dropped at once.
func (p *Producer) stillborn(parts *list, reason string, dead *list) {
	first, letter := parts.head, p.becomesLetter(reason)
	p.books.Accepted.add(first.payload)
	if letter {
		p.books.InFlight.add(first.payload)
	} else {
		p.books.drop(reason, first.payload)
	}
	for r := parts.popFront(); r != nil; r = parts.popFront() {
		r.reason, r.untold, r.accepted = reason, r != first, p.now()
		if letter {
			p.held += r.cost()
		}
		dead.pushBack(r)
	}
}

// leave takes a record out of the memory that is held; the books are the caller's.
func (p *Producer) leave(r *Record) {
	p.held -= r.cost()
	if p.spool != nil && p.backlog.count.Records > 0 {
		p.wakePager()
	}
	if p.blocked > 0 {
		p.space.Broadcast()
	}
}

// dropOldest makes room; it reports false if nothing waits.
func (p *Producer) dropOldest(dead *list) bool {
	l := p.lanes.oldest()
	if l == nil {
		return false
	}
	p.loseFirst(l, ReasonLeakyOldest, dead)
	p.noteLeak(ReasonLeakyOldest)
	return true
}

// loseFirst drops the first record of a lane.
func (p *Producer) loseFirst(l *lane, reason string, dead *list) {
	r := p.lanes.pop(l)
	p.waiting--
	p.bytes -= r.size()
	p.lose(r, reason)
	dead.pushBack(r)
	p.forgive(l)
}

// loseWaiting drops all waiting records up to a sequence number.
func (p *Producer) loseWaiting(upTo uint64, reason string, dead *list) (n int) {
	for _, l := range slices.Backward(p.lanes.active) { // backward: an empty lane leaves, and the last takes its place
		for l.waiting.n > 0 && l.waiting.head.seq <= upTo {
			p.loseFirst(l, reason, dead)
			n++
		}
	}
	return n
}

// bury tells the observer about dropped records and frees them. Whoever put them
// into the list counted itself in telling.
func (p *Producer) bury(dead *list) {
	p.tellKept(dead)
	p.admitDead(dead)
	p.tellEnded(dead, p.observer.Dropped)
	p.pool.give(dead)
	p.clearDone()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.telling--
	p.settled.Broadcast()
}

// tellKept tells of the records of a list that stay in the spool, and frees them.
func (p *Producer) tellKept(dead *list) {
	if p.spool == nil {
		return
	}
	var kept, others list
	for r := dead.popFront(); r != nil; r = dead.popFront() {
		if r.kept {
			kept.pushBack(r)
		} else {
			others.pushBack(r)
		}
	}
	*dead = others
	p.tellEnded(&kept, func(_ string, lost []Lost) { p.observer.Spooled(lost) })
	p.pool.give(&kept)
}

// tellEnded calls tell once for each run of records with the same reason.
func (p *Producer) tellEnded(dead *list, tell func(reason string, lost []Lost)) {
	scratch := p.lostScratch.Get().(*[]Lost) //nolint:forcetypeassert // its New says so
	all := (*scratch)[:0]
	for r := dead.head; r != nil; r = r.next {
		if !r.untold {
			all = append(all, lostOf(r))
		}
		if len(all) > 0 && (r.next == nil || r.next.reason != r.reason) {
			tell(r.reason, all)
			all = all[:0]
		}
	}
	clear(all[:cap(all)])
	*scratch = all
	p.lostScratch.Put(scratch)
}

func lostOf(r *Record) Lost {
	return Lost{PartitionKey: r.PartitionKey, Bytes: r.payload, PTS: r.PTS, Token: r.Token, Tries: int(r.tries)}
}

// noteRecordFault tells of a record that is wrong by itself.
func (p *Producer) noteRecordFault(r *Record, f recordFault) {
	p.noteDrop(f.reason, func() awserr.Fault {
		fault := awserr.Fault{Class: awserr.RecordFault, Party: awserr.Record, Code: f.reason, Message: f.err.Error()}
		if f.reason == ReasonOversize {
			fault.Message = fmt.Sprintf("a record of %d bytes is larger than max-record-size (%d)", r.size(), p.largest())
			fault.Remedy = "send smaller records, raise max-record-size if the stream takes larger ones, or set oversize=split"
			return fault
		}
		fault.Remedy = "give partition keys of 1 to 256 characters and explicit hash keys below 2^128"
		return fault
	})
}

// noteLeak tells that the producer is full.
func (p *Producer) noteLeak(reason string) {
	p.noteDrop(reason, func() awserr.Fault {
		return awserr.Fault{
			Class: awserr.RecordFault, Party: awserr.Caller, Code: reason,
			Message: "records come faster than they can be sent and the producer is full",
			Remedy:  "send less, add shards, or raise max-size-bytes, max-size-buffers, max-size-time",
		}
	})
}
