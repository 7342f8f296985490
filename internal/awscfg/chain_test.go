package awscfg

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestKeysOfTheSharedFilesAreReplaced: another program renews ~/.aws/credentials, and the service says that the old ones have expired.
func TestKeysOfTheSharedFilesAreReplaced(t *testing.T) { //nolint:paralleltest // sets the environment
	file := filepath.Join(t.TempDir(), "credentials")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	write := func(key string) {
		text := "[factory]\naws_access_key_id = " + key + "\naws_secret_access_key = s\naws_session_token = t\n"
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	write("FIRST")
	e := newEndpoint(t, false)
	session := open(t, Settings{Profile: "factory", Region: "eu-west-1", EndpointURI: e.URL}, Stream{})
	signedBy := func(key string) {
		t.Helper()
		require.NoError(t, put(t, session, Stream{Name: "s"}))
		r, _ := e.last()
		require.Contains(t, r.Header.Get("Authorization"), "Credential="+key+"/")
	}
	signedBy("FIRST")
	write("SECOND")
	signedBy("FIRST")
	session.RefreshCredentials()
	signedBy("SECOND")

	require.NoError(t, os.Remove(file))
	session.RefreshCredentials()
	require.ErrorContains(t, session.CheckCredentials(t.Context()), "factory")
	write("THIRD")
	signedBy("THIRD")
}
