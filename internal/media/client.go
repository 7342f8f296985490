package media

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"

	"gst-kinesis/internal/awscall"
	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/mkv"
)

// Settings are what is read, and how.
type Settings struct {
	// Name or ARN is the stream; ARN counts if both are set.
	Name, ARN string
	// RequestTimeout bounds the wait for an answer's beginning, and each silence in an answer that is stored already; 0 means 30 s.
	// A GetMedia that has begun may be silent for as long as the producer is.
	RequestTimeout time.Duration
	// Attempts is how often a request is tried that fails for a reason that may pass, and how often a Reader goes on after an answer
	// that broke off, before one fragment came; 0 means 4, a negative number for ever.
	Attempts int
	// Repeats gives fragments that the producer sent again as well.
	Repeats bool
	// Limits bound what the Matroska may make a Reader hold.
	Limits mkv.Limits
	// UserAgent is sent with requests, if it is set.
	UserAgent string
	// Waiting, if set, is told why a request is tried again, or an answer that broke off is asked for anew, and after which pause. It
	// is called from the goroutine that waits.
	Waiting func(err error, pause time.Duration)
	// After is time.After, or that of a test.
	After func(time.Duration) <-chan time.Time
}

// Client reads one stream. It is safe for concurrent use; the session must stay open until Close.
type Client struct {
	set    Settings
	video  *kinesisvideo.Client
	caller *awscall.Caller

	mu     sync.Mutex
	places map[types.APIName]string // where calls go to, as far as it is known
}

// New returns a client of a stream behind a session. It makes no call.
func New(session *awscfg.Session, set Settings) *Client {
	if set.RequestTimeout <= 0 {
		set.RequestTimeout = 30 * time.Second
	}
	if set.Attempts == 0 {
		set.Attempts = 4
	}
	if set.After == nil {
		set.After = time.After
	}
	transport := session.Transport()
	transport.ResponseHeaderTimeout = set.RequestTimeout
	return &Client{
		set: set, video: awscall.VideoControl(session), places: map[types.APIName]string{},
		caller: awscall.New(session, transport, awscall.KinesisVideo()),
	}
}

// Close closes connections that are not in use.
func (c *Client) Close() { c.caller.Close() }

// stream is how the bodies of all requests name the stream.
type stream struct {
	StreamName string `json:",omitempty"`
	StreamARN  string `json:",omitempty"`
}

func (c *Client) stream() stream {
	if c.set.ARN != "" {
		return stream{StreamARN: c.set.ARN}
	}
	return stream{StreamName: c.set.Name}
}

// operation is a call with a path of its own.
type operation struct {
	name, path string
	api        types.APIName
}

// place returns the endpoint of a call. It is asked for once, and again after a call has failed.
func (c *Client) place(ctx context.Context, api types.APIName) (string, error) {
	c.mu.Lock()
	known := c.places[api]
	c.mu.Unlock()
	if known != "" {
		return known, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.set.RequestTimeout)
	defer cancel()
	in := &kinesisvideo.GetDataEndpointInput{APIName: api}
	if s := c.stream(); s.StreamARN != "" {
		in.StreamARN = aws.String(s.StreamARN)
	} else {
		in.StreamName = aws.String(s.StreamName)
	}
	out, err := c.video.GetDataEndpoint(ctx, in)
	if err != nil {
		return "", fmt.Errorf("asking where media come from: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.places[api] = aws.ToString(out.DataEndpoint)
	return c.places[api], nil
}

func (c *Client) forget(api types.APIName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.places, api)
}

// call makes a call, again where it fails for a reason that may pass, and returns its answer, whose body the caller closes.
func (c *Client) call(ctx context.Context, op operation, in any) (*http.Response, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("writing the request of %s: %w", op.name, err)
	}
	for attempt := 1; ; attempt++ {
		answer, err := c.once(ctx, op, body)
		if err == nil {
			return answer, nil
		}
		if c.enough(attempt) || ctx.Err() != nil || !passes(err) {
			return nil, err
		}
		if err := c.pause(ctx, attempt, err); err != nil {
			return nil, err
		}
	}
}

func (c *Client) once(ctx context.Context, op operation, body []byte) (*http.Response, error) {
	place, err := c.place(ctx, op.api)
	if err != nil {
		return nil, err
	}
	request, err := awscall.Post(ctx, place, op.path, io.NopCloser(bytes.NewReader(body)))
	if err != nil {
		return nil, err //nolint:wrapcheck // it says all
	}
	request.ContentLength = int64(len(body))
	request.Header.Set("Content-Type", "application/json")
	if c.set.UserAgent != "" {
		request.Header.Set("User-Agent", c.set.UserAgent)
	}
	answer, _, err := c.caller.Do(request, op.name, awscall.Hash(body))
	if err != nil {
		c.forget(op.api)
		return nil, err //nolint:wrapcheck // it names the operation
	}
	return answer, nil
}

func (c *Client) enough(attempts int) bool { return c.set.Attempts > 0 && attempts >= c.set.Attempts }

// passes says whether a failure may pass by itself. The clocks' difference has been learned from the refusal.
func passes(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	switch awserr.Classify(err, awserr.Subject{}).Class {
	case awserr.Transient, awserr.Throttled, awserr.ClockSkew:
		return true
	default:
		return false
	}
}

// longestPause is that between two tries.
const longestPause = 5 * time.Second

// pause waits before the next try: 200 ms, doubled for each.
func (c *Client) pause(ctx context.Context, attempt int, why error) error {
	wait := longestPause
	if attempt < 6 {
		wait = min(wait, 100*time.Millisecond<<attempt)
	}
	if c.set.Waiting != nil {
		c.set.Waiting(why, wait)
	}
	select {
	case <-c.set.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // of the caller
	}
}

// epoch is a time as the service's JSON has it, true to a millisecond.
type epoch struct{ time.Time }

// MarshalJSON writes seconds since 1970.
func (e epoch) MarshalJSON() ([]byte, error) {
	ms := e.UnixMilli()
	sign := ""
	if ms < 0 {
		sign, ms = "-", -ms
	}
	return fmt.Appendf(nil, "%s%d.%03d", sign, ms/1000, ms%1000), nil
}

// UnmarshalJSON reads seconds since 1970, as an exponent may be in them.
func (e *epoch) UnmarshalJSON(b []byte) error {
	var seconds float64
	if err := json.Unmarshal(b, &seconds); err != nil {
		return fmt.Errorf("reading a time: %w", err)
	}
	e.Time = fromSeconds(seconds)
	return nil
}
