package producer

import (
	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/trouble"
)

// note lets the reporter tell a trouble, at once or with later ones of its kind.
func (p *Producer) note(t Trouble, now instant) {
	if p.health.ledger.Note(t, now) {
		p.wakeReporter()
	}
}

// noteDrop counts a record that was dropped for a reason of our own; describe is
// only called when the kind is to be told anew.
func (p *Producer) noteDrop(reason string, describe func() awserr.Fault) {
	if p.health.ledger.NoteDrop(reason, p.now(), func() Trouble { return p.troubleOf(describe(), nil, 1) }) {
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
	timer := p.clock.AfterFunc(trouble.Interval, p.wakeReporter)
	defer timer.Stop()
	for {
		n, next := p.news(false)
		p.tell(n)
		if next != never {
			timer.Reset(max(next-p.now(), leastSleep))
		}
		select {
		case <-p.report:
		case <-p.quit:
			n, _ := p.news(true)
			p.tell(n)
			return
		}
	}
}

// news collects what is due, all of it when it is the last time, and returns
// when there will be more.
func (p *Producer) news(last bool) (n trouble.News, next instant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := trouble.Situation{Well: p.health.isWell(), Last: last}
	if f := p.phase.failure; f != nil {
		s.Failure = &f.trouble
	}
	return p.health.ledger.News(p.now(), s)
}

// tell tells the observer, and lets go on who waits for the word of losses.
func (p *Producer) tell(n trouble.News) {
	for _, t := range n.Troubles {
		p.observer.Trouble(t)
	}
	if n.Recovery != nil {
		p.observer.Recovered(*n.Recovery)
	}
	if n.Failure != nil {
		p.observer.Failed(*n.Failure)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.health.ledger.Hurries() {
		p.health.ledger.Told(n)
		p.settled.Broadcast()
	}
}
