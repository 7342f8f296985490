package consumer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"gst-kinesis/internal/awserr"
)

// Waiting between tries: full jitter between leastBackoff and a bound that
// doubles from firstBackoff to mostBackoff.
const (
	leastBackoff = 50 * time.Millisecond
	firstBackoff = 250 * time.Millisecond
	mostBackoff  = 5 * time.Second
	// lastingTries is how often credentials that expired, and a clock that is
	// wrong, are given a chance to be refreshed or corrected.
	lastingTries = 3
	warnEvery    = time.Second
)

// Error is a failure that stays until somebody changes something.
type Error struct {
	Doing string // what was being done
	Fault awserr.Fault
	Err   error
}

// Error returns one line: what failed, the service's code and words, and what
// to do.
func (e *Error) Error() string {
	text := e.Doing + ": " + e.Fault.Code
	if e.Fault.Message != "" {
		text += ": " + e.Fault.Message
	}
	if e.Fault.RequestID != "" {
		text += " (request " + e.Fault.RequestID + ")"
	}
	if e.Fault.Remedy != "" {
		text += "; " + e.Fault.Remedy
	}
	return text
}

// Unwrap returns the SDK's error.
func (e *Error) Unwrap() error { return e.Err }

// caller makes calls and tries again what passes. It belongs to one goroutine;
// what it shares with others is in Consumer.
type caller struct {
	c     *Consumer
	doing string // "reading shard X", for errors and warnings
}

// do runs one call until it succeeds, fails for good, or the context ends.
// keep names errors that are the caller's business and returned as they are.
func (k caller) do(ctx context.Context, call func(context.Context) error, keep func(error) bool) error {
	lasting := 0
	for try := 0; ; try++ {
		err := k.once(ctx, call)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			k.c.warn.recovered(k.doing)
			return nil
		case keep != nil && keep(err):
			return err
		}
		fault := awserr.Classify(err, k.c.subject)
		switch {
		case fault.Class == awserr.Throttled:
			k.c.counts.throttled.Add(1)
		case fault.Class == awserr.Transient || fault.Class == awserr.Canceled:
			k.c.counts.retried.Add(1)
		default:
			if lasting++; fault.Class == awserr.Permanent || fault.Class == awserr.RecordFault || lasting >= lastingTries {
				return &Error{Doing: k.doing, Fault: fault, Err: err}
			}
		}
		wait := k.backoff(try)
		k.c.warn.say(k.doing, fault, wait)
		if err := k.c.sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// once bounds a single try in time.
func (k caller) once(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, k.c.o.RequestTimeout, errRequestTimeout)
	defer cancel()
	err := call(ctx)
	if err != nil && errors.Is(context.Cause(ctx), errRequestTimeout) {
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	return err
}

var errRequestTimeout = errors.New("request timed out")

// backoff is the pause after a number of failed tries.
func (k caller) backoff(try int) time.Duration {
	bound := min(firstBackoff<<min(try, 10), mostBackoff)
	return leastBackoff + time.Duration(k.c.o.Random()*float64(bound-leastBackoff))
}

// noRetry turns the SDK's own retries off: they would delay and hide what is
// counted, limited and warned about here.
func noRetry(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} }

// setTime fills the time's defaults in.
func (o *Options) setTime() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Timer == nil {
		o.Timer = time.After
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
}
