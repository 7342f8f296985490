package control

import (
	"cmp"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"gst-kinesis/internal/shard"
)

// ShardLister is what is used of the SDK's client to list shards.
type ShardLister interface {
	ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error)
}

// OpenShards lists the shards of a stream that take records, for shard.NewMap. The
// stream is named by its ARN, or where that is empty by its name. It needs
// kinesis:ListShards.
func OpenShards(ctx context.Context, client ShardLister, name, arn string) ([]shard.Shard, error) {
	in := &kinesis.ListShardsInput{ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeAtLatest}}
	if arn != "" {
		in.StreamARN = aws.String(arn)
	} else {
		in.StreamName = aws.String(name)
	}
	pages := func(in *kinesis.ListShardsInput) (*kinesis.ListShardsOutput, error) {
		return client.ListShards(ctx, in)
	}
	var open []shard.Shard
	err := eachShard(in, pages, func(s *types.Shard) error {
		p, err := placeOf(s)
		open = append(open, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the shards of stream %s: %w", cmp.Or(arn, name), err)
	}
	return open, nil
}

// Describer is what is used of the SDK's client to describe a stream.
type Describer interface {
	DescribeStreamSummary(context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error)
}

// LargestRecord asks what a stream takes as its largest record, in bytes of data and
// partition key. It needs kinesis:DescribeStreamSummary.
func LargestRecord(ctx context.Context, client Describer, name, arn string) (int, error) {
	in := &kinesis.DescribeStreamSummaryInput{}
	if arn != "" {
		in.StreamARN = aws.String(arn)
	} else {
		in.StreamName = aws.String(name)
	}
	out, err := client.DescribeStreamSummary(ctx, in)
	if err != nil {
		return 0, fmt.Errorf("describing stream %s: %w", cmp.Or(arn, name), err)
	}
	if d := out.StreamDescriptionSummary; d != nil && aws.ToInt32(d.MaxRecordSizeInKiB) > 0 {
		return int(*d.MaxRecordSizeInKiB) * shard.KiB, nil
	}
	return shard.DefaultMaxRecordBytes, nil
}

// eachShard goes over all pages.
func eachShard(in *kinesis.ListShardsInput, page func(*kinesis.ListShardsInput) (*kinesis.ListShardsOutput, error), f func(*types.Shard) error) error {
	for {
		out, err := page(in)
		if err != nil {
			return err
		}
		for i := range out.Shards {
			if err := f(&out.Shards[i]); err != nil {
				return err
			}
		}
		if aws.ToString(out.NextToken) == "" {
			return nil
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken}
	}
}

// placeOf tells where a shard lies. Some stand-ins list closed shards whatever the filter.
func placeOf(s *types.Shard) (shard.Shard, error) {
	out := shard.Shard{ID: aws.ToString(s.ShardId)}
	if s.SequenceNumberRange != nil {
		out.Closed = aws.ToString(s.SequenceNumberRange.EndingSequenceNumber) != ""
	}
	if s.HashKeyRange == nil {
		return out, fmt.Errorf("reading shard %s: it has no range of hash keys", out.ID)
	}
	var err error
	out.Range, err = shard.ParseRange(aws.ToString(s.HashKeyRange.StartingHashKey), aws.ToString(s.HashKeyRange.EndingHashKey))
	if err != nil {
		return out, fmt.Errorf("reading shard %s: %w", out.ID, err)
	}
	return out, nil
}
