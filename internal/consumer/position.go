package consumer

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// ShardEnd in Options.After marks a shard that was read to its end.
const ShardEnd = "SHARD_END"

// Position is a place in a shard. The zero value is the tip: only what comes
// from now on.
type Position struct {
	kind     types.ShardIteratorType
	sequence string
	at       time.Time
}

// Latest is the tip of the shard.
func Latest() Position { return Position{} }

// TrimHorizon is the oldest record that the stream still has.
func TrimHorizon() Position { return Position{kind: types.ShardIteratorTypeTrimHorizon} }

// AtTimestamp is the first record that arrived at this time or later.
func AtTimestamp(t time.Time) Position {
	return Position{kind: types.ShardIteratorTypeAtTimestamp, at: t}
}

// AfterSequence is the record after this one, in the shard it belongs to.
func AfterSequence(number string) Position {
	return Position{kind: types.ShardIteratorTypeAfterSequenceNumber, sequence: number}
}

// String names the position as the CLI takes it.
func (p Position) String() string {
	switch p.kind {
	case types.ShardIteratorTypeTrimHorizon:
		return "trim-horizon"
	case types.ShardIteratorTypeAtTimestamp:
		return p.at.UTC().Format(time.RFC3339Nano)
	case types.ShardIteratorTypeAfterSequenceNumber:
		return "after " + p.sequence
	}
	return "latest"
}

func (p Position) isLatest() bool { return p.kind == "" || p.kind == types.ShardIteratorTypeLatest }

// check refuses what cannot hold for a whole stream.
func (p Position) check() error {
	switch {
	case p.kind == types.ShardIteratorTypeAfterSequenceNumber:
		return fmt.Errorf("a sequence number belongs to one shard and cannot be where a stream is read from")
	case p.kind == types.ShardIteratorTypeAtTimestamp && p.at.IsZero():
		return fmt.Errorf("the time to read from is not set")
	}
	return nil
}

// input is the request for an iterator at this position.
func (p Position) input(stream streamRef, shardID string) *kinesis.GetShardIteratorInput {
	in := &kinesis.GetShardIteratorInput{
		StreamName: stream.name, StreamARN: stream.arn,
		ShardId: aws.String(shardID), ShardIteratorType: p.kind,
	}
	switch p.kind {
	case "":
		in.ShardIteratorType = types.ShardIteratorTypeLatest
	case types.ShardIteratorTypeAtTimestamp:
		in.Timestamp = aws.Time(p.at)
	case types.ShardIteratorTypeAfterSequenceNumber:
		in.StartingSequenceNumber = aws.String(p.sequence)
	}
	return in
}

// streamRef names the stream in requests: by ARN if there is one, else by name.
type streamRef struct{ name, arn *string }

func refOf(o Options) streamRef {
	if o.StreamARN != "" {
		return streamRef{arn: aws.String(o.StreamARN)}
	}
	return streamRef{name: aws.String(o.Stream)}
}
