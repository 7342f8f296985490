// Package localtest starts the embedded endpoint inside tests and makes clients of AWS's SDK for it.
package localtest

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/local"
)

// closeTimeout is how long the end of a test waits for requests under way.
const closeTimeout = 5 * time.Second

// Start returns a running endpoint that is closed at the end of the test. The zero Settings will do.
func Start(tb testing.TB, set local.Settings) *local.Server {
	tb.Helper()
	srv, err := local.New(set)
	if err != nil {
		tb.Fatalf("making the endpoint: %v", err)
	}
	if err := srv.Start(); err != nil {
		tb.Fatalf("starting the endpoint: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if err := srv.Close(ctx); err != nil {
			tb.Errorf("closing the endpoint: %v", err)
		}
	})
	return srv
}

// Client returns a client of AWS's SDK that signs with creds and never retries, so that a test sees each answer.
func Client(srv *local.Server, creds local.Credentials, opts ...func(*kinesis.Options)) *kinesis.Client {
	return ClientAt(srv.URL(), creds, opts...)
}

// ClientAt is Client for an endpoint in another process.
func ClientAt(url string, creds local.Credentials, opts ...func(*kinesis.Options)) *kinesis.Client {
	return kinesis.New(kinesis.Options{
		Region:       local.DefaultRegion,
		BaseEndpoint: aws.String(url),
		Credentials:  credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken),
		Retryer:      aws.NopRetryer{},
	}, append(opts, func(o *kinesis.Options) { o.HTTPClient = awscfg.Steady(o.HTTPClient) })...)
}

// AnyCredentials are good for endpoints that look at no signature.
func AnyCredentials() local.Credentials {
	return local.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}
}
