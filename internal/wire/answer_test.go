package wire_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/local/codec"
	"gst-kinesis/internal/wire"
)

// answered performs a call that gets one answer.
func answered(t *testing.T, mode wire.Mode, status int, contentType, body string) (*kinesis.PutRecordsOutput, error) {
	t.Helper()
	client, _ := clientOf((&recorder{t: t}).then(status, contentType, body), wire.Settings{Mode: mode})
	return client.PutRecords(t.Context(), one())
}

// bySDK does the same with the SDK's own protocol, which speaks JSON.
func bySDK(t *testing.T, status int, contentType, body string) (*kinesis.PutRecordsOutput, error) {
	t.Helper()
	return benchClient((&recorder{t: t}).then(status, contentType, body)).PutRecords(t.Context(), one())
}

func TestAnswersInCBOR(t *testing.T) {
	t.Parallel()
	full := types.PutRecordsResultEntry{SequenceNumber: aws.String("1"), ShardId: aws.String("s"), ErrorCode: aws.String("c"), ErrorMessage: aws.String("m")}
	for name, body := range map[string]string{
		"definite":       "\xa3gRecords\x81\xa4nSequenceNumbera1gShardIdasiErrorCodeaclErrorMessageam\x71FailedRecordCount\x01nEncryptionTypecKMS",
		"indefinite":     "\xbfgRecords\x9f\xbfnSequenceNumber\x7fa1\xffgShardId\x7f`as`\xffiErrorCodeaclErrorMessageam\xff\xff\x71FailedRecordCount\x01nEncryptionTypecKMS\xff",
		"bytes for text": "\xbfGRecords\x9f\xbfNSequenceNumberA1GShardId\x5fAs\xffIErrorCodeAcLErrorMessageAm\xff\xff\x51FailedRecordCount\x01NEncryptionTypeCKMS\xff",
		"long heads": "\xba\x00\x00\x00\x03gRecords\x99\x00\x01\xb8\x04nSequenceNumber\x78\x01" +
			"1gShardId\x79\x00\x01siErrorCode\x7a\x00\x00\x00\x01clErrorMessage\x7b\x00\x00\x00\x00\x00\x00\x00\x01m\x71FailedRecordCount\x19\x00\x01nEncryptionTypecKMS",
		"unknown": "\xbfaa\x83\x01 \xfb\x00\x00\x00\x00\x00\x00\x00\x00ab\xbfac\xf6\xffac\xc1\x1a\x00\x00\x00\x00ad\xf5ae\x5f\x41\xff\xff" +
			"gRecords\x9f\xbfax\xf9\x00\x00nSequenceNumbera1gShardIdasiErrorCodeaclErrorMessageam\xff\xff" +
			"\x71FailedRecordCount\x01nEncryptionTypecKMS\xff",
		"tags": "\xd9\xd9\xf7\xbfgRecords\xc0\x9f\xbfnSequenceNumber\xc0a1gShardId\xc0asiErrorCode\xd8\x20aclErrorMessage\xc6am" +
			"\xff\xff\x71FailedRecordCount\xc0\x01nEncryptionType\xc0cKMS\xff",
		"what follows": "\xa3gRecords\x81\xa4nSequenceNumbera1gShardIdasiErrorCodeaclErrorMessageam\x71FailedRecordCount\x01nEncryptionTypecKMS\x00",
	} {
		out, err := answered(t, wire.PreferCBOR, 200, cborType, body)
		require.NoError(t, err, name)
		require.Equal(t, []types.PutRecordsResultEntry{full}, out.Records, name)
		require.EqualValues(t, 1, *out.FailedRecordCount, name)
		require.Equal(t, types.EncryptionTypeKms, out.EncryptionType, name)
	}
	out, err := answered(t, wire.PreferCBOR, 200, cborType, "\xbfgRecords\x9f\xf6\xbfgShardId\xf6\xff\xa0\xff\x71FailedRecordCount\xf7\xff")
	require.NoError(t, err)
	require.Equal(t, make([]types.PutRecordsResultEntry, 3), out.Records)
	require.Nil(t, out.FailedRecordCount)
}

// TestAnswersInJSON compares with what the SDK makes of the same.
func TestAnswersInJSON(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		okJSON, " \t\r\n" + okJSON + "\n", okJSON + "x", "", "{}", `{"Records":[]}`, `{"Records":null,"FailedRecordCount":null}`,
		`{"Records":[null,{},{"ShardId":null}]}`, `{"a":[1,-2.5e+3,{"b":[[]]},"\u00e4",true,false,null],"FailedRecordCount":-7}`,
		`{"Records":[{"SequenceNumber":"\"\\\/\b\f\n\r\t\u00e4\ud834\udd1e\ud834x\ud834\u0041","ShardId":"ä\u0041"}],"Rec\u006frds":[]}`,
		`{"EncryptionType":"KMS","records":[1]}`, `{"FailedRecordCount":2147483647}`,
	} {
		want, err := bySDK(t, 200, jsonType, body)
		require.NoError(t, err, body)
		for _, contentType := range []string{jsonType, jsonType + "; charset=utf-8", "application/json", ""} {
			got, err := answered(t, wire.OnlyJSON, 200, contentType, body)
			require.NoError(t, err, body)
			require.Equal(t, want.Records, got.Records, body)
			require.Equal(t, want.FailedRecordCount, got.FailedRecordCount)
			require.Equal(t, want.EncryptionType, got.EncryptionType)
		}
	}
}

// TestAnAnswerInTheOtherFormat is taken: the records are stored.
func TestAnAnswerInTheOtherFormat(t *testing.T) {
	t.Parallel()
	out, err := answered(t, wire.PreferCBOR, 200, jsonType, okJSON)
	require.NoError(t, err)
	require.Equal(t, "1", *out.Records[0].SequenceNumber)
	out, err = answered(t, wire.OnlyJSON, 200, cborType, okCBOR)
	require.NoError(t, err)
	require.Equal(t, "1", *out.Records[0].SequenceNumber)
	out, err = answered(t, wire.PreferCBOR, 200, "", okCBOR)
	require.NoError(t, err)
	require.Equal(t, "1", *out.Records[0].SequenceNumber)
}

// TestGarbledAnswers checks that what cannot be read is an error of the class that the
// SDK's own are of.
func TestGarbledAnswers(t *testing.T) {
	t.Parallel()
	subject := awserr.PutSubject("s", "eu-west-1", "")
	_, err := bySDK(t, 200, jsonType, "\xff\x01\x02")
	want := awserr.Classify(err, subject)
	require.Equal(t, awserr.CodeBadAnswer, want.Code)
	check := func(mode wire.Mode, contentType, body string) {
		t.Helper()
		_, err := answered(t, mode, 200, contentType, body)
		require.Error(t, err, "%q", body)
		got := awserr.Classify(err, subject)
		want.Message = got.Message
		require.Equal(t, want, got, "%q", body)
	}
	for n := 1; n < len(okCBOR); n++ {
		check(wire.PreferCBOR, cborType, okCBOR[:n])
	}
	for n := 1; n < len(okJSON); n++ {
		check(wire.OnlyJSON, jsonType, okJSON[:n])
	}
	for _, body := range []string{
		"\xff\x01", "\x80", "\xbfgRecords\xa0\xff", "\xbfgRecords\x9f\x01\xff\xff", "\xbf\x71FailedRecordCount\x1b\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"\xbf\x71FailedRecordCount\x1a\xff\xff\xff\xff\xff", "\xbf\x01\x01\xff", "\xbfaa\x1c\xff", "\xbfaa\xff", "\xbfgRecords\x9f\xbfgShardId\x7fA1\xff\xff\xff\xff",
		"\xbb\xff\xff\xff\xff\xff\xff\xff\xff", "\xbfgRecords\x9b\xff\xff\xff\xff\xff\xff\xff\xff", "\xbfaa" + strings.Repeat("\x81", 100) + "\x01\xff",
		"\xbfaa\x7f\x7f\xff\xff\xff", "\xbfaa\xdf\xff", "\xbfaa\x5fa1\xff\xff", "\xbfaa\x5b\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		check(wire.PreferCBOR, cborType, body)
	}
	for _, body := range []string{
		"\xff\x01", "[]", "null", "x", `{"Records":{}}`, `{"Records":[1]}`, `{"FailedRecordCount":1.5}`, `{"FailedRecordCount":"1"}`, `{"FailedRecordCount":4294967296}`,
		`{"a":01}`, `{"a":1.}`, `{"a":1e}`, `{"a":-}`, `{"a":tru}`, `{"a":"\x"}`, `{"a":"\u12g4"}`, "{\"a\":\"\n\"}", `{,}`, `{"a":1,}`, `{"a":[1,]}`, `{"a" 1}`, `{1:1}`,
		`{"Records":["a"]}`,
		`{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, `{"Records":[{"ShardId":1}]}`, "{\"a\":\"\\n\n\"}",
	} {
		check(wire.OnlyJSON, jsonType, body)
	}
}

// TestAnswersThatAreCut end with an error of the network, as with the SDK's protocol.
func TestAnswersThatAreCut(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 400} {
		cut := doer(func(r *http.Request) (*http.Response, error) {
			a := answer(r, status, r.Header.Get("Content-Type"), []byte(okJSON))
			a.Body = &cutBody{a.Body}
			return a, nil
		})
		_, want := benchClient(cut).PutRecords(t.Context(), one())
		for _, mode := range []wire.Mode{wire.OnlyJSON, wire.PreferCBOR} {
			client, p := clientOf(cut, wire.Settings{Mode: mode})
			_, err := client.PutRecords(t.Context(), one())
			require.Equal(t, awserr.Classify(want, awserr.Subject{}), awserr.Classify(err, awserr.Subject{}))
			require.Equal(t, mode == wire.PreferCBOR, p.Format() == wire.CBOR)
		}
	}
}

// TestErrors compares the errors of both formats with those of the SDK.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, e := range []*apierr.Error{
		{Code: "ProvisionedThroughputExceededException", Message: "Rate exceeded", Status: 400},
		{Code: "ResourceNotFoundException", Message: "Stream ä \"x\" not found.", Status: 400},
		{Code: "com.amazonaws.kinesis#KMSThrottlingException", Message: "m", Status: 400},
		{Code: "ValidationException", Message: "at 'records.3.member.partitionKey'", Status: 400},
		{Code: "InvalidSignatureException", Message: "Signature expired: a\nis now earlier than b", Status: 400},
		{Code: "ExpiredTokenException", Message: "m", Status: 400},
		{Code: "InternalFailure", Message: "m", Status: 500},
		{Code: "ServiceUnavailable", Status: 503},
		{Code: "DryRunOperationException", Message: "m", Status: 400},
		{Code: "Brand#New", Status: 429},
	} {
		_, want := bySDK(t, e.Status, jsonType, string(codec.JSON.EncodeError(e)))
		require.Error(t, want)
		for _, contentType := range []string{cborType, jsonType} {
			f := codec.JSON
			if contentType == cborType {
				f = codec.CBOR
			}
			_, got := answered(t, wire.PreferCBOR, e.Status, contentType, string(f.EncodeError(e)))
			require.Equal(t, want.Error(), got.Error())
			subject := awserr.PutSubject("s", "eu-west-1", "")
			require.Equal(t, awserr.Classify(want, subject), awserr.Classify(got, subject))
			var wantAnswer, gotAnswer *awshttp.ResponseError
			require.ErrorAs(t, want, &wantAnswer)
			require.ErrorAs(t, got, &gotAnswer)
			require.IsType(t, wantAnswer.Err, gotAnswer.Err)
			require.Equal(t, "request-id", gotAnswer.ServiceRequestID())
		}
	}
	var throttled *types.ProvisionedThroughputExceededException
	_, err := answered(t, wire.PreferCBOR, 400, cborType, "\xbff__typex&ProvisionedThroughputExceededExceptiongmessage\x7faaab\xffax\x80\xff")
	require.ErrorAs(t, err, &throttled)
	require.Equal(t, "ab", throttled.ErrorMessage())
}

// TestErrorsThatAreNotKinesiss are answers of whatever stands in between.
func TestErrorsThatAreNotKinesiss(t *testing.T) {
	t.Parallel()
	subject := awserr.Subject{}
	for _, c := range []struct {
		status            int
		contentType, body string
	}{
		{502, "text/html", "<html>"}, {503, "", ""}, {403, "text/plain", "no"}, {407, "", ""}, {413, "", ""}, {429, jsonType, "{}"}, {302, "", ""},
	} {
		_, want := bySDK(t, c.status, c.contentType, c.body)
		for _, mode := range []wire.Mode{wire.OnlyJSON, wire.PreferCBOR} {
			_, got := answered(t, mode, c.status, c.contentType, c.body)
			require.Equal(t, awserr.Classify(want, subject), awserr.Classify(got, subject), "%v", c)
		}
	}
	_, err := answered(t, wire.PreferCBOR, 500, cborType, "\xff")
	f := awserr.Classify(err, subject)
	require.Equal(t, awserr.CodeBadAnswer, f.Code)
	require.Equal(t, awserr.Transient, f.Class)
}
