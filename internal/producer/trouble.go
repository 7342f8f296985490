package producer

import (
	"time"

	"gst-kinesis/internal/awserr"
)

// tellInterval is how often one kind of trouble is told at most, and how long
// nothing must fail before a recovery is told.
const tellInterval = time.Second

// kindKey tells kinds of trouble apart.
type kindKey struct{ code, reason string }

// kind is one kind of trouble and what of it has not been told.
type kind struct {
	latest  Trouble
	count   int
	records int
	toldAt  instant
}

// kindFor returns the entry of a kind, making it if there is room.
func (h *health) kindFor(key kindKey, now instant) *kind {
	k := h.kinds[key]
	if k != nil {
		return k
	}
	if len(h.kinds) >= maxReasons {
		for other, old := range h.kinds {
			if old.count == 0 && now-old.toldAt >= tellInterval {
				delete(h.kinds, other)
			}
		}
	}
	if len(h.kinds) >= maxReasons {
		key = kindKey{code: ReasonOther}
		if k = h.kinds[key]; k != nil {
			return k
		}
	}
	k = &kind{toldAt: -tellInterval}
	h.kinds[key] = k
	return k
}

// note lets the reporter tell a trouble, at once or with later ones of its kind.
func (p *Producer) note(t Trouble, now instant) {
	h := &p.health
	if t.Class != awserr.RecordFault {
		if !h.told && h.isQuiet(now) {
			h.began = now
		}
		h.failedAt = now
	}
	k := h.kindFor(kindKey{t.Code, t.Reason}, now)
	k.latest = t
	k.count++
	k.records += t.Records
	if k.count == 1 {
		p.wakeReporter()
	}
}

// isQuiet reports whether nothing failed lately.
func (h *health) isQuiet(now instant) bool {
	return h.failedAt == 0 || now-h.failedAt >= tellInterval
}

// noteDrop counts a record that was dropped for a reason of our own; describe is
// only called when the kind is to be told anew.
func (p *Producer) noteDrop(reason string, describe func() awserr.Fault) {
	k := p.health.kindFor(kindKey{reason, reason}, p.now())
	k.count++
	k.records++
	if k.count == 1 {
		k.latest = p.troubleOf(describe(), nil, 1)
		k.latest.Reason = reason
		p.wakeReporter()
	}
}

func (p *Producer) noteOld() {
	p.noteGivenUp(ReasonTTL, "a record became older than record-ttl before it could be delivered")
}

func (p *Producer) noteGivenUp(reason, message string) {
	p.noteDrop(reason, func() awserr.Fault {
		f := p.health.latest.Fault
		return awserr.Fault{
			Class: awserr.RecordFault, Party: f.Party, Code: reason, Message: message,
			HTTPStatus: f.HTTPStatus, RequestID: f.RequestID, Remedy: f.Remedy,
		}
	})
}

// noteLeft tells of records that a bound of Flush or Close left behind.
func (p *Producer) noteLeft(reason, message string, records int, now instant) {
	f := p.health.latest.Fault
	t := p.troubleOf(awserr.Fault{
		Class: awserr.RecordFault, Party: f.Party, Code: reason, Message: message,
		HTTPStatus: f.HTTPStatus, RequestID: f.RequestID, Remedy: f.Remedy,
	}, nil, records)
	t.Reason = reason
	p.note(t, now)
}

func (p *Producer) wakeReporter() {
	select {
	case p.report <- struct{}{}:
	default:
	}
}

// reportTroubles tells the observer about troubles, recoveries and failure, in
// order, until the producer ends.
func (p *Producer) reportTroubles() {
	timer := p.clock.AfterFunc(tellInterval, p.wakeReporter)
	defer timer.Stop()
	for {
		n, next := p.news(false)
		n.tell(p.observer)
		p.gaveWord(n)
		if next != never {
			timer.Reset(max(next-p.now(), leastSleep))
		}
		select {
		case <-p.report:
		case <-p.quit:
			n, _ := p.news(true)
			n.tell(p.observer)
			return
		}
	}
}

// news is what there is to tell.
type news struct {
	recovery *Recovery
	troubles []Trouble
	failure  *Trouble
	urgent   bool // all losses are among it
}

func (n news) tell(o Observer) {
	for _, t := range n.troubles {
		o.Trouble(t)
	}
	if n.recovery != nil {
		o.Recovered(*n.recovery)
	}
	if n.failure != nil {
		o.Failed(*n.failure)
	}
}

// gaveWord lets go on who waits for the word of losses.
func (p *Producer) gaveWord(n news) {
	if !n.urgent {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.health.urgent = false
	p.settled.Broadcast()
}

// news collects what is due, all of it when it is the last time, and returns
// when there will be more.
func (p *Producer) news(last bool) (n news, next instant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h, now := &p.health, p.now()
	next, n.urgent = never, h.urgent
	if f := p.phase.failure; f != nil && !h.failureTold {
		h.failureTold = true
		t := f.trouble
		n.failure = &t
	}
	if h.told && h.isWell() && p.phase.failure == nil {
		if last || now-h.failedAt >= tellInterval {
			n.recovery = h.recover(now)
		} else {
			next = h.failedAt + tellInterval
		}
	}
	for _, k := range h.kinds {
		switch due := k.toldAt + tellInterval; {
		case k.count == 0:
		case last || now >= due || h.urgent && k.latest.Reason != "":
			n.troubles = append(n.troubles, k.tell(now))
			if k.latest.Class != awserr.RecordFault {
				h.told = true
			}
		default:
			next = min(next, due)
		}
	}
	return n, next
}

// tell takes what of a kind was not told.
func (k *kind) tell(now instant) Trouble {
	t := k.latest
	t.Count, t.Records = k.count, k.records
	k.count, k.records, k.toldAt = 0, 0, now
	return t
}

// recover ends the troubles; those not told yet are summed up.
func (h *health) recover(now instant) *Recovery {
	r := &Recovery{Lasted: h.wellAt - h.began}
	if h.wellAt < h.began {
		r.Lasted = now - h.began
	}
	for _, k := range h.kinds {
		if k.latest.Class != awserr.RecordFault {
			r.Failures += k.count
			k.count, k.records = 0, 0
		}
	}
	h.told = false
	return r
}
