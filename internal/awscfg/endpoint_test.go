package awscfg

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

// endpoint is an HTTP server in the place of AWS that keeps what it was asked.
type endpoint struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	answer   func(http.ResponseWriter, *http.Request)
}

func newEndpoint(t *testing.T, secure bool) *endpoint {
	t.Helper()
	e := &endpoint{answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Header().Set("x-amzn-RequestId", "request-7")
		_, _ = io.WriteString(w, `{"FailedRecordCount":0,"Records":[{"SequenceNumber":"1","ShardId":"shardId-000000000000"}]}`)
	}}
	e.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		e.requests, e.bodies = append(e.requests, r), append(e.bodies, string(body))
		answer := e.answer
		e.mu.Unlock()
		answer(w, r)
	}))
	e.Config.ErrorLog = log.New(io.Discard, "", 0)
	e.EnableHTTP2 = true
	if secure {
		e.StartTLS()
	} else {
		e.Start()
	}
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) last() (*http.Request, string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.requests[len(e.requests)-1], e.bodies[len(e.bodies)-1]
}

func (e *endpoint) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.requests)
}

func (e *endpoint) authority(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.Certificate().Raw})
	require.NoError(t, os.WriteFile(file, block, 0o600))
	return file
}

func testSettings(e *endpoint) Settings {
	return Settings{Region: "eu-west-1", EndpointURI: e.URL, AccessKey: "AKIDEXAMPLE", SecretAccessKey: "secret"}
}

func open(t *testing.T, s Settings, stream Stream) *Session {
	t.Helper()
	session, err := Open(context.Background(), s, stream)
	require.NoError(t, err)
	t.Cleanup(session.Close)
	return session
}

func put(t *testing.T, s *Session, stream Stream, options ...func(*kinesis.Options)) error {
	t.Helper()
	in := &kinesis.PutRecordsInput{Records: []types.PutRecordsRequestEntry{{Data: []byte("x"), PartitionKey: aws.String("k")}}}
	if stream.ARN != "" {
		in.StreamARN = &stream.ARN
	} else {
		in.StreamName = &stream.Name
	}
	off := func(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} }
	_, err := s.Kinesis(append(options, off)...).PutRecords(context.Background(), in)
	return err
}

// assumed is STS's answer to AssumeRole.
func assumed(key string, end time.Time) string {
	return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>` +
		`<AccessKeyId>` + key + `</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>rt</SessionToken>` +
		`<Expiration>` + end.UTC().Format(time.RFC3339) + `</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
}

// watched gives a server like e, whose connections' states are watched; e keeps what it is asked.
func (e *endpoint) watched(t *testing.T, watch func(net.Conn, http.ConnState)) string {
	t.Helper()
	server := httptest.NewUnstartedServer(e.Config.Handler)
	server.Config.ConnState = watch
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}
