package deadletter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/consumer"
)

// tape is the letters in a stream, read from all shards up to their ends.
type tape struct {
	name    string
	session *awscfg.Session
	reading *consumer.Consumer
	batches chan consumer.Batch
}

// clockMargin is by how much the clocks of who wrote a letter and of the service may differ.
const clockMargin = 5 * time.Minute

func openTape(ctx context.Context, t Target, s *Settings, since time.Time) (*tape, error) {
	session, err := connect(ctx, t, s)
	if err != nil {
		return nil, err
	}
	from := consumer.TrimHorizon()
	if !since.IsZero() {
		from = consumer.AtTimestamp(since.Add(-clockMargin))
	}
	out := &tape{name: t.Stream, session: session, batches: make(chan consumer.Batch)}
	out.reading, err = consumer.Start(session.Kinesis(), consumer.Options{
		Stream: t.Stream, Region: session.Region(), Endpoint: session.Endpoint(), From: from, UntilTip: true,
		RequestTimeout: s.AWS.RequestTimeout, Log: s.Log,
	}, out.take)
	if err != nil {
		session.Close()
		return nil, err
	}
	return out, nil
}

// take hands a batch over from a shard's reader.
func (t *tape) take(ctx context.Context, b consumer.Batch) error {
	if len(b.Records) == 0 {
		return nil
	}
	select {
	case t.batches <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Next implements Source.
func (t *tape) Next(ctx context.Context) (Bundle, error) {
	select {
	case b := <-t.batches:
		return &strip{tape: t, batch: b}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-t.reading.Done():
	}
	if err := t.reading.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return nil, fmt.Errorf("reading dead letters: %w", err)
	}
	return nil, io.EOF
}

// Close implements Source.
func (t *tape) Close() error {
	_ = t.reading.Close() // Next has told
	t.session.Close()
	return nil
}

// strip is the letters in one answer of a stream.
type strip struct {
	tape  *tape
	batch consumer.Batch
	at    int
}

// Name gives the shard and the sequence number of the last letter.
func (s *strip) Name() string {
	return fmt.Sprintf("stream %s, %s up to %s", s.tape.name, s.batch.ShardID, s.batch.Records[len(s.batch.Records)-1].SequenceNumber)
}

// Next implements Bundle.
func (s *strip) Next(ctx context.Context) (Letter, error) {
	if err := ctx.Err(); err != nil {
		return Letter{}, err
	}
	if s.at == len(s.batch.Records) {
		return Letter{}, io.EOF
	}
	r := &s.batch.Records[s.at]
	s.at++
	l, err := decode(r.Data)
	if err != nil {
		return Letter{}, &DamageError{Place: fmt.Sprintf("stream %s, %s, record %s", s.tape.name, s.batch.ShardID, r.SequenceNumber), Err: err}
	}
	return l, nil
}

// Settle does nothing: records leave a stream when they expire.
func (s *strip) Settle(context.Context, func(int) bool) error { return nil }

// Close implements Bundle.
func (s *strip) Close() error { return nil }
