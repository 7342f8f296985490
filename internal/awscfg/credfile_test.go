package awscfg

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
)

func TestCredentialFiles(t *testing.T) {
	t.Parallel()
	end := time.Date(2099, 11, 25, 16, 0, 0, 0, time.UTC)
	for text, want := range map[string]aws.Credentials{
		"CREDENTIALS AKID secret":                                           {AccessKeyID: "AKID", SecretAccessKey: "secret"},
		"CREDENTIALS AKID 2099-11-25T16:00:00Z secret token\n":              {AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: "token", CanExpire: true, Expires: end},
		"\r\n\tCREDENTIALS  AKID 2099-11-25T17:00:00+01:00 secret t/=+\r\n": {AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: "t/=+", CanExpire: true, Expires: end},
		"CREDENTIALS AKID 2099-11-25T16:00:00Z secret":                      {AccessKeyID: "AKID", SecretAccessKey: "secret", CanExpire: true, Expires: end},
	} {
		c, err := parseCredentials(text)
		require.NoError(t, err, text)
		require.True(t, want.Expires.Equal(c.Expires))
		c.Expires = want.Expires
		require.Equal(t, want, c)
	}
	for text, says := range map[string]string{
		"":                               "line 1: it is empty",
		"\n \n":                          "line 1: it is empty",
		"[default]\naws_access_key_id=x": "line 1: it does not begin with CREDENTIALS",
		"\nCREDENTIALS AKID":             "line 2: it has 2 fields",
		"CREDENTIALS AKID 2099-11-25T16:00:00Z hush token more": "line 1: it has 6 fields",
		"CREDENTIALS AKID hush hush token":                      "line 1: its third field is no time",
		"CREDENTIALS AKID hush\nCREDENTIALS AKID hush":          "line 2: a second line",
		"CREDENTIALS AKID hush" + strings.Repeat("x", 128):      "line 1: a key has more",
	} {
		_, err := parseCredentials(text)
		require.ErrorContains(t, err, says, text)
		require.NotContains(t, err.Error(), "hush")
	}
}

// TestACredentialFileInUse: it is read again when the service says that its credentials have expired.
func TestACredentialFileInUse(t *testing.T) {
	t.Parallel()
	e, path := newEndpoint(t, false), filepath.Join(t.TempDir(), "credential")
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	session := open(t, Settings{Region: "eu-west-1", EndpointURI: e.URL, CredentialPath: path}, Stream{Name: "s"})
	fault := func() awserr.Fault {
		return awserr.Classify(session.CheckCredentials(context.Background()), awserr.Subject{})
	}
	f := fault()
	require.Equal(t, awserr.CodeCredentialFile, f.Code)
	require.Equal(t, awserr.Permanent, f.Class)
	require.Contains(t, f.Message, path)
	require.Contains(t, f.Remedy, "CREDENTIALS ACCESS-KEY")

	write("CREDENTIALS FIRST 2099-01-01T00:00:00Z s token1")
	require.NoError(t, put(t, session, Stream{Name: "s"}))
	r, _ := e.last()
	require.Contains(t, r.Header.Get("Authorization"), "Credential=FIRST/")
	write("CREDENTIALS SECOND 2099-01-01T00:00:00Z s token2")
	require.NoError(t, put(t, session, Stream{Name: "s"}))
	r, _ = e.last()
	require.Contains(t, r.Header.Get("Authorization"), "Credential=FIRST/")
	session.RefreshCredentials()
	require.NoError(t, put(t, session, Stream{Name: "s"}))
	r, _ = e.last()
	require.Contains(t, r.Header.Get("Authorization"), "Credential=SECOND/")
	require.Equal(t, "token2", r.Header.Get("X-Amz-Security-Token"))

	for text, says := range map[string]string{
		"CREDENTIALS AKID 2001-01-01T00:00:00Z hush hush": "ran out at 2001-01-01T00:00:00Z",
		"hush": path + ": line 1",
		"CREDENTIALS AKID " + strings.Repeat("hush", 3000): "more than 10000 bytes",
	} {
		write(text)
		session.RefreshCredentials()
		f := fault()
		require.Equal(t, awserr.CodeCredentialFile, f.Code)
		require.Contains(t, f.Message, says)
		require.NotContains(t, fmt.Sprint(f), "hush")
	}
}

func FuzzCredentials(f *testing.F) {
	for _, seed := range []string{
		"", "CREDENTIALS a b", "CREDENTIALS a 2099-11-25T16:00:00Z s t\n", "\n\nCREDENTIALS a b\n\n", "CREDENTIALS", "CREDENTIALS a b c d e f", "CREDENTIALS\x00a b",
	} {
		f.Add(seed)
	}
	words := regexp.MustCompile(`^line \d+: (it is empty|it does not begin with CREDENTIALS|it has \d+ fields where 3 to 5 are expected|` +
		`its third field is no time such as 2026-11-25T16:00:00Z|a second line, where one is expected|a key has more than 128 characters, or the token more than 4096)$`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCredentials(text)
		if err != nil {
			require.Zero(t, c)
			require.Regexp(t, words, err.Error(), "nothing of the file stands in it")
			return
		}
		require.True(t, c.HasKeys())
		require.Equal(t, c.CanExpire, !c.Expires.IsZero() || len(strings.Fields(text)) > 3)
		again := strings.Fields(text)
		other, err := parseCredentials(strings.Join(again, "\t") + "\r\n")
		require.NoError(t, err)
		require.Equal(t, c, other)
	})
}
