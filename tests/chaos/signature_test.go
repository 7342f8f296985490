package chaos

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/producer"
	"gst-kinesis/tests/kit"
)

// signed lets the endpoint check signatures.
func signed(_ *rig, s *setup) {
	s.server.Credentials = []local.Credentials{{AccessKeyID: s.aws.AccessKey, SecretAccessKey: s.aws.SecretAccessKey.Reveal()}}
}

// clockOff lets the two clocks be apart. Signatures are refused then, with a code that says so, and the SDK learns the difference from the answer's Date.
func clockOff(by time.Duration) func(r *rig, lasts time.Duration) func() {
	return func(r *rig, lasts time.Duration) func() {
		r.off.Store(int64(by))
		kit.Until(r, "signatures were refused", func() bool { return r.refusals("InvalidSignatureException") > 0 })
		r.delivers(50) // by the corrected clock
		time.Sleep(lasts)
		refused := r.refusals("InvalidSignatureException")
		r.delivers(50)
		require.Equal(r, refused, r.refusals("InvalidSignatureException"), "once it is known, no request is refused")
		return func() { r.off.Store(0) } // somebody sets the clock right
	}
}

// refusals counts the requests, of whatever kind, that were answered with a code.
func (r *rig) refusals(code string) (n int64) {
	for k, c := range r.srv.Stats().Requests {
		if k.Code == code {
			n += c
		}
	}
	return n
}

// rotating are the profiles whose credentials tests rotate, one for each that runs at a time.
var rotating = []string{"ready-best-effort", "ready-strict", "late-best-effort", "late-strict"}

// credentials writes what the process of a profile gives from now on.
func credentials(r *rig, profile string, c local.Credentials) {
	r.Helper()
	text, err := json.Marshal(map[string]any{"Version": 1, "AccessKeyId": c.AccessKeyID, "SecretAccessKey": c.SecretAccessKey, "SessionToken": c.SessionToken,
		"Expiration": time.Now().Add(time.Hour)}) // as a clock that is behind makes it: the SDK does not ask again by itself
	require.NoError(r, err)
	file := filepath.Join(filepath.Dir(os.Getenv("AWS_CONFIG_FILE")), profile+".json")
	require.NoError(r, os.WriteFile(file+".new", text, 0o600))
	require.NoError(r, os.Rename(file+".new", file))
}

// tokens are credentials that a profile gives one after another.
type tokens struct {
	profile string
	now     local.Credentials
	made    int
}

func (k *tokens) next() local.Credentials {
	k.made++
	k.now = local.Credentials{AccessKeyID: fmt.Sprintf("ASIA%d", k.made), SecretAccessKey: fmt.Sprintf("secret %d", k.made), SessionToken: fmt.Sprintf("token %d", k.made)}
	return k.now
}

// expiring lets the producer have temporary credentials.
func expiring(name string) func(r *rig, s *setup) {
	return func(r *rig, s *setup) {
		k := &tokens{profile: name + "-" + s.producer.Ordering.String()}
		first := k.next()
		s.server.Credentials = []local.Credentials{first}
		s.aws = awscfg.Settings{Region: s.aws.Region, Profile: k.profile}
		credentials(r, k.profile, first)
		r.helper = k
	}
}

// rotate lets them expire, twice; new ones lie ready each time, or come late.
func rotate(late time.Duration) func(r *rig, lasts time.Duration) func() {
	return func(r *rig, lasts time.Duration) func() {
		k := r.helper.(*tokens)
		for range 2 {
			old := k.now
			fresh := k.next()
			r.srv.SetCredentials(old, fresh)
			if late == 0 {
				credentials(r, k.profile, fresh)
			}
			before, at := r.refusals("ExpiredTokenException"), r.p.Books().Delivered.Records
			old.Expires = time.Now()
			r.srv.SetCredentials(old, fresh)
			kit.Until(r, "the old token is refused, or not used any more", func() bool {
				most := int64(producer.Default().MaxInFlight * batch) // may be answered yet
				return r.refusals("ExpiredTokenException") > before || r.p.Books().Delivered.Records > at+most
			})
			if late > 0 {
				time.Sleep(late)
				credentials(r, k.profile, fresh)
			}
			r.delivers(50)
			time.Sleep(lasts / 2)
		}
		return func() {
			require.Positive(r, r.refusals("ExpiredTokenException"))
			require.Zero(r, r.refusals("UnrecognizedClientException"))
		}
	}
}
