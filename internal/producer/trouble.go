package producer

import (
	"time"

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

func (p *Producer) wakeReporter() { p.reporter.Wake() }

// newReporter makes what tells the observer about troubles, recoveries and failure.
func (p *Producer) newReporter() *trouble.Reporter {
	return trouble.NewReporter(trouble.Owner{
		Lock: &p.mu, Ledger: &p.health.ledger, Now: p.now,
		Situation: func() trouble.Situation {
			s := trouble.Situation{Well: p.health.isWell()}
			if f := p.phase.failure; f != nil {
				s.Failure = &f.trouble
			}
			return s
		},
		Told:      p.settled.Broadcast, // lets go on who waits for the word of losses
		AfterFunc: func(d time.Duration, f func()) trouble.Timer { return p.clock.AfterFunc(d, f) },
	}, p.observer)
}
