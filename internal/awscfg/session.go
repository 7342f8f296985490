package awscfg

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"gst-kinesis/internal/wire"
)

// Session is a way to AWS: a resolved configuration and a connection pool.
// It may be used by several goroutines at once.
type Session struct {
	config    aws.Config
	settings  Settings
	transport *http.Transport
	client    *http.Client
	caches    []*aws.CredentialsCache // the role's and the one below it
}

// Open resolves settings for a stream, which may be the zero Stream when none is
// concerned. It reads environment and files; it does not speak to AWS. The
// session must be closed.
func Open(ctx context.Context, s Settings, stream Stream) (*Session, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("checking the AWS settings: %w", err)
	}
	if err := s.takeRegion(stream); err != nil {
		return nil, err
	}
	base, err := baseClient(s)
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx, s.loadOptions(base)...)
	if err != nil {
		return nil, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, fmt.Errorf("loading the AWS configuration: %w", ErrNoRegion)
	}
	session := &Session{settings: s}
	session.config = session.withRole(cfg)
	// The SDK may have added AWS_CA_BUNDLE to the client it was given.
	if loaded, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		base = loaded
	}
	session.transport = s.pool(base)
	session.client = &http.Client{Transport: session.transport, CheckRedirect: noRedirect}
	return session, nil
}

// takeRegion lets an ARN say the region, unless the settings say another one.
func (s *Settings) takeRegion(stream Stream) error {
	switch {
	case stream.Region == "" || stream.Region == s.Region:
		return nil
	case s.Region == "":
		s.Region = stream.Region
		return nil
	default:
		return fmt.Errorf("checking the AWS settings: region %s is not the region of %s", s.Region, stream.ARN)
	}
}

func (s Settings) loadOptions(base *awshttp.BuildableClient) []func(*config.LoadOptions) error {
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(base),
		config.WithLogger(logging.Nop{}),
	}
	if s.Region != "" {
		options = append(options, config.WithRegion(s.Region))
	}
	if s.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(s.Profile))
	}
	if s.AccessKey != "" {
		options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(
			s.AccessKey, s.SecretAccessKey.Reveal(), s.SessionToken.Reveal())))
	}
	if s.UseDualStack {
		options = append(options, config.WithUseDualStackEndpoint(aws.DualStackEndpointStateEnabled))
	}
	if s.UseFIPS {
		options = append(options, config.WithUseFIPSEndpoint(aws.FIPSEndpointStateEnabled))
	}
	if s.AccountIDEndpointMode != "" {
		options = append(options, config.WithAccountIDEndpointMode(aws.AccountIDEndpointMode(s.AccountIDEndpointMode)))
	}
	return options
}

// withRole puts the role's credentials in place of those it is assumed with.
func (s *Session) withRole(cfg aws.Config) aws.Config {
	s.remember(cfg.Credentials)
	if s.settings.RoleARN == "" {
		return cfg
	}
	role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), s.settings.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = defaultSessionName
		if s.settings.RoleSessionName != "" {
			o.RoleSessionName = s.settings.RoleSessionName
		}
		if s.settings.ExternalID != "" {
			o.ExternalID = aws.String(s.settings.ExternalID)
		}
	})
	with := cfg.Copy()
	with.Credentials = aws.NewCredentialsCache(role)
	s.remember(with.Credentials)
	return with
}

func (s *Session) remember(provider aws.CredentialsProvider) {
	if cache, ok := provider.(*aws.CredentialsCache); ok {
		s.caches = append(s.caches, cache)
	}
}

// Kinesis returns a client of Data Streams on the session's connection pool. It
// has the SDK's retries; a producer turns them off for its own calls.
func (s *Session) Kinesis(options ...func(*kinesis.Options)) *kinesis.Client {
	ours := func(o *kinesis.Options) {
		o.HTTPClient = Steady(s.client)
		if s.settings.EndpointURI != "" {
			o.BaseEndpoint = aws.String(s.settings.EndpointURI)
		}
	}
	protocol := wire.New(wire.Settings{Mode: s.settings.Wire, Endpoint: s.settings.EndpointURI, Log: s.settings.Notice})
	return kinesis.NewFromConfig(s.config, append([]func(*kinesis.Options){ours, protocol.Install}, options...)...)
}

// Config returns the configuration for clients of other services; endpoint-uri
// and the connection pool are not part of it.
func (s *Session) Config() aws.Config { return s.config.Copy() }

// HTTPClient returns the client on the session's connection pool.
func (s *Session) HTTPClient() *http.Client { return s.client }

// Region returns the region that was settled on.
func (s *Session) Region() string { return s.config.Region }

// Endpoint returns endpoint-uri as it was set, empty for AWS's own.
func (s *Session) Endpoint() string { return s.settings.EndpointURI }

// CheckCredentials asks the chain for credentials, which may take the network
// (a role, SSO, the machine's metadata), and returns what stands in the way.
func (s *Session) CheckCredentials(ctx context.Context) error {
	if s.config.Credentials == nil {
		return &credentials.StaticCredentialsEmptyError{}
	}
	if _, err := s.config.Credentials.Retrieve(ctx); err != nil {
		return fmt.Errorf("retrieve credentials: %w", err)
	}
	return nil
}

// RefreshCredentials forgets cached credentials, so that the next request asks
// the chain for fresh ones.
func (s *Session) RefreshCredentials() {
	for _, cache := range s.caches {
		cache.Invalidate()
	}
}

// Close closes idle connections; those in use close when their request ends.
func (s *Session) Close() { s.transport.CloseIdleConnections() }
