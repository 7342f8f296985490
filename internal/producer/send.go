package producer

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"gst-kinesis/internal/awserr"
)

// sendAll is a sender: it performs requests until there will be no more.
func (p *Producer) sendAll() {
	for q := range p.work {
		p.send(q, q.units)
		p.finish(q)
	}
}

// mostBarren is how many calls without success the search for a record that the
// service refuses may cost.
const mostBarren = 24

// send performs the call for a part of the request. When the service refuses the
// whole because of one record, the halves are sent by themselves until the record
// stands alone.
func (p *Producer) send(q *request, units []unit) {
	if q.stopped {
		p.settleUntried(q, q.of(units))
		return
	}
	out, err := p.call(q, units)
	if err == nil && len(out.Records) != len(units) {
		err = &awserr.AnswerError{Got: len(out.Records), Want: len(units)}
	}
	if err == nil {
		q.barren = 0
		p.settleAnswer(q, units, out)
		return
	}
	fault := awserr.Classify(err, p.subject)
	q.barren++
	blamed := p.blamesRecord(fault)
	if blamed && len(units) > 1 && q.barren <= mostBarren {
		middle := len(units) / 2
		p.send(q, units[:middle])
		p.send(q, units[middle:])
		return
	}
	p.settleFault(q, units, fault, err, blamed)
}

// call performs one call of the client. No lock is held while it lasts.
func (p *Producer) call(q *request, units []unit) (out *kinesis.PutRecordsOutput, err error) {
	q.fill(&p.settings, units)
	ctx, cancel := context.WithCancelCause(p.base)
	defer cancel(nil)
	timeout, ok := p.takeOff(q, func() { cancel(context.Canceled) })
	if !ok {
		return nil, context.Canceled
	}
	late := &lateError{after: timeout, bytes: q.bytes}
	timer := p.clock.AfterFunc(timeout, func() { cancel(late) })
	defer timer.Stop()
	defer p.land(q)
	defer func() {
		if panicked := recover(); panicked != nil {
			out, err = nil, fmt.Errorf("panicking in the client: %v", panicked)
		}
	}()
	out, err = p.client.PutRecords(ctx, &q.input, p.noRetry...)
	switch {
	case err != nil && errors.Is(context.Cause(ctx), late):
		err = late
	case err == nil && out == nil:
		err = &awserr.AnswerError{Want: len(units)}
	}
	return out, err
}

// takeOff makes the call known, so that it can be cut; it reports false if the
// request was cut already.
func (p *Producer) takeOff(q *request, cancel context.CancelFunc) (timeout instant, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q.cutReason != "" {
		return 0, false
	}
	q.cancel, q.called = cancel, p.now()
	p.tally.requests++
	return p.pace.timeout + p.upload(q), true
}

func (p *Producer) land(q *request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q.cancel = nil
}

// lateError is the error of a request that was not answered in time.
type lateError struct {
	after instant
	bytes int
}

func (e *lateError) Error() string {
	return fmt.Sprintf("no answer within %v to a request of %d bytes", e.after, e.bytes)
}

// Is makes it a context.DeadlineExceeded, as which it is classified.
func (e *lateError) Is(target error) bool { return target == context.DeadlineExceeded || target == e } //nolint:errorlint // identity is meant
