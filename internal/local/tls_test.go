package local_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/localtest"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	conf, trust, err := local.SelfSigned(time.Now())
	require.NoError(t, err)
	set := demo(1)
	set.TLS = conf
	srv := localtest.Start(t, set)
	require.True(t, strings.HasPrefix(srv.URL(), "https://127.0.0.1:"))

	_, err = localtest.Client(srv, localtest.AnyCredentials()).ListStreams(t.Context(), &kinesis.ListStreamsInput{})
	require.ErrorContains(t, err, "certificate signed by unknown authority")

	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(trust))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	c := localtest.Client(srv, localtest.AnyCredentials(), func(o *kinesis.Options) { o.HTTPClient = &http.Client{Transport: transport} })
	_, err = c.ListStreams(t.Context(), &kinesis.ListStreamsInput{})
	require.NoError(t, err)
	_, err = srv.AddFault(local.Rule{Cut: fault.CutAfterBody, Count: 1})
	require.NoError(t, err)
	_, err = c.ListStreams(t.Context(), &kinesis.ListStreamsInput{})
	require.Error(t, err)
	_, err = c.ListStreams(t.Context(), &kinesis.ListStreamsInput{})
	require.NoError(t, err)
}
