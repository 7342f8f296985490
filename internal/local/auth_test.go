package local_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
)

func TestSignaturesThroughTheAPI(t *testing.T) {
	t.Parallel()
	good := local.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}
	temporary := local.Credentials{AccessKeyID: "ASIA", SecretAccessKey: "other", SessionToken: "token"}
	c := newClock()
	set := demo(1)
	set.Credentials, set.Now = []local.Credentials{good, temporary}, c.now
	srv := localtest.Start(t, set)
	call := func(creds local.Credentials) error {
		_, err := localtest.Client(srv, creds).DescribeStream(t.Context(), &kinesis.DescribeStreamInput{StreamName: aws.String("demo")})
		return err
	}
	require.NoError(t, call(good))
	require.NoError(t, call(temporary))
	requireError(t, call(local.Credentials{AccessKeyID: "NOBODY", SecretAccessKey: "secret"}), "UnrecognizedClientException",
		"The security token included in the request is invalid.")
	requireError(t, call(local.Credentials{AccessKeyID: "AKID", SecretAccessKey: "wrong"}), "InvalidSignatureException",
		"The request signature we calculated does not match the signature you provided.")
	requireError(t, call(local.Credentials{AccessKeyID: "ASIA", SecretAccessKey: "other", SessionToken: "old"}), "UnrecognizedClientException", "")
	c.add(10 * time.Minute)
	requireError(t, call(good), "InvalidSignatureException", "Signature expired: ")

	c.add(-10 * time.Minute)
	srv.SetCredentials(temporary)
	requireError(t, call(good), "UnrecognizedClientException", "")
	require.NoError(t, call(temporary))
	srv.SetCredentials()
	require.NoError(t, call(local.Credentials{AccessKeyID: "NOBODY", SecretAccessKey: "x"}))
}

// TestExpiredCredentials: temporary credentials end, and clients are told by the code that makes them ask for new ones.
func TestExpiredCredentials(t *testing.T) {
	t.Parallel()
	c := newClock()
	temporary := local.Credentials{AccessKeyID: "ASIA", SecretAccessKey: "other", SessionToken: "token", Expires: c.now().Add(time.Minute)}
	set := demo(1)
	set.Credentials, set.Now = []local.Credentials{temporary}, c.now
	srv := localtest.Start(t, set)
	call := func() error {
		_, err := localtest.Client(srv, temporary).DescribeStream(t.Context(), &kinesis.DescribeStreamInput{StreamName: aws.String("demo")})
		return err
	}
	require.NoError(t, call())
	c.add(time.Minute)
	requireError(t, call(), "ExpiredTokenException", "The security token included in the request is expired")
}

// TestDateIsTheEndpointsOwn: clients learn from the header Date how far their clock is off.
func TestDateIsTheEndpointsOwn(t *testing.T) {
	t.Parallel()
	c := newClock()
	set := demo(1)
	set.Now = c.now
	srv := localtest.Start(t, set)
	for range 2 {
		answer, err := http.Get(srv.URL())
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, c.now().UTC().Format(http.TimeFormat), answer.Header.Get("Date"))
		c.add(10 * time.Minute)
	}
}

func TestRegionOfSignatures(t *testing.T) {
	t.Parallel()
	creds := local.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}
	srv := localtest.Start(t, local.Settings{Credentials: []local.Credentials{creds}, Region: "eu-west-1", Create: []local.StreamSpec{{Name: "demo", Shards: 1}}})
	in := &kinesis.DescribeStreamInput{StreamName: aws.String("demo")}
	_, err := localtest.Client(srv, creds).DescribeStream(t.Context(), in)
	requireError(t, err, "InvalidSignatureException", "Credential should be scoped to a valid region.")
	out, err := localtest.Client(srv, creds, func(o *kinesis.Options) { o.Region = "eu-west-1" }).DescribeStream(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, "arn:aws:kinesis:eu-west-1:000000000000:stream/demo", *out.StreamDescription.StreamARN)
}
