package putmedia

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// PutMedia over HTTP. Source: API reference of PutMedia, and what AWS's own producer sends.
//
//	POST /putMedia HTTP/1.1, chunked; the body is Matroska, and ends with the session
//	x-amzn-stream-name or x-amzn-stream-arn
//	x-amzn-fragment-timecode-type: ABSOLUTE or RELATIVE
//	x-amzn-producer-start-timestamp: seconds since 1970 with three decimals
//	x-amzn-fragment-acknowledgment-required: 1 or 0
//
// It is signed by AWS Signature 4 for the service kinesisvideo with the SHA-256 of nothing
// as the body's hash, since the body is not known. The answer, JSON after JSON, comes while
// the body is being sent.
const (
	putMediaPath = "/putMedia"
	signingName  = "kinesisvideo"
	emptyHash    = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	// mostErrorBytes is as much of an error's text as is read.
	mostErrorBytes = 64 << 10
	// leastSkew is a difference between the clocks that signatures may fail for.
	leastSkew = 4 * time.Minute
)

// PutMedia begins a session.
func (s *Service) PutMedia(ctx context.Context, place Place, in Input) (Output, error) {
	request, expires, err := s.request(ctx, place, in)
	if err != nil {
		_ = in.Body.Close()
		return Output{}, err
	}
	answer, err := s.http.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return Output{}, operation(&smithyhttp.RequestSendError{Err: err})
	}
	id := answer.Header.Get("X-Amzn-RequestId")
	if answer.StatusCode == http.StatusOK {
		return Output{RequestID: id, Acks: answer.Body, Expires: expires}, nil
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, mostErrorBytes)) // what there is of it
	s.learnSkew(answer)
	return Output{}, operation(&awshttp.ResponseError{
		RequestID:     id,
		ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: answer}, Err: apiError(answer, text)},
	})
}

// operation names the call in an error, as the SDK does.
func operation(err error) error {
	return &smithy.OperationError{ServiceID: "Kinesis Video", OperationName: "PutMedia", Err: err}
}

// request makes the signed request, and says when its credentials end.
func (s *Service) request(ctx context.Context, place Place, in Input) (*http.Request, time.Time, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(place.Endpoint, "/")+putMediaPath, in.Body)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("making the request to %s: %w", place.Endpoint, err)
	}
	request.ContentLength = -1
	h := request.Header
	if s.spec.ARN != "" {
		h.Set("x-amzn-stream-arn", s.spec.ARN)
	} else {
		h.Set("x-amzn-stream-name", s.spec.Name)
	}
	h.Set("x-amzn-fragment-timecode-type", in.Timecodes.String())
	h.Set("x-amzn-producer-start-timestamp", fmt.Sprintf("%d.%03d", in.Start/1000, in.Start%1000))
	h.Set("x-amzn-fragment-acknowledgment-required", map[bool]string{true: "1", false: "0"}[in.Acks])
	h.Set("Content-Type", "application/octet-stream")
	if s.spec.UserAgent != "" {
		h.Set("User-Agent", s.spec.UserAgent)
	}
	config := s.session.Config()
	if config.Credentials == nil {
		return nil, time.Time{}, fmt.Errorf("signing the request: %w", s.session.CheckCredentials(ctx))
	}
	who, err := config.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("retrieve credentials: %w", err)
	}
	if err := s.signer.SignHTTP(ctx, who, request, emptyHash, signingName, config.Region, s.serviceTime()); err != nil {
		return nil, time.Time{}, fmt.Errorf("signing the request: %w", err)
	}
	return request, expiry(who), nil
}

func expiry(who aws.Credentials) time.Time {
	if who.CanExpire {
		return who.Expires
	}
	return time.Time{}
}

// serviceTime is the time by the service's clock, as far as it is known.
func (s *Service) serviceTime() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.skew)
}

// learnSkew takes the difference of the clocks out of an answer to a request that was refused.
func (s *Service) learnSkew(answer *http.Response) {
	date, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil || answer.StatusCode < 400 || answer.StatusCode >= 500 {
		return
	}
	skew := time.Until(date)
	if skew.Abs() < leastSkew {
		skew = 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = skew
}

// apiError reads the code and the message of an answer: the code is in a header, or in the
// JSON of the body, where either may have a prefix or a suffix.
func apiError(answer *http.Response, text []byte) error {
	var body struct{ Type, Code, Message string }
	var raw map[string]any
	if json.Unmarshal(bytes.TrimSpace(text), &raw) == nil {
		for key, value := range raw {
			word, _ := value.(string)
			switch strings.ToLower(key) {
			case "__type":
				body.Type = word
			case "code":
				body.Code = word
			case "message":
				body.Message = word
			}
		}
	}
	code := answer.Header.Get("X-Amzn-ErrorType")
	for _, other := range []string{body.Type, body.Code} {
		if code == "" {
			code = other
		}
	}
	code, _, _ = strings.Cut(code, ":")
	if i := strings.LastIndexByte(code, '#'); i >= 0 {
		code = code[i+1:]
	}
	if code == "" {
		code = "UnknownError"
	}
	fault := smithy.FaultClient
	if answer.StatusCode >= 500 {
		fault = smithy.FaultServer
	}
	return &smithy.GenericAPIError{Code: code, Message: body.Message, Fault: fault}
}
