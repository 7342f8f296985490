package local_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
)

func TestPutAndGet(t *testing.T) {
	t.Parallel()
	creds := local.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}
	srv := localtest.Start(t, local.Settings{Credentials: []local.Credentials{creds}, Create: []local.StreamSpec{{Name: "demo", Shards: 2}}})
	c := localtest.Client(srv, creds)
	ctx := context.Background()

	var entries []types.PutRecordsRequestEntry
	for _, key := range []string{"cam1", "cam2", "cam3", "cam4"} {
		entries = append(entries, types.PutRecordsRequestEntry{PartitionKey: aws.String(key), Data: []byte("frame of " + key)})
	}
	put, err := c.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: aws.String("demo"), Records: entries})
	require.NoError(t, err)
	require.Zero(t, *put.FailedRecordCount)

	shards, err := c.ListShards(ctx, &kinesis.ListShardsInput{StreamName: aws.String("demo")})
	require.NoError(t, err)
	require.Len(t, shards.Shards, 2)
	got := map[string]string{}
	for _, sh := range shards.Shards {
		it, err := c.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{StreamName: aws.String("demo"), ShardId: sh.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
		require.NoError(t, err)
		out, err := c.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
		require.NoError(t, err)
		require.NotNil(t, out.NextShardIterator)
		for _, r := range out.Records {
			got[*r.PartitionKey] = string(r.Data)
			require.Len(t, *r.SequenceNumber, 56)
			require.False(t, r.ApproximateArrivalTimestamp.IsZero())
		}
	}
	require.Len(t, got, 4)
	require.Equal(t, "frame of cam3", got["cam3"])
	books, err := srv.Records("demo")
	require.NoError(t, err)
	require.Len(t, books, 4)
	require.EqualValues(t, 1, srv.Stats().Count("PutRecords", ""))
}
