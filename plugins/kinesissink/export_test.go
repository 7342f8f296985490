package kinesissink

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/uplink"
)

// DiscardClass is kinesissink under another name, with a service that takes everything and forgets it: what is left is the element's own cost.
func DiscardClass() *gst.Class {
	c := class(func(awscfg.Settings, awscfg.Stream) (way, error) { return new(discard), nil },
		Shared{Limits: new(limit.Registry), Uplinks: new(uplink.Links), Metrics: new(metrics.Registry)})
	c.Factory, c.Type = "kinesisdiscard", "GstKinesisDiscard"
	return c
}

type discard struct{ n atomic.Int64 }

func (d *discard) PutRecords(_ context.Context, in *kinesis.PutRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	out := &kinesis.PutRecordsOutput{FailedRecordCount: aws.Int32(0), Records: make([]types.PutRecordsResultEntry, len(in.Records))}
	sequence := aws.String(strconv.FormatInt(d.n.Add(1), 10))
	shard := aws.String("shardId-000000000000")
	for i := range out.Records {
		out.Records[i] = types.PutRecordsResultEntry{SequenceNumber: sequence, ShardId: shard}
	}
	return out, nil
}

func (*discard) ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error) {
	return nil, errors.ErrUnsupported
}

func (*discard) DescribeStreamSummary(context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error) {
	return nil, errors.ErrUnsupported
}

func (*discard) Region() string                         { return "nowhere" }
func (*discard) CheckCredentials(context.Context) error { return nil }
func (*discard) RefreshCredentials()                    {}
func (*discard) Close()                                 {}
