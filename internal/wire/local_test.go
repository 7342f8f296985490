package wire_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httputil"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/wire"
)

// endpoint starts the embedded endpoint, which checks signatures, and returns clients of it.
func endpoint(t *testing.T) (*local.Server, func(options ...func(*kinesis.Options)) *kinesis.Client) {
	t.Helper()
	creds := local.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}
	srv := localtest.Start(t, local.Settings{
		Credentials: []local.Credentials{creds}, Limits: local.LimitsNone, Create: []local.StreamSpec{{Name: "demo", Shards: 4}},
	})
	return srv, func(options ...func(*kinesis.Options)) *kinesis.Client {
		return localtest.Client(srv, creds, options...)
	}
}

// records are some of each size, and each differs.
func records(n int) []types.PutRecordsRequestEntry {
	var all []types.PutRecordsRequestEntry
	for i := range n {
		size := []int{0, 1, 1000, 4095, 4096, 50 << 10, 300 << 10}[i%7]
		all = append(all, entry(fmt.Sprintf("key-ä-%d", i), bytes.Repeat([]byte{byte(i), byte(i >> 8), 0xff}, size/3+1)[:size]))
	}
	return all
}

func bothFormats(t *testing.T, do func(t *testing.T, install func(*kinesis.Options))) {
	t.Helper()
	for _, mode := range []wire.Mode{wire.OnlyJSON, wire.PreferCBOR} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			do(t, wire.New(wire.Settings{Mode: mode}).Install)
		})
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	bothFormats(t, func(t *testing.T, install func(*kinesis.Options)) {
		srv, clientOf := endpoint(t)
		client := clientOf(install)
		in := &kinesis.PutRecordsInput{StreamName: aws.String("demo"), Records: records(50)}
		in.Records[7].ExplicitHashKey = aws.String("340282366920938463463374607431768211455")
		out, err := client.PutRecords(t.Context(), in)
		require.NoError(t, err)
		require.Zero(t, *out.FailedRecordCount)
		require.Len(t, out.Records, 50)
		id, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
		require.Len(t, id, 36)
		stored, err := srv.Records("demo")
		require.NoError(t, err)
		bySequence := map[string]local.Record{}
		for _, r := range stored {
			bySequence[r.SequenceNumber] = r
		}
		for i, r := range out.Records {
			got := bySequence[*r.SequenceNumber]
			require.True(t, bytes.Equal(in.Records[i].Data, got.Data))
			require.Equal(t, *in.Records[i].PartitionKey, got.PartitionKey)
			require.Nil(t, r.ErrorCode)
		}
		require.Equal(t, "shardId-000000000003", *out.Records[7].ShardId)

		single, err := client.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: aws.String("demo"), PartitionKey: aws.String("k"), Data: []byte{0xff}})
		require.NoError(t, err)
		require.Contains(t, *single.ShardId, "shardId-")
		require.NotEmpty(t, *single.SequenceNumber)
		summary, err := client.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: aws.String("demo")})
		require.NoError(t, err)
		require.EqualValues(t, 4, *summary.StreamDescriptionSummary.OpenShardCount)
	})
}

func TestErrorsOfRecords(t *testing.T) {
	t.Parallel()
	bothFormats(t, func(t *testing.T, install func(*kinesis.Options)) {
		srv, clientOf := endpoint(t)
		_, err := srv.AddFault(local.Rule{
			Operations: []string{"PutRecords"}, Shard: "shardId-000000000001",
			Record: &local.Failure{Code: "InternalFailure", Message: "Internal \"Service\"\tFailure."},
		})
		require.NoError(t, err)
		out, err := clientOf(install).PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: aws.String("demo"), Records: records(50)})
		require.NoError(t, err)
		failed := 0
		for _, r := range out.Records {
			if r.ErrorCode == nil {
				require.NotEmpty(t, *r.SequenceNumber)
				continue
			}
			failed++
			require.Equal(t, "InternalFailure", *r.ErrorCode)
			require.Equal(t, "Internal \"Service\"\tFailure.", *r.ErrorMessage)
			require.Nil(t, r.SequenceNumber)
		}
		require.Positive(t, failed)
		require.EqualValues(t, failed, *out.FailedRecordCount)
	})
}

// TestErrorsOfRequests compares the errors of each class with those of the SDK's own client.
func TestErrorsOfRequests(t *testing.T) {
	t.Parallel()
	rules := map[string]local.Rule{
		"throttled": {Error: &local.Failure{Code: "ProvisionedThroughputExceededException", Message: "m"}},
		"500":       {Error: &local.Failure{Code: "InternalFailure", Message: "m"}},
		"expired":   {Error: &local.Failure{Code: "ExpiredTokenException", Message: "The security token included in the request is expired"}},
		"kms":       {Error: &local.Failure{Code: "KMSAccessDeniedException", Message: "m"}},
		"cut":       {Cut: fault.CutAfterProcessing},
		"cut short": {Cut: fault.CutMidAnswer},
		"garbled":   {Garble: true},
		"hung":      {Hang: true, HangFor: time.Millisecond},
	}
	inputs := map[string]*kinesis.PutRecordsInput{
		"missing": {StreamName: aws.String("none"), Records: records(1)},
		"invalid": {StreamName: aws.String("a b"), Records: records(1)},
		"dry run": {StreamName: aws.String("demo"), Records: records(1), DryRun: aws.Bool(true)},
		"empty":   {StreamName: aws.String("demo"), Records: []types.PutRecordsRequestEntry{}},
		"record":  {StreamName: aws.String("demo"), Records: []types.PutRecordsRequestEntry{entry("", nil)}},
	}
	inputs["record"].Records[0].Data = []byte("x")
	bothFormats(t, func(t *testing.T, install func(*kinesis.Options)) {
		srv, clientOf := endpoint(t)
		check := func(name string, in *kinesis.PutRecordsInput) {
			t.Helper()
			var faults [2]awserr.Fault
			for i, client := range []*kinesis.Client{clientOf(), clientOf(install)} {
				_, err := client.PutRecords(t.Context(), in)
				require.Error(t, err, name)
				faults[i] = awserr.Classify(err, awserr.Subject{})
				if faults[i].Code == awserr.CodeBadAnswer {
					faults[i].Message = "" // it tells what is wrong in its own words
				}
				require.Equal(t, faults[i].HTTPStatus != 0, faults[i].RequestID != "", name)
				faults[i].RequestID = ""
				if faults[i].Party == awserr.Network { // ports differ, and whether a cut is seen as a reset
					faults[i] = awserr.Fault{Class: faults[i].Class, Party: faults[i].Party, HTTPStatus: faults[i].HTTPStatus}
				}
			}
			require.Equal(t, faults[0], faults[1], name)
		}
		for name, in := range inputs {
			check(name, in)
		}
		for name, rule := range rules {
			rule.Operations = []string{"PutRecords"}
			_, err := srv.AddFault(rule)
			require.NoError(t, err)
			check(name, &kinesis.PutRecordsInput{StreamName: aws.String("demo"), Records: records(3)})
			srv.ClearFaults()
		}
	})
}

func TestABadSignatureIsSeen(t *testing.T) {
	t.Parallel()
	bothFormats(t, func(t *testing.T, install func(*kinesis.Options)) {
		srv, _ := endpoint(t)
		client := localtest.Client(srv, local.Credentials{AccessKeyID: "AKID", SecretAccessKey: "wrong"}, install)
		_, err := client.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: aws.String("demo"), Records: records(1)})
		require.Equal(t, "InvalidSignatureException", awserr.Classify(err, awserr.Subject{}).Code)
	})
}

// TestAutoAgainstOurEndpoint puts the header on what the endpoint answers.
func TestAutoAgainstOurEndpoint(t *testing.T) {
	t.Parallel()
	srv, clientOf := endpoint(t)
	p := wire.New(wire.Settings{Endpoint: srv.URL()})
	client := clientOf(p.Install, func(o *kinesis.Options) {
		below := o.HTTPClient
		o.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
			a, err := below.Do(r)
			if err == nil {
				a.Header.Set(wire.Header, "json, cbor")
			}
			return a, err
		})
	})
	for range 2 {
		_, err := client.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: aws.String("demo"), Records: records(10)})
		require.NoError(t, err)
	}
	s := p.Stats()
	require.Equal(t, [2]uint64{1, 1}, [2]uint64{s.JSON, s.CBOR})
}

// TestStandInsOfOtherKinds has an endpoint that knows JSON only, as its front says.
func TestStandInsOfOtherKinds(t *testing.T) {
	t.Parallel()
	srv, clientOf := endpoint(t)
	for _, status := range []int{http.StatusNotFound, http.StatusUnsupportedMediaType} {
		p := wire.New(wire.Settings{Mode: wire.PreferCBOR})
		client := clientOf(p.Install, func(o *kinesis.Options) {
			below := o.HTTPClient
			o.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
				if r.Header.Get("Content-Type") == cborType {
					_, _ = httputil.DumpRequest(r, true) // the body is read and thrown away
					return answer(r, status, "", []byte("<UnknownOperationException/>\n")), nil
				}
				return below.Do(r)
			})
		})
		in := &kinesis.PutRecordsInput{StreamName: aws.String("demo"), Records: records(3)}
		_, err := client.PutRecords(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, wire.JSON, p.Format())
	}
	stored, err := srv.Records("demo")
	require.NoError(t, err)
	require.Len(t, stored, 6, "each record once")
}
