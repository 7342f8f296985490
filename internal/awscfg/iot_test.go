package awscfg

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// iotServer stands for AWS IoT's credential provider.
type iotServer struct {
	host    string
	ca      string
	devices *authority

	mu     sync.Mutex
	things []string // of each request: thing, serial number of the certificate, path
	answer func(w http.ResponseWriter, n int)
}

func newIoTServer(t *testing.T) *iotServer {
	t.Helper()
	s := &iotServer{devices: newAuthority(t), answer: func(w http.ResponseWriter, n int) { giveIoT(w, n, time.Hour) }}
	ca := newAuthority(t)
	server := ca.serve(s.devices, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.things = append(s.things, fmt.Sprintf("%s %d %s %s", r.Header.Get(thingHeader), r.TLS.PeerCertificates[0].SerialNumber, r.Method, r.URL.EscapedPath()))
		n, answer := len(s.things), s.answer
		s.mu.Unlock()
		answer(w, n)
	}))
	s.host, s.ca = strings.TrimPrefix(server.URL, "https://"), ca.file()
	return s
}

func giveIoT(w io.Writer, n int, life time.Duration) {
	_, _ = fmt.Fprintf(w, `{"credentials":{"accessKeyId":"ASIA%d","secretAccessKey":"hush%d","sessionToken":"token%d","expiration":"%s"}}`,
		n, n, n, time.Now().Add(life).UTC().Format(time.RFC3339))
}

func (s *iotServer) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.things...)
}

func (s *iotServer) answers(answer func(w http.ResponseWriter, n int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// certificate is a device's settings for the server.
func (s *iotServer) certificate() *IoTCertificate {
	cert, key := s.devices.issue("device", 7)
	return &IoTCertificate{Endpoint: s.host, CertPath: cert, KeyPath: key, CAPath: s.ca, RoleAlias: "camera-alias"}
}

func iotSettings(e *endpoint, c *IoTCertificate) Settings {
	return Settings{Region: "eu-west-1", EndpointURI: e.URL, IoTCertificate: c}
}

func TestCredentialsOfACertificate(t *testing.T) {
	t.Parallel()
	iot, e := newIoTServer(t), newEndpoint(t, false)
	c := iot.certificate()
	session := open(t, iotSettings(e, c), Stream{Name: "front-door"})
	require.Empty(t, iot.asked(), "nothing is asked before it is needed")
	for range 3 {
		require.NoError(t, put(t, session, Stream{Name: "front-door"}))
	}
	r, _ := e.last()
	require.Contains(t, r.Header.Get("Authorization"), "Credential=ASIA1/")
	require.Equal(t, "token1", r.Header.Get("X-Amz-Security-Token"))
	require.Equal(t, []string{"front-door 7 GET /role-aliases/camera-alias/credentials"}, iot.asked(), "the stream's name is the thing's; asked once")

	// The certificate is rotated: the next renewal sends the new one.
	iot.devices.issue("device", 8)
	session.RefreshCredentials()
	require.NoError(t, put(t, session, Stream{Name: "front-door"}))
	r, _ = e.last()
	require.Contains(t, r.Header.Get("Authorization"), "Credential=ASIA2/")
	require.Contains(t, iot.asked()[1], "front-door 8 ")

	c.ThingName = "thing-9"
	require.NoError(t, open(t, iotSettings(e, c), Stream{Name: "front-door"}).CheckCredentials(t.Context()))
	require.Contains(t, iot.asked()[2], "thing-9 8 ")
}

func TestACertificateWithARoleOnTop(t *testing.T) { //nolint:paralleltest // sets the environment
	iot, e := newIoTServer(t), newEndpoint(t, false)
	var signed []string
	ok := e.answer
	e.answer = func(w http.ResponseWriter, r *http.Request) {
		signed = append(signed, r.Header.Get("Authorization"))
		if r.Header.Get("X-Amz-Target") != "" {
			ok(w, r)
			return
		}
		_, _ = io.WriteString(w, assumed("ROLEKEY", time.Now().Add(time.Hour)))
	}
	t.Setenv("AWS_ENDPOINT_URL_STS", e.URL)
	s := iotSettings(e, iot.certificate())
	s.RoleARN = "arn:aws:iam::123456789012:role/writer"
	require.NoError(t, put(t, open(t, s, Stream{Name: "s"}), Stream{Name: "s"}))
	require.Len(t, signed, 2)
	require.Contains(t, signed[0], "Credential=ASIA1/")
	require.Contains(t, signed[1], "Credential=ROLEKEY/")
	require.Contains(t, iot.asked()[0], "/role-aliases/camera-alias/credentials")
}

// TestARenewalThatFails: those in use are kept while they hold, and that is told once.
func TestARenewalThatFails(t *testing.T) {
	t.Parallel()
	iot, e := newIoTServer(t), newEndpoint(t, false)
	iot.answers(func(w http.ResponseWriter, n int) {
		if n == 1 {
			giveIoT(w, n, 3*time.Minute) // its last fifth is the window; see the clock below
			return
		}
		http.Error(w, `{"message":"Access Denied"}`, http.StatusForbidden)
	})
	var told notices
	s := iotSettings(e, iot.certificate())
	s.Notice = told.take
	session := open(t, s, Stream{Name: "s"})
	require.NoError(t, put(t, session, Stream{Name: "s"}))
	require.Empty(t, told.all())

	provider := &iotProvider{set: *s.IoTCertificate, now: time.Now}
	now := time.Now()
	r := &renewal{source: provider, notice: told.take, what: "iot-certificate", now: func() time.Time { return now }, end: now.Add(100 * time.Second)}
	old, err := session.Config().Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	_, failure := provider.Retrieve(t.Context())
	require.ErrorContains(t, failure, "iot:AssumeRoleWithCertificate")
	for i, wait := range []time.Duration{15, 30, 53, 0} { // of 100 seconds
		kept, err := r.HandleFailToRefresh(t.Context(), old, failure)
		if wait == 0 {
			require.ErrorIs(t, err, failure, "they are at their end")
			break
		}
		require.NoError(t, err)
		require.Equal(t, "ASIA1", kept.AccessKeyID)
		kept, err = r.AdjustExpiresBy(kept, -renewalWindow)
		require.NoError(t, err)
		require.Equal(t, now.Add(wait*time.Second), kept.Expires, i)
		now = kept.Expires
	}
	require.Len(t, told.all(), 1)
	require.Contains(t, told.all()[0], "iot:AssumeRoleWithCertificate")
	require.NotContains(t, told.all()[0], "hush")

	session.RefreshCredentials() // the service said that they have expired: nothing is kept
	require.ErrorContains(t, session.CheckCredentials(t.Context()), "Access Denied")
}

func TestRefusalsOfAWSIoT(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		class  awserr.Class
		code   string
		says   []string
	}{
		"policy": {403, `{"message":"Access Denied"}`, awserr.Permanent, awserr.CodeIoT,
			[]string{"Access Denied", "iot:AssumeRoleWithCertificate", "camera-alias", "iot-thing-name", "clock"}},
		"alias":     {404, `{"message":"Role alias does not exist"}`, awserr.Permanent, awserr.CodeIoT, []string{"does not exist", "role-aliases (camera-alias)", "describe-endpoint"}},
		"thing":     {400, `{"message":"Invalid thing name passed"}`, awserr.Permanent, awserr.CodeIoT, []string{"Invalid thing name", "iot-thing-name (s)"}},
		"bare":      {403, `Forbidden <html>`, awserr.Permanent, awserr.CodeIoT, []string{"HTTP status 403"}},
		"throttled": {429, `{"message":"Rate exceeded"}`, awserr.Throttled, awserr.CodeIoT, nil},
		"down":      {503, ``, awserr.Transient, awserr.CodeIoT, nil},
		"a page":    {200, `<html>hush</html>`, awserr.Transient, awserr.CodeBadAnswer, []string{"endpoint"}},
		"half":      {200, `{"credentials":{"accessKeyId":"A","secretAccessKey":"hush"}}`, awserr.Transient, awserr.CodeBadAnswer, []string{"without credentials"}},
		"mistyped":  {200, `{"credentials":{"accessKeyId":"A","secretAccessKey":"hush","sessionToken":"hush","expiration":"hush"}}`, awserr.Transient, awserr.CodeBadAnswer, nil},
		"past": {200, `{"credentials":{"accessKeyId":"A","secretAccessKey":"hush","sessionToken":"hush","expiration":"2001-01-01T00:00:00Z"}}`, awserr.Permanent, awserr.CodeIoT,
			[]string{"2001-01-01", "clock"}},
		"elsewhere": {307, ``, awserr.Permanent, awserr.CodeIoT, []string{"endpoint"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			iot, e := newIoTServer(t), newEndpoint(t, false)
			iot.answers(func(w http.ResponseWriter, _ int) {
				w.Header().Set(requestHeader, "request-9")
				w.Header().Set("Location", "https://127.0.0.1:1/")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			err := put(t, open(t, iotSettings(e, iot.certificate()), Stream{Name: "s"}), Stream{Name: "s"})
			f := awserr.Classify(err, awserr.PutSubject("s", "eu-west-1", e.URL))
			require.Equal(t, c.class, f.Class, "%+v", f)
			require.Equal(t, c.code, f.Code)
			require.Equal(t, c.status, f.HTTPStatus)
			require.Equal(t, "request-9", f.RequestID)
			for _, part := range c.says {
				require.Contains(t, f.Message+" "+f.Remedy, part)
			}
			require.NotContains(t, fmt.Sprint(err, f), "hush")
			require.Len(t, iot.asked(), 1)
		})
	}
}

func TestCertificatesThatDoNotServe(t *testing.T) {
	t.Parallel()
	iot, stranger := newIoTServer(t), newAuthority(t)
	strange, key := stranger.issue("device", 1)
	mine := iot.certificate()
	garbled := stranger.write("garbled.pem", "NOTHING", []byte("hush"))
	for name, c := range map[string]struct {
		set  func(*IoTCertificate)
		code string
		says string
	}{
		"of a stranger":       {func(c *IoTCertificate) { c.CertPath, c.KeyPath = strange, key }, awserr.CodeIoT, "ACTIVE"},
		"another's key":       {func(c *IoTCertificate) { c.KeyPath = key }, awserr.CodeIoTFiles, "key-path"},
		"no such file":        {func(c *IoTCertificate) { c.CertPath = "/nowhere/device.pem" }, awserr.CodeIoTFiles, "/nowhere/device.pem"},
		"no key in it":        {func(c *IoTCertificate) { c.KeyPath = garbled }, awserr.CodeIoTFiles, "key-path"},
		"authority elsewhere": {func(c *IoTCertificate) { c.CAPath = "/nowhere/ca.pem" }, awserr.CodeIoTFiles, "ca-path"},
		"no authority in it":  {func(c *IoTCertificate) { c.CAPath = garbled }, awserr.CodeIoTFiles, "holds no PEM"},
		"another authority":   {func(c *IoTCertificate) { c.CAPath = stranger.file() }, awserr.CodeUntrusted, "ca-path"},
		"the system's":        {func(c *IoTCertificate) { c.CAPath = "" }, awserr.CodeUntrusted, "ca-path"},
		"nobody there":        {func(c *IoTCertificate) { c.Endpoint = "127.0.0.1:1" }, awserr.CodeRefused, "endpoint of iot-certificate"},
		"no such host":        {func(c *IoTCertificate) { c.Endpoint = "iot.invalid" }, awserr.CodeDNS, "describe-endpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := *mine
			c.set(&set)
			session := open(t, Settings{Region: "eu-west-1", IoTCertificate: &set}, Stream{Name: "s"})
			f := awserr.Classify(session.CheckCredentials(t.Context()), awserr.Subject{})
			require.Equal(t, c.code, f.Code, "%+v", f)
			require.Contains(t, f.Message+" "+f.Remedy, c.says)
			require.Equal(t, c.code == awserr.CodeRefused || c.code == awserr.CodeDNS, f.Class == awserr.Transient)
			require.NotContains(t, fmt.Sprint(f), "hush")
		})
	}
	folder := *mine
	folder.CAPath = newAuthority(t).dir
	text, err := os.ReadFile(iot.ca)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(folder.CAPath+"/another.crt", text, 0o600))
	require.NoError(t, open(t, Settings{Region: "eu-west-1", IoTCertificate: &folder}, Stream{}).CheckCredentials(t.Context()), "a folder of authorities")
}

func TestAServerThatNeverAnswers(t *testing.T) {
	t.Parallel()
	iot := newIoTServer(t)
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	iot.answers(func(http.ResponseWriter, int) { <-over })
	c := iot.certificate()
	c.CompletionTimeout = 300 * time.Millisecond
	began := time.Now()
	err := open(t, Settings{Region: "eu-west-1", IoTCertificate: c}, Stream{}).CheckCredentials(context.Background())
	require.Equal(t, awserr.CodeTimeout, awserr.Classify(err, awserr.Subject{}).Code, "%v", err)
	require.Less(t, time.Since(began), 3*time.Second)
}

func TestReadingACertificatesSettings(t *testing.T) {
	t.Parallel()
	full := map[string]any{
		"endpoint": "c1.credentials.iot.eu-west-1.amazonaws.com", "cert-path": "/c.pem", "key-path": "/k.pem", "ca-path": "/ca.pem",
		"role-aliases": "alias", "iot-thing-name": "thing", "connection-timeout": "4", "completion-timeout": int32(9),
	}
	want := &IoTCertificate{"c1.credentials.iot.eu-west-1.amazonaws.com", "/c.pem", "/k.pem", "/ca.pem", "alias", "thing", 4 * time.Second, 9 * time.Second}
	have, err := ParseIoTCertificate(maps.All(full))
	require.NoError(t, err)
	require.Equal(t, want, have)
	have, err = ParseIoTText(`iot-certificate, endpoint=c1.credentials.iot.eu-west-1.amazonaws.com,cert-path="/c.pem",key-path=(string)/k.pem,ca-path=/ca.pem,` +
		`role-aliases=alias, iot-thing-name=thing,connection-timeout=4,completion-timeout=9`)
	require.NoError(t, err)
	require.Equal(t, want, have)
	for says, change := range map[string]map[string]any{
		`no "thing-name"`:            {"thing-name": "x"},
		"lacks cert-path, key-path":  {"cert-path": "", "key-path": ""},
		"lacks endpoint":             {"endpoint": ""},
		"without https://":           {"endpoint": "https://x.credentials.iot.eu-west-1.amazonaws.com"},
		"endpoint \"a b\" is":        {"endpoint": "a b"},
		"the one for messages":       {"endpoint": "c1-ats.iot.eu-west-1.amazonaws.com"},
		"iot-thing-name=(string)42":  {"iot-thing-name": int32(42)},
		"connection-timeout is soon": {"connection-timeout": "soon"},
		"completion-timeout is 0":    {"completion-timeout": uint64(0)},
		"no such name has":           {"iot-thing-name": "a\r\nb"},
	} {
		fields := maps.Clone(full)
		maps.Copy(fields, change)
		_, err := ParseIoTCertificate(maps.All(fields))
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, err, "iot-certificate")
	}
	_, err = ParseIoTText("endpoint")
	require.ErrorContains(t, err, "NAME=VALUE")
}
