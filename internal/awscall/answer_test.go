package awscall

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/awserr"
)

func TestErrorsOfAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header, body, code, message string
		status                      int
		fault                       smithy.ErrorFault
	}{
		"in a header":       {"LimitExceededException:http://internal.amazon.com/x", `{"Message":"too many"}`, "LimitExceededException", "too many", 400, smithy.FaultClient},
		"in __type":         {"", `{"__type":"com.amazonaws#NotAuthorizedException","message":"no"}`, "NotAuthorizedException", "no", 401, smithy.FaultClient},
		"in code":           {"", ` {"code":"InternalFailure"} `, "InternalFailure", "", 500, smithy.FaultServer},
		"not the service's": {"", "<html>", "UnknownError", "", 502, smithy.FaultServer},
		"numbers":           {"", `{"code":7,"Message":[]}`, "UnknownError", "", 400, smithy.FaultClient},
	} {
		answer := &http.Response{StatusCode: c.status, Header: http.Header{}}
		if c.header != "" {
			answer.Header.Set("x-amzn-ErrorType", c.header)
		}
		var api *smithy.GenericAPIError
		require.ErrorAs(t, apiError(answer, []byte(c.body)), &api, name)
		require.Equal(t, smithy.GenericAPIError{Code: c.code, Message: c.message, Fault: c.fault}, *api, name)
	}
}

// closing tells whether it was closed.
type closing struct {
	io.Reader
	closed chan struct{}
}

func (c *closing) Close() error {
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	return nil
}

// Whatever comes of a request, its body is closed; what fails names the operation and is classified.
func TestDo(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("x-amzn-RequestId", "id-1")
		switch r.URL.Path {
		case "/refused":
			w.Header().Set("x-amzn-ErrorType", "InvalidArgumentException")
			w.WriteHeader(http.StatusBadRequest)
		case "/elsewhere":
			http.Redirect(w, r, "/good", http.StatusTemporaryRedirect)
		default:
			_, _ = io.WriteString(w, r.Header.Get("Authorization"))
		}
	}))
	t.Cleanup(srv.Close)
	for name, c := range map[string]struct{ key, endpoint, path, code string }{
		"good":           {"test", srv.URL + "/", "/good", ""},
		"refused":        {"test", srv.URL, "/refused", "InvalidArgumentException"},
		"redirected":     {"test", srv.URL, "/elsewhere", awserr.CodeBadAnswer},
		"nobody there":   {"test", "http://127.0.0.1:1", "/good", awserr.CodeRefused},
		"no credentials": {"", srv.URL, "/good", "CredentialFileUnusable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := awscfg.Settings{Region: "us-east-1", EndpointURI: srv.URL, AccessKey: "test", SecretAccessKey: "test"}
			if c.key == "" {
				set.AccessKey, set.SecretAccessKey, set.CredentialPath = "", "", t.TempDir()+"/none"
			}
			session, err := awscfg.Open(t.Context(), set, awscfg.Stream{Name: "cam"})
			require.NoError(t, err)
			defer session.Close()
			caller := New(session, session.Transport(), KinesisVideo())
			defer caller.Close()
			body := &closing{strings.NewReader("{}"), make(chan struct{})}
			request, err := Post(t.Context(), c.endpoint, c.path, body)
			require.NoError(t, err)
			answer, expires, err := caller.Do(request, "GetMedia", Hash([]byte("{}")))
			<-body.closed
			if c.code != "" {
				var call *smithy.OperationError
				require.ErrorAs(t, err, &call)
				require.Equal(t, "GetMedia", call.OperationName)
				require.Equal(t, c.code, awserr.Classify(err, awserr.Subject{}).Code)
				return
			}
			require.NoError(t, err)
			defer answer.Body.Close()
			text, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			require.Contains(t, string(text), "/us-east-1/kinesisvideo/aws4_request")
			require.Equal(t, "id-1", RequestID(answer))
			require.Equal(t, time.Time{}, expires)
		})
	}
	body := &closing{strings.NewReader(""), make(chan struct{})}
	_, err := Post(t.Context(), "http://\x00", "/x", body)
	require.ErrorContains(t, err, "making the request")
	<-body.closed
	require.Equal(t, EmptyHash, Hash(nil))
}
