// Package sigv4 checks signatures of AWS Signature Version 4 in the Authorization header, the way AWS's endpoints do.
//
// Source: AWS General Reference, "Signature Version 4 signing process". The canonical request is
//
//	METHOD \n path \n query \n header:value \n … \n \n signed;headers \n hex(SHA-256(body))
//
// the string to sign AWS4-HMAC-SHA256 \n time \n scope \n hex(SHA-256(canonical request)), and the key is derived from the
// secret by date, region, service and "aws4_request". Endpoints other than S3's hash the body that they received, so a
// client that signed "UNSIGNED-PAYLOAD" is refused by a signature that does not match.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"gst-kinesis/internal/local/apierr"
)

// Credentials are what a client may sign with.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // empty: none is expected
	// Expires is when temporary credentials end; zero is never.
	Expires time.Time
}

// maxSkew is how far a client's clock may be off.
const maxSkew = 5 * time.Minute

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	timeFormat = "20060102T150405Z"
	dateFormat = "20060102"
)

// Verifier checks requests. It is immutable and safe for concurrent use.
type Verifier struct {
	Lookup  func(accessKeyID string) (Credentials, bool)
	Region  string // empty: any
	Service string
	Now     func() time.Time
}

// HashBody returns the payload hash that goes into Verify.
func HashBody(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Verify returns nil for a request that was rightly signed, else the *apierr.Error that AWS answers. payloadHash is the
// hex SHA-256 of the body as received, or what the service takes in its place.
func (v *Verifier) Verify(r *http.Request, payloadHash string) error {
	a, err := parse(r)
	if err != nil {
		return err
	}
	creds, known := v.Lookup(a.accessKeyID)
	if !known || r.Header.Get("X-Amz-Security-Token") != creds.SessionToken {
		return apierr.New(apierr.UnrecognizedClient, "The security token included in the request is invalid.")
	}
	if !creds.Expires.IsZero() && !v.Now().Before(creds.Expires) {
		return apierr.New(apierr.ExpiredToken, "The security token included in the request is expired")
	}
	if err := v.scope(a); err != nil {
		return err
	}
	if err := fresh(a.at, v.Now().UTC()); err != nil {
		return err
	}
	canonical := canonicalRequest(r, a, payloadHash)
	toSign := algorithm + "\n" + a.at.Format(timeFormat) + "\n" + a.scope() + "\n" + HashBody([]byte(canonical))
	want := hex.EncodeToString(sum(signingKey(creds.SecretAccessKey, a), toSign))
	if hmac.Equal([]byte(want), []byte(a.signature)) {
		return nil
	}
	return apierr.New(apierr.InvalidSignature, "The request signature we calculated does not match the signature you provided. "+
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n"+
		"The Canonical String for this request should have been\n'%s'\n\nThe String-to-Sign should have been\n'%s'\n",
		canonical, toSign)
}

// authorization is an Authorization header taken apart.
type authorization struct {
	accessKeyID, date, region, service, end string
	signed                                  []string
	signature                               string
	at                                      time.Time
}

func (a *authorization) scope() string {
	return a.date + "/" + a.region + "/" + a.service + "/" + a.end
}

// parse reads the Authorization header and the time of the request.
func parse(r *http.Request) (*authorization, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, apierr.New(apierr.MissingAuthToken, "Missing Authentication Token")
	}
	scheme, rest, _ := strings.Cut(header, " ")
	params := map[string]string{}
	for _, part := range strings.FieldsFunc(rest, func(c rune) bool { return c == ',' || c == ' ' }) {
		key, value, _ := strings.Cut(part, "=")
		params[key] = value
	}
	var missing strings.Builder
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if params[name] == "" {
			missing.WriteString("Authorization header requires '" + name + "' parameter. ")
		}
	}
	stamp := r.Header.Get("X-Amz-Date")
	if stamp == "" && r.Header.Get("Date") == "" {
		missing.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	if missing.Len() > 0 || scheme != algorithm {
		return nil, apierr.New(apierr.IncompleteSignature, "%sAuthorization=%s", missing.String(), header)
	}
	a := &authorization{signature: params["Signature"], signed: strings.Split(params["SignedHeaders"], ";")}
	if !slices.Contains(a.signed, "host") {
		return nil, apierr.New(apierr.InvalidSignature, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	return a, a.credential(params["Credential"], stamp, r.Header.Get("Date"))
}

// credential reads the scope and the time.
func (a *authorization) credential(credential, stamp, date string) error {
	parts := strings.Split(credential, "/")
	if len(parts) < 5 {
		return apierr.New(apierr.IncompleteSignature, "Credential must have exactly 5 slash-delimited elements, e.g. "+
			"keyid/date/region/service/term, got '%s'", credential)
	}
	n := len(parts)
	a.accessKeyID = strings.Join(parts[:n-4], "/")
	a.date, a.region, a.service, a.end = parts[n-4], parts[n-3], parts[n-2], parts[n-1]
	var err error
	if stamp != "" {
		a.at, err = time.Parse(timeFormat, stamp)
	} else {
		a.at, err = http.ParseTime(date)
		stamp = date
	}
	if err != nil {
		return apierr.New(apierr.IncompleteSignature, "Date must be in ISO-8601 'basic format'. Got '%s'. See "+
			"http://en.wikipedia.org/wiki/ISO_8601", stamp)
	}
	a.at = a.at.UTC()
	return nil
}

// scope checks what the credential was scoped to.
func (v *Verifier) scope(a *authorization) error {
	switch {
	case v.Region != "" && a.region != v.Region:
		return apierr.New(apierr.InvalidSignature, "Credential should be scoped to a valid region. ")
	case a.service != v.Service:
		return apierr.New(apierr.InvalidSignature, "Credential should be scoped to correct service: '%s'. ", v.Service)
	case a.end != terminator:
		return apierr.New(apierr.InvalidSignature, "Credential should be scoped with a valid terminator: '%s', not '%s'.", terminator, a.end)
	case a.date != a.at.Format(dateFormat):
		return apierr.New(apierr.InvalidSignature, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "+
			"from HTTP: '%s' != '%s', from '%s'.", a.date, a.at.Format(dateFormat), a.at.Format(timeFormat))
	}
	return nil
}

// fresh checks the time of the signature against the clock here.
func fresh(at, now time.Time) error {
	switch {
	case at.Before(now.Add(-maxSkew)):
		return apierr.New(apierr.InvalidSignature, "Signature expired: %s is now earlier than %s (%s - 5 min.)",
			at.Format(timeFormat), now.Add(-maxSkew).Format(timeFormat), now.Format(timeFormat))
	case at.After(now.Add(maxSkew)):
		return apierr.New(apierr.InvalidSignature, "Signature not yet current: %s is still later than %s (%s + 5 min.)",
			at.Format(timeFormat), now.Add(maxSkew).Format(timeFormat), now.Format(timeFormat))
	}
	return nil
}

func sum(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func signingKey(secret string, a *authorization) []byte {
	return sum(sum(sum(sum([]byte("AWS4"+secret), a.date), a.region), a.service), terminator)
}
