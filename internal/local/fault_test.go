package local_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/shard"
)

// put sends three records, one for each shard of a stream of three.
func (b *bench) put() (*kinesis.PutRecordsOutput, error) {
	var entries []types.PutRecordsRequestEntry
	for _, r := range shard.EvenRanges(3) {
		e := entry("k", []byte(strings.Repeat("x", 1000)))
		e.ExplicitHashKey = aws.String(r.Start.String())
		entries = append(entries, e)
	}
	return b.client.PutRecords(b.ctx, &kinesis.PutRecordsInput{StreamName: aws.String("demo"), Records: entries})
}

func (b *bench) stored() int {
	b.Helper()
	books, err := b.srv.Records("demo")
	require.NoError(b, err)
	return len(books)
}

func (b *bench) fault(r local.Rule) *local.FaultHandle {
	b.Helper()
	h, err := b.srv.AddFault(r)
	require.NoError(b, err)
	return h
}

func TestFaultsOfRequests(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		rule   local.Rule
		stored int // 3 where the request was carried out
		code   string
		status int
	}{
		"error 500":     {local.Rule{Error: &local.Failure{Code: "InternalFailure", Message: "m"}}, 0, "InternalFailure", 500},
		"error 503":     {local.Rule{Error: &local.Failure{Code: "ServiceUnavailable", Status: 503}}, 0, "ServiceUnavailable", 503},
		"expired token": {local.Rule{Error: &local.Failure{Code: "ExpiredTokenException", Message: "The security token included in the request is expired"}}, 0, "ExpiredTokenException", 400},
		"of one shard":  {local.Rule{Shard: "shardId-000000000002", Error: &local.Failure{Code: "KMSThrottlingException"}}, 0, "KMSThrottlingException", 400},
		"before body":   {local.Rule{Cut: fault.CutBeforeBody}, 0, "", 0},
		"after body":    {local.Rule{Cut: fault.CutAfterBody}, 0, "", 0},
		"after work":    {local.Rule{Cut: fault.CutAfterProcessing}, 3, "", 0},
		"mid answer":    {local.Rule{Cut: fault.CutMidAnswer}, 3, "", 200},
		"garbled":       {local.Rule{Garble: true}, 3, "", 200},
		"hang":          {local.Rule{Hang: true, HangFor: 20 * time.Millisecond}, 0, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, demo(3))
			tc.rule.Operations, tc.rule.Count = []string{"PutRecords"}, 1
			h := b.fault(tc.rule)
			_, err := b.put()
			require.Error(t, err)
			var api smithy.APIError
			require.Equal(t, tc.code != "", errors.As(err, &api), "%v", err)
			if tc.code != "" {
				require.Equal(t, tc.code, api.ErrorCode())
			}
			var resp *smithyhttp.ResponseError
			if errors.As(err, &resp) && resp.Response != nil {
				require.Equal(t, tc.status, resp.HTTPStatusCode())
			} else {
				require.Zero(t, tc.status, "%v", err)
			}
			require.Equal(t, tc.stored, b.stored())
			require.Equal(t, 1, h.Fired())
			_, err = b.put()
			require.NoError(t, err, "the endpoint is well again")
		})
	}
}

func TestFaultsOfRecords(t *testing.T) {
	t.Parallel()
	b := newBench(t, demo(3))
	h := b.fault(local.Rule{Shard: "shardId-000000000001", Throttle: true})
	out, err := b.put()
	require.NoError(t, err)
	require.EqualValues(t, 1, *out.FailedRecordCount)
	require.Equal(t, "ProvisionedThroughputExceededException", *out.Records[1].ErrorCode)
	require.Equal(t, "Rate exceeded for shard shardId-000000000001 in stream demo under account 000000000000.", *out.Records[1].ErrorMessage)
	h.Remove()
	b.fault(local.Rule{Count: 2, Record: &local.Failure{Code: "InternalFailure", Message: "Internal service failure."}})
	out, err = b.put()
	require.NoError(t, err)
	require.EqualValues(t, 2, *out.FailedRecordCount)
	require.Equal(t, "InternalFailure", *out.Records[0].ErrorCode)
	require.Nil(t, out.Records[2].ErrorCode)
	require.Equal(t, 3, b.stored())
	b.srv.ClearFaults()
	b.fault(local.Rule{Count: 1, Record: &local.Failure{Code: "KMSThrottlingException", Message: "kms"}})
	_, err = b.client.PutRecord(b.ctx, &kinesis.PutRecordInput{StreamName: aws.String("demo"), PartitionKey: aws.String("k"), Data: []byte{1}})
	requireError(t, err, "KMSThrottlingException", "kms")
}

func TestThrottleOfTheControlPlane(t *testing.T) {
	t.Parallel()
	b := newBench(t, demo(1))
	b.fault(local.Rule{Throttle: true})
	_, err := b.client.DescribeStream(b.ctx, &kinesis.DescribeStreamInput{StreamName: aws.String("demo")})
	requireError(t, err, "LimitExceededException", "Rate exceeded for stream demo under account 000000000000.")
	_, err = b.client.ListStreams(b.ctx, &kinesis.ListStreamsInput{})
	requireError(t, err, "LimitExceededException", "Rate exceeded for account 000000000000.")
	_, err = b.client.GetShardIterator(b.ctx, &kinesis.GetShardIteratorInput{StreamName: aws.String("demo"), ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeLatest})
	requireError(t, err, "ProvisionedThroughputExceededException", "Rate exceeded for shard shardId-000000000000")
}

func TestLatency(t *testing.T) {
	t.Parallel()
	b := newBench(t, demo(3))
	b.fault(local.Rule{Latency: fault.Span{Least: 60 * time.Millisecond, Most: 80 * time.Millisecond}, Count: 1})
	start := time.Now()
	_, err := b.put()
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(start), 60*time.Millisecond)
}

func TestHangEndsWithTheClient(t *testing.T) {
	t.Parallel()
	done := make(chan local.Request, 1)
	set := demo(3)
	set.Observe = func(r local.Request) { done <- r }
	b := newBench(t, set)
	b.fault(local.Rule{Hang: true})
	ctx, cancel := context.WithCancel(b.ctx)
	b.ctx = ctx
	answered := make(chan error, 1)
	go func() {
		_, err := b.put()
		answered <- err
	}()
	require.Eventually(t, func() bool { return b.srv.Stats().Faults == 1 }, 5*time.Second, time.Millisecond)
	cancel()
	require.Error(t, <-answered)
	require.Equal(t, "hung", (<-done).Code)
}

func TestHangEndsWithTheEndpoint(t *testing.T) {
	t.Parallel()
	b := newBench(t, demo(3))
	b.fault(local.Rule{Hang: true})
	answered := make(chan error, 1)
	go func() {
		_, err := b.put()
		answered <- err
	}()
	require.Eventually(t, func() bool { return b.srv.Stats().Faults == 1 }, 5*time.Second, time.Millisecond)
	require.NoError(t, b.srv.Close(b.ctx))
	require.Error(t, <-answered)
}

func TestScriptFromYAML(t *testing.T) {
	t.Parallel()
	script, err := local.ParseFaults([]byte("seed: 3\nrules:\n  - operation: PutRecords\n    count: 1\n    error: {code: InternalFailure}\n"))
	require.NoError(t, err)
	set := demo(3)
	set.Faults, set.Seed = script.Rules, script.Seed
	b := newBench(t, set)
	_, err = b.put()
	requireError(t, err, "InternalFailure", "")
	_, err = b.put()
	require.NoError(t, err)
	_, err = local.ParseFaults([]byte("rules:\n  - operation: PutFish\n    garble: true\n"))
	require.ErrorContains(t, err, "line 2: operation: there is no operation")
	_, err = b.srv.AddFault(local.Rule{Operations: []string{"PutFish"}, Garble: true})
	require.Error(t, err)
}

func TestFaultsKeepTheBooks(t *testing.T) {
	t.Parallel()
	b := newBench(t, demo(3))
	b.fault(local.Rule{Count: 1, Cut: fault.CutAfterProcessing})
	_, err := b.put()
	require.Error(t, err)
	_, err = b.put()
	require.NoError(t, err)
	st := b.srv.Stats()
	require.EqualValues(t, 1, st.Count("PutRecords", "cut"))
	require.EqualValues(t, 1, st.Count("PutRecords", ""))
	require.EqualValues(t, 6, st.Records)
	require.EqualValues(t, 6, b.stored())
	require.EqualValues(t, 6*1001, st.Bytes)
	require.EqualValues(t, 1, st.Requests[local.RequestKey{Operation: "PutRecords", Status: http.StatusOK}])
}
