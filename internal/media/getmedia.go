package media

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"
)

// Start is where GetMedia begins. Make one by the functions below.
type Start struct {
	kind, number, token string
	at                  time.Time
}

// Now begins with the newest fragment.
func Now() Start { return Start{kind: "NOW"} }

// Earliest begins with the oldest fragment that is kept.
func Earliest() Start { return Start{kind: "EARLIEST"} }

// After begins with the fragment after the one of this number.
func After(number string) Start { return Start{kind: "FRAGMENT_NUMBER", number: number} }

// Continue begins after the fragment that gave the token.
func Continue(token string) Start { return Start{kind: "CONTINUATION_TOKEN", token: token} }

// At begins with the fragment that holds the time, by the clock given.
func At(clock Clock, t time.Time) Start { return Start{kind: string(clock), at: t} }

type getMediaInput struct {
	stream
	StartSelector struct {
		StartSelectorType   string
		AfterFragmentNumber string `json:",omitempty"`
		ContinuationToken   string `json:",omitempty"`
		StartTimestamp      *epoch `json:",omitempty"`
	}
}

// GetMedia begins to read what is stored and then what is being recorded, without an end. ctx ends it.
func (c *Client) GetMedia(ctx context.Context, start Start) (*Reader, error) {
	return c.reader(ctx, &following{client: c, start: start}, true)
}

// following is the source of GetMedia.
type following struct {
	client *Client
	start  Start
}

func (s *following) operation() string { return "GetMedia" }

// ended is never the stream's end: the service ends connections from time to time.
func (s *following) ended() (again bool, err error) { return true, io.EOF }

func (s *following) got(f *Fragment) {
	if f.Number != "" {
		s.start = After(f.Number)
	}
}

func (s *following) open(ctx context.Context) (io.ReadCloser, error) {
	in := getMediaInput{stream: s.client.stream()}
	sel := &in.StartSelector
	sel.StartSelectorType, sel.AfterFragmentNumber, sel.ContinuationToken = s.start.kind, s.start.number, s.start.token
	if !s.start.at.IsZero() {
		sel.StartTimestamp = &epoch{s.start.at}
	}
	quiet := newSilence(ctx, 0) // a camera that is off says nothing
	answer, err := s.client.call(quiet.ctx, operation{s.operation(), "/getMedia", types.APINameGetMedia}, in)
	if err != nil {
		quiet.stop()
		return nil, fmt.Errorf("getting media: %w", err)
	}
	if s.start.kind == "NOW" { // so that nothing is left out if this answer breaks off before a fragment came
		if at, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
			s.start = At(Server, at)
		}
	}
	return quiet.over(answer.Body), nil
}

// GetFragments gives stored fragments by their numbers, in this order (the service's answers have it), in as many calls as that takes. ctx ends it.
func (c *Client) GetFragments(ctx context.Context, numbers []string) (*Reader, error) {
	if len(numbers) == 0 {
		return nil, fmt.Errorf("getting fragments: %w", ErrNoFragments)
	}
	return c.reader(ctx, &listed{client: c, numbers: slices.Clone(numbers)}, false)
}

// listed is the source of GetMediaForFragmentList.
type listed struct {
	client  *Client
	numbers []string // that have not come
	asked   int      // how many of them are asked for
}

func (s *listed) operation() string { return "GetMediaForFragmentList" }

func (s *listed) ended() (again bool, err error) {
	if s.asked > 0 {
		return true, fmt.Errorf("the answer ended before the fragment %s: %w", s.numbers[0], io.ErrUnexpectedEOF)
	}
	return len(s.numbers) > 0, nil
}

// got takes the fragment off the list: the service does not promise the order.
func (s *listed) got(f *Fragment) {
	if i := slices.Index(s.numbers[:s.asked], f.Number); i >= 0 {
		s.numbers, s.asked = slices.Delete(s.numbers, i, i+1), s.asked-1
	}
}

func (s *listed) open(ctx context.Context) (io.ReadCloser, error) {
	some := s.numbers[:min(len(s.numbers), mostListed)]
	quiet := newSilence(ctx, s.client.set.RequestTimeout)
	answer, err := s.client.call(quiet.ctx, operation{s.operation(), "/getMediaForFragmentList", types.APINameGetMediaForFragmentList}, struct {
		stream
		Fragments []string
	}{s.client.stream(), some})
	if err != nil {
		quiet.stop()
		return nil, fmt.Errorf("getting fragments: %w", err)
	}
	s.asked = len(some)
	return quiet.over(answer.Body), nil
}
