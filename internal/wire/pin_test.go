package wire_test

import (
	"context"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/wire"
)

// TestTheSDKsHook pins what this package stands on and no documentation promises: that
// Options.Protocol is set to JSON 1.1 before options run, and is what a client uses.
func TestTheSDKsHook(t *testing.T) {
	t.Parallel()
	var before smithyhttp.ClientProtocol
	p := wire.New(wire.Settings{Mode: wire.PreferCBOR})
	c := (&recorder{t: t}).then(200, cborType, okCBOR)
	client := benchClient(c, func(o *kinesis.Options) { before = o.Protocol }, p.Install)
	require.Equal(t, "aws.protocols#awsJson1_1", before.ID().String())
	require.Same(t, p, client.Options().Protocol)
	_, err := client.PutRecords(t.Context(), one())
	require.NoError(t, err)
	_, err = client.PutRecords(t.Context(), one(), func(o *kinesis.Options) { o.Protocol = before })
	require.Error(t, err, "the SDK's own protocol reads no CBOR")
	require.Equal(t, "cbor json", c.formats())
}

// TestTheSDKsMembers fails when an SDK has members that this package does not know. Until
// it does, the SDK's own protocol is used.
func TestTheSDKsMembers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of    reflect.Type
		names string
	}{
		{reflect.TypeFor[kinesis.PutRecordsInput](), "Records DryRun StreamARN StreamId StreamName"},
		{reflect.TypeFor[types.PutRecordsRequestEntry](), "Data ExplicitHashKey PartitionKey"},
		{reflect.TypeFor[kinesis.PutRecordInput](), "Data DryRun ExplicitHashKey PartitionKey SequenceNumberForOrdering StreamARN StreamId StreamName"},
		{reflect.TypeFor[kinesis.PutRecordsOutput](), "Records EncryptionType FailedRecordCount ResultMetadata"},
		{reflect.TypeFor[types.PutRecordsResultEntry](), "ErrorCode ErrorMessage SequenceNumber ShardId"},
		{reflect.TypeFor[kinesis.PutRecordOutput](), "SequenceNumber ShardId EncryptionType ResultMetadata"},
	} {
		var names []string
		for i := range c.of.NumField() {
			if f := c.of.Field(i); f.IsExported() {
				names = append(names, f.Name)
			}
		}
		require.Equal(t, c.names, strings.Join(names, " "), c.of)
	}
}

// TestTheSDKsErrors pins that errors have nothing but a message, which is all that is
// carried over from CBOR.
func TestTheSDKsErrors(t *testing.T) {
	t.Parallel()
	require.NotEmpty(t, kinesis.TypeRegistry.Entries)
	for id, e := range kinesis.TypeRegistry.Entries {
		if _, isError := e.New().(smithy.APIError); !isError {
			continue
		}
		for name := range e.Schema.Members() {
			require.Equal(t, "message", name, id)
		}
	}
}

// TestOtherOperationsAreTheSDKs compares all other operations of one client.
func TestOtherOperationsAreTheSDKs(t *testing.T) {
	t.Parallel()
	describe := func(options ...func(*kinesis.Options)) sent {
		c := (&recorder{t: t}).then(200, jsonType, `{"StreamDescriptionSummary":{"StreamName":"s","OpenShardCount":3}}`)
		out, err := benchClient(c, options...).DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: aws.String("s")})
		require.NoError(t, err)
		require.EqualValues(t, 3, *out.StreamDescriptionSummary.OpenShardCount)
		return c.seen[0]
	}
	want, got := describe(), describe(wire.New(wire.Settings{Mode: wire.PreferCBOR}).Install)
	require.Equal(t, want.body, got.body)
	requireSameHeaders(t, want, got)
}

// TestWithoutInstall uses a protocol whose middleware is missing: it works, and no memory
// is used again.
func TestWithoutInstall(t *testing.T) {
	t.Parallel()
	p := wire.New(wire.Settings{Mode: wire.PreferCBOR})
	c := (&recorder{t: t}).then(200, cborType, okCBOR)
	client := benchClient(c, func(o *kinesis.Options) { o.Protocol = p })
	for range 3 {
		out, err := client.PutRecords(t.Context(), one())
		require.NoError(t, err)
		require.Equal(t, "1", *out.Records[0].SequenceNumber)
	}
}

// TestTheHashIsComputedOnce counts how often a body is read: by the transport alone, once
// a try, because the hash does not go through it.
func TestTheHashIsComputedOnce(t *testing.T) {
	t.Parallel()
	c := (&recorder{t: t}).then(500, jsonType, `{"__type":"InternalFailure"}`).then(500, jsonType, `{"__type":"InternalFailure"}`).then(200, cborType, okCBOR)
	reads := 0
	counting := func(stack *middleware.Stack) error {
		return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("count", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (
			middleware.SerializeOutput, middleware.Metadata, error,
		) {
			req := in.Request.(*smithyhttp.Request)
			counted, err := req.SetStream(&countingReader{req.GetStream().(io.ReadSeeker), &reads})
			require.NoError(t, err)
			in.Request = counted
			return next.HandleSerialize(ctx, in)
		}), middleware.After)
	}
	client, _ := clientOf(c, wire.Settings{Mode: wire.PreferCBOR}, func(o *kinesis.Options) {
		o.APIOptions = append(o.APIOptions, counting)
		o.Retryer = impatient{aws.NopRetryer{}}
	})
	out, err := client.PutRecords(t.Context(), one())
	require.NoError(t, err)
	id, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
	require.Equal(t, "request-id", id)
	require.Equal(t, 3, reads)
	require.Equal(t, "cbor cbor cbor", c.formats())
	require.Equal(t, string(c.seen[0].body), string(c.seen[2].body))
}

type countingReader struct {
	io.ReadSeeker
	ends *int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.ReadSeeker.Read(p)
	if err == io.EOF {
		*c.ends++
	}
	return n, err
}

// impatient retries whatever fails, five times, at once.
type impatient struct{ aws.NopRetryer }

func (impatient) IsErrorRetryable(error) bool { return true }
func (impatient) MaxAttempts() int            { return 5 }
func (impatient) GetRetryToken(context.Context, error) (func(error) error, error) {
	return func(error) error { return nil }, nil
}
func (impatient) RetryDelay(int, error) (time.Duration, error) { return 0, nil }
