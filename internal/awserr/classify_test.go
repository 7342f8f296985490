package awserr

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"
)

func subject() Subject { return PutSubject("frames", "eu-west-1", "") }

// answered wraps an error as the SDK does for an answer of the service.
func answered(err error, status int) error {
	return in("Kinesis", "PutRecords", answer(err, status))
}

func answer(err error, status int) error {
	return &awshttp.ResponseError{
		RequestID:     "shardful-request",
		ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err},
	}
}

func in(service, operation string, err error) error {
	return fmt.Errorf("above: %w", &smithy.OperationError{ServiceID: service, OperationName: operation, Err: err})
}

func api(code, message string, status int) error {
	return answered(&smithy.GenericAPIError{Code: code, Message: message}, status)
}

// sent wraps an error as net/http and the SDK do for a request without an answer.
func sent(err error) error {
	return in("Kinesis", "PutRecords", &smithyhttp.RequestSendError{Err: &url.Error{Op: "Post", URL: "https://kinesis.eu-west-1.amazonaws.com/", Err: err}})
}

func dialed(err error) error { return sent(dial(err)) }

func dial(err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4567}, Err: err}
}

type timeout struct{}

func (timeout) Error() string   { return "i/o timeout" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// answerCase is an answer of the service and what it means.
type answerCase struct {
	code, message string
	status        int
	class         Class
	party         Party
	remedy        string // a part of it
}

func (c answerCase) run(t *testing.T) {
	t.Run(fmt.Sprint(c.code, c.status, c.message), func(t *testing.T) {
		t.Parallel()
		f := Classify(api(c.code, c.message, c.status), subject())
		require.Equal(t, c.class, f.Class, "%v", f)
		require.Equal(t, c.party, f.Party, "%v", f)
		require.Equal(t, c.code, f.Code)
		require.Equal(t, c.message, f.Message)
		require.Equal(t, c.status, f.HTTPStatus)
		require.Equal(t, "shardful-request", f.RequestID)
		require.Contains(t, f.Remedy, c.remedy)
		require.NotEmpty(t, f.Remedy)
	})
}

func TestAnswersThatPass(t *testing.T) {
	t.Parallel()
	for _, c := range []answerCase{
		{"ProvisionedThroughputExceededException", "Rate exceeded", 400, Throttled, Caller, "add shards"},
		{"LimitExceededException", "", 400, Throttled, Caller, "fewer requests"},
		{"ThrottlingException", "", 400, Throttled, Caller, "fewer requests"},
		{"RequestLimitExceeded", "", 503, Throttled, Caller, "fewer requests"},
		{"KMSThrottlingException", "", 400, Throttled, Service, "KMS"},
		{"InternalFailure", "", 500, Transient, Service, "tried again"},
		{"InternalFailureException", "", 500, Transient, Service, "tried again"},
		{"ServiceUnavailable", "", 503, Transient, Service, "tried again"},
		{"ResourceInUseException", "", 400, Transient, Service, "ACTIVE"},
		{"SomethingNew", "", 500, Transient, Service, "tried again"},
		{"SomethingNew", "", 429, Throttled, Caller, "fewer requests"},
		{"SomethingNew", "", 408, Transient, Network, ""},
		{"SomethingNew", "", 400, Permanent, Caller, "endpoint-uri"},
		{"SomethingNew", "", 403, Permanent, Caller, "kinesis:PutRecords"},
		{"SomethingNew", "", 407, Permanent, Network, "proxy"},
		{"SomethingNew", "", 413, RecordFault, Record, "smaller"},
		{"SomethingNew", "", 301, Permanent, Caller, "endpoint-uri"},
	} {
		c.run(t)
	}
}

func TestAnswersAboutOurRights(t *testing.T) {
	t.Parallel()
	for _, c := range []answerCase{
		{"UnrecognizedClientException", "The security token included in the request is invalid.", 400, Permanent, Caller, "access-key"},
		{"InvalidClientTokenId", "", 403, Permanent, Caller, "access-key"},
		{"InvalidSignatureException", "The request signature we calculated does not match", 400, Permanent, Caller, "secret-access-key"},
		{"SignatureDoesNotMatch", "", 403, Permanent, Caller, "secret-access-key"},
		{"IncompleteSignatureException", "", 400, Permanent, Caller, "secret-access-key"},
		{"MissingAuthenticationTokenException", "", 400, Permanent, Caller, "give credentials"},
		{"AccessDeniedException", "User: arn:aws:iam::1:user/x is not authorized", 400, Permanent, Caller, "allow kinesis:PutRecord and kinesis:PutRecords on the stream's ARN"},
		{"OptInRequired", "", 403, Permanent, Caller, "enable the region"},
		{"ResourceNotFoundException", "Stream frames under account 1 not found.", 400, Permanent, Caller, "gst-kinesis stream create frames --shards 1"},
		{"ValidationException", "1 validation error detected: Value 'a b' at 'streamName' failed to satisfy constraint", 400, Permanent, Caller, "stream-name"},
		{"InvalidArgumentException", "", 400, Permanent, Caller, "stream-name"},
		{"SerializationException", "", 400, Permanent, Caller, ""},
		{"UnknownOperationException", "", 404, Permanent, Caller, "endpoint-uri"},
	} {
		c.run(t)
	}
}

func TestAnswersAboutKeysClockAndRecords(t *testing.T) {
	t.Parallel()
	for _, c := range []answerCase{
		{"KMSAccessDeniedException", "", 400, Permanent, Caller, "KMS key"},
		{"KMSDisabledException", "", 400, Permanent, Caller, "KMS key"},
		{"KMSInvalidStateException", "", 400, Permanent, Caller, "KMS key"},
		{"KMSNotFoundException", "", 400, Permanent, Caller, "KMS key"},
		{"KMSOptInRequired", "", 400, Permanent, Caller, "KMS key"},
		{"ExpiredTokenException", "The security token included in the request is expired", 400, Expired, Caller, "renew"},
		{"ExpiredToken", "", 403, Expired, Caller, "renew"},
		{"RequestTimeTooSkewed", "", 403, ClockSkew, Caller, "clock"},
		{"RequestExpired", "", 400, ClockSkew, Caller, "clock"},
		{"InvalidSignatureException", "Signature expired: 20261101T000000Z is now earlier than 20261101T000500Z", 400, ClockSkew, Caller, "clock"},
		{"InvalidSignatureException", "Signature not yet current: 20261101T001000Z is still later than 20261101T000500Z", 400, ClockSkew, Caller, "clock"},
		{"SignatureDoesNotMatch", "Signature expired: 1 is now earlier than 2", 403, ClockSkew, Caller, "clock"},
		{"ValidationException", "1 validation error detected: Value '' at 'records.3.member.partitionKey' failed to satisfy constraint: Member must have length greater than or equal to 1", 400, RecordFault, Record, "partition key"},
		{"ValidationException", "Value 'java.nio.HeapByteBuffer[pos=0 lim=2000000 cap=2000000]' at 'data' failed to satisfy constraint", 400, RecordFault, Record, "size"},
		{"InvalidArgumentException", "Invalid ExplicitHashKey.  ExplicitHashKey must be in the range: [0, 2^128-1].  Specified value was 9", 400, RecordFault, Record, "explicit hash key"},
		{"RequestEntityTooLargeException", "", 413, RecordFault, Record, "max-record-size"},
	} {
		c.run(t)
	}
}

func TestTypedErrorsOfTheSDK(t *testing.T) {
	t.Parallel()
	f := Classify(answered(&types.ResourceNotFoundException{Message: aws.String("no such stream")}, 400), subject())
	require.Equal(t, Permanent, f.Class)
	require.Equal(t, "ResourceNotFoundException", f.Code)
	require.Equal(t, "no such stream", f.Message)
	require.Contains(t, f.Remedy, "(now frames in eu-west-1)")
}

// wayCase is a failure without a proper answer and what it means.
type wayCase struct {
	name   string
	err    error
	class  Class
	code   string
	remedy string
}

func (c wayCase) run(t *testing.T) {
	t.Run(c.name, func(t *testing.T) {
		t.Parallel()
		f := Classify(c.err, subject())
		require.Equal(t, c.class, f.Class, "%+v", f)
		require.Equal(t, c.code, f.Code, "%+v", f)
		require.Contains(t, f.Remedy, c.remedy)
		require.NotEmpty(t, f.Message)
		require.NotContains(t, f.Message, "Post ", "the URL is not repeated")
	})
}

func TestTheNetwork(t *testing.T) {
	t.Parallel()
	for _, c := range []wayCase{
		{"refused", dialed(&osError{syscall.ECONNREFUSED}), Transient, CodeRefused, "endpoint-uri"},
		{"refused on another system", dialed(errors.New("No connection could be made because the target machine actively refused it.")), Transient, CodeRefused, "endpoint-uri"},
		{"dns", dialed(&net.DNSError{Err: "no such host", Name: "kinesis.eu-wset-1.amazonaws.com", IsNotFound: true}), Transient, CodeDNS, "region"},
		{"dns timeout", dialed(&net.DNSError{Err: "i/o timeout", IsTimeout: true}), Transient, CodeDNS, "DNS"},
		{"unreachable", dialed(&osError{syscall.ENETUNREACH}), Transient, CodeUnreachable, "network"},
		{"no route", dialed(&osError{syscall.EHOSTUNREACH}), Transient, CodeUnreachable, "network"},
		{"connect timeout", dialed(timeout{}), Transient, CodeTimeout, "request-timeout"},
		{"deadline", in("Kinesis", "PutRecords", &aws.RequestCanceledError{Err: context.DeadlineExceeded}), Transient, CodeTimeout, "uplink"},
		{"reset", sent(&net.OpError{Op: "read", Net: "tcp", Err: &osError{syscall.ECONNRESET}}), Transient, CodeReset, "network"},
		{"broken pipe", sent(&net.OpError{Op: "write", Net: "tcp", Err: &osError{syscall.EPIPE}}), Transient, CodeReset, "network"},
		{"eof", sent(io.EOF), Transient, CodeCut, "network"},
		{"unexpected eof", sent(io.ErrUnexpectedEOF), Transient, CodeCut, "network"},
		{"idle connection", sent(errors.New("http: server closed idle connection")), Transient, CodeCut, "network"},
		{"closed", sent(net.ErrClosed), Transient, CodeCut, "network"},
		{"other", sent(&net.OpError{Op: "read", Net: "tcp", Err: errors.New("odd")}), Transient, CodeNetwork, "network"},
	} {
		c.run(t)
	}
}

func TestTrustAndProxies(t *testing.T) {
	t.Parallel()
	certificate := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	for _, c := range []wayCase{
		{"proxy", sent(errors.New("Proxy Authentication Required")), Permanent, CodeProxy, "HTTPS_PROXY"},
		{"authority", sent(certificate), Permanent, CodeUntrusted, "ca-file"},
		{"other verification", sent(&tls.CertificateVerificationError{Err: errors.New("x509: odd")}), Permanent, CodeUntrusted, "ca-file"},
		{"host", sent(&tls.CertificateVerificationError{Err: x509.HostnameError{Host: "localhost", Certificate: &x509.Certificate{}}}), Permanent, CodeWrongHost, "host name"},
		{"expired certificate", sent(&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired, Cert: &x509.Certificate{}}}), Permanent, CodeBadCert, "clock"},
		{"alert", sent(&net.OpError{Op: "remote error", Err: tls.AlertError(42)}), Permanent, CodeTLS, "client certificates"},
		{"http at https", sent(http.ErrSchemeMismatch), Permanent, CodeNotTLS, "http://"},
		{"not tls", sent(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}), Permanent, CodeNotTLS, "http://"},
	} {
		c.run(t)
	}
}

func TestAnswersAndRequestsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for _, c := range []wayCase{
		{"canceled", in("Kinesis", "PutRecords", &aws.RequestCanceledError{Err: context.Canceled}), Canceled, CodeCanceled, ""},
		{"garbled", answered(&smithy.DeserializationError{Err: errors.New("invalid character '<'")}, 200), Transient, CodeBadAnswer, "proxy"},
		{"page of a proxy", answered(&smithy.DeserializationError{Err: errors.New("invalid character '<'")}, 502), Transient, CodeBadAnswer, "tried again"},
		{"no code", api("UnknownError", "UnknownError", 307), Permanent, CodeBadAnswer, "endpoint-uri"},
		{"misfit", &AnswerError{Got: 1, Want: 2}, Transient, CodeBadAnswer, "endpoint"},
		{"no region", in("Kinesis", "PutRecords", &aws.MissingRegionError{}), Permanent, CodeNoRegion, "AWS_REGION"},
		{"missing region", in("Kinesis", "PutRecords", errors.New("endpoint rule error, Invalid Configuration: Missing Region")), Permanent, CodeNoRegion, "AWS_REGION"},
		{"bad endpoint", in("Kinesis", "PutRecords", errors.New("failed to resolve service endpoint, no")), Permanent, CodeEndpoint, "endpoint-uri"},
		{"bad input", in("Kinesis", "PutRecords", smithy.InvalidParamsError{Context: "PutRecordsInput"}), Permanent, CodeBadRequest, ""},
		{"serialization", in("Kinesis", "PutRecords", &smithy.SerializationError{Err: errors.New("no")}), Permanent, CodeBadRequest, ""},
		{"what is this", errors.New("what is this"), Transient, CodeUnknown, ""},
	} {
		c.run(t)
	}
}

// osError stands for os.SyscallError without its platform's text.
type osError struct{ syscall.Errno }

func (e *osError) Error() string { return "connect: error" }
func (e *osError) Unwrap() error { return e.Errno }

func TestCredentials(t *testing.T) {
	t.Parallel()
	identity := func(err error) error {
		return in("Kinesis", "PutRecords", fmt.Errorf("get identity: %w", fmt.Errorf("get credentials: %w", err)))
	}
	for _, c := range []struct {
		name   string
		err    error
		class  Class
		code   string
		remedy string
	}{
		{"no metadata service", identity(fmt.Errorf("failed to refresh cached credentials, no EC2 IMDS role found, %w",
			in("ec2imds", "GetMetadata", &smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Err: timeout{}}}))), Permanent, CodeNoCredentials, "AWS_ACCESS_KEY_ID"},
		{"metadata refused", in("ec2imds", "GetMetadata", dial(&osError{syscall.ECONNREFUSED})), Permanent, CodeNoCredentials, "AWS_ACCESS_KEY_ID"},
		{"metadata refuses", in("ec2imds", "GetMetadata", answer(errors.New("request to EC2 IMDS failed"), 404)), Permanent, CodeNoCredentials, "role of the machine"},
		{"metadata is not ready", in("ec2imds", "GetMetadata", answer(errors.New("request to EC2 IMDS failed"), 503)), Transient, CodeBadAnswer, ""},
		{"empty", identity(&credentials.StaticCredentialsEmptyError{}), Permanent, CodeNoCredentials, "secret-access-key"},
		{"metadata disabled", identity(errors.New("failed to refresh cached credentials, no EC2 IMDS role found, access disabled to EC2 IMDS via client option")), Permanent, CodeNoCredentials, "AWS_ACCESS_KEY_ID"},
		{"sso", identity(errors.New("failed to refresh cached SSO token")), Permanent, CodeNoCredentials, "profile"},
		{"signing", &v4.SigningError{Err: errors.New("no")}, Permanent, CodeNoCredentials, "give credentials"},
		{"role denied", identity(in("STS", "AssumeRole", answer(&smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform sts:AssumeRole"}, 403))), Permanent, "AccessDenied", "sts:AssumeRole"},
		{"sts refused", identity(in("STS", "AssumeRole", dial(&osError{syscall.ECONNREFUSED}))), Transient, CodeRefused, "listens"},
		{"sts throttles", identity(in("STS", "AssumeRole", answer(&smithy.GenericAPIError{Code: "Throttling", Message: ""}, 400))), Throttled, "Throttling", "fewer"},
		{"sts is down", identity(in("STS", "AssumeRole", answer(&smithy.GenericAPIError{Code: "ServiceUnavailable", Message: ""}, 503))), Transient, "ServiceUnavailable", ""},
		{"own keys expired", identity(in("STS", "AssumeRole", answer(&smithy.GenericAPIError{Code: "ExpiredToken", Message: ""}, 403))), Expired, "ExpiredToken", "renew"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := Classify(c.err, subject())
			require.Equal(t, c.class, f.Class, "%+v", f)
			require.Equal(t, c.code, f.Code, "%+v", f)
			require.Contains(t, f.Remedy, c.remedy)
		})
	}
}

func TestRecordCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code  string
		class Class
	}{
		{"ProvisionedThroughputExceededException", Throttled}, {"InternalFailure", Transient}, {"KMSThrottlingException", Throttled},
		{"ServiceUnavailable", Transient}, {"NeverHeardOf", Transient}, {"ValidationException", RecordFault},
		{"InvalidArgumentException", RecordFault}, {"KMSDisabledException", Permanent}, {"AccessDeniedException", Permanent},
	} {
		f := ClassifyRecord(c.code, "first\nsecond", subject())
		require.Equal(t, c.class, f.Class, c.code)
		require.Equal(t, c.code, f.Code)
		require.Equal(t, "first", f.Message)
		require.Equal(t, 200, f.HTTPStatus)
		require.NotEmpty(t, f.Remedy)
	}
}

func TestMessagesKeepNoSecret(t *testing.T) {
	t.Parallel()
	message := "The request signature we calculated does not match the signature you provided.\n\n" +
		"The Canonical String for this request should have been\n'POST\n/\nx-amz-security-token:SECRETTOKEN'"
	f := Classify(api("InvalidSignatureException", message, 400), subject())
	require.NotContains(t, f.Message, "SECRETTOKEN")
	require.NotContains(t, f.Message, "\n")
	long := Classify(api("InternalFailure", strings.Repeat("é", 5000), 500), subject())
	require.LessOrEqual(t, len(long.Message), maxMessage+len("…"))
	require.True(t, strings.HasSuffix(long.Message, "é…"))
}

func TestRemediesWithoutASubject(t *testing.T) {
	t.Parallel()
	for r := remedyNone; r <= remedyRecordCode; r++ {
		for _, s := range []Subject{{}, subject(), PutSubject("", "", "https://localhost:1")} {
			require.NotEmpty(t, r.sentence(s), "%d", r)
		}
	}
	require.Contains(t, remedyRefused.sentence(PutSubject("s", "r", "http://localhost:4567")), "http://localhost:4567")
	require.Contains(t, remedyStream.sentence(PutSubject("", "", "")), "stream create NAME")
}

func TestNames(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for c := Transient; c <= Canceled; c++ {
		require.NotContains(t, c.String(), "Class(")
		require.False(t, seen[c.String()])
		seen[c.String()] = true
	}
	require.Equal(t, "Class(99)", Class(99).String())
	for p := Unknown; p <= Record; p++ {
		require.NotEmpty(t, p.String())
	}
	require.Equal(t, Fault{}, Classify(nil, subject()))
	for c, lasting := range map[Class]bool{Transient: false, Throttled: false, Permanent: true, Expired: true, ClockSkew: true, RecordFault: false, Canceled: false} {
		require.Equal(t, lasting, c.Lasting(), c)
	}
}

func FuzzClassify(f *testing.F) {
	f.Add("ValidationException", "at 'records.1.member.data'", 400)
	f.Add("", "\xff\n", 0)
	f.Fuzz(func(t *testing.T, code, message string, status int) {
		for _, fault := range []Fault{Classify(api(code, message, status), subject()), ClassifyRecord(code, message, subject())} {
			if strings.ContainsAny(fault.Message, "\n") || len(fault.Message) > maxMessage+len("…") || fault.Remedy == "" {
				t.Fatalf("%+v", fault)
			}
		}
	})
}

// What a reader of a video stream is told is about reading.
func TestVideoReaders(t *testing.T) {
	t.Parallel()
	reader := VideoReadSubject("cam", "eu-west-1", "")
	for code, want := range map[string]string{
		"ConnectionLimitExceededException":    "three readers",
		"AccessDeniedException":               "ListFragments",
		"ResourceNotFoundException":           "create-stream --stream-name cam",
		"KMSAccessDeniedException":            "kms:Decrypt",
		"NoDataRetentionException":            "update-data-retention",
		"UnsupportedStreamMediaTypeException": "get Matroska instead",
		"MissingCodecPrivateDataException":    "get Matroska instead",
		"InvalidCodecPrivateDataException":    "get Matroska instead",
		"InvalidMediaFrameException":          "get Matroska instead",
	} {
		require.Contains(t, Classify(api(code, "no", 400), reader).Remedy, want, code)
	}
}
