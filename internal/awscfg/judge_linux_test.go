package awscfg

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
)

// opensslServer is OpenSSL's server in the place of AWS IoT: it demands a certificate of the devices' authority and answers by a file.
func opensslServer(t *testing.T, ca, devices *authority, answer string, more ...string) (host string) {
	t.Helper()
	cert, key := ca.issue("server", 2)
	folder := t.TempDir()
	path := filepath.Join(folder, "role-aliases", "cam-alias", "credentials")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(answer), 0o600))
	cmd := exec.Command("openssl", append([]string{"s_server", "-accept", "127.0.0.1:0", "-cert", cert, "-key", key, "-CAfile", devices.file(),
		"-Verify", "1", "-verify_return_error", "-HTTP"}, more...)...)
	cmd.Dir = folder
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start(), "this test runs openssl (Debian: apt-get install openssl)")
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "ACCEPT "); ok {
			go func() {
				for lines.Scan() { // so that it never waits to be read
				}
			}()
			return address
		}
	}
	t.Fatal("openssl s_server has not said where it listens")
	return ""
}

// TestOpenSSLTakesTheCertificate: TLS 1.2 and 1.3, and one that it does not know.
func TestOpenSSLTakesTheCertificate(t *testing.T) {
	t.Parallel()
	answer := "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + `{"credentials":{"accessKeyId":"ASIA","secretAccessKey":"s","sessionToken":"t","expiration":"` +
		time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + `"}}`
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			ca, devices := newAuthority(t), newAuthority(t)
			c := IoTCertificate{Endpoint: opensslServer(t, ca, devices, answer, version), CAPath: ca.file(), RoleAlias: "cam-alias"}
			c.CertPath, c.KeyPath = devices.issue("device", 3)
			s := open(t, Settings{Region: "eu-west-1", IoTCertificate: &c}, Stream{Name: "s"})
			got, err := s.Config().Credentials.Retrieve(t.Context())
			require.NoError(t, err)
			require.Equal(t, "ASIA", got.AccessKeyID)

			strange := c
			strange.CertPath, strange.KeyPath = ca.issue("stranger", 4)
			err = open(t, Settings{Region: "eu-west-1", IoTCertificate: &strange}, Stream{Name: "s"}).CheckCredentials(t.Context())
			f := awserr.Classify(err, awserr.Subject{})
			require.Equal(t, awserr.CodeIoT, f.Code, "%v", err)
			require.Equal(t, awserr.Permanent, f.Class)
			require.Contains(t, f.Remedy, "ACTIVE", fmt.Sprint(err))
		})
	}
}
