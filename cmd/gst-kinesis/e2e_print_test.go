//go:build cgo && unix

package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
)

// registry makes a process scan the plugins for itself: the list of the user is left alone.
func registry(t *testing.T) string {
	return "GST_REGISTRY_1_0=" + filepath.Join(t.TempDir(), "registry.bin")
}

// The line that --print prints does in a shell, with gst-launch-1.0 and the plugin, what the preset does.
func TestPrintedLineDoesTheSame(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("run", "shell")})
	odd := `it's "north" ! gate \ of $HOME`
	args := func(stream string) []string {
		return append([]string{"run", "test-frames", "--set", "stream-name=" + stream, "--set", "sensor-name=" + odd, "--set", "num-buffers=5",
			"--set", "width=64", "--set", "height=48", "--set", "rate=50", "--set", "shards=2"}, sets(flags)...)
	}
	p := startCLI(t, args("run")...)
	require.Zero(t, p.status(t, 20*time.Second), p.log)

	status, masked, stderr := run(t, append(args("shell"), "--print")...)
	require.Zero(t, status, stderr)
	require.Contains(t, masked, "'secret-access-key=***'")
	status, line, stderr := run(t, append(args("shell"), "--print", "--print-secrets")...)
	require.Zero(t, status, stderr)
	require.Contains(t, line, "secret-access-key=s ")
	shell := startProcess(t, []string{"GST_PLUGIN_PATH_1_0=" + pluginDir(t), registry(t)}, "/bin/sh", "-c", line)
	require.Zero(t, shell.status(t, 40*time.Second), "%s\n%s", shell.out, shell.log)

	ours, theirs := frames(t, srv, "run"), frames(t, srv, "shell")
	require.Len(t, ours, 5)
	require.Len(t, theirs, 5)
	for i := range ours {
		for _, r := range []frameRec{ours[i], theirs[i]} {
			require.Equal(t, odd, r.Meta.SensorName)
			require.Equal(t, [3]int{48, 64, 3}, r.Meta.Size)
		}
	}
	require.Equal(t, keys(t, srv, "run"), keys(t, srv, "shell"))
}

func keys(t *testing.T, srv *local.Server, stream string) map[string]int {
	t.Helper()
	stored, err := srv.Records(stream)
	require.NoError(t, err)
	n := map[string]int{}
	for _, r := range stored {
		n[r.PartitionKey]++
	}
	return n
}

// A launch line is printed as it was given, with secrets hidden.
func TestPrintOfALine(t *testing.T) {
	t.Parallel()
	status, out, stderr := run(t, "run", "--print", "--", "fakesrc", "!", "kinesissink", "secret-access-key=hush", "stream-name=a b")
	require.Zero(t, status, stderr)
	require.Equal(t, "gst-launch-1.0 -e fakesrc ! kinesissink 'secret-access-key=***' 'stream-name=a b'\n", out)
	status, out, stderr = run(t, "run", "--print", `fakesrc ! kinesissink stream-name="a b"`)
	require.Zero(t, status, stderr)
	require.Equal(t, `gst-launch-1.0 -e fakesrc ! kinesissink 'stream-name="a b"'`+"\n", out)
}
