package faults

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/local"
)

// failure is a fault rule that answers every put with an error of AWS's.
func failure(code string, status int) local.Rule {
	return local.Rule{Operations: []string{"PutRecords"}, Error: &local.Failure{Code: code, Message: "said the service", Status: status}}
}

// recordFailure refuses each record of every put.
func recordFailure(code, message string) local.Rule {
	return local.Rule{Record: &local.Failure{Code: code, Message: message}}
}

// TestPermanentAtStart is the first cell of the table of errors: an ERROR within 5 s that tells code, region, stream and remedy.
func TestPermanentAtStart(t *testing.T) {
	returns(t)
	t.Run("all", func(t *testing.T) {
		for _, c := range []struct {
			name       string
			set        local.Settings
			rule       *local.Rule
			properties string
			unasked    bool // it is found without a record
			code       string
			class      string
			status     uint64
			says       string
			domain     gst.Code
		}{
			{
				name: "no credentials", properties: `access-key="" secret-access-key=""`, unasked: true,
				code: "NoCredentials", says: "AWS_ACCESS_KEY_ID", domain: gst.ResourceNotAuthorized,
			},
			{
				name: "unknown access key", set: local.Settings{Credentials: []local.Credentials{{AccessKeyID: "another", SecretAccessKey: secret}}},
				code: "UnrecognizedClientException", status: 400, says: "access-key", domain: gst.ResourceNotAuthorized,
			},
			{
				name: "access denied", rule: new(failure("AccessDeniedException", 400)),
				code: "AccessDeniedException", status: 400, says: "llow kinesis:PutRecord and kinesis:PutRecords", domain: gst.ResourceNotAuthorized,
			},
			{
				name: "key disabled", rule: new(failure("KMSDisabledException", 400)),
				code: "KMSDisabledException", status: 400, says: "KMS key", domain: gst.ResourceNotAuthorized,
			},
			{
				name: "expired token", rule: new(failure("ExpiredTokenException", 400)),
				code: "ExpiredTokenException", status: 400, says: "enew the temporary credentials", class: "expired credentials", domain: gst.ResourceNotAuthorized,
			},
			{
				name: "bad argument", rule: new(failure("InvalidArgumentException", 400)),
				code: "InvalidArgumentException", status: 400, says: "1 to 128 of a-z", domain: gst.ResourceSettings,
			},
			{
				name: "another protocol", rule: new(failure("UnknownOperationException", 404)),
				code: "UnknownOperationException", status: 404, says: "endpoint-uri", domain: gst.ResourceNotAuthorized,
			},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				srv := endpoint(t, c.set)
				if c.rule != nil {
					fault(t, srv, *c.rule)
				}
				r := newRig(t, srv, c.properties)
				r.play()
				if !c.unasked {
					r.push(10, 1000)
				}
				m := r.awaitError(c.code)
				require.LessOrEqual(t, m.at, errorWithin)
				require.Equal(t, c.domain, m.Err.Code, "%s", m.Err.Text)
				require.Contains(t, m.Err.Text, c.says)
				require.Equal(t, region, m.Structure.Str("region"))
				require.NotEmpty(t, m.Structure.Str("stream-name"))
				require.Contains(t, m.Structure.Str("remedy"), c.says)
				require.Equal(t, c.status, m.Structure.Uint64("http-status-code"))
				require.Equal(t, c.status != 0, m.Structure.Str("request-id") != "")
				if c.class == "" {
					c.class = "permanent"
				}
				require.Equal(t, c.class, m.Structure.Str("class"))
				r.stop()
				b := r.balance(0)
				require.Equal(t, b.accepted, r.dropped(c.code))
				require.Len(t, r.count(gst.MessageError, ""), 1, "it is said once")
				noSecret(t, r.all())
			})
		}
	})
}

// TestCertificates: what is wrong with TLS is permanent, and each case has its own remedy. With the authority as ca-file the handshake is well.
func TestCertificates(t *testing.T) {
	returns(t)
	service := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(service.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: service.Certificate().Raw}), 0o600))
	t.Run("all", func(t *testing.T) {
		for _, c := range []struct{ name, properties, code, says string }{
			{"not trusted", "endpoint-uri=" + service.URL, "CertificateNotTrusted", "ca-file"},
			{"for another host", "endpoint-uri=" + strings.Replace(service.URL, "127.0.0.1", "localhost", 1) + " ca-file=" + ca, "CertificateForOtherHost", "host name"},
			{"no TLS there", "endpoint-uri=" + strings.Replace(plain.URL, "http:", "https:", 1), "NotTLS", "http://"},
			{"no Kinesis there", "endpoint-uri=" + service.URL + " ca-file=" + ca, "BadAnswer", "endpoint-uri"},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, nil, c.properties)
				r.play()
				r.push(10, 1000)
				m := r.awaitError(c.code)
				require.LessOrEqual(t, m.at, errorWithin)
				require.Contains(t, m.Err.Text, c.says)
				require.Equal(t, "permanent", m.Structure.Str("class"))
				r.stop()
				b := r.balance(0)
				require.Equal(t, b.accepted, r.dropped(c.code))
			})
		}
	})
}

// TestSettingsAtStart: what is wrong before anything is sent fails the change of state, with an error that names the property.
func TestSettingsAtStart(t *testing.T) {
	for _, c := range []struct{ properties, says string }{
		{`region=""`, "AWS_REGION"},
		{`stream-name=""`, "stream-name"},
		{"stream-name=no/name", "a name consists of"},
		{"stream-name=a stream-arn=arn:aws:kinesis:us-east-1:123456789012:stream/b", "stream-arn"},
		{"stream-arn=nonsense", "arn"},
		{"endpoint-uri=nonsense", "endpoint-uri"},
		{"partition-key=k", "partition-key-mode=static"},
		{"partition-key-mode=static", "partition-key"},
		{"ca-file=/no/such/file", "ca-file"},
		{"profile=nobody", "nobody"},
		{`secret-access-key=""`, "secret-access-key"},
		{"max-size-bytes=0", "max-size-bytes"},
	} {
		t.Run(c.properties, func(t *testing.T) {
			r := newRig(t, endpoint(t, local.Settings{}), c.properties)
			require.Equal(t, gst.StateChangeFailure, r.pipeline.SetState(gst.StatePlaying))
			m := r.await("an error", func(m said) bool { return m.Type == gst.MessageError })
			require.Equal(t, gst.ResourceSettings, m.Err.Code)
			require.Contains(t, m.Err.Text, c.says)
			r.stop()
			r.balance(0)
			noSecret(t, r.all())
		})
	}
}

// TestTransientAtStart: a WARNING within 2 s, no ERROR, and once it is over all is delivered.
func TestTransientAtStart(t *testing.T) {
	returns(t)
	t.Run("all", func(t *testing.T) {
		for _, c := range []struct {
			name, properties string
			rule             local.Rule
			code, class      string
			domain           gst.Code
		}{
			{name: "5xx", rule: failure("InternalFailure", 500), code: "InternalFailure"},
			{name: "unavailable", rule: failure("ServiceUnavailable", 503), code: "ServiceUnavailable"},
			{name: "no answer", rule: local.Rule{Hang: true}, properties: "request-timeout=3000", code: "Timeout"},
			{name: "cut before", rule: local.Rule{Cut: "after-body"}, code: "ConnectionCut|ConnectionReset"},
			{name: "cut after", rule: local.Rule{Cut: "after-processing"}, code: "ConnectionCut|ConnectionReset"},
			{name: "half an answer", rule: local.Rule{Cut: "mid-answer"}, code: "ConnectionCut|ConnectionReset|BadAnswer"},
			{name: "no sense", rule: local.Rule{Garble: true}, code: "BadAnswer"},
			{name: "account throttled", rule: failure("LimitExceededException", 400), code: "LimitExceededException", class: "throttled", domain: gst.ResourceBusy},
			{name: "shards throttled", rule: local.Rule{Throttle: true}, code: "ProvisionedThroughputExceededException", class: "throttled", domain: gst.ResourceBusy},
			{name: "key throttled", rule: failure("KMSThrottlingException", 400), code: "KMSThrottlingException", class: "throttled", domain: gst.ResourceBusy},
			{name: "key throttled for records", rule: recordFailure("KMSThrottlingException", "Rate exceeded"), code: "KMSThrottlingException", class: "throttled", domain: gst.ResourceBusy},
			{name: "stream being changed", rule: failure("ResourceInUseException", 400), code: "ResourceInUseException"},
			{name: "an unknown record error", rule: recordFailure("BrandNewException", "something"), code: "BrandNewException"},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				srv := endpoint(t, local.Settings{})
				rule := fault(t, srv, c.rule)
				r := newRig(t, srv, c.properties)
				r.play()
				r.push(50, 1000)
				m := r.await("a warning", func(m said) bool { return m.Type == gst.MessageWarning })
				require.LessOrEqual(t, m.at, warningWithin)
				require.Contains(t, strings.Split(c.code, "|"), m.Structure.Str("aws-error-code"))
				if c.class == "" {
					c.class, c.domain = "transient", gst.ResourceWrite
				}
				require.Equal(t, c.class, m.Structure.Str("class"))
				require.Equal(t, c.domain, m.Err.Code)
				require.NotEmpty(t, m.Structure.Str("remedy"))
				// It goes on warning, at most once a second.
				r.await("more than one", func(said) bool { return len(r.count(gst.MessageWarning, "")) >= 2 })
				rule.Remove()
				r.push(50, 1000)
				r.awaitRecovery()
				r.end()
				r.allDelivered()
				for _, code := range strings.Split(c.code, "|") {
					r.rate(code)
				}
				require.Empty(t, r.count(gst.MessageError, ""))
			})
		}
	})
}

// TestUnknownHost: a name that does not resolve may resolve later.
func TestUnknownHost(t *testing.T) {
	host := strings.Repeat(strings.Repeat("x", 62)+".", 4) + "ab" // 254 characters: a resolver says no without asking anybody
	r := newRig(t, nil, "stop-timeout=0 endpoint-uri=http://"+host)
	r.play()
	r.push(10, 1000)
	m := r.awaitWarning("HostNotFound")
	require.LessOrEqual(t, m.at, warningWithin)
	require.Contains(t, m.Err.Text, "typing error")
	r.stop()
	r.balance(0)
	require.Equal(t, 10, r.dropped("stop"))
}

// TestStartTimeout: with start-timeout a transient trouble is an ERROR in the end.
func TestStartTimeout(t *testing.T) {
	returns(t)
	r := newRig(t, nil, "start-timeout=1500000000")
	r.play()
	r.push(10, 1000)
	m := r.awaitError("ConnectionRefused")
	require.GreaterOrEqual(t, m.at, 1500*time.Millisecond)
	require.LessOrEqual(t, m.at, errorWithin)
	require.Equal(t, "start-timeout", m.Structure.Str("reason"))
	require.NotEmpty(t, r.count(gst.MessageWarning, "ConnectionRefused"))
	r.stop()
	r.balance(0)
	require.Equal(t, 10, r.dropped("start-timeout"))
}

// TestClockIsWrong: the SDK learns the difference from the first answer, and nobody notices.
func TestClockIsWrong(t *testing.T) {
	for _, off := range []time.Duration{-time.Hour, time.Hour} {
		t.Run(off.String(), func(t *testing.T) {
			now := func() time.Time { return time.Now().Add(off) }
			srv := endpoint(t, local.Settings{Credentials: []local.Credentials{{AccessKeyID: access, SecretAccessKey: secret}}, Now: now})
			target, err := url.Parse(srv.URL())
			require.NoError(t, err)
			dated := httputil.NewSingleHostReverseProxy(target) // AWS's answers bear its own time
			dated.ModifyResponse = func(a *http.Response) error {
				a.Header.Set("Date", now().UTC().Format(http.TimeFormat))
				return nil
			}
			front := httptest.NewServer(dated)
			t.Cleanup(front.Close)
			r := newRig(t, srv, "endpoint-uri="+front.URL)
			r.play()
			r.push(100, 1000)
			r.end()
			r.allDelivered()
			require.Empty(t, r.count(gst.MessageError, ""))
		})
	}
}
