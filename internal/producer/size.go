package producer

import (
	"context"
	"fmt"
	"time"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/shard"
	"gst-kinesis/internal/trouble"
)

// WithRecordLimit tells the producer how to ask what the stream takes as its largest
// record, in bytes of data and partition key. It is called when the first record
// comes. Until the answer is there, or where it may not be asked, max-record-size holds;
// a record that is larger than that waits for the answer, the first ones at most sizePatience.
func WithRecordLimit(ask func(context.Context) (int, error)) Option {
	return func(p *Producer) { p.hooks.largest = ask }
}

// sizePatience is how long records wait that may be too large, from the first one on.
const sizePatience = 2 * time.Second

// largest is the largest record that the stream takes, as far as is known.
func (p *Producer) largest() int { return int(p.recordLimit.Load()) }

// learnLimit asks for the largest record until there is an answer, or none to be had.
func (p *Producer) learnLimit() {
	defer close(p.limitKnown)
	select {
	case <-p.askLimit:
	case <-p.base.Done():
		return
	}
	for failures := 0; ; {
		ctx, cancel := context.WithTimeout(p.base, surveyTimeout)
		n, err := p.hooks.largest(ctx)
		cancel()
		switch {
		case err == nil:
			p.recordLimit.Store(int64(min(max(n, 1), shard.MaxMaxRecordBytes)))
			return
		case mayNotList(err):
			return
		}
		failures++
		if !p.sleep(max(surveyInterval, p.jitter(trouble.BackoffFor(awserr.Transient), failures))) {
			return
		}
	}
}

// wakeLimit lets learnLimit ask.
func (p *Producer) wakeLimit() {
	select {
	case p.askLimit <- struct{}{}:
	default:
	}
}

// awaitLimit waits for the answer where a record is too large as far as is known. All
// such records together wait no longer than sizePatience: one that comes later goes by
// what is known, so that an outage does not hold up each of them.
func (p *Producer) awaitLimit(ctx context.Context, r *Record) error {
	if p.hooks.largest == nil || p.excess(r) <= 0 || r.size() > shard.MaxMaxRecordBytes {
		return nil
	}
	p.wakeLimit()
	p.patience.Do(func() { p.clock.AfterFunc(sizePatience, func() { close(p.impatient) }) })
	select {
	case <-p.limitKnown:
	case <-p.impatient:
	case <-p.base.Done():
	case <-ctx.Done():
		return fmt.Errorf("waiting for the stream's largest record: %w", context.Cause(ctx))
	}
	return nil
}
