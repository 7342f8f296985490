package putmedia

import (
	"context"
	"fmt"
	"net/http"

	"gst-kinesis/internal/awscall"
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
const putMediaPath = "/putMedia"

// PutMedia begins a session.
func (s *Service) PutMedia(ctx context.Context, place Place, in Input) (Output, error) {
	request, err := s.request(ctx, place, in)
	if err != nil {
		return Output{}, err
	}
	answer, expires, err := s.caller.Do(request, "PutMedia", awscall.EmptyHash)
	if err != nil {
		return Output{}, err //nolint:wrapcheck // it names the operation
	}
	return Output{RequestID: awscall.RequestID(answer), Acks: answer.Body, Expires: expires}, nil
}

// request makes the request, which takes the body over.
func (s *Service) request(ctx context.Context, place Place, in Input) (*http.Request, error) {
	request, err := awscall.Post(ctx, place.Endpoint, putMediaPath, in.Body)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says all
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
	return request, nil
}
