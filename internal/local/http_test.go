package local_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
)

const (
	jsonType = "application/x-amz-json-1.1"
	cborType = "application/x-amz-cbor-1.1"
)

// post sends a request as it stands and returns the answer with its body.
func post(t *testing.T, srv *local.Server, contentType, target, body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL(), strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", contentType)
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Len(t, resp.Header.Get("x-amzn-RequestId"), 36)
	require.NotEmpty(t, resp.Header.Get("x-amz-id-2"))
	return resp, string(got)
}

func TestRawRequests(t *testing.T) {
	t.Parallel()
	srv := localtest.Start(t, demo(1))
	const prefix = "Kinesis_20131202."
	for _, tc := range []struct {
		contentType, target, body string
		status                    int
		want                      string
	}{
		{jsonType, prefix + "ListStreams", `{}`, 200, `"StreamNames":["demo"]`},
		{jsonType + "; charset=utf-8", prefix + "ListStreams", `{}`, 200, `"StreamNames":["demo"]`},
		{cborType, prefix + "ListStreams", "\xa0", 200, "kStreamNames\x9fddemo\xff"},
		{jsonType, prefix + "ListStreams", ``, 400, `{"__type":"SerializationException"}`},
		{jsonType, prefix + "ListStreams", `{"Limit":"x"}`, 400, `{"__type":"SerializationException","Message":"STRING_VALUE cannot be converted to Integer"}`},
		{jsonType, prefix + "DescribeStream", `{"StreamName":"x"}`, 400, `{"__type":"ResourceNotFoundException","message":"Stream x under account 000000000000 not found."}`},
		{cborType, prefix + "DescribeStream", "\xa1jStreamNameax", 400, "\xbff__typex\x19ResourceNotFoundExceptiongmessagex.Stream x under account 000000000000 not found.\xff"},
		{jsonType, prefix + "Fly", `{}`, 400, `{"__type":"UnknownOperationException"}`},
		{jsonType, "DynamoDB_20120810.ListTables", `{}`, 400, `{"__type":"UnknownOperationException"}`},
		{jsonType, "", `{}`, 400, `{"__type":"UnknownOperationException"}`},
		{"text/plain", prefix + "ListStreams", `{}`, 404, "<UnknownOperationException/>\n"},
		{"text/plain", "", `{}`, 403, "<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized</Message>\n</AccessDeniedException>\n"},
		{jsonType, prefix + "DeleteStream", `{"StreamName":"demo"}`, 200, ""},
	} {
		resp, got := post(t, srv, tc.contentType, tc.target, tc.body)
		require.Equal(t, tc.status, resp.StatusCode, "%s %q", tc.target, tc.body)
		if tc.status == 200 {
			require.Contains(t, got, tc.want)
		} else {
			require.Equal(t, tc.want, got)
		}
	}
	resp, err := http.Get(srv.URL())
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 403, resp.StatusCode)
}

func TestTooLargeBody(t *testing.T) {
	t.Parallel()
	srv := localtest.Start(t, demo(1))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL(), strings.NewReader(strings.Repeat("x", 21<<20)))
	require.NoError(t, err)
	r.Header.Set("Expect", "100-continue") // otherwise the answer may be lost in the reset that follows it
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 413, resp.StatusCode)
}

func TestKeepAlive(t *testing.T) {
	t.Parallel()
	srv := localtest.Start(t, demo(1))
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	for range 3 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL(), strings.NewReader("{}"))
		require.NoError(t, err)
		r.Header.Set("Content-Type", jsonType)
		r.Header.Set("X-Amz-Target", "Kinesis_20131202.ListStreams")
		resp, err := client.Do(r)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.False(t, resp.Close)
	}
	client.CloseIdleConnections()
}

// FuzzRequests sends bodies to every operation: the endpoint answers each, and never with a fault of its own.
func FuzzRequests(f *testing.F) {
	f.Add(uint8(0), false, []byte(`{"StreamName":"demo","ShardCount":1}`))
	f.Add(uint8(12), false, []byte(`{"StreamName":"demo","Records":[{"Data":"AQ==","PartitionKey":"k"}]}`))
	f.Add(uint8(7), true, []byte("\xa1jStreamNameddemo"))
	srv, err := local.New(demo(2))
	require.NoError(f, err)
	require.NoError(f, srv.Start())
	f.Cleanup(srv.Stop)
	f.Fuzz(func(t *testing.T, op uint8, cbor bool, body []byte) {
		ops := local.Operations()
		contentType := jsonType
		if cbor {
			contentType = cborType
		}
		resp, _ := post(t, srv, contentType, "Kinesis_20131202."+ops[int(op)%len(ops)], string(body))
		require.Less(t, resp.StatusCode, 500)
	})
}
