package producer

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"gst-kinesis/internal/aggregate"
	"gst-kinesis/internal/envelope"
	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/shard"
)

// Leaky says what happens to a record that finds the producer full.
type Leaky int32

// The ways of being leaky, named as GStreamer's queue names them.
const (
	// LeakyNo blocks the caller until there is room.
	LeakyNo Leaky = iota
	// LeakyUpstream drops the new record.
	LeakyUpstream
	// LeakyDownstream drops the oldest records that are not in flight.
	LeakyDownstream
)

// String returns the nick of the value.
func (l Leaky) String() string {
	switch l {
	case LeakyNo:
		return "no"
	case LeakyUpstream:
		return "upstream"
	case LeakyDownstream:
		return "downstream"
	default:
		return "Leaky(" + strconv.Itoa(int(l)) + ")"
	}
}

// Ordering is what is promised about the records of a partition key.
type Ordering int32

const (
	// BestEffort keeps their order except where the service refuses one record of a
	// request and takes a later one.
	BestEffort Ordering = iota
	// Strict keeps it always: a key has one record under way at a time, as
	// PutRecords promises no order within a request. Other keys go on.
	Strict
)

// String returns the nick of the value.
func (o Ordering) String() string {
	switch o {
	case BestEffort:
		return "best-effort"
	case Strict:
		return "strict"
	default:
		return "Ordering(" + strconv.Itoa(int(o)) + ")"
	}
}

// Settings of a producer. Default gives the values documented for users.
type Settings struct {
	// Stream and StreamARN name the stream; one is enough, the ARN is preferred.
	Stream    string
	StreamARN string
	// Region and Endpoint (empty for AWS's own) appear in troubles.
	Region   string
	Endpoint string

	// Linger is how long a record waits for company. 0 sends what is there at once.
	Linger time.Duration
	// MaxBatchRecords and MaxBatchBytes bound a request; at most the service's limits.
	// A record larger than MaxBatchBytes goes alone. Larger requests than the
	// default were measured to take memory without being faster.
	MaxBatchRecords int
	MaxBatchBytes   int
	// MaxInFlight is the most requests at a time.
	MaxInFlight int

	// MaxSizeBytes bounds the memory of all records held, waiting or in flight,
	// with what it takes to keep them. MaxSizeBuffers bounds their number and
	// MaxSizeTime the span of their timestamps. 0 is no bound; one is needed.
	// A record is always taken when none is held.
	MaxSizeBytes   int64
	MaxSizeBuffers int
	MaxSizeTime    time.Duration
	// Leaky says what happens when a bound is reached. See SetLeaky.
	Leaky Leaky

	// MaxRecordSize is the most data and partition-key bytes of a record.
	MaxRecordSize int
	// Oversize says what becomes of records that are larger than MaxRecordSize.
	Oversize Oversize
	// Compression is how each record is compressed, where that makes it smaller; readers
	// of this project take it apart, others cannot. See package envelope.
	Compression envelope.Codec
	// RecordTTL is how old a record may get before it is dropped (ttl). 0 is no limit.
	RecordTTL time.Duration
	// RetryAttempts is how often a record is sent again before it is dropped
	// (retries). -1 is no limit.
	RetryAttempts int

	// Ordering says what is promised about the order of a key's records.
	Ordering Ordering
	// Aggregation makes several records one of Kinesis'; AggregateMaxSize bounds it in
	// bytes of data and partition key, AggregateMaxCount in records.
	Aggregation       Aggregation
	AggregateMaxSize  int
	AggregateMaxCount int
	// RateLimit is how much of the shards' limits is made use of, where the shards
	// are known; limit.Off leaves it to the service's throttling.
	RateLimit limit.Rate

	// RequestTimeout is how long the service may take to answer.
	RequestTimeout time.Duration
	// PermanentGrace is how long a permanent error is borne once records were delivered.
	PermanentGrace time.Duration
	// StartTimeout is how long the first delivery may take from the first try. 0 is no limit.
	StartTimeout time.Duration
	// DrainTimeout bounds Flush; what is left is dropped (drain). Negative is no bound.
	DrainTimeout time.Duration
	// StopTimeout bounds Close; what is left is dropped (stop).
	StopTimeout time.Duration
}

// Default returns the settings with the documented defaults; only the stream is missing.
func Default() Settings {
	return Settings{
		Linger:          20 * time.Millisecond,
		MaxBatchRecords: shard.MaxRequestRecords,
		MaxBatchBytes:   2 * shard.MiB,
		MaxInFlight:     8,
		MaxSizeBytes:    64 * shard.MiB,
		MaxRecordSize:   shard.DefaultMaxRecordBytes,
		RetryAttempts:   -1,
		RateLimit:       limit.Auto,
		// 25 KB is what a provisioned stream counts as one payload unit: larger
		// aggregates cost no less.
		AggregateMaxSize:  25 * shard.KiB,
		AggregateMaxCount: aggregate.MaxFirehoseRecords,
		RequestTimeout:    10 * time.Second,
		PermanentGrace:    30 * time.Second,
		DrainTimeout:      10 * time.Second,
		StopTimeout:       2 * time.Second,
	}
}

const maxMaxInFlight = 256

var (
	errNoStream = errors.New("no stream is named")
	errNoBound  = errors.New("memory is unbounded: set one of max-size-bytes, max-size-buffers, max-size-time")
)

// Validate returns the first setting that is out of range.
func (s Settings) Validate() error {
	switch {
	case s.Stream == "" && s.StreamARN == "":
		return errNoStream
	case s.MaxSizeBytes < 0 || s.MaxSizeBuffers < 0 || s.MaxSizeTime < 0:
		return errors.New("max-size-bytes, max-size-buffers or max-size-time is negative")
	case s.MaxSizeBytes == 0 && s.MaxSizeBuffers == 0 && s.MaxSizeTime == 0:
		return errNoBound
	case s.Aggregation == AggregateNewline && (s.Compression != envelope.None || s.Oversize == OversizeSplit):
		return errors.New("aggregation=newline makes text, which compression and oversize=split do not: leave one of them out")
	case s.Leaky < LeakyNo || s.Leaky > LeakyDownstream:
		return fmt.Errorf("leaky is %v", s.Leaky)
	}
	for _, r := range []struct {
		name     string
		is       int64
		min, max int64
	}{
		{"max-batch-records", int64(s.MaxBatchRecords), 1, shard.MaxRequestRecords},
		{"max-batch-bytes", int64(s.MaxBatchBytes), 1, shard.MaxRequestBytes},
		{"max-in-flight", int64(s.MaxInFlight), 1, maxMaxInFlight},
		{"max-record-size", int64(s.MaxRecordSize), 1, shard.MaxMaxRecordBytes},
		{"ordering", int64(s.Ordering), int64(BestEffort), int64(Strict)},
		{"oversize", int64(s.Oversize), int64(OversizeDrop), int64(OversizeSplit)},
		{"compression", int64(s.Compression), int64(envelope.None), int64(envelope.Zstd)},
		{"aggregation", int64(s.Aggregation), int64(AggregateNone), int64(AggregateNewline)},
		{"aggregate-max-size", int64(s.AggregateMaxSize), 1, shard.MaxMaxRecordBytes},
		{"aggregate-max-count", int64(s.AggregateMaxCount), 1, 1 << 20},
		{"rate-limit", int64(s.RateLimit), int64(limit.Off), int64(limit.MaxRate)},
		{"retry-attempts", int64(s.RetryAttempts), -1, 1 << 31},
		{"linger", int64(s.Linger), 0, int64(time.Hour)},
		{"record-ttl", int64(s.RecordTTL), 0, int64(never)},
		{"request-timeout", int64(s.RequestTimeout), int64(time.Millisecond), int64(time.Hour)},
		{"permanent-grace", int64(s.PermanentGrace), 0, int64(never)},
		{"start-timeout", int64(s.StartTimeout), 0, int64(never)},
		{"stop-timeout", int64(s.StopTimeout), 0, int64(never)},
	} {
		if r.is < r.min || r.is > r.max {
			return fmt.Errorf("%s is %d and not within %d to %d", r.name, r.is, r.min, r.max)
		}
	}
	return nil
}
