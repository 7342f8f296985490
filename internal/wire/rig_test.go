package wire_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/wire"
)

const (
	jsonType = "application/x-amz-json-1.1"
	cborType = "application/x-amz-cbor-1.1"
)

// entry is a record of a request.
func entry(key string, data []byte) types.PutRecordsRequestEntry {
	return types.PutRecordsRequestEntry{PartitionKey: aws.String(key), Data: data}
}

// doer is an HTTP client that is a function.
type doer func(r *http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// answer is an answer from memory.
func answer(r *http.Request, status int, contentType string, body []byte) *http.Response {
	h := http.Header{"X-Amzn-Requestid": {"request-id"}}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	return &http.Response{
		StatusCode: status, Header: h, Request: r, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}
}

// sent is a request as it was seen.
type sent struct {
	header http.Header
	path   string
	body   []byte
}

func (s sent) format() string {
	if s.header.Get("Content-Type") == cborType {
		return "cbor"
	}
	return "json"
}

// recorder keeps requests and answers them one after another; the last answer stays.
type recorder struct {
	t       *testing.T
	seen    []sent
	answers []func(r *http.Request) (*http.Response, error)
}

func (c *recorder) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	require.NoError(c.t, err)
	require.EqualValues(c.t, r.ContentLength, len(body))
	c.seen = append(c.seen, sent{r.Header.Clone(), r.URL.Path, body})
	next := c.answers[0]
	if len(c.answers) > 1 {
		c.answers = c.answers[1:]
	}
	return next(r)
}

// then adds an answer.
func (c *recorder) then(status int, contentType, body string, header ...string) *recorder {
	c.answers = append(c.answers, func(r *http.Request) (*http.Response, error) {
		a := answer(r, status, contentType, []byte(body))
		for i := 0; i+1 < len(header); i += 2 {
			a.Header.Set(header[i], header[i+1])
		}
		return a, nil
	})
	return c
}

func (c *recorder) formats() string {
	var all []string
	for _, s := range c.seen {
		all = append(all, s.format())
	}
	return strings.Join(all, " ")
}

// Answers to a request of one record.
const (
	okJSON = `{"FailedRecordCount":0,"Records":[{"SequenceNumber":"1","ShardId":"shardId-000000000000"}]}`
	okCBOR = "\xbf\x71FailedRecordCount\x00\x67Records\x9f\xbf\x6eSequenceNumber\x611\x67ShardId\x74shardId-000000000000\xff\xff\xff"
)

// clientOf returns a client whose requests a recorder answers, and its protocol.
func clientOf(http kinesis.HTTPClient, s wire.Settings, options ...func(*kinesis.Options)) (*kinesis.Client, *wire.Protocol) {
	p := wire.New(s)
	return benchClient(http, append([]func(*kinesis.Options){p.Install}, options...)...), p
}

// one is a request of one record.
func one() *kinesis.PutRecordsInput {
	return &kinesis.PutRecordsInput{
		StreamName: aws.String("test"), Records: []types.PutRecordsRequestEntry{entry("partitionkey", []byte("hello, world!"))},
	}
}

// cutBody is a body that ends too early.
type cutBody struct{ io.ReadCloser }

func (c *cutBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p[:min(len(p), 10)])
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// showHash puts the hash that is signed into a header.
func showHash(stack *middleware.Stack) error { return v4.AddContentSHA256HeaderMiddleware(stack) }

// keepStream keeps the body that the SDK holds.
func keepStream(into *io.Reader) func(stack *middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		keep := middleware.FinalizeMiddlewareFunc("keep", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
			middleware.FinalizeOutput, middleware.Metadata, error,
		) {
			out, metadata, err := next.HandleFinalize(ctx, in)
			*into = in.Request.(*smithyhttp.Request).GetStream()
			return out, metadata, err
		})
		return stack.Finalize.Add(keep, middleware.After)
	}
}
