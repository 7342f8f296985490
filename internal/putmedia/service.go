package putmedia

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"

	"gst-kinesis/internal/awscall"
	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/mediacall"
)

// Spec is the stream as Locate finds or makes it.
type Spec struct {
	Name, ARN string
	// Create makes the stream where it is missing, with the retention (whole hours; 0: it
	// keeps nothing), the KMS key (empty: AWS's own) and the media type.
	Create    bool
	Retention time.Duration
	KMSKeyID  string
	MediaType string
	// Tags are given to the stream, if any.
	Tags map[string]string
	// WriteTimeout is how long the service may leave what is written to it in the
	// connection, or half of it more, before that counts as dead; 0 means 10 s.
	WriteTimeout time.Duration
	UserAgent    string
}

// Service is Amazon Kinesis Video Streams, or an endpoint in its place. It is safe for
// concurrent use.
type Service struct {
	spec    Spec
	video   *kinesisvideo.Client
	session *awscfg.Session
	caller  *awscall.Caller

	mu     sync.Mutex
	tagged bool
}

// NewService returns the service behind a session, which must stay open until Close.
func NewService(session *awscfg.Session, spec Spec) *Service {
	if spec.WriteTimeout == 0 {
		spec.WriteTimeout = 10 * time.Second
	}
	s := &Service{spec: spec, session: session}
	s.video = awscall.VideoControl(session, func(o *kinesisvideo.Options) {
		o.Retryer = aws.NopRetryer{} // the stream retries itself
	})
	s.caller = awscall.New(session, mediacall.New(session.Transport(), spec.WriteTimeout), awscall.KinesisVideo())
	return s
}

// Close closes connections that are not in use.
func (s *Service) Close() { s.caller.Close() }

// RefreshCredentials forgets cached credentials.
func (s *Service) RefreshCredentials() { s.session.RefreshCredentials() }

// pollInterval is how often a stream that is being made is looked at.
const pollInterval = 500 * time.Millisecond

// Locate finds the stream, makes it where it is missing and that was asked for, gives it its
// tags, and asks where media go to.
func (s *Service) Locate(ctx context.Context) (Place, error) {
	info, err := s.describe(ctx)
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) && s.spec.Create {
		info, err = s.create(ctx)
	}
	if err != nil {
		return Place{}, err
	}
	if err := s.tag(ctx, info); err != nil {
		return Place{}, err
	}
	out, err := s.video.GetDataEndpoint(ctx, &kinesisvideo.GetDataEndpointInput{
		APIName: types.APINamePutMedia, StreamName: s.name(), StreamARN: s.arn(),
	})
	if err != nil {
		return Place{}, fmt.Errorf("asking where media go to: %w", err)
	}
	return Place{
		Endpoint:  aws.ToString(out.DataEndpoint),
		Retention: time.Duration(aws.ToInt32(info.DataRetentionInHours)) * time.Hour,
	}, nil
}

// name and arn are how calls name the stream: by one of them.
func (s *Service) name() *string {
	if s.spec.ARN != "" {
		return nil
	}
	return aws.String(s.spec.Name)
}

func (s *Service) arn() *string {
	if s.spec.ARN == "" {
		return nil
	}
	return aws.String(s.spec.ARN)
}

// describe returns what is known of the stream, once it is active.
func (s *Service) describe(ctx context.Context) (*types.StreamInfo, error) {
	for {
		out, err := s.video.DescribeStream(ctx, &kinesisvideo.DescribeStreamInput{StreamName: s.name(), StreamARN: s.arn()})
		switch {
		case err != nil:
			return nil, fmt.Errorf("describing the stream: %w", err)
		case out.StreamInfo == nil:
			return nil, errors.New("describing the stream: the answer says nothing about it")
		case out.StreamInfo.Status == types.StatusActive || out.StreamInfo.Status == types.StatusUpdating:
			return out.StreamInfo, nil
		}
		t := time.NewTimer(pollInterval)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, fmt.Errorf("waiting for the stream, which is %s: %w", out.StreamInfo.Status, ctx.Err())
		}
	}
}

func (s *Service) create(ctx context.Context) (*types.StreamInfo, error) {
	in := &kinesisvideo.CreateStreamInput{
		StreamName:           aws.String(s.spec.Name),
		DataRetentionInHours: aws.Int32(int32(s.spec.Retention / time.Hour)), //nolint:gosec // at most 10 years
	}
	if s.spec.KMSKeyID != "" {
		in.KmsKeyId = aws.String(s.spec.KMSKeyID)
	}
	if s.spec.MediaType != "" {
		in.MediaType = aws.String(s.spec.MediaType)
	}
	var exists *types.ResourceInUseException // somebody else was faster
	if _, err := s.video.CreateStream(ctx, in); err != nil && !errors.As(err, &exists) {
		return nil, fmt.Errorf("creating the stream: %w", err)
	}
	return s.describe(ctx)
}

// tag gives the stream its tags, once.
func (s *Service) tag(ctx context.Context, info *types.StreamInfo) error {
	s.mu.Lock()
	done := s.tagged || len(s.spec.Tags) == 0
	s.mu.Unlock()
	if done {
		return nil
	}
	if _, err := s.video.TagStream(ctx, &kinesisvideo.TagStreamInput{StreamARN: info.StreamARN, Tags: s.spec.Tags}); err != nil {
		return fmt.Errorf("giving the stream its tags: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tagged = true
	return nil
}
