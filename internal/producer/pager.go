package producer

import (
	"errors"
	"io"
	"time"

	"gst-kinesis/internal/spool"
)

// pager is where the backlog is read.
type pager struct {
	reader *spool.Reader
	next   spool.ID // all before were read
}

// goBack lets the pager read from an earlier record on; one that is still ahead it
// comes to anyway.
func (g *pager) goBack(s *spool.Spool, from spool.ID) {
	if from < g.next {
		g.reader.Close()
		g.reader, g.next = s.Reader(from), from
	}
}

// page is the pager: it brings the backlog into memory, oldest first, up to a half of
// it, so that there is room for what goes on live.
func (p *Producer) page() {
	g := &pager{reader: p.spool.Reader(0)}
	defer func() { g.reader.Close() }()
	timer := p.clock.AfterFunc(expireInterval, p.wakePager)
	defer timer.Stop()
	expired := p.now()
	for {
		select {
		case <-p.backlog.wake:
		case <-p.quit:
			return
		}
		next := expireInterval
		for p.wantsPage() {
			if from := p.pageFrom(); from != 0 {
				g.goBack(p.spool, from)
			}
			if err := p.pageOne(g); err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, errNotNow) {
					next = diskInterval
				}
				break
			}
		}
		if now := p.now(); now-expired >= expireInterval {
			expired = now
			if d, err := p.spool.Expire(); err == nil {
				p.forget(d, ReasonTTL)
			}
		}
		timer.Reset(next)
	}
}

// wantsPage reports whether the backlog has more and memory has room for it.
func (p *Producer) wantsPage() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.settings
	switch {
	case p.backlog.count.Records == 0 && !p.backlog.all, p.phase.failure != nil, p.phase.leaving, p.flying.isCut():
		return false
	case !p.hasRoomToReplay():
		return false
	case s.MaxSizeBytes > 0 && p.held > s.MaxSizeBytes/2, s.MaxSizeBuffers > 0 && p.books.InFlight.Records > int64(s.MaxSizeBuffers)/2:
		return p.books.InFlight.Records == 0
	default:
		return true
	}
}

// pageFrom returns where the pager has to go back to, once.
func (p *Producer) pageFrom() (from spool.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	from, p.backlog.again = p.backlog.again, 0
	return from
}

// pageOne reads the next record of the spool, and takes it into memory unless it is there.
func (p *Producer) pageOne(g *pager) error {
	var r *Record
	record, id, err := g.reader.Next(func(n int) []byte {
		r = p.pool.take(n)
		return r.Data
	})
	var loss *spool.LossError
	switch {
	case err == nil:
		g.next = id + 1
		r.Data, r.PartitionKey, r.ExplicitHashKey, r.PTS, r.spool = record.Data, record.Key, record.ExplicitHash, record.PTS, id
		return p.takeIn(r, record.Accepted)
	case r != nil:
		p.release(r)
	}
	if errors.As(err, &loss) {
		p.mu.Lock()
		g.next = max(g.next, loss.Last+1)
		gone := Count{Records: int64(loss.Records), Bytes: loss.Bytes}
		for id, here := range p.backlog.resident {
			if id >= loss.First && id <= loss.Last {
				delete(p.backlog.resident, id)
				gone = gone.minus(Count{Records: 1, Bytes: int64(here.bytes)})
			}
		}
		p.vanish(gone, ReasonSpoolDamaged)
		p.noteSpool(err, int(gone.Records))
		p.mu.Unlock()
		p.observer.Dropped(ReasonSpoolDamaged, make([]Lost, gone.Records))
		return nil
	}
	if errors.Is(err, io.EOF) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if b := &p.backlog; b.count.Records == 0 && b.again == 0 {
			b.all = false
			clear(b.last)
		}
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.noteSpool(err, 0)
	return err
}

// takeIn takes a record that was read from the spool into memory.
func (p *Producer) takeIn(r *Record, accepted time.Time) error {
	parts, fault := p.shape(r)
	if parts.head != r {
		defer p.release(r)
	}
	var dead list
	p.mu.Lock()
	wanted, err := p.wantsRead(r.spool)
	if !wanted || err != nil {
		p.mu.Unlock()
		p.pool.give(&parts)
		return err
	}
	b := &p.backlog
	b.count.sub(r.payload)
	p.books.Spooled.sub(r.payload)
	p.books.Accepted.sub(r.payload) // enter and stillborn count it again
	if fault.reason == "" {
		b.resident[r.spool] = resident{bytes: r.payload}
		first := parts.head
		for r := first; r != nil; r = r.next {
			r.paged = true
		}
		p.enter(&parts)
		if !accepted.IsZero() {
			first.accepted = accepted.Sub(p.started)
		}
	} else {
		b.resident[r.spool] = resident{bytes: r.payload}
		if !p.becomesLetter(fault.reason) { // else it leaves the spool when it is written down
			p.finished(r)
		}
		p.stillborn(&parts, fault.reason, &dead)
		p.noteRecordFault(r, fault)
		p.telling++
	}
	p.mu.Unlock()
	if dead.n > 0 {
		p.bury(&dead)
	}
	p.clearDone()
	p.poke()
	return nil
}

// wantsRead reports whether a record that the pager has read is to be taken in: not if
// it is in memory or finished. The error says that it is too early, and that the pager
// has to come back.
func (p *Producer) wantsRead(id spool.ID) (bool, error) {
	b := &p.backlog
	_, here := b.resident[id] // or it is finished and the spool is about to hear of it
	switch {
	case b.again != 0 && b.again < id: // meanwhile an earlier one went back
		return false, errNotNow
	case here:
	case p.phase.leaving, p.phase.failure != nil, p.flying.isCut(), !b.registry.has(id):
		b.again = id
		return false, errNotNow
	}
	b.read = max(b.read, id)
	// One that was in memory when it was read may be finished by now; the spool has heard of it before resident forgets it.
	return !here && p.spool.Has(id), nil
}

// errNotNow is a record that is not taken in yet: the pager comes back to it.
var errNotNow = errors.New("the record is not on the books yet, or the end has come")
