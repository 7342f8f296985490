//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// build makes the binary as it is where there is no C compiler.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "gst-kinesis")
	cmd := exec.Command("go", "build", "-o", binary, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

func TestBinaryWithoutCgo(t *testing.T) {
	t.Parallel()
	binary := build(t)
	out, err := exec.Command(binary, "version").Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "without GStreamer")

	out, err = exec.Command(binary, "run", "--", "fakesrc", "!", "fakesink").CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, statusFailed, exit.ExitCode())
	require.Contains(t, string(out), "gst-kinesis: run: this binary was built without cgo")
	require.Equal(t, 1, strings.Count(string(out), "\n"))
	out, err = exec.Command(binary, "--help").Output()
	require.NoError(t, err)
	for _, name := range []string{"local", "produce", "consume", "stream", "inspect", "version", "run", "camera", "presets"} {
		require.Contains(t, string(out), "\n   "+name)
	}

	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		status, stderr := signalLocal(t, binary, sig)
		require.Zero(t, status, stderr)
	}
}

// signalLocal starts "local", uses it, ends it by a signal and returns its
// exit status.
func signalLocal(t *testing.T, binary string, sig syscall.Signal) (int, string) {
	t.Helper()
	out, stderr := newBuffer(), newBuffer()
	cmd := exec.Command(binary, "local", "--port", "0", "--create", "s")
	cmd.Stdout, cmd.Stderr = out, stderr
	require.NoError(t, cmd.Start())
	killer := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer killer.Stop()
	line := out.waitFor(t, "\n")
	var flags []string
	for word := range strings.FieldsSeq(line) {
		flags = append(flags, "--"+word)
	}
	listed, err := exec.Command(binary, append([]string{"stream", "list"}, flags...)...).CombinedOutput()
	require.NoError(t, err, string(listed))
	require.Contains(t, string(listed), "stream/s")
	require.NoError(t, cmd.Process.Signal(sig))
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode(), stderr.String()
}
