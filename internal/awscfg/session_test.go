package awscfg

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
)

func TestARequestGoesToTheEndpointSigned(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, false)
	s := testSettings(e)
	s.SessionToken = "token"
	require.NoError(t, put(t, open(t, s, Stream{}), Stream{Name: "frames"}))
	r, body := e.last()
	require.Equal(t, "Kinesis_20131202.PutRecords", r.Header.Get("X-Amz-Target"))
	require.Contains(t, r.Header.Get("Authorization"), "Credential=AKIDEXAMPLE/")
	require.Contains(t, r.Header.Get("Authorization"), "/eu-west-1/kinesis/aws4_request")
	require.Equal(t, "token", r.Header.Get("X-Amz-Security-Token"))
	require.Contains(t, body, `"StreamName":"frames"`)
}

func TestAStreamByARN(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, false)
	stream, err := ParseStream(framesARN)
	require.NoError(t, err)
	s := testSettings(e)
	s.Region = ""
	session := open(t, s, stream)
	require.Equal(t, "eu-west-1", session.Region())
	require.NoError(t, put(t, session, stream))
	_, body := e.last()
	require.Contains(t, body, framesARN)

	s.Region = "us-east-1"
	_, err = Open(context.Background(), s, stream)
	require.ErrorContains(t, err, "us-east-1")
}

func TestTheRetriesOfTheSDKAreOffWhereAskedFor(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, false)
	e.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"__type":"InternalFailure","message":"no"}`)
	}
	err := put(t, open(t, testSettings(e), Stream{}), Stream{Name: "s"})
	require.Error(t, err)
	require.Equal(t, 1, e.count())
	f := awserr.Classify(err, awserr.PutSubject("s", "eu-west-1", e.URL))
	require.Equal(t, "InternalFailure", f.Code)
	require.Equal(t, 500, f.HTTPStatus)
}

func TestAnswersThatAreNotKinesis(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		class  awserr.Class
	}{
		"html":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>Welcome to the hotel") }, awserr.Transient},
		"404 html": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", 404) }, awserr.Permanent},
		"502 html": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusBadGateway) }, awserr.Transient},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://example.invalid/", http.StatusTemporaryRedirect)
		}, awserr.Permanent},
		"cut short": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
		}, awserr.Transient},
		"hang up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, awserr.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEndpoint(t, false)
			e.answer = c.answer
			err := put(t, open(t, testSettings(e), Stream{}), Stream{Name: "s"})
			require.Error(t, err)
			f := awserr.Classify(err, awserr.PutSubject("s", "eu-west-1", e.URL))
			require.Equal(t, c.class, f.Class, "%+v: %v", f, err)
			require.NotEqual(t, awserr.CodeUnknown, f.Code, "%v", err)
		})
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, true)
	s := testSettings(e)
	err := put(t, open(t, s, Stream{}), Stream{Name: "s"})
	require.Equal(t, awserr.CodeUntrusted, awserr.Classify(err, awserr.Subject{}).Code, "%v", err)

	s.CAFile = e.authority(t)
	require.NoError(t, put(t, open(t, s, Stream{}), Stream{Name: "s"}))
	r, _ := e.last()
	require.Equal(t, 1, r.ProtoMajor, "each request in flight has a connection of its own")
	s.HTTP2 = true
	require.NoError(t, put(t, open(t, s, Stream{}), Stream{Name: "s"}))
	r, _ = e.last()
	require.Equal(t, 2, r.ProtoMajor)

	s.EndpointURI = strings.Replace(e.URL, "127.0.0.1", "localhost", 1)
	err = put(t, open(t, s, Stream{}), Stream{Name: "s"})
	require.Equal(t, awserr.CodeWrongHost, awserr.Classify(err, awserr.Subject{}).Code, "%v", err)

	for _, file := range []string{"nowhere.pem", "session_test.go"} {
		s.CAFile = file
		_, err = Open(context.Background(), s, Stream{})
		require.ErrorContains(t, err, "ca-file")
	}
}

func TestPlainHTTPWhereTLSIsExpected(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, false)
	s := testSettings(e)
	s.EndpointURI = strings.Replace(e.URL, "http://", "https://", 1)
	err := put(t, open(t, s, Stream{}), Stream{Name: "s"})
	require.Equal(t, awserr.CodeNotTLS, awserr.Classify(err, awserr.Subject{}).Code, "%v", err)
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, false)
	e.Close()
	err := put(t, open(t, testSettings(e), Stream{}), Stream{Name: "s"})
	f := awserr.Classify(err, awserr.PutSubject("s", "eu-west-1", e.URL))
	require.Equal(t, awserr.CodeRefused, f.Code)
	require.Contains(t, f.Remedy, e.URL)
}

func TestTheSDKLearnsTheClockSkewWithoutItsRetries(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, false)
	ok := e.answer
	var signed []string
	e.answer = func(w http.ResponseWriter, r *http.Request) {
		signed = append(signed, r.Header.Get("X-Amz-Date"))
		w.Header().Set("Date", time.Now().Add(10*time.Minute).UTC().Format(http.TimeFormat))
		if len(signed) == 1 {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"InvalidSignatureException","message":"Signature expired: 1 is now earlier than 2"}`)
			return
		}
		ok(w, r)
	}
	client := open(t, testSettings(e), Stream{}).Kinesis()
	in := &kinesis.PutRecordsInput{StreamName: aws.String("s"), Records: []types.PutRecordsRequestEntry{{Data: []byte("x"), PartitionKey: aws.String("k")}}}
	off := func(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} }
	_, err := client.PutRecords(context.Background(), in, off)
	require.Equal(t, awserr.ClockSkew, awserr.Classify(err, awserr.Subject{}).Class)
	_, err = client.PutRecords(context.Background(), in, off)
	require.NoError(t, err)
	first, err := time.Parse("20060102T150405Z", signed[0])
	require.NoError(t, err)
	second, err := time.Parse("20060102T150405Z", signed[1])
	require.NoError(t, err)
	require.InDelta(t, 10*time.Minute, second.Sub(first), float64(time.Minute))
}

func TestARoleIsAssumed(t *testing.T) { //nolint:paralleltest // sets the environment
	e := newEndpoint(t, false)
	ok := e.answer
	e.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") != "" {
			ok(w, r)
			return
		}
		_, _ = io.WriteString(w, assumed("ROLEKEY", time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)))
	}
	t.Setenv("AWS_ENDPOINT_URL_STS", e.URL)
	s := testSettings(e)
	s.RoleARN, s.ExternalID = "arn:aws:iam::123456789012:role/writer", "factory-7"
	session := open(t, s, Stream{})
	require.Zero(t, e.count(), "nothing is asked before it is needed")
	require.NoError(t, session.CheckCredentials(context.Background()))
	_, body := e.last()
	for _, part := range []string{"ExternalId=factory-7", "RoleSessionName=gst-kinesis", "writer"} {
		require.Contains(t, body, part)
	}
	require.NoError(t, put(t, session, Stream{Name: "s"}))
	r, _ := e.last()
	require.Contains(t, r.Header.Get("Authorization"), "Credential=ROLEKEY/")
	require.Equal(t, 2, e.count())
	session.RefreshCredentials()
	require.NoError(t, put(t, session, Stream{Name: "s"}))
	require.Equal(t, 4, e.count(), "fresh credentials were asked for")
}

func TestPropertiesBeatTheEnvironment(t *testing.T) { //nolint:paralleltest // sets the environment
	e, other := newEndpoint(t, false), newEndpoint(t, false)
	t.Setenv("AWS_REGION", "us-west-2")
	t.Setenv("AWS_ACCESS_KEY_ID", "ENVKEY")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "envsecret")
	t.Setenv("AWS_ENDPOINT_URL_KINESIS", other.URL)
	require.NoError(t, put(t, open(t, testSettings(e), Stream{}), Stream{Name: "s"}))
	r, _ := e.last()
	require.Contains(t, r.Header.Get("Authorization"), "Credential=AKIDEXAMPLE/")
	require.Contains(t, r.Header.Get("Authorization"), "/eu-west-1/")

	require.NoError(t, put(t, open(t, Settings{}, Stream{}), Stream{Name: "s"}))
	r, _ = other.last()
	require.Contains(t, r.Header.Get("Authorization"), "Credential=ENVKEY/")
	require.Contains(t, r.Header.Get("Authorization"), "/us-west-2/")
}

func TestAProfile(t *testing.T) { //nolint:paralleltest // sets the environment
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	require.NoError(t, os.WriteFile(config, []byte("[profile factory]\nregion = ap-south-1\naws_access_key_id = PROFILEKEY\naws_secret_access_key = s\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", config)
	t.Setenv("AWS_ACCESS_KEY_ID", "ENVKEY")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "envsecret")
	e := newEndpoint(t, false)
	require.NoError(t, put(t, open(t, Settings{Profile: "factory", EndpointURI: e.URL}, Stream{}), Stream{Name: "s"}))
	r, _ := e.last()
	require.Contains(t, r.Header.Get("Authorization"), "Credential=PROFILEKEY/")
	require.Contains(t, r.Header.Get("Authorization"), "/ap-south-1/")

	_, err := Open(context.Background(), Settings{Profile: "nobody", Region: "eu-west-1"}, Stream{})
	require.Equal(t, awserr.CodeNoCredentials, awserr.Classify(err, awserr.Subject{}).Code, "%v", err)
}

func TestTheBundleOfTheEnvironment(t *testing.T) { //nolint:paralleltest // sets the environment
	e := newEndpoint(t, true)
	t.Setenv("AWS_CA_BUNDLE", e.authority(t))
	require.NoError(t, put(t, open(t, testSettings(e), Stream{}), Stream{Name: "s"}))
}

func TestNoRegion(t *testing.T) {
	t.Parallel()
	_, err := Open(context.Background(), Settings{}, Stream{})
	require.ErrorIs(t, err, ErrNoRegion)
	for _, remedy := range []string{"AWS_REGION", "profile", "property region"} {
		require.ErrorContains(t, err, remedy)
	}
}

func TestNoCredentials(t *testing.T) {
	t.Parallel()
	session := open(t, Settings{Region: "eu-west-1"}, Stream{})
	err := session.CheckCredentials(context.Background())
	f := awserr.Classify(err, awserr.Subject{})
	require.Equal(t, awserr.CodeNoCredentials, f.Code, "%v", err)
	require.Equal(t, awserr.Permanent, f.Class)
	require.NoError(t, open(t, Settings{Region: "r-1", AccessKey: "a", SecretAccessKey: "b"}, Stream{}).CheckCredentials(context.Background()))
}

func TestEndpointsOfAWS(t *testing.T) {
	t.Parallel()
	for host, s := range map[string]Settings{
		"kinesis.eu-west-1.amazonaws.com":      {},
		"kinesis.eu-west-1.api.aws":            {UseDualStack: true},
		"kinesis-fips.us-east-1.amazonaws.com": {UseFIPS: true, Region: "us-east-1"},
	} {
		if s.Region == "" {
			s.Region = "eu-west-1"
		}
		s.AccountIDEndpointMode = "disabled"
		client := open(t, s, Stream{}).Kinesis()
		resolved, err := client.Options().EndpointResolverV2.ResolveEndpoint(context.Background(), kinesis.EndpointParameters{
			Region: aws.String(s.Region), UseDualStack: aws.Bool(s.UseDualStack), UseFIPS: aws.Bool(s.UseFIPS),
		})
		require.NoError(t, err)
		require.Equal(t, host, resolved.URI.Host)
		o := client.Options()
		require.Equal(t, s.UseDualStack, o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled)
		require.Equal(t, s.UseFIPS, o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled)
		require.EqualValues(t, "disabled", o.AccountIDEndpointMode)
	}
}

func TestSettingsThatContradictThemselves(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]Settings{
		"half a key": {AccessKey: "a"}, "the other half": {SecretAccessKey: "b"}, "lone token": {SessionToken: "c"},
		"lone id": {ExternalID: "x"}, "timeout": {RequestTimeout: -1}, "connections": {MaxConnections: -1},
		"mode": {AccountIDEndpointMode: "sometimes"}, "no scheme": {EndpointURI: "localhost:4567"},
		"scheme": {EndpointURI: "ftp://localhost"}, "host": {EndpointURI: "http://"}, "port only": {EndpointURI: "http://:4567"},
		"user": {EndpointURI: "http://me:hunter2@localhost"}, "query": {EndpointURI: "http://localhost?x=1"}, "url": {EndpointURI: "http://me:hunter2@local host"},
	} {
		s.Region = "eu-west-1"
		_, err := Open(context.Background(), s, Stream{})
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestConnectionsAreKeptAndClosed(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, false)
	opened, closed := make(chan net.Conn, 10), make(chan net.Conn, 10)
	server := httptest.NewUnstartedServer(e.Config.Handler)
	server.Config.ConnState = func(c net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			opened <- c
		case http.StateClosed:
			closed <- c
		}
	}
	server.Start()
	defer server.Close()
	s := testSettings(e)
	s.EndpointURI = server.URL
	session, other := open(t, s, Stream{}), open(t, s, Stream{})
	for range 3 {
		require.NoError(t, put(t, session, Stream{Name: "s"}))
	}
	require.Len(t, opened, 1, "the connection is used again")
	require.NoError(t, put(t, other, Stream{Name: "s"}))
	require.Len(t, opened, 2, "no pool is shared")
	session.Close()
	require.Equal(t, <-opened, <-closed)
	require.Empty(t, closed)
}
