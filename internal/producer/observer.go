package producer

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"gst-kinesis/internal/trouble"
)

// Client is what the producer needs of the service; *kinesis.Client is one.
//
// PutRecords must return soon after its context is done and must not touch the
// input after it returned: the memory is used again. What it returns is only
// read until the observer was told. The producer passes options that turn the
// client's own retries off.
type Client interface {
	PutRecords(ctx context.Context, input *kinesis.PutRecordsInput, options ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error)
}

// Observer hears what becomes of records. Its methods are called without any lock
// held, from the producer's goroutines (Dropped also from the one that calls Put),
// and calls of Delivered and Dropped may overlap; those about one partition key
// come one after another and in order. They hold up the sending while
// they last and must not call Put, Flush or Close of the same producer.
type Observer interface {
	// Delivered is called once for each answer in which the service took records.
	// The answer and its slices are only valid during the call.
	Delivered(a *Answer)
	// Dropped is called with records that were given up for one reason. The slice
	// is only valid during the call.
	Dropped(reason string, lost []Lost)
	// DeadLettered is called as Dropped is, with records that were written down instead.
	DeadLettered(reason string, lost []Lost)
	// Spooled is called with records that lie in the spool alone from here on; what becomes
	// of them there is not told one by one. The slice is only valid during the call.
	Spooled(list []Lost)
	// Trouble is called when something goes wrong that does not end the stream, at
	// most once a second for one kind, from one goroutine.
	Trouble(t Trouble)
	// Recovered is called when records flow again for a second after Trouble.
	Recovered(r Recovery)
	// Noticed is called with what a person should know once, and is no trouble.
	Noticed(n Notice)
	// Failed is called once, when the stream cannot go on: Put returns ErrFailed
	// from then on.
	Failed(t Trouble)
}

// Answer is an answer of the service that took records.
type Answer struct {
	// RequestID is AWS's id of the request.
	RequestID string
	// Time is when the answer came.
	Time time.Time
	// Records are those that were taken, in the order they were sent in.
	Records []Delivery
}

// Delivery is one record that the service took.
type Delivery struct {
	SequenceNumber string
	ShardID        string
	PartitionKey   string
	// Index is the record's place in an aggregate, from 0: its subsequence number.
	Index int
	// Bytes is the size of the data.
	Bytes int
	// PTS and Token are what the caller put into the record.
	PTS   uint64
	Token any
	// Latency is the time from Put to the answer.
	Latency time.Duration
	// Tries is how often the record was sent.
	Tries int
}

// Lost is one record that was given up.
type Lost struct {
	PartitionKey string
	Bytes        int
	PTS          uint64
	Token        any
	// Tries is how often the record was sent.
	Tries int
}

// What the observer hears of what goes wrong.
type (
	Trouble  = trouble.Trouble
	Recovery = trouble.Recovery
	Notice   = trouble.Notice
)

// Errors of Put and Flush.
var (
	// ErrClosed is returned after Close was called.
	ErrClosed = errors.New("the producer is closed")
	// ErrFailed is returned once the stream cannot go on; the error also wraps the
	// Trouble, which errors.As finds.
	ErrFailed = errors.New("the stream cannot go on")
	// ErrDrainTimeout is returned by Flush when records were dropped (drain).
	ErrDrainTimeout = errors.New("records were dropped when drain-timeout was over")
)

// failedError is ErrFailed together with the trouble.
type failedError struct{ trouble Trouble }

func (e *failedError) Error() string   { return ErrFailed.Error() + ": " + e.trouble.Error() }
func (e *failedError) Unwrap() []error { return []error{ErrFailed, e.trouble} }

// silent is the observer of a producer that has none.
type silent struct{}

func (silent) Delivered(*Answer)           {}
func (silent) Dropped(string, []Lost)      {}
func (silent) DeadLettered(string, []Lost) {}
func (silent) Spooled([]Lost)              {}
func (silent) Trouble(Trouble)             {}
func (silent) Recovered(Recovery)          {}
func (silent) Noticed(Notice)              {}
func (silent) Failed(Trouble)              {}
