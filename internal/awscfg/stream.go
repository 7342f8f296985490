package awscfg

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"gst-kinesis/internal/shard"
)

// Stream is a data stream, known by its name or by its ARN.
type Stream struct {
	// Name is always set.
	Name string
	// ARN is set when the stream was given by ARN.
	ARN string
	// Region and Account come from the ARN.
	Region  string
	Account string
}

// String returns the ARN if there is one, else the name.
func (s Stream) String() string {
	if s.ARN != "" {
		return s.ARN
	}
	return s.Name
}

// errNoStream is the error of a stream that was not named.
var errNoStream = errors.New("naming the stream: set stream-name or stream-arn")

// ParseStream reads a stream's name or ARN.
func ParseStream(nameOrARN string) (Stream, error) {
	switch {
	case nameOrARN == "":
		return Stream{}, errNoStream
	case arn.IsARN(nameOrARN):
		return parseARN(nameOrARN)
	default:
		if err := validateName(nameOrARN); err != nil {
			return Stream{}, err
		}
		return Stream{Name: nameOrARN}, nil
	}
}

// StreamOf reads a stream given by name (which may be an ARN), by ARN, or by
// both, which then must mean the same stream.
func StreamOf(name, streamARN string) (Stream, error) {
	if streamARN == "" {
		return ParseStream(name)
	}
	s, err := parseARN(streamARN)
	if err != nil {
		return Stream{}, err
	}
	if name != "" && name != s.Name && name != s.ARN {
		return Stream{}, fmt.Errorf("naming the stream: stream-name %q is not the stream of stream-arn %q", name, streamARN)
	}
	return s, nil
}

func parseARN(text string) (Stream, error) {
	a, err := arn.Parse(text)
	if err != nil {
		return Stream{}, fmt.Errorf("reading stream-arn %q: %w", text, err)
	}
	name, ok := strings.CutPrefix(a.Resource, "stream/")
	switch {
	case a.Service != "kinesis":
		return Stream{}, fmt.Errorf("reading stream-arn %q: service is %q and not kinesis", text, a.Service)
	case !ok:
		return Stream{}, fmt.Errorf("reading stream-arn %q: it names no stream (arn:aws:kinesis:REGION:ACCOUNT:stream/NAME)", text)
	case a.Region == "":
		return Stream{}, fmt.Errorf("reading stream-arn %q: it has no region", text)
	}
	if err := validateName(name); err != nil {
		return Stream{}, fmt.Errorf("reading stream-arn %q: %w", text, err)
	}
	return Stream{Name: name, ARN: text, Region: a.Region, Account: a.AccountID}, nil
}

func validateName(name string) error { return validateNameTo(name, shard.MaxStreamNameChars) }

func validateNameTo(name string, most int) error {
	if len(name) < shard.MinStreamNameChars || len(name) > most {
		return fmt.Errorf("naming the stream: %q has not %d to %d characters", name, shard.MinStreamNameChars, most)
	}
	for _, c := range name {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-'
		if !ok {
			return fmt.Errorf("naming the stream: %q holds %q; a name consists of a-z, A-Z, 0-9, '_', '.' and '-'", name, c)
		}
	}
	return nil
}
