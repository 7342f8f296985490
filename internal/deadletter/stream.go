package deadletter

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/envelope"
	"gst-kinesis/internal/shard"
)

// A letter goes into a stream as one record, with the partition key of what it holds, or one made
// from its data where that key is bad. One that is too large goes in parts, since what was too large
// for its own stream is a common reason for a letter.

const (
	batchBytes = 4 * shard.MiB // of a request
	firstPause = 100 * time.Millisecond
	mostPause  = 2 * time.Second
)

// putter is what is needed of the SDK's client to write.
type putter interface {
	PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, options ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error)
}

// stream keeps letters in a data stream.
type stream struct {
	client  putter
	session *awscfg.Session // nil in tests
	name    string
	most    int // bytes of a record with its key
	subject awserr.Subject
	encoder *envelope.Encoder
	pause   func(ctx context.Context, d time.Duration) error
}

func openStream(ctx context.Context, t Target, s *Settings) (*stream, error) {
	if isOwn(t, s) {
		return nil, errOwnStream
	}
	encoder, err := envelope.NewEncoder(envelope.EncoderSettings{})
	if err != nil {
		return nil, err
	}
	session, err := connect(ctx, t, s)
	if err != nil {
		return nil, err
	}
	return &stream{
		client: session.Kinesis(func(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} }), session: session, name: t.Stream,
		most: s.MaxRecordSize, subject: awserr.PutSubject(t.Stream, session.Region(), session.Endpoint()), encoder: encoder, pause: sleep,
	}, nil
}

func (s *stream) close() error {
	if s.session != nil {
		s.session.Close()
	}
	return nil
}

// keep implements keeper.
func (s *stream) keep(ctx context.Context, letters []Letter) error {
	var batch []types.PutRecordsRequestEntry
	size, taken := 0, 0
	send := func() error {
		n, err := s.send(ctx, batch)
		taken += n
		batch, size = nil, 0
		return err
	}
	err := s.encode(letters, func(e types.PutRecordsRequestEntry) error {
		bytes := len(e.Data) + len(*e.PartitionKey)
		if len(batch) == shard.MaxRequestRecords || len(batch) > 0 && size+bytes > batchBytes {
			if err := send(); err != nil {
				return err
			}
		}
		batch, size = append(batch, e), size+bytes
		return nil
	})
	if err == nil && len(batch) > 0 {
		err = send()
	}
	if err != nil && taken > 0 {
		err = fmt.Errorf("%w (%d records of these %d letters are in the stream all the same)", err, taken, len(letters))
	}
	return err
}

// encode makes records of letters.
func (s *stream) encode(letters []Letter, each func(types.PutRecordsRequestEntry) error) error {
	for i := range letters {
		l := &letters[i]
		record, err := l.record()
		if err != nil {
			return err
		}
		key := aws.String(keyOf(l))
		if len(record)+len(*key) <= s.most {
			if err := each(types.PutRecordsRequestEntry{Data: record, PartitionKey: key}); err != nil {
				return err
			}
			continue
		}
		parts, err := s.encoder.Split(envelope.Whole(record), s.most-len(*key))
		if err != nil {
			return fmt.Errorf("a letter of %d bytes does not fit a stream: %w; use file: or s3: for letters", len(record), err)
		}
		for p := range parts.Len() {
			if err := each(types.PutRecordsRequestEntry{Data: parts.AppendTo(nil, p), PartitionKey: key}); err != nil {
				return err
			}
		}
	}
	return nil
}

// keyOf is the partition key of a letter: the record's, or where that is not valid one that depends
// on the data.
func keyOf(l *Letter) string {
	if shard.ValidateKey(l.PartitionKey) == nil {
		return l.PartitionKey
	}
	sum := sha256.Sum256(l.Data)
	return hex.EncodeToString(sum[:16])
}

// send puts records, again those that failed, until all are taken, ctx is done or an error is
// lasting. It returns how many were taken.
func (s *stream) send(ctx context.Context, records []types.PutRecordsRequestEntry) (taken int, err error) {
	pause, last := firstPause, error(nil)
	for {
		out, err := s.client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: aws.String(s.name), Records: records})
		var fault awserr.Fault
		if err != nil {
			fault = awserr.Classify(err, s.subject)
		} else {
			before := len(records)
			records, fault = s.failed(records, out.Records)
			taken += before - len(records)
			if len(records) == 0 {
				return taken, nil
			}
		}
		if fault.Class != awserr.Canceled || last == nil { // what was wrong before the time was over says more
			last = faultError(fault, err)
		}
		if lasting(fault.Class) || ctx.Err() != nil {
			return taken, last
		}
		if s.pause(ctx, pause) != nil {
			return taken, last
		}
		pause = min(2*pause, mostPause)
	}
}

// failed returns the records that were not taken, and the worst of why.
func (s *stream) failed(records []types.PutRecordsRequestEntry, results []types.PutRecordsResultEntry) (again []types.PutRecordsRequestEntry, worst awserr.Fault) {
	if len(results) != len(records) {
		return records, awserr.Fault{Class: awserr.Transient, Code: "BadAnswer", Message: fmt.Sprintf("%d results for %d records", len(results), len(records))}
	}
	for i := range results {
		code := aws.ToString(results[i].ErrorCode)
		if code == "" {
			continue
		}
		fault := awserr.ClassifyRecord(code, aws.ToString(results[i].ErrorMessage), s.subject)
		if len(again) == 0 || lasting(fault.Class) {
			worst = fault
		}
		again = append(again, records[i])
	}
	return again, worst
}

// lasting reports whether trying again within one Write is of no use.
func lasting(c awserr.Class) bool { return c.Lasting() || c == awserr.RecordFault }

// faultError writes a fault as one line.
func faultError(f awserr.Fault, err error) error {
	text := f.Code
	if f.Message != "" {
		text += ": " + f.Message
	}
	if f.RequestID != "" {
		text += " (request " + f.RequestID + ")"
	}
	if f.Remedy != "" {
		text += "; " + f.Remedy
	}
	if err == nil {
		return errors.New(text)
	}
	return &faultyCall{text: text, err: err}
}

// faultyCall is the error of a call in other words.
type faultyCall struct {
	text string
	err  error
}

// Error returns the words.
func (e *faultyCall) Error() string { return e.text }

// Unwrap returns the error of the call.
func (e *faultyCall) Unwrap() error { return e.err }

// sleep waits for half of a time to all of it, at random, so that several do not come together.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d/2 + rand.N(d/2+1)) //nolint:gosec // jitter
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
