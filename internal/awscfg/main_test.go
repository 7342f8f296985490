package awscfg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain takes away whatever the environment says about AWS.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "awscfg")
	if err != nil {
		panic(err)
	}
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasSuffix(strings.ToLower(name), "_proxy") {
			must(os.Unsetenv(name))
		}
	}
	must(os.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "config")))
	must(os.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "credentials")))
	must(os.Setenv("AWS_EC2_METADATA_DISABLED", "true"))
	code := m.Run()
	must(os.RemoveAll(dir))
	os.Exit(code)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
