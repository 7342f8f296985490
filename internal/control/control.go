// Package control makes, looks at and removes data streams: the calls that an
// operator makes by hand, with waiting until they have taken effect.
package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Client is what is used of the SDK's Kinesis client.
type Client interface {
	CreateStream(context.Context, *kinesis.CreateStreamInput, ...func(*kinesis.Options)) (*kinesis.CreateStreamOutput, error)
	DeleteStream(context.Context, *kinesis.DeleteStreamInput, ...func(*kinesis.Options)) (*kinesis.DeleteStreamOutput, error)
	Describer
	ListStreams(context.Context, *kinesis.ListStreamsInput, ...func(*kinesis.Options)) (*kinesis.ListStreamsOutput, error)
	ShardLister
}

// pollInterval is the pause between two looks at a stream that changes: ten
// calls a second are allowed in an account, for all together.
const pollInterval = time.Second

// Streams are the streams of an account in a region. Safe for concurrent use.
type Streams struct {
	client  Client
	timeout time.Duration
	timer   func(time.Duration) <-chan time.Time
}

// New returns the streams behind a client. timeout bounds each call, the
// client's own tries included; timer is time.After, or that of a test.
func New(client Client, timeout time.Duration, timer func(time.Duration) <-chan time.Time) *Streams {
	return &Streams{client: client, timeout: timeout, timer: timer}
}

// call makes one call of the client, bounded in time.
func call[In, Out any](ctx context.Context, s *Streams, do func(context.Context, *In, ...func(*kinesis.Options)) (*Out, error), in *In) (*Out, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return do(ctx, in)
}

// Stream is a stream as it is shown.
type Stream struct {
	Name       string    `json:"name"`
	ARN        string    `json:"arn"`
	Status     string    `json:"status"`
	Mode       string    `json:"mode"`
	OpenShards int       `json:"open_shards"`
	Retention  int       `json:"retention_hours"`
	Encryption string    `json:"encryption"`
	MaxRecord  int       `json:"max_record_kib,omitempty"` // 0 when the service does not tell
	Created    time.Time `json:"created"`
	Shards     []Shard   `json:"shards,omitempty"`
}

// Shard is a shard as it is shown.
type Shard struct {
	ID       string   `json:"id"`
	Status   string   `json:"status"` // OPEN or CLOSED
	FirstKey string   `json:"starting_hash_key"`
	LastKey  string   `json:"ending_hash_key"`
	Parents  []string `json:"parents,omitempty"`
	FirstSeq string   `json:"starting_sequence_number"`
	LastSeq  string   `json:"ending_sequence_number,omitempty"`
}

// Create asks for a stream; shards is 0 for one on demand. The stream is ready
// when [Streams.WaitActive] returns.
func (s *Streams) Create(ctx context.Context, name string, shards int) error {
	in := &kinesis.CreateStreamInput{
		StreamName:        aws.String(name),
		StreamModeDetails: &types.StreamModeDetails{StreamMode: types.StreamModeOnDemand},
	}
	if shards > 0 {
		in.StreamModeDetails.StreamMode = types.StreamModeProvisioned
		in.ShardCount = aws.Int32(int32(shards))
	}
	if _, err := call(ctx, s, s.client.CreateStream, in); err != nil {
		return fmt.Errorf("creating stream %s: %w", name, err)
	}
	return nil
}

// WaitActive waits until a stream is ACTIVE and describes it.
func (s *Streams) WaitActive(ctx context.Context, name string) (Stream, error) {
	for {
		d, err := s.summary(ctx, name)
		if err != nil {
			return Stream{}, err
		}
		switch d.Status {
		case string(types.StreamStatusActive):
			return d, nil
		case string(types.StreamStatusDeleting):
			return Stream{}, fmt.Errorf("waiting for stream %s: it is being deleted", name)
		}
		if err := s.pause(ctx, name); err != nil {
			return Stream{}, err
		}
	}
}

// Delete removes a stream with its records, registered consumers or not.
func (s *Streams) Delete(ctx context.Context, name string) error {
	in := &kinesis.DeleteStreamInput{StreamName: aws.String(name), EnforceConsumerDeletion: aws.Bool(true)}
	if _, err := call(ctx, s, s.client.DeleteStream, in); err != nil {
		return fmt.Errorf("deleting stream %s: %w", name, err)
	}
	return nil
}

// WaitGone waits until a stream is no more.
func (s *Streams) WaitGone(ctx context.Context, name string) error {
	for {
		_, err := s.summary(ctx, name)
		var missing *types.ResourceNotFoundException
		switch {
		case errors.As(err, &missing):
			return nil
		case err != nil:
			return err
		}
		if err := s.pause(ctx, name); err != nil {
			return err
		}
	}
}

func (s *Streams) pause(ctx context.Context, name string) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("waiting for stream %s: %w", name, context.Cause(ctx))
	case <-s.timer(pollInterval):
		return nil
	}
}

// Describe returns a stream with its shards.
func (s *Streams) Describe(ctx context.Context, name string) (Stream, error) {
	d, err := s.summary(ctx, name)
	if err != nil {
		return Stream{}, err
	}
	page := func(in *kinesis.ListShardsInput) (*kinesis.ListShardsOutput, error) {
		return call(ctx, s, s.client.ListShards, in)
	}
	err = eachShard(&kinesis.ListShardsInput{StreamName: aws.String(name)}, page, func(x *types.Shard) error {
		d.Shards = append(d.Shards, shardOf(x))
		return nil
	})
	if err != nil {
		return Stream{}, fmt.Errorf("listing the shards of stream %s: %w", name, err)
	}
	return d, nil
}

// List returns all streams, by name, without their shards. Streams that go
// away meanwhile are left out.
func (s *Streams) List(ctx context.Context) ([]Stream, error) {
	var all []Stream
	in := &kinesis.ListStreamsInput{}
	for {
		out, err := call(ctx, s, s.client.ListStreams, in)
		if err != nil {
			return nil, fmt.Errorf("listing streams: %w", err)
		}
		for _, name := range out.StreamNames {
			d, err := s.summary(ctx, name)
			var missing *types.ResourceNotFoundException
			if errors.As(err, &missing) {
				continue
			}
			if err != nil {
				return nil, err
			}
			all = append(all, d)
		}
		if !aws.ToBool(out.HasMoreStreams) || len(out.StreamNames) == 0 {
			return all, nil
		}
		in = &kinesis.ListStreamsInput{ExclusiveStartStreamName: aws.String(out.StreamNames[len(out.StreamNames)-1])}
	}
}

func (s *Streams) summary(ctx context.Context, name string) (Stream, error) {
	out, err := call(ctx, s, s.client.DescribeStreamSummary, &kinesis.DescribeStreamSummaryInput{StreamName: aws.String(name)})
	if err != nil {
		return Stream{}, fmt.Errorf("describing stream %s: %w", name, err)
	}
	d := out.StreamDescriptionSummary
	if d == nil {
		return Stream{}, fmt.Errorf("describing stream %s: the service answered without a description", name)
	}
	mode := string(types.StreamModeProvisioned)
	if d.StreamModeDetails != nil {
		mode = string(d.StreamModeDetails.StreamMode)
	}
	return Stream{
		Name: aws.ToString(d.StreamName), ARN: aws.ToString(d.StreamARN), Status: string(d.StreamStatus), Mode: mode,
		OpenShards: int(aws.ToInt32(d.OpenShardCount)), Retention: int(aws.ToInt32(d.RetentionPeriodHours)),
		Encryption: string(d.EncryptionType), MaxRecord: int(aws.ToInt32(d.MaxRecordSizeInKiB)), Created: aws.ToTime(d.StreamCreationTimestamp).UTC(),
	}, nil
}

func shardOf(s *types.Shard) Shard {
	out := Shard{ID: aws.ToString(s.ShardId), Status: "OPEN"}
	if r := s.HashKeyRange; r != nil {
		out.FirstKey, out.LastKey = aws.ToString(r.StartingHashKey), aws.ToString(r.EndingHashKey)
	}
	if r := s.SequenceNumberRange; r != nil {
		out.FirstSeq, out.LastSeq = aws.ToString(r.StartingSequenceNumber), aws.ToString(r.EndingSequenceNumber)
	}
	if out.LastSeq != "" {
		out.Status = "CLOSED"
	}
	for _, p := range []*string{s.ParentShardId, s.AdjacentParentShardId} {
		if id := aws.ToString(p); id != "" {
			out.Parents = append(out.Parents, id)
		}
	}
	return out
}
