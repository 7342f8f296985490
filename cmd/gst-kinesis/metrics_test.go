package main

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
)

func TestProduceWritesMetrics(t *testing.T) {
	t.Parallel()
	_, flags := endpoint(t, local.Settings{Create: streams("s")})
	path := filepath.Join(t.TempDir(), "emf.log")
	r := begin(t, "a\nb\nc\n", with(flags, "produce", "s", "--key", "k", "--metrics-emf", path, "--metrics", "127.0.0.1:0")...)
	require.Zero(t, r.wait(t), r.err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Regexp(t, `^\{"_aws":.*"StreamName":"s",.*"element":"produce",.*"UserRecordsPut":3,.*\}\n`, string(text))
	require.Regexp(t, `url=http://127\.0\.0\.1:\d+/metrics`, r.err.String())
	r = begin(t, "a\n", with(flags, "produce", "s", "--key", "k", "--metrics-emf", "-")...)
	require.Zero(t, r.wait(t), r.err)
	require.Regexp(t, `(?m)^\{"_aws":.*"UserRecordsPut":1,.*\}$`, r.err.String())
}

func TestMetricsThatCannotBe(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, flags := endpoint(t, local.Settings{Create: streams("s")})
	for name, c := range map[string]struct {
		args   []string
		status int
		says   string
	}{
		"taken":    {[]string{"--metrics", taken.Addr().String()}, statusFailed, "(--metrics): "},
		"a folder": {[]string{"--metrics-emf", t.TempDir()}, statusFailed, "(--metrics-emf): "},
		"interval": {[]string{"--metrics-interval", "1ms"}, statusUsage, "--metrics-interval 1ms is not between 100ms and 24h"},
	} {
		status, _, stderr := run(t, with(flags, append([]string{"produce", "s"}, c.args...)...)...)
		require.Equal(t, c.status, status, name)
		require.Contains(t, stderr, c.says, name)
	}
}
