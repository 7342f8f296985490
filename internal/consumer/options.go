package consumer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"gst-kinesis/internal/shard"
)

// Client is what is used of the SDK's Kinesis client.
type Client interface {
	ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error)
	GetShardIterator(context.Context, *kinesis.GetShardIteratorInput, ...func(*kinesis.Options)) (*kinesis.GetShardIteratorOutput, error)
	GetRecords(context.Context, *kinesis.GetRecordsInput, ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error)
}

// Record is one record of the stream. Data belongs to whoever gets it.
type Record struct {
	SequenceNumber string
	Index          int // in an aggregate, from 0: the subsequence number
	PartitionKey   string
	Data           []byte
	Arrived        time.Time // as the service noted it, to the millisecond
}

// Batch is what one answer of the service held for one shard, in the shard's
// order.
type Batch struct {
	ShardID string
	Records []Record
	// Behind is how far the shard's end was ahead when the service answered;
	// 0 at the tip.
	Behind time.Duration
	// End says that the shard is closed and this is its last batch. It is
	// handed over even if it holds no record, as the moment to note [ShardEnd].
	End bool
}

// Handler takes a batch. It is called by one goroutine at a time for a shard
// and by several at once for different shards. The next records of the shard
// are asked for when it returns; an error ends the consumer with that error.
// The context ends when the consumer is closed.
type Handler func(ctx context.Context, b Batch) error

// The defaults of Options.
const (
	DefaultPollInterval   = 250 * time.Millisecond
	DefaultSyncInterval   = 30 * time.Second
	DefaultRequestTimeout = 30 * time.Second
)

// Options say what is read and how. Only Stream or StreamARN must be set.
type Options struct {
	// Stream is the stream's name, StreamARN its ARN; the ARN wins.
	Stream    string
	StreamARN string
	// Region and Endpoint are named in errors.
	Region   string
	Endpoint string

	// From is where shards begin that exist at the start; the zero value is
	// the tip (latest).
	From Position
	// After holds the last sequence number already handled by shard, or
	// ShardEnd, from an earlier run; it overrides From.
	After map[string]string
	// UntilTip ends the reading of each shard where it has caught up, and the
	// consumer when all have.
	UntilTip bool

	// MaxRecords bounds one answer; 0 leaves it to the service (10,000 records
	// or 10 MiB).
	MaxRecords int
	// PollInterval is the pause between two calls for a shard at the tip. A
	// shard that is behind is asked as often as the service permits.
	PollInterval time.Duration
	// SyncInterval is how often the shards are listed while nothing happens;
	// the end of a shard lists them at once.
	SyncInterval time.Duration
	// RequestTimeout bounds one call.
	RequestTimeout time.Duration

	// Raw hands records over as they lie in the stream: aggregates as they are, and
	// what was compressed or came in parts too.
	Raw bool

	// Log takes warnings about failures and notes about shards; nil discards.
	Log *slog.Logger

	// Now, Timer and Random are the time and the jitter's source (0 to 1);
	// nil is the system's.
	Now    func() time.Time
	Timer  func(time.Duration) <-chan time.Time
	Random func() float64
}

// ErrNoStream says that neither a stream's name nor an ARN was given.
var ErrNoStream = errors.New("no stream given: set its name or its ARN")

// check fills the defaults in.
func (o *Options) check() error {
	if o.Stream == "" && o.StreamARN == "" {
		return ErrNoStream
	}
	if err := o.From.check(); err != nil {
		return err
	}
	if o.MaxRecords < 0 || o.MaxRecords > shard.MaxGetRecordsRecords {
		return fmt.Errorf("records in an answer must be 0 to %d, not %d", shard.MaxGetRecordsRecords, o.MaxRecords)
	}
	setDefault(&o.PollInterval, DefaultPollInterval)
	o.PollInterval = max(o.PollInterval, leastSpacing)
	setDefault(&o.SyncInterval, DefaultSyncInterval)
	setDefault(&o.RequestTimeout, DefaultRequestTimeout)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.setTime()
	return nil
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d <= 0 {
		*d = value
	}
}
