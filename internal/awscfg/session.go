package awscfg

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

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
	config   aws.Config
	settings Settings
	client   *http.Client
	caches   []*aws.CredentialsCache // the role's and the one below it
	chain    *chain                  // nil where the settings say who we are
	fresh    func() *http.Transport  // makes a transport by the settings
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
	own, err := s.ownCredentials(stream)
	if err != nil {
		return nil, err
	}
	options := s.loadOptions(base, own)
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, fmt.Errorf("loading the AWS configuration: %w", ErrNoRegion)
	}
	session := &Session{settings: s}
	session.remember(cfg.Credentials)
	if own == nil && cfg.Credentials != nil {
		session.chain = &chain{options: options, now: cfg.Credentials}
		cfg.Credentials = session.chain
	}
	session.config = session.withRole(cfg)
	// The SDK may have added AWS_CA_BUNDLE to the client it was given.
	if loaded, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		base = loaded
	}
	fresh, err := s.pool(base)
	if err != nil {
		return nil, err
	}
	session.fresh = fresh
	session.client = &http.Client{Transport: newRotating(fresh), CheckRedirect: noRedirect}
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

// ownCredentials gives the credentials that the settings say; nil leaves them to the chain.
func (s *Settings) ownCredentials(stream Stream) (aws.CredentialsProvider, error) {
	switch {
	case s.AccessKey != "":
		return credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretAccessKey.Reveal(), s.SessionToken.Reveal()), nil
	case s.CredentialPath != "":
		return s.newRenewal(&fileProvider{path: s.CredentialPath, now: time.Now}, "credential-path", fileRecheck), nil
	case s.IoTCertificate == nil:
		return nil, nil //nolint:nilnil // there are none
	}
	roots, err := trusted(s.CAFile)
	if err != nil {
		return nil, err
	}
	proxy, err := s.proxy()
	if err != nil {
		return nil, err
	}
	provider := &iotProvider{set: *s.IoTCertificate, roots: roots, proxy: proxy, now: time.Now}
	provider.set.ThingName = cmp.Or(provider.set.ThingName, stream.Name)
	return s.newRenewal(provider, "iot-certificate", 0), nil
}

func (s Settings) loadOptions(base *awshttp.BuildableClient, own aws.CredentialsProvider) []func(*config.LoadOptions) error {
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
	if own != nil {
		options = append(options, config.WithCredentialsProvider(own))
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
	with.Credentials = s.settings.newRenewal(role, "role-arn", 0)
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

// Transport returns a new transport with the session's settings: proxy, trust, the
// connections' wrapping. It is for calls that a pool does not suit; its user closes what it opens.
func (s *Session) Transport() *http.Transport { return s.fresh() }

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
// for fresh ones: files are read again, AWS IoT and roles are asked.
func (s *Session) RefreshCredentials() {
	if s.chain != nil {
		s.chain.refresh()
	}
	for _, cache := range s.caches {
		cache.Invalidate()
	}
}

// Close closes idle connections; those in use close when their request ends.
func (s *Session) Close() { s.client.CloseIdleConnections() }
