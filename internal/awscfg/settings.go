// Package awscfg turns settings into connections to AWS: region, credentials,
// role, endpoint, TLS, and an HTTP connection pool of one's own.
//
// What the settings leave open comes from the SDK's chain: environment, profile,
// SSO, web identity, container, machine role. A setting beats the environment.
package awscfg

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"gst-kinesis/internal/wire"
)

// Settings say who we are to AWS and how it is reached. The zero value asks the
// SDK's chain for everything.
type Settings struct {
	// Region is the AWS region; empty means the stream ARN's, AWS_REGION or the profile's.
	Region string
	// EndpointURI replaces AWS's endpoint of the service: http:// or https://, host, port, path.
	EndpointURI string

	// AccessKey and SecretAccessKey are given together or not at all;
	// SessionToken belongs to temporary ones.
	AccessKey       string
	SecretAccessKey Secret
	SessionToken    Secret
	// Profile is a section of the shared config and credentials files.
	Profile string

	// CredentialPath is a file with credentials as kvssink reads it, and IoTCertificate gets
	// them of AWS IoT. Of these two and AccessKey one is set at most.
	CredentialPath string
	IoTCertificate *IoTCertificate

	// RoleARN is a role to assume with the credentials above; ExternalID and
	// RoleSessionName (default "gst-kinesis") go with it.
	RoleARN         string
	ExternalID      string
	RoleSessionName string

	// CAFile holds PEM certificates to trust beside the system's.
	CAFile string
	// Proxy is the URL of a proxy, http://USER:PASSWORD@HOST:PORT, https:// or socks5://;
	// empty goes by HTTPS_PROXY and NO_PROXY, ProxyNone is direct. Metadata of machine or
	// container, which give credentials, are never asked for through it.
	Proxy Secret
	// RequestTimeout is how long a request may take; only the part of it that
	// concerns connecting is applied here (at most 5 s), the rest is the caller's
	// by the context of each call. 0 means 10 s.
	RequestTimeout time.Duration
	// MaxConnections is how many idle connections are kept open; 0 means 16.
	MaxConnections int
	// HTTP2 allows HTTP/2, which SubscribeToShard needs. Without it each request
	// in flight has a connection of its own, so none waits behind another.
	HTTP2 bool

	// Conn wraps each connection to the service that is opened, to count and pace what is
	// written; nil leaves them as they are. It is called from several goroutines.
	Conn func(net.Conn) net.Conn `json:"-" yaml:"-"`
	// Wire is how PutRecords travels: wire.Auto is CBOR where it is known to be understood.
	Wire wire.Mode
	// Notice is told what a person should know once: that CBOR was refused, that credentials
	// were not renewed though those in use still hold. It may be nil,
	// is called from whichever goroutine makes a call, and must not block.
	Notice func(text string) `json:"-" yaml:"-"`

	// UseDualStack and UseFIPS choose AWS's endpoints of those kinds; false
	// leaves it to the chain (AWS_USE_DUALSTACK_ENDPOINT, AWS_USE_FIPS_ENDPOINT).
	UseDualStack bool
	UseFIPS      bool
	// AccountIDEndpointMode is preferred, disabled or required; empty leaves it
	// to the chain (AWS_ACCOUNT_ID_ENDPOINT_MODE). Private DNS and strict lists
	// of allowed hosts need disabled.
	AccountIDEndpointMode string
}

const (
	defaultSessionName    = "gst-kinesis"
	defaultRequestTimeout = 10 * time.Second
	defaultConnections    = 16
	maxConnectTimeout     = 5 * time.Second
	idleTimeout           = 90 * time.Second
)

// Errors of settings that contradict themselves.
var (
	errHalfKey   = errors.New("access-key and secret-access-key go together: set both or neither")
	errLoneToken = errors.New("session-token goes with access-key and secret-access-key: set all three")
	errManyWays  = errors.New("access-key, credential-path and iot-certificate are three ways to credentials: set one")
	errLoneID    = errors.New("external-id goes with role-arn: set both")
	// ErrNoRegion is the error of Open when no region is to be found.
	ErrNoRegion = errors.New("no region: set property region, AWS_REGION, or region in the profile")
)

// Validate checks what can be checked without network or files.
func (s Settings) Validate() error {
	switch {
	case (s.AccessKey == "") != (s.SecretAccessKey == ""):
		return errHalfKey
	case s.SessionToken != "" && s.AccessKey == "":
		return errLoneToken
	case s.ways() > 1:
		return errManyWays
	case s.ExternalID != "" && s.RoleARN == "":
		return errLoneID
	case s.RequestTimeout < 0:
		return fmt.Errorf("request-timeout of %v is negative", s.RequestTimeout)
	case s.MaxConnections < 0:
		return fmt.Errorf("%d connections are fewer than none", s.MaxConnections)
	}
	if s.AccountIDEndpointMode != "" {
		var mode aws.AccountIDEndpointMode
		if err := setMode(&mode, s.AccountIDEndpointMode); err != nil {
			return err
		}
	}
	if s.IoTCertificate != nil {
		if err := s.IoTCertificate.validate(); err != nil {
			return err
		}
	}
	if _, err := s.proxy(); err != nil {
		return err
	}
	return validateEndpoint(s.EndpointURI)
}

// ways counts the ways to credentials that are set.
func (s *Settings) ways() (n int) {
	for _, set := range [...]bool{s.AccessKey != "", s.CredentialPath != "", s.IoTCertificate != nil} {
		if set {
			n++
		}
	}
	return n
}

func setMode(mode *aws.AccountIDEndpointMode, text string) error {
	switch m := aws.AccountIDEndpointMode(text); m {
	case aws.AccountIDEndpointModePreferred, aws.AccountIDEndpointModeRequired, aws.AccountIDEndpointModeDisabled:
		*mode = m
		return nil
	default:
		return fmt.Errorf("account-id-endpoint-mode %q is none of preferred, disabled, required", text)
	}
}

func validateEndpoint(uri string) error {
	if uri == "" {
		return nil
	}
	u, err := url.Parse(uri)
	if err != nil {
		return errors.New("endpoint-uri is not a URL") // not wrapped: it might repeat a password
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("endpoint-uri %q does not begin with http:// or https://", u.Redacted())
	case u.Host == "" || u.Hostname() == "":
		return fmt.Errorf("endpoint-uri %q names no host", u.Redacted())
	case u.User != nil:
		return fmt.Errorf("endpoint-uri %q carries a user: credentials go into access-key and secret-access-key", u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("endpoint-uri %q carries a query", u.Redacted())
	default:
		return nil
	}
}

// connectTimeout is the time for a TCP connection and again for TLS.
func (s Settings) connectTimeout() time.Duration {
	if s.RequestTimeout == 0 {
		s.RequestTimeout = defaultRequestTimeout
	}
	return min(s.RequestTimeout, maxConnectTimeout)
}
