package wire_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local/codec"
	"gst-kinesis/internal/wire"
)

// read lets a protocol read an answer to PutRecords.
func read(p smithyhttp.ClientProtocol, status int, contentType, body string) (*kinesis.PutRecordsOutput, error) {
	out := new(kinesis.PutRecordsOutput)
	schema := smithy.NewOperationSchema(schemas.PutRecords, schemas.PutRecordsInput, schemas.PutRecordsOutput)
	err := p.DeserializeResponse(context.Background(), schema, kinesis.TypeRegistry, &smithyhttp.Response{Response: &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}}, out)
	return out, err
}

// FuzzJSON checks that every answer means the same here and to the SDK's own protocol.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{okJSON, `{"Records":[null,{"ShardId":"\ud834\udd1e"}],"a":[1,{"b":-2.5e3}]}`, refusedJSON, `{"FailedRecordCount":2147483648}`} {
		f.Add(seed)
	}
	ours, sdks := wire.New(wire.Settings{Mode: wire.OnlyJSON}), awsjson.New11(schemas.Kinesis_20131202)
	f.Fuzz(func(t *testing.T, body string) {
		got, err := read(ours, 200, jsonType, body)
		if err != nil && strings.Contains(err.Error(), "nested too deeply") {
			return
		}
		want, wantErr := read(sdks, 200, jsonType, body)
		require.Equal(t, wantErr == nil, err == nil, "%v, but the SDK: %v", err, wantErr)
		if err == nil {
			require.Equal(t, want, got)
		}
	})
}

// FuzzCBOR checks that an answer that is taken can be written and is read to the same, and
// that an error is never taken for a success.
func FuzzCBOR(f *testing.F) {
	for _, seed := range []string{
		okCBOR, "\xa1gRecords\x81\xa1gShardId\x7fas\xff", "\xbff__typevSerializationException\xff",
		"\xbfaa\xd9\xd9\xf7\xfb\x00\x00\x00\x00\x00\x00\x00\x00\xff",
	} {
		f.Add(seed)
	}
	p := wire.New(wire.Settings{Mode: wire.PreferCBOR})
	f.Fuzz(func(t *testing.T, body string) {
		_, err := read(p, 400, cborType, body)
		require.Error(t, err)
		got, err := read(p, 200, cborType, body)
		if err != nil || body == "" {
			return
		}
		again, err := read(p, 200, cborType, written(got))
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}

// written is an answer in CBOR.
func written(out *kinesis.PutRecordsOutput) string {
	w := codec.CBOR.NewWriter(nil)
	w.MapStart()
	if out.FailedRecordCount != nil {
		w.Key("FailedRecordCount")
		w.Int(int64(*out.FailedRecordCount))
	}
	if out.EncryptionType != "" {
		w.Key("EncryptionType")
		w.String(string(out.EncryptionType))
	}
	if out.Records != nil {
		w.Key("Records")
		w.ListStart()
		for _, r := range out.Records {
			w.MapStart()
			for name, value := range map[string]*string{
				"SequenceNumber": r.SequenceNumber, "ShardId": r.ShardId, "ErrorCode": r.ErrorCode, "ErrorMessage": r.ErrorMessage,
			} {
				if value != nil {
					w.Key(name)
					w.String(*value)
				}
			}
			w.MapEnd()
		}
		w.ListEnd()
	}
	w.MapEnd()
	return string(w.Bytes())
}
