// Package awscall makes calls of AWS that the SDK's modules do not make: those whose bodies are streams, and those of services whose
// module is not to be had. Requests are signed by the SDK's own signer with a session's credentials; errors are those that the SDK
// itself returns, so that awserr classifies them.
package awscall

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"gst-kinesis/internal/awscfg"
)

const (
	// EmptyHash is the SHA-256 of nothing, which stands for a body that is not known.
	EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	// mostErrorBytes is as much of an error's text as is read.
	mostErrorBytes = 64 << 10
	// leastSkew is a difference between the clocks that signatures may fail for.
	leastSkew = 4 * time.Minute
)

// Service is a service of AWS as requests to it are signed.
type Service struct {
	// ID is its name in errors ("Kinesis Video"), SigningName that in signatures.
	ID, SigningName string
}

// Caller sends requests to one service. It is safe for concurrent use.
type Caller struct {
	service Service
	session *awscfg.Session
	client  *http.Client
	signer  *v4.Signer

	mu   sync.Mutex
	skew time.Duration // the service's clock less ours
}

// New returns a caller with a session's credentials, on a transport of its own: a copy from [awscfg.Session.Transport], say.
// Redirections are not followed: they are answers that nobody expects.
func New(session *awscfg.Session, transport http.RoundTripper, service Service) *Caller {
	return &Caller{
		service: service, session: session, signer: v4.NewSigner(),
		client: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Close closes connections that are not in use.
func (c *Caller) Close() { c.client.CloseIdleConnections() }

// Hash is the hash of a body that is known.
func Hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Do signs and sends a request. bodyHash is that of the body, see [Hash] and [EmptyHash]. It returns when the answer's header is there,
// if its status is 200; the caller closes the body, and expires says when the credentials end that were used, zero if never. Every
// other end is an error that names the operation; the request's body is closed then.
func (c *Caller) Do(request *http.Request, operation, bodyHash string) (answer *http.Response, expires time.Time, err error) {
	if expires, err = c.sign(request, bodyHash); err != nil {
		if request.Body != nil {
			_ = request.Body.Close()
		}
		return nil, time.Time{}, c.Failed(operation, err)
	}
	answer, err = c.client.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, time.Time{}, c.Failed(operation, &smithyhttp.RequestSendError{Err: err})
	}
	if answer.StatusCode == http.StatusOK {
		return answer, expires, nil
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, mostErrorBytes)) // what there is of it
	c.learnSkew(answer)
	return nil, time.Time{}, c.Failed(operation, &awshttp.ResponseError{
		RequestID:     RequestID(answer),
		ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: answer}, Err: apiError(answer, text)},
	})
}

// RequestID is the service's id of a request.
func RequestID(answer *http.Response) string { return answer.Header.Get("X-Amzn-RequestId") }

// Failed names the call in an error, as the SDK does.
func (c *Caller) Failed(operation string, err error) error {
	return &smithy.OperationError{ServiceID: c.service.ID, OperationName: operation, Err: err}
}

// sign signs a request, and says when its credentials end.
func (c *Caller) sign(request *http.Request, bodyHash string) (time.Time, error) {
	ctx, config := request.Context(), c.session.Config()
	if config.Credentials == nil {
		return time.Time{}, fmt.Errorf("signing the request: %w", c.session.CheckCredentials(ctx))
	}
	who, err := config.Credentials.Retrieve(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("retrieve credentials: %w", err)
	}
	if err := c.signer.SignHTTP(ctx, who, request, bodyHash, c.service.SigningName, config.Region, c.serviceTime()); err != nil {
		return time.Time{}, fmt.Errorf("signing the request: %w", err)
	}
	return expiry(who), nil
}

func expiry(who aws.Credentials) time.Time {
	if who.CanExpire {
		return who.Expires
	}
	return time.Time{}
}

// serviceTime is the time by the service's clock, as far as it is known.
func (c *Caller) serviceTime() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.skew)
}

// learnSkew takes the difference of the clocks out of an answer to a request that was refused.
func (c *Caller) learnSkew(answer *http.Response) {
	date, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil || answer.StatusCode < 400 || answer.StatusCode >= 500 {
		return
	}
	skew := time.Until(date)
	if skew.Abs() < leastSkew {
		skew = 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skew = skew
}

// Post makes a request whose body, if any, is sent as it comes.
func Post(ctx context.Context, endpoint, path string, body io.ReadCloser) (*http.Request, error) {
	if n := len(endpoint); n > 0 && endpoint[n-1] == '/' {
		endpoint = endpoint[:n-1]
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+path, body)
	if err != nil {
		_ = body.Close()
		return nil, fmt.Errorf("making the request to %s: %w", endpoint, err)
	}
	return request, nil
}
