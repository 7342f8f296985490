package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/shard"
)

// fake answers from a script; what a test does not set is not called.
type fake struct {
	Client
	statuses []types.StreamStatus // of DescribeStreamSummary, in turn; "" is no such stream
	asked    []string             // names and tokens, in order
	names    []string             // of ListStreams, two a page
	hang     bool
}

func (f *fake) DescribeStreamSummary(ctx context.Context, in *kinesis.DescribeStreamSummaryInput, _ ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error) {
	f.asked = append(f.asked, *in.StreamName)
	if f.hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	status := types.StreamStatusActive
	if len(f.statuses) > 0 {
		status, f.statuses = f.statuses[0], f.statuses[1:]
	}
	if status == "" {
		return nil, &types.ResourceNotFoundException{Message: aws.String("no " + *in.StreamName)}
	}
	return &kinesis.DescribeStreamSummaryOutput{StreamDescriptionSummary: &types.StreamDescriptionSummary{StreamName: in.StreamName, StreamStatus: status}}, nil
}

func (f *fake) ListStreams(_ context.Context, in *kinesis.ListStreamsInput, _ ...func(*kinesis.Options)) (*kinesis.ListStreamsOutput, error) {
	first := slices.Index(f.names, aws.ToString(in.ExclusiveStartStreamName)) + 1
	last := min(first+2, len(f.names))
	return &kinesis.ListStreamsOutput{StreamNames: f.names[first:last], HasMoreStreams: aws.Bool(last < len(f.names))}, nil
}

func (f *fake) ListShards(_ context.Context, in *kinesis.ListShardsInput, _ ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error) {
	if in.NextToken != nil && in.StreamName != nil {
		return nil, errors.New("NextToken and StreamName cannot be provided together")
	}
	out := &kinesis.ListShardsOutput{Shards: []types.Shard{{ShardId: aws.String("a" + aws.ToString(in.NextToken))}}}
	if in.NextToken == nil {
		out.NextToken = aws.String("2")
	}
	return out, nil
}

// at once makes every pause short, and counts them.
func atOnce(n *int) func(time.Duration) <-chan time.Time {
	return func(d time.Duration) <-chan time.Time {
		if d != pollInterval {
			panic(fmt.Sprint("pause of ", d))
		}
		*n++
		c := make(chan time.Time, 1)
		c <- time.Time{}
		return c
	}
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	pauses := 0
	f := &fake{statuses: []types.StreamStatus{"CREATING", "CREATING", "ACTIVE"}}
	d, err := New(f, time.Minute, atOnce(&pauses)).WaitActive(context.Background(), "s")
	require.NoError(t, err)
	require.Equal(t, "ACTIVE", d.Status)
	require.Equal(t, 2, pauses)

	f = &fake{statuses: []types.StreamStatus{"DELETING"}}
	_, err = New(f, time.Minute, atOnce(&pauses)).WaitActive(context.Background(), "s")
	require.EqualError(t, err, "waiting for stream s: it is being deleted")

	f = &fake{statuses: []types.StreamStatus{"DELETING", "DELETING", ""}}
	require.NoError(t, New(f, time.Minute, atOnce(&pauses)).WaitGone(context.Background(), "s"))
	require.Len(t, f.asked, 3)
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	f := &fake{statuses: slices.Repeat([]types.StreamStatus{"CREATING"}, 10)}
	s := New(f, time.Minute, func(time.Duration) <-chan time.Time { cancel(); return nil })
	_, err := s.WaitActive(ctx, "s")
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "waiting for stream s")
	require.ErrorIs(t, s.WaitGone(ctx, "s"), context.Canceled)
}

func TestCallsAreBoundedInTime(t *testing.T) {
	t.Parallel()
	_, err := New(&fake{hang: true}, time.Millisecond, time.After).Describe(context.Background(), "s")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "describing stream s: ")
}

func TestListGoesThroughAllPages(t *testing.T) {
	t.Parallel()
	f := &fake{names: []string{"a", "b", "c", "d", "e"}, statuses: []types.StreamStatus{"ACTIVE", "", "ACTIVE", "ACTIVE", "DELETING"}}
	all, err := New(f, time.Minute, nil).List(context.Background())
	require.NoError(t, err)
	var names []string
	for _, d := range all {
		names = append(names, d.Name)
	}
	require.Equal(t, []string{"a", "c", "d", "e"}, names, "b went away meanwhile")
	all, err = New(&fake{}, time.Minute, nil).List(context.Background())
	require.NoError(t, err)
	require.Empty(t, all)
}

func TestDescribeGoesThroughAllPages(t *testing.T) {
	t.Parallel()
	d, err := New(&fake{}, time.Minute, nil).Describe(context.Background(), "s")
	require.NoError(t, err)
	require.Equal(t, []Shard{{ID: "a", Status: "OPEN"}, {ID: "a2", Status: "OPEN"}}, d.Shards)
	require.Equal(t, "PROVISIONED", d.Mode)
}

func TestAgainstTheEndpoint(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	srv := localtest.Start(t, local.Settings{})
	client := localtest.Client(srv, localtest.AnyCredentials())
	s := New(client, time.Minute, time.After)
	require.NoError(t, s.Create(ctx, "s", 1))
	_, err := s.WaitActive(ctx, "s")
	require.NoError(t, err)
	_, err = client.SplitShard(ctx, &kinesis.SplitShardInput{
		StreamName: aws.String("s"), ShardToSplit: aws.String("shardId-000000000000"), NewStartingHashKey: aws.String("170141183460469231731687303715884105728")})
	require.NoError(t, err)
	_, err = client.MergeShards(ctx, &kinesis.MergeShardsInput{
		StreamName: aws.String("s"), ShardToMerge: aws.String("shardId-000000000001"), AdjacentShardToMerge: aws.String("shardId-000000000002")})
	require.NoError(t, err)
	d, err := s.Describe(ctx, "s")
	require.NoError(t, err)
	require.Equal(t, 1, d.OpenShards)
	require.Equal(t, 24, d.Retention)
	require.Len(t, d.Shards, 4)
	require.Equal(t, "CLOSED", d.Shards[0].Status)
	require.Equal(t, []string{"shardId-000000000000"}, d.Shards[1].Parents)
	require.Equal(t, "170141183460469231731687303715884105728", d.Shards[2].FirstKey)
	require.Equal(t, "OPEN", d.Shards[3].Status)
	require.ElementsMatch(t, []string{"shardId-000000000001", "shardId-000000000002"}, d.Shards[3].Parents)

	var inUse *types.ResourceInUseException
	require.ErrorAs(t, s.Create(ctx, "s", 1), &inUse)
	require.NoError(t, s.Delete(ctx, "s"))
	require.NoError(t, s.WaitGone(ctx, "s"))
	var missing *types.ResourceNotFoundException
	require.ErrorAs(t, s.Delete(ctx, "s"), &missing)
	require.NoError(t, s.Create(ctx, "demand", 0))
	d, err = s.WaitActive(ctx, "demand")
	require.NoError(t, err)
	require.Equal(t, "ON_DEMAND", d.Mode)
}

func TestOpenShards(t *testing.T) {
	t.Parallel()
	srv := localtest.Start(t, local.Settings{Create: []local.StreamSpec{{Name: "s", Shards: 2}}})
	client := localtest.Client(srv, localtest.AnyCredentials())
	open, err := OpenShards(t.Context(), client, "s", "")
	require.NoError(t, err)
	require.Len(t, open, 2)
	_, err = client.SplitShard(t.Context(), &kinesis.SplitShardInput{StreamName: aws.String("s"), ShardToSplit: &open[0].ID, NewStartingHashKey: aws.String(open[0].Range.Middle().String())})
	require.NoError(t, err)
	_, err = New(client, time.Second, time.After).WaitActive(t.Context(), "s")
	require.NoError(t, err)
	open, err = OpenShards(t.Context(), client, "", "arn:aws:kinesis:us-east-1:000000000000:stream/s")
	require.NoError(t, err)
	m, err := shard.NewMap(open)
	require.NoError(t, err)
	require.Equal(t, 3, m.Len())
	_, err = OpenShards(t.Context(), client, "none", "")
	require.ErrorContains(t, err, "listing the shards of stream none")
	_, err = OpenShards(t.Context(), &fake{}, "s", "")
	require.ErrorContains(t, err, "reading shard a: it has no range of hash keys")
}
