package local_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
)

// cborProtocol makes AWS's Go SDK speak the CBOR that AWS's Java SDK speaks to Kinesis: the bodies of Smithy's RPC v2
// protocol with the headers of JSON 1.1.
type cborProtocol struct{ smithyhttp.ClientProtocol }

func (p cborProtocol) SerializeRequest(ctx context.Context, op *smithy.OperationSchema, in smithy.Serializable, r *smithyhttp.Request) error {
	if err := p.ClientProtocol.SerializeRequest(ctx, op, in, r); err != nil {
		return err
	}
	r.URL.Path = "/"
	r.Header.Del("Smithy-Protocol")
	r.Header.Del("Accept")
	r.Header.Set("Content-Type", cborType)
	r.Header.Set("X-Amz-Target", "Kinesis_20131202."+middleware.GetOperationName(ctx))
	return nil
}

func speakCBOR(o *kinesis.Options) {
	o.Protocol = cborProtocol{rpcv2.NewCBOR(schemas.Kinesis_20131202)}
}

func TestCBORThroughTheAPI(t *testing.T) {
	t.Parallel()
	creds := local.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}
	set := demo(1)
	set.Credentials = []local.Credentials{creds}
	srv := localtest.Start(t, set)
	c, ctx := localtest.Client(srv, creds, speakCBOR), t.Context()
	name := aws.String("demo")

	data := make([]byte, 70000)
	for i := range data {
		data[i] = byte(i)
	}
	put, err := c.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: name, Records: []types.PutRecordsRequestEntry{entry("a", data), entry("b", []byte{})}})
	require.NoError(t, err)
	require.Zero(t, *put.FailedRecordCount)
	one, err := c.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: name, PartitionKey: aws.String("c"), Data: []byte{0xff}})
	require.NoError(t, err)
	require.Equal(t, "shardId-000000000000", *one.ShardId)

	it, err := c.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{StreamName: name, ShardId: one.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
	require.NoError(t, err)
	out, err := c.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
	require.NoError(t, err)
	require.Len(t, out.Records, 3)
	require.Equal(t, data, out.Records[0].Data)
	require.Empty(t, out.Records[1].Data)
	require.Equal(t, *put.Records[0].SequenceNumber, *out.Records[0].SequenceNumber)

	_, err = c.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: aws.String("none"), PartitionKey: aws.String("c"), Data: []byte{1}})
	var missing *types.ResourceNotFoundException
	require.ErrorAs(t, err, &missing)
	require.Equal(t, "Stream none under account 000000000000 not found.", *missing.Message)
	_, err = c.DescribeStream(ctx, &kinesis.DescribeStreamInput{StreamName: aws.String("a b")})
	requireError(t, err, "ValidationException", "Member must satisfy regular expression pattern")

	// What was put as CBOR is read as JSON.
	it, err = localtest.Client(srv, creds).GetShardIterator(ctx, &kinesis.GetShardIteratorInput{StreamName: name, ShardId: one.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
	require.NoError(t, err)
	out, err = localtest.Client(srv, creds).GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
	require.NoError(t, err)
	require.Equal(t, data, out.Records[0].Data)
}

// TestTimestampsInCBOR looks at the wire: AWS puts milliseconds under tag 1 in both directions.
func TestTimestampsInCBOR(t *testing.T) {
	t.Parallel()
	c := newClock()
	set := demo(1)
	set.Now = c.now
	srv := localtest.Start(t, set)
	created := c.now().UnixMilli()
	_, body := post(t, srv, cborType, "Kinesis_20131202.DescribeStreamSummary", "\xa1jStreamNameddemo")
	v, err := cbor.Decode([]byte(body))
	require.NoError(t, err)
	sum := v.(cbor.Map)["StreamDescriptionSummary"].(cbor.Map)
	require.Equal(t, &cbor.Tag{ID: 1, Value: cbor.Uint(created)}, sum["StreamCreationTimestamp"])

	c.add(time.Minute)
	_, err = localtest.Client(srv, localtest.AnyCredentials()).PutRecord(t.Context(),
		&kinesis.PutRecordInput{StreamName: aws.String("demo"), PartitionKey: aws.String("k"), Data: []byte("late")})
	require.NoError(t, err)
	for at, want := range map[int64]string{c.now().UnixMilli(): "Dlate", c.now().UnixMilli() + 1: ""} {
		c.add(2 * time.Millisecond)
		in := cbor.Encode(cbor.Map{"StreamName": cbor.String("demo"), "ShardId": cbor.String("shardId-000000000000"),
			"ShardIteratorType": cbor.String("AT_TIMESTAMP"), "Timestamp": &cbor.Tag{ID: 1, Value: cbor.Uint(at)}})
		_, body = post(t, srv, cborType, "Kinesis_20131202.GetShardIterator", string(in))
		v, err = cbor.Decode([]byte(body))
		require.NoError(t, err)
		_, body = post(t, srv, cborType, "Kinesis_20131202.GetRecords", string(cbor.Encode(cbor.Map{"ShardIterator": v.(cbor.Map)["ShardIterator"]})))
		if want == "" {
			require.NotContains(t, body, "late")
		} else {
			require.Contains(t, body, want)
		}
	}
}
