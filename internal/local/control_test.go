package local_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
)

// bench is an endpoint with a client of AWS's SDK.
type bench struct {
	*testing.T
	ctx    context.Context
	srv    *local.Server
	client *kinesis.Client
}

func newBench(t *testing.T, set local.Settings) *bench {
	t.Helper()
	creds := localtest.AnyCredentials()
	if len(set.Credentials) > 0 {
		creds = set.Credentials[0]
	}
	srv := localtest.Start(t, set)
	return &bench{T: t, ctx: t.Context(), srv: srv, client: localtest.Client(srv, creds)}
}

func demo(shards int) local.Settings {
	return local.Settings{Create: []local.StreamSpec{{Name: "demo", Shards: shards}}}
}

// requireError fails unless err is an error of the API with a code and words in its message.
func requireError(t testing.TB, err error, code, words string) {
	t.Helper()
	var e smithy.APIError
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.ErrorCode(), e.ErrorMessage())
	require.Contains(t, e.ErrorMessage(), words)
}

func entry(key string, data []byte) types.PutRecordsRequestEntry {
	return types.PutRecordsRequestEntry{PartitionKey: &key, Data: data}
}

// read returns the data of all records of a shard from its start, by following iterators until there is nothing more.
func (b *bench) read(stream, shardID string) (keys []string, data []string) {
	b.Helper()
	it, err := b.client.GetShardIterator(b.ctx, &kinesis.GetShardIteratorInput{StreamName: &stream, ShardId: &shardID,
		ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
	require.NoError(b, err)
	next := it.ShardIterator
	for next != nil {
		out, err := b.client.GetRecords(b.ctx, &kinesis.GetRecordsInput{ShardIterator: next})
		require.NoError(b, err)
		for _, r := range out.Records {
			keys = append(keys, *r.PartitionKey)
			data = append(data, string(r.Data))
		}
		if len(out.Records) == 0 && *out.MillisBehindLatest == 0 {
			break
		}
		next = out.NextShardIterator
	}
	return keys, data
}

func TestStreamLife(t *testing.T) {
	t.Parallel()
	b := newBench(t, local.Settings{})
	name := aws.String("wildrydes")
	_, err := b.client.CreateStream(b.ctx, &kinesis.CreateStreamInput{StreamName: name, ShardCount: aws.Int32(3), Tags: map[string]string{"a": "1"},
		MaxRecordSizeInKiB: aws.Int32(2048)})
	require.NoError(t, err)
	require.NoError(t, kinesis.NewStreamExistsWaiter(b.client).Wait(b.ctx, &kinesis.DescribeStreamInput{StreamName: name}, 5*time.Second))
	_, err = b.client.CreateStream(b.ctx, &kinesis.CreateStreamInput{StreamName: name, ShardCount: aws.Int32(3)})
	requireError(t, err, "ResourceInUseException", "Stream wildrydes under account 000000000000 already exists.")

	sum, err := b.client.DescribeStreamSummary(b.ctx, &kinesis.DescribeStreamSummaryInput{StreamName: name})
	require.NoError(t, err)
	d := sum.StreamDescriptionSummary
	require.EqualValues(t, 3, *d.OpenShardCount)
	require.EqualValues(t, 2048, *d.MaxRecordSizeInKiB)
	require.Equal(t, types.StreamStatusActive, d.StreamStatus)
	require.Equal(t, types.StreamModeProvisioned, d.StreamModeDetails.StreamMode)
	require.WithinDuration(t, time.Now(), *d.StreamCreationTimestamp, 10*time.Second)

	_, err = b.client.UpdateMaxRecordSize(b.ctx, &kinesis.UpdateMaxRecordSizeInput{StreamARN: d.StreamARN, MaxRecordSizeInKiB: aws.Int32(10240)})
	require.NoError(t, err)
	_, err = b.client.UpdateMaxRecordSize(b.ctx, &kinesis.UpdateMaxRecordSizeInput{StreamARN: d.StreamARN, MaxRecordSizeInKiB: aws.Int32(10241)})
	requireError(t, err, "ValidationException", "Value '10241' at 'maxRecordSizeInKiB' failed to satisfy constraint: Member must have value less than or equal to 10240")
	_, err = b.client.UpdateStreamMode(b.ctx, &kinesis.UpdateStreamModeInput{StreamARN: d.StreamARN,
		StreamModeDetails: &types.StreamModeDetails{StreamMode: types.StreamModeOnDemand}})
	require.NoError(t, err)
	_, err = b.client.StartStreamEncryption(b.ctx, &kinesis.StartStreamEncryptionInput{StreamARN: d.StreamARN, EncryptionType: types.EncryptionTypeKms, KeyId: aws.String("alias/aws/kinesis")})
	require.NoError(t, err)
	put, err := b.client.PutRecord(b.ctx, &kinesis.PutRecordInput{StreamARN: d.StreamARN, PartitionKey: aws.String("k"), Data: []byte("x")})
	require.NoError(t, err)
	require.Equal(t, types.EncryptionTypeKms, put.EncryptionType)
	_, err = b.client.StopStreamEncryption(b.ctx, &kinesis.StopStreamEncryptionInput{StreamARN: d.StreamARN, EncryptionType: types.EncryptionTypeKms, KeyId: aws.String("alias/aws/kinesis")})
	require.NoError(t, err)
	limits, err := b.client.DescribeLimits(b.ctx, &kinesis.DescribeLimitsInput{})
	require.NoError(t, err)
	require.EqualValues(t, 3, *limits.OpenShardCount)
	require.EqualValues(t, 1, *limits.OnDemandStreamCount)

	_, err = b.client.DeleteStream(b.ctx, &kinesis.DeleteStreamInput{StreamARN: d.StreamARN})
	require.NoError(t, err)
	_, err = b.client.DescribeStream(b.ctx, &kinesis.DescribeStreamInput{StreamName: name})
	requireError(t, err, "ResourceNotFoundException", "Stream wildrydes under account 000000000000 not found.")
}

func TestPagesOfStreamsAndShards(t *testing.T) {
	t.Parallel()
	var set local.Settings
	for i := range 7 {
		set.Create = append(set.Create, local.StreamSpec{Name: fmt.Sprintf("s%d", i), Shards: 5})
	}
	b := newBench(t, set)
	var names []string
	for p := kinesis.NewListStreamsPaginator(b.client, &kinesis.ListStreamsInput{Limit: aws.Int32(3)}); p.HasMorePages(); {
		out, err := p.NextPage(b.ctx)
		require.NoError(t, err)
		require.Equal(t, len(out.StreamNames), len(out.StreamSummaries))
		names = append(names, out.StreamNames...)
	}
	require.Equal(t, []string{"s0", "s1", "s2", "s3", "s4", "s5", "s6"}, names)
	after, err := b.client.ListStreams(b.ctx, &kinesis.ListStreamsInput{ExclusiveStartStreamName: aws.String("s4")})
	require.NoError(t, err)
	require.Equal(t, []string{"s5", "s6"}, after.StreamNames)
	require.False(t, *after.HasMoreStreams)

	in := &kinesis.DescribeStreamInput{StreamName: aws.String("s0"), Limit: aws.Int32(2)}
	var shards []types.Shard
	for more := true; more; {
		out, err := b.client.DescribeStream(b.ctx, in)
		require.NoError(t, err)
		shards = append(shards, out.StreamDescription.Shards...)
		more = *out.StreamDescription.HasMoreShards
		in.ExclusiveStartShardId = shards[len(shards)-1].ShardId
	}
	require.Len(t, shards, 5)

	list, err := b.client.ListShards(b.ctx, &kinesis.ListShardsInput{StreamName: aws.String("s0"), MaxResults: aws.Int32(3)})
	require.NoError(t, err)
	rest, err := b.client.ListShards(b.ctx, &kinesis.ListShardsInput{NextToken: list.NextToken})
	require.NoError(t, err)
	require.Equal(t, shards, append(list.Shards, rest.Shards...))
	_, err = b.client.ListShards(b.ctx, &kinesis.ListShardsInput{StreamName: aws.String("s0"), NextToken: list.NextToken})
	requireError(t, err, "InvalidArgumentException", "NextToken and StreamName cannot be provided together.")
	_, err = b.client.ListShards(b.ctx, &kinesis.ListShardsInput{})
	requireError(t, err, "InvalidArgumentException", "Either NextToken or StreamName should be provided.")
}

func TestReshardingThroughTheAPI(t *testing.T) {
	t.Parallel()
	b := newBench(t, demo(1))
	name := aws.String("demo")
	_, err := b.client.PutRecord(b.ctx, &kinesis.PutRecordInput{StreamName: name, PartitionKey: aws.String("k"), Data: []byte("parent")})
	require.NoError(t, err)
	_, err = b.client.SplitShard(b.ctx, &kinesis.SplitShardInput{StreamName: name, ShardToSplit: aws.String("shardId-000000000000"),
		NewStartingHashKey: aws.String("170141183460469231731687303715884105728")})
	require.NoError(t, err)
	_, err = b.client.MergeShards(b.ctx, &kinesis.MergeShardsInput{StreamName: name, ShardToMerge: aws.String("shardId-000000000001"),
		AdjacentShardToMerge: aws.String("shardId-000000000002")})
	require.NoError(t, err)
	scaled, err := b.client.UpdateShardCount(b.ctx, &kinesis.UpdateShardCountInput{StreamName: name, TargetShardCount: aws.Int32(2), ScalingType: types.ScalingTypeUniformScaling})
	require.NoError(t, err)
	require.EqualValues(t, 1, *scaled.CurrentShardCount)
	require.EqualValues(t, 2, *scaled.TargetShardCount)
	open, err := b.client.ListShards(b.ctx, &kinesis.ListShardsInput{StreamName: name, ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeAtLatest}})
	require.NoError(t, err)
	require.Len(t, open.Shards, 2)
	require.Equal(t, "shardId-000000000003", *open.Shards[0].ParentShardId)

	it, err := b.client.GetShardIterator(b.ctx, &kinesis.GetShardIteratorInput{StreamName: name, ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
	require.NoError(t, err)
	out, err := b.client.GetRecords(b.ctx, &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
	require.NoError(t, err)
	require.Len(t, out.Records, 1)
	require.Nil(t, out.ChildShards)
	out, err = b.client.GetRecords(b.ctx, &kinesis.GetRecordsInput{ShardIterator: out.NextShardIterator})
	require.NoError(t, err)
	require.Nil(t, out.NextShardIterator)
	require.Len(t, out.ChildShards, 2)
	require.Equal(t, []string{"shardId-000000000000"}, out.ChildShards[0].ParentShards)
	_, err = b.client.UpdateShardCount(b.ctx, &kinesis.UpdateShardCountInput{StreamName: name, TargetShardCount: aws.Int32(5), ScalingType: types.ScalingTypeUniformScaling})
	requireError(t, err, "InvalidArgumentException", "UpdateShardCount cannot scale up over double your current open shard count.")
}

func TestTagsAndRetention(t *testing.T) {
	t.Parallel()
	b := newBench(t, demo(1))
	name, arn := aws.String("demo"), aws.String("arn:aws:kinesis:us-east-1:000000000000:stream/demo")
	_, err := b.client.AddTagsToStream(b.ctx, &kinesis.AddTagsToStreamInput{StreamName: name, Tags: map[string]string{"a": "1", "b": "2"}})
	require.NoError(t, err)
	_, err = b.client.TagResource(b.ctx, &kinesis.TagResourceInput{ResourceARN: arn, Tags: map[string]string{"c": "3"}})
	require.NoError(t, err)
	_, err = b.client.RemoveTagsFromStream(b.ctx, &kinesis.RemoveTagsFromStreamInput{StreamName: name, TagKeys: []string{"a"}})
	require.NoError(t, err)
	page, err := b.client.ListTagsForStream(b.ctx, &kinesis.ListTagsForStreamInput{StreamName: name, Limit: aws.Int32(1)})
	require.NoError(t, err)
	require.True(t, *page.HasMoreTags)
	require.Equal(t, "b", *page.Tags[0].Key)
	_, err = b.client.UntagResource(b.ctx, &kinesis.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"b"}})
	require.NoError(t, err)
	all, err := b.client.ListTagsForResource(b.ctx, &kinesis.ListTagsForResourceInput{ResourceARN: arn})
	require.NoError(t, err)
	require.Equal(t, []types.Tag{{Key: aws.String("c"), Value: aws.String("3")}}, all.Tags)

	_, err = b.client.IncreaseStreamRetentionPeriod(b.ctx, &kinesis.IncreaseStreamRetentionPeriodInput{StreamName: name, RetentionPeriodHours: aws.Int32(8760)})
	require.NoError(t, err)
	_, err = b.client.IncreaseStreamRetentionPeriod(b.ctx, &kinesis.IncreaseStreamRetentionPeriodInput{StreamName: name, RetentionPeriodHours: aws.Int32(24)})
	requireError(t, err, "InvalidArgumentException", "can not be shorter than existing retention period (8760 hours)")
	_, err = b.client.DecreaseStreamRetentionPeriod(b.ctx, &kinesis.DecreaseStreamRetentionPeriodInput{StreamName: name, RetentionPeriodHours: aws.Int32(24)})
	require.NoError(t, err)
	d, err := b.client.DescribeStream(b.ctx, &kinesis.DescribeStreamInput{StreamARN: arn})
	require.NoError(t, err)
	require.EqualValues(t, 24, *d.StreamDescription.RetentionPeriodHours)
}

func TestCreateErrors(t *testing.T) {
	t.Parallel()
	b := newBench(t, local.Settings{ShardLimit: 10})
	for _, tc := range []struct {
		in          kinesis.CreateStreamInput
		code, words string
	}{
		{kinesis.CreateStreamInput{StreamName: aws.String("no spaces"), ShardCount: aws.Int32(1)}, "ValidationException",
			"1 validation error detected: Value 'no spaces' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		{kinesis.CreateStreamInput{StreamName: aws.String("s"), ShardCount: aws.Int32(0)}, "ValidationException",
			"1 validation error detected: Value '0' at 'shardCount' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{kinesis.CreateStreamInput{StreamName: aws.String("s"), ShardCount: aws.Int32(11)}, "LimitExceededException", "Limit: 10."},
		{kinesis.CreateStreamInput{StreamName: aws.String("s")}, "InvalidArgumentException", "ShardCount must be specified"},
		{kinesis.CreateStreamInput{StreamName: aws.String("s"), ShardCount: aws.Int32(1), StreamModeDetails: &types.StreamModeDetails{StreamMode: types.StreamModeOnDemand}},
			"InvalidArgumentException", "ShardCount must not be specified"},
		{kinesis.CreateStreamInput{StreamName: aws.String("s"), ShardCount: aws.Int32(1), MaxRecordSizeInKiB: aws.Int32(1)}, "ValidationException", "maxRecordSizeInKiB"},
	} {
		_, err := b.client.CreateStream(b.ctx, &tc.in)
		requireError(t, err, tc.code, tc.words)
	}
	_, err := b.client.CreateStream(b.ctx, &kinesis.CreateStreamInput{StreamName: aws.String("od"), StreamModeDetails: &types.StreamModeDetails{StreamMode: types.StreamModeOnDemand}})
	require.NoError(t, err)
	limits, err := b.client.DescribeLimits(b.ctx, &kinesis.DescribeLimitsInput{})
	require.NoError(t, err)
	require.EqualValues(t, 4, *limits.OpenShardCount)
}

func TestEveryErrorHasARequestID(t *testing.T) {
	t.Parallel()
	b := newBench(t, local.Settings{})
	_, err := b.client.DescribeStream(b.ctx, &kinesis.DescribeStreamInput{StreamName: aws.String("none")})
	var withID interface{ ServiceRequestID() string }
	require.True(t, errors.As(err, &withID))
	require.Len(t, withID.ServiceRequestID(), 36)
}
