package media

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"
	"github.com/aws/smithy-go"
)

// The limits of a clip. Source: service quotas; API reference, ClipTimestampRange.
const (
	MaxClipRange     = 24 * time.Hour
	MaxClipFragments = 200
	MaxClipBytes     = 100e6
)

// mostListed is how many fragments a call of ListFragments or GetMediaForFragmentList may have.
const mostListed = 1000

// mostListBytes is as much of an answer of ListFragments as is read: of 1000 fragments it has about 300 KiB.
const mostListBytes = 8 << 20

// ErrNoFragments says that no fragment begins within a range.
var ErrNoFragments = errors.New("no fragment begins within the range: check its times, whether they are of the producer's or the " +
	"server's clock, and for how long the stream keeps media")

// Clock is by which clock times are meant.
type Clock string

// The clocks.
const (
	Producer Clock = "PRODUCER_TIMESTAMP"
	Server   Clock = "SERVER_TIMESTAMP"
)

// Range are the fragments that begin from From to To, both included, to the millisecond.
type Range struct {
	Clock    Clock // empty means Producer
	From, To time.Time
}

type selector struct {
	FragmentSelectorType Clock
	TimestampRange       struct{ StartTimestamp, EndTimestamp epoch }
}

func (r Range) selector() *selector {
	s := &selector{FragmentSelectorType: r.Clock}
	if r.Clock == "" {
		s.FragmentSelectorType = Producer
	}
	s.TimestampRange.StartTimestamp, s.TimestampRange.EndTimestamp = epoch{r.From}, epoch{r.To}
	return s
}

// Info is a fragment as it is listed.
type Info struct {
	Number   string        `json:"fragment_number"`
	Producer time.Time     `json:"producer_timestamp"`
	Server   time.Time     `json:"server_timestamp"`
	Length   time.Duration `json:"-"`
	Size     int64         `json:"size_bytes"`
}

type listInput struct {
	stream
	MaxResults       int
	NextToken        string    `json:",omitempty"`
	FragmentSelector *selector `json:",omitempty"`
}

type listOutput struct {
	Fragments []struct {
		FragmentNumber                     string
		FragmentSizeInBytes                int64
		ProducerTimestamp, ServerTimestamp epoch
		FragmentLengthInMilliseconds       int64
	}
	NextToken string
}

// ListFragments lists stored fragments of a range, a page of the service after another, as they are asked for. The order is the
// service's: by their numbers, which is not promised. An error is the last thing that is given.
func (c *Client) ListFragments(ctx context.Context, within Range) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		in := listInput{stream: c.stream(), MaxResults: mostListed, FragmentSelector: within.selector()}
		for {
			page, err := c.listPage(ctx, &in)
			if err != nil {
				yield(Info{}, err)
				return
			}
			for _, f := range page.Fragments {
				info := Info{Number: f.FragmentNumber, Producer: f.ProducerTimestamp.Time, Server: f.ServerTimestamp.Time,
					Length: time.Duration(f.FragmentLengthInMilliseconds) * time.Millisecond, Size: f.FragmentSizeInBytes}
				if !yield(info, nil) {
					return
				}
			}
			if page.NextToken == "" {
				return
			}
			in.NextToken, in.FragmentSelector = page.NextToken, nil
		}
	}
}

func (c *Client) listPage(ctx context.Context, in *listInput) (*listOutput, error) {
	op := operation{"ListFragments", "/listFragments", types.APINameListFragments}
	quiet := newSilence(ctx, c.set.RequestTimeout)
	defer quiet.stop()
	answer, err := c.call(quiet.ctx, op, in)
	if err != nil {
		return nil, fmt.Errorf("listing fragments: %w", err)
	}
	body := quiet.over(answer.Body)
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, mostListBytes))
	if err != nil {
		return nil, fmt.Errorf("listing fragments: %w", c.caller.Failed(op.name, err))
	}
	out := new(listOutput)
	if err := json.Unmarshal(text, out); err != nil {
		return nil, fmt.Errorf("listing fragments: %w", c.caller.Failed(op.name, &smithy.DeserializationError{Err: err}))
	}
	return out, nil
}

// Clip is an MP4. Its reader closes it.
type Clip struct {
	io.ReadCloser
	Size int64 // bytes, -1 if the service does not say
}

// GetClip begins an MP4 of the fragments of a range; ctx must last until it is closed. [ErrNoFragments] where there are none. What
// the service refuses beyond its limits (MaxClipRange, MaxClipFragments, MaxClipBytes) is an InvalidArgumentException of its own words.
func (c *Client) GetClip(ctx context.Context, within Range) (*Clip, error) {
	op := operation{"GetClip", "/getClip", types.APINameGetClip}
	quiet := newSilence(ctx, c.set.RequestTimeout)
	answer, err := c.call(quiet.ctx, op, struct {
		stream
		ClipFragmentSelector *selector
	}{c.stream(), within.selector()})
	if err != nil {
		quiet.stop()
		var api smithy.APIError
		if errors.As(err, &api) && api.ErrorCode() == "ResourceNotFoundException" && operationOf(err) == op.name {
			return nil, fmt.Errorf("getting a clip: %w", ErrNoFragments) // the stream itself has been found before
		}
		return nil, fmt.Errorf("getting a clip: %w", err)
	}
	return &Clip{ReadCloser: quiet.over(answer.Body), Size: answer.ContentLength}, nil
}

// operationOf is the call that an error is about.
func operationOf(err error) string {
	var call *smithy.OperationError
	if !errors.As(err, &call) {
		return ""
	}
	return call.OperationName
}
