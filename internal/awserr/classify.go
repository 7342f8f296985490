package awserr

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Classify classifies an error of a call through the SDK, or of asking for
// credentials. A nil error gives the zero Fault, which must not be used.
func Classify(err error, s Subject) Fault {
	if err == nil {
		return Fault{}
	}
	var known *Known
	if errors.As(err, &known) {
		return known.Fault
	}
	f := Fault{HTTPStatus: statusOf(err), RequestID: requestIDOf(err)}
	k := f.fill(err)
	f.Class, f.Party = k.class, k.party
	f.Remedy = k.remedy.sentence(s)
	return f
}

// ClassifyRecord classifies a per-record error of a PutRecords answer, which
// comes with HTTP status 200. A code that is not known is Transient.
func ClassifyRecord(code, message string, s Subject) Fault {
	k, ok := kindOf(code)
	if !ok {
		k = kind{Transient, Service, remedyRecordCode}
	}
	if k.remedy == remedyArgument { // one record's arguments: its own fault by nature
		k = kind{RecordFault, Record, remedyRecord}
	}
	return Fault{
		Class:      k.class,
		Party:      k.party,
		Code:       code,
		HTTPStatus: http.StatusOK,
		Message:    oneLine(message),
		Remedy:     k.remedy.sentence(s),
	}
}

// fill finds code and message and returns what they mean. The order matters:
// an answer of the service says most, then what is known about credentials,
// then what the network says.
func (f *Fault) fill(err error) kind {
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() != "":
		return f.fillAPI(err, api)
	case errors.Is(err, context.Canceled):
		f.Code, f.Message = CodeCanceled, "the call was canceled"
		return kind{Canceled, Caller, remedyNone}
	}
	if k, ok := f.fillLocal(err); ok {
		return k
	}
	if k, ok := f.fillTLS(err); ok {
		return k
	}
	if fromInstanceMetadata(err) && f.HTTPStatus < 500 {
		// The end of the chain was reached; what the metadata service answered is
		// not an answer of AWS.
		f.Code, f.Message = CodeNoCredentials, "no credentials were found, and this machine has no role"
		f.HTTPStatus, f.RequestID = 0, ""
		return kind{Permanent, Caller, remedyNoCredentials}
	}
	if k, ok := f.fillNetwork(err); ok {
		return k
	}
	return f.fillRest(err)
}

func (f *Fault) fillAPI(err error, api smithy.APIError) kind {
	f.Code, f.Message = api.ErrorCode(), oneLine(api.ErrorMessage())
	if f.Code == "UnknownError" { // the SDK's word for an answer without a code
		f.Code, f.Message = CodeBadAnswer, "an answer with HTTP status "+strconv.Itoa(f.HTTPStatus)+" that is not Kinesis's"
		return kindOfStatus(f.HTTPStatus)
	}
	k, ok := kindOf(f.Code)
	if !ok {
		k = kindOfStatus(f.HTTPStatus)
		if f.HTTPStatus == 0 && api.ErrorFault() == smithy.FaultClient {
			k = kind{Permanent, Caller, remedyArgument}
		}
	}
	k = refine(k, f.Code, f.Message)
	if k.remedy == remedyAccess && serviceOf(err) == "STS" {
		k.remedy = remedyRole
	}
	return k
}

// fillLocal knows the failures that never reached the network.
func (f *Fault) fillLocal(err error) (kind, bool) {
	var (
		region    *aws.MissingRegionError
		params    smithy.InvalidParamsError
		paramsPtr *smithy.InvalidParamsError
		serialize *smithy.SerializationError
		static    *credentials.StaticCredentialsEmptyError
	)
	text := oneLine(err.Error())
	switch {
	case errors.As(err, &region), strings.Contains(text, "Missing Region"):
		f.Code, f.Message = CodeNoRegion, "no region is set"
		return kind{Permanent, Caller, remedyRegion}, true
	case errors.As(err, &static):
		f.Code, f.Message = CodeNoCredentials, "access-key or secret-access-key is empty"
		return kind{Permanent, Caller, remedyNoCredentials}, true
	case errors.As(err, &params), errors.As(err, &paramsPtr), errors.As(err, &serialize):
		f.Code, f.Message = CodeBadRequest, text
		return kind{Permanent, Caller, remedyArgument}, true
	case strings.Contains(text, "resolve service endpoint"), strings.Contains(text, "parse endpoint URL"),
		strings.Contains(text, "unsupported protocol scheme"), strings.Contains(text, "no Host in request URL"):
		f.Code, f.Message = CodeEndpoint, text
		return kind{Permanent, Caller, remedyEndpoint}, true
	default:
		return kind{}, false
	}
}

// fillRest knows what is left: answers that make no sense, credentials that
// could not be had, and anything else.
func (f *Fault) fillRest(err error) kind {
	var (
		garbled *smithy.DeserializationError
		misfit  *AnswerError
		signing *v4.SigningError
	)
	f.Message = oneLine(deepest(err).Error())
	switch {
	case f.HTTPStatus >= 300:
		f.Code = CodeBadAnswer
		return kindOfStatus(f.HTTPStatus)
	case errors.As(err, &garbled), errors.As(err, &misfit), f.HTTPStatus != 0:
		f.Code = CodeBadAnswer
		return kind{Transient, Service, remedyAnswer}
	case errors.As(err, &signing), aboutCredentials(err):
		f.Code = CodeNoCredentials
		return kind{Permanent, Caller, remedyNoCredentials}
	default:
		f.Code = CodeUnknown
		return kind{Transient, Unknown, remedyNone}
	}
}

// aboutCredentials reports whether the SDK failed while it looked for credentials.
func aboutCredentials(err error) bool {
	text := err.Error()
	for _, mark := range [...]string{
		"get identity", "get credentials", "retrieve credentials", "refresh cached credentials",
		"refresh cached SSO token", "SSO session has expired", "shared config profile", "static credentials",
		"credential process", "credential_process",
	} {
		if strings.Contains(text, mark) {
			return true
		}
	}
	return false
}

// fromInstanceMetadata reports whether the end of the chain of credentials was
// reached and the machine has no metadata service.
func fromInstanceMetadata(err error) bool {
	return serviceOf(err) == "ec2imds" || strings.Contains(err.Error(), "no EC2 IMDS role found")
}

// serviceOf returns the innermost service an error passed through: a call to
// Kinesis that fails for want of credentials may have failed at STS.
func serviceOf(err error) string {
	service := ""
	for {
		var op *smithy.OperationError
		if !errors.As(err, &op) {
			return service
		}
		service, err = op.ServiceID, op.Err
		if err == nil {
			return service
		}
	}
}

func statusOf(err error) int {
	var answer interface{ HTTPStatusCode() int }
	var smithyAnswer *smithyhttp.ResponseError
	if errors.As(err, &smithyAnswer) && smithyAnswer.Response == nil {
		return 0
	}
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	return 0
}

func requestIDOf(err error) string {
	var answer interface{ ServiceRequestID() string }
	if errors.As(err, &answer) {
		return answer.ServiceRequestID()
	}
	return ""
}

func deepest(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// maxMessage bounds a message in bytes.
const maxMessage = 512

// oneLine keeps the first line: what follows in the answer to a bad signature is
// the canonical request, headers with the session token included.
func oneLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	s = strings.ToValidUTF8(strings.TrimSpace(s), "?")
	if len(s) <= maxMessage {
		return s
	}
	cut := maxMessage
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
