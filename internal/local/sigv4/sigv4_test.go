package sigv4

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local/apierr"
)

func testNow() time.Time { return time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC) }

func testVerifier() *Verifier {
	return &Verifier{Service: "kinesis", Now: testNow, Lookup: func(id string) (Credentials, bool) {
		switch id {
		case "AKID":
			return Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, true
		case "ASIA":
			return Credentials{AccessKeyID: "ASIA", SecretAccessKey: "secret", SessionToken: "token"}, true
		}
		return Credentials{}, false
	}}
}

// signed is how a test makes a request; zero fields have good values.
type signed struct {
	id, secret, token, service, region, hash, body, path string
	at                                                   time.Time
	change                                               func(*http.Request)
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// request makes a request, signs it with AWS's own signer and passes it through Go's server, as a real one comes.
func (s signed) request(t *testing.T) *http.Request {
	t.Helper()
	if s.at.IsZero() {
		s.at = testNow()
	}
	r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1:4567"+or(s.path, "/"), strings.NewReader(s.body))
	require.NoError(t, err)
	r.Header.Set("X-Amz-Target", "Kinesis_20131202.ListStreams")
	r.Header.Set("X-Odd", "  a   b ")
	creds := aws.Credentials{AccessKeyID: or(s.id, "AKID"), SecretAccessKey: or(s.secret, "secret"), SessionToken: s.token}
	err = v4.NewSigner().SignHTTP(context.Background(), creds, r, or(s.hash, HashBody([]byte(s.body))), or(s.service, "kinesis"),
		or(s.region, "eu-central-1"), s.at)
	require.NoError(t, err)
	if s.change != nil {
		s.change(r)
	}
	var wire bytes.Buffer
	require.NoError(t, r.Write(&wire))
	got := httptest.NewRequest(http.MethodPost, or(s.path, "/"), strings.NewReader(s.body))
	got.Host, got.Header = r.Host, r.Header
	return got
}

func TestGoodSignatures(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]signed{
		"plain":          {},
		"body":           {body: strings.Repeat("frame", 1000)},
		"session token":  {id: "ASIA", token: "token"},
		"path and query": {path: "/a%20b/c%2Fd/?x=1&a=%C3%A4&empty=&x=0"},
		"early":          {at: testNow().Add(-5 * time.Minute)},
		"late":           {at: testNow().Add(5 * time.Minute)},
	} {
		require.NoError(t, testVerifier().Verify(s.request(t), HashBody([]byte(s.body))), name)
	}
}

// badSignature is a request that must be refused, with a code and words of the message.
type badSignature struct {
	signed
	code, text string
}

func badSignatures() map[string]badSignature {
	del := func(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	edit := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		}
	}
	return map[string]badSignature{
		"nothing":        {signed{change: del("Authorization")}, apierr.MissingAuthToken, "Missing Authentication Token"},
		"unknown key":    {signed{id: "OTHER"}, apierr.UnrecognizedClient, "The security token included in the request is invalid."},
		"no token":       {signed{id: "ASIA"}, apierr.UnrecognizedClient, "The security token included in the request is invalid."},
		"wrong token":    {signed{id: "ASIA", token: "old"}, apierr.UnrecognizedClient, "The security token"},
		"needless token": {signed{token: "t"}, apierr.UnrecognizedClient, "The security token"},
		"wrong secret":   {signed{secret: "x"}, apierr.InvalidSignature, "The request signature we calculated does not match the signature you provided."},
		"unsigned body":  {signed{hash: "UNSIGNED-PAYLOAD"}, apierr.InvalidSignature, "The Canonical String for this request should have been\n'POST\n/\n\n"},
		"other body":     {signed{hash: HashBody([]byte("other"))}, apierr.InvalidSignature, "The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20261102T080000Z\n"},
		"changed header": {signed{change: set("X-Odd", "c")}, apierr.InvalidSignature, "x-odd:c\n"},
		"wrong service":  {signed{service: "firehose"}, apierr.InvalidSignature, "Credential should be scoped to correct service: 'kinesis'. "},
		"too old": {signed{at: testNow().Add(-5*time.Minute - time.Second)}, apierr.InvalidSignature,
			"Signature expired: 20261102T075459Z is now earlier than 20261102T075500Z (20261102T080000Z - 5 min.)"},
		"too new": {signed{at: testNow().Add(10 * time.Minute)}, apierr.InvalidSignature,
			"Signature not yet current: 20261102T081000Z is still later than 20261102T080500Z (20261102T080000Z + 5 min.)"},
		"terminator":   {signed{change: edit("/aws4_request", "/aws3_request")}, apierr.InvalidSignature, "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws3_request'."},
		"scope's date": {signed{change: edit("/20261102/", "/20261101/")}, apierr.InvalidSignature, "Date in Credential scope does not match YYYYMMDD"},
		"short scope":  {signed{change: edit("AKID/", "AKID ")}, apierr.IncompleteSignature, "Credential must have exactly 5 slash-delimited elements"},
		"bad date":     {signed{change: set("X-Amz-Date", "yesterday")}, apierr.IncompleteSignature, "Date must be in ISO-8601 'basic format'. Got 'yesterday'."},
		"host unsigned": {signed{change: edit("SignedHeaders=content-length;host;", "SignedHeaders=content-length;")}, apierr.InvalidSignature,
			"must be a 'SignedHeader' in the AWS Authorization."},
		"no date": {signed{change: del("X-Amz-Date")}, apierr.IncompleteSignature,
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256 Cred"},
		"scheme only": {signed{change: set("Authorization", "AWS4-HMAC-SHA256")}, apierr.IncompleteSignature,
			"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
				"Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256"},
		"another scheme": {signed{change: set("Authorization", "Bearer x")}, apierr.IncompleteSignature, "Authorization=Bearer x"},
	}
}

func TestBadSignatures(t *testing.T) {
	t.Parallel()
	for name, tc := range badSignatures() {
		tc.body = "body"
		err := testVerifier().Verify(tc.request(t), HashBody([]byte("body")))
		var e *apierr.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, tc.code, e.Code, "%s: %s", name, e.Message)
		require.Contains(t, e.Message, tc.text, name)
		require.Equal(t, http.StatusBadRequest, e.Status)
	}
}

func TestRegion(t *testing.T) {
	t.Parallel()
	v := testVerifier()
	v.Region = "us-east-1"
	require.ErrorContains(t, v.Verify(signed{}.request(t), HashBody(nil)), "Credential should be scoped to a valid region.")
	require.NoError(t, v.Verify(signed{region: "us-east-1"}.request(t), HashBody(nil)))
}

func TestDateHeader(t *testing.T) {
	t.Parallel()
	// A client may send Date in place of X-Amz-Date; the time in the string to sign is the same.
	r := signed{}.request(t)
	a, err := parse(r)
	require.NoError(t, err)
	r.Header.Del("X-Amz-Date")
	r.Header.Set("Date", testNow().Format(http.TimeFormat))
	b, err := parse(r)
	require.NoError(t, err)
	require.Equal(t, a.at, b.at)
}

func FuzzAuthorization(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKID/20261102/us-east-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date, Signature=00", "20261102T080000Z")
	f.Add("AWS4-HMAC-SHA256", "")
	f.Add("AWS4-HMAC-SHA256 Credential=////,Signature==,SignedHeaders=;;host", "Mon, 02 Nov 2026 08:00:00 GMT")
	f.Fuzz(func(t *testing.T, header, date string) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header["Authorization"], r.Header["X-Amz-Date"] = []string{header}, []string{date}
		var e *apierr.Error
		require.ErrorAs(t, testVerifier().Verify(r, HashBody(nil)), &e, "no made-up signature is right")
	})
}
