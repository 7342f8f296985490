package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/mkv"
)

// beginLocal starts "local" and returns it with the flags from its line.
func beginLocal(t *testing.T, args ...string) (*running, []string) {
	t.Helper()
	r := begin(t, "", append([]string{"local", "--port", "0"}, args...)...)
	line := r.out.waitFor(t, "\n")
	var flags []string
	for word := range strings.FieldsSeq(line) {
		name, value, found := strings.Cut(word, "=")
		require.True(t, found, line)
		flags = append(flags, "--"+name, value)
	}
	return r, flags
}

func TestLocalSaysHowToUseIt(t *testing.T) {
	t.Parallel()
	r, flags := beginLocal(t, "--create", "one", "--create", "many:7", "--limits", "none", "--log-requests", "--max-bytes", "1MiB")
	require.Regexp(t, `^endpoint-uri=http://127\.0\.0\.1:\d+ region=us-east-1 access-key=local secret-access-key=local\n$`, r.out.String())
	status, out, stderr := run(t, with(flags, "stream", "list")...)
	require.Zero(t, status, stderr)
	require.Regexp(t, `(?m)^many +ACTIVE +PROVISIONED +7 `, out)
	require.Regexp(t, `(?m)^one +ACTIVE +PROVISIONED +1 `, out)
	r.err.waitFor(t, "operation=ListStreams")
	r.stop()
	require.Zero(t, r.wait(t), r.err.String())
	require.Equal(t, 1, strings.Count(r.out.String(), "\n"))
}

func TestLocalVerifiesSignatures(t *testing.T) {
	t.Parallel()
	r, flags := beginLocal(t, "--access-key", "ME", "--secret-access-key", "hush-hush", "--region", "eu-west-1")
	require.NotContains(t, r.out.String()+r.err.String(), "hush-hush")
	status, _, stderr := run(t, with(flags, "stream", "list", "--secret-access-key", "wrong")...)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "InvalidSignatureException")
	status, _, stderr = run(t, with(flags, "stream", "list", "--secret-access-key", "hush-hush")...)
	require.Zero(t, status, stderr)
}

func TestLocalKeepsData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, flags := beginLocal(t, "--data-dir", dir)
	status, _, stderr := run(t, with(flags, "stream", "create", "kept", "--wait")...)
	require.Zero(t, status, stderr)
	r.stop()
	require.Zero(t, r.wait(t), r.err.String())
	_, flags = beginLocal(t, "--data-dir", dir)
	status, out, stderr := run(t, with(flags, "stream", "list")...)
	require.Zero(t, status, stderr)
	require.Contains(t, out, "kept")
}

func TestLocalFaults(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "faults.yaml")
	require.NoError(t, os.WriteFile(file, []byte("rules:\n  - operation: DescribeStreamSummary\n    error: {status: 400, code: AccessDeniedException, message: no}\n"), 0o600))
	_, flags := beginLocal(t, "--faults", file, "--create", "s")
	status, _, stderr := run(t, with(flags, "stream", "describe", "s")...)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "AccessDeniedException")

	require.NoError(t, os.WriteFile(file, []byte("rules:\n  - operation: Nonsense\n    garble: true\n"), 0o600))
	status, _, stderr = run(t, "local", "--port", "0", "--faults", file)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "faults.yaml")
	status, _, stderr = run(t, "local", "--port", "0", "--faults", file+"none")
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "reading the faults")
}

// TestLocalServesVideo: the streams are there, and what is put into one can be read.
func TestLocalServesVideo(t *testing.T) {
	t.Parallel()
	r, flags := beginLocal(t, "--video-stream", "cam", "--video-stream", "live:0", "--video-memory", "1MiB")
	r.err.waitFor(t, "stream=live")
	body, err := mkv.AppendHeader(nil, mkv.Header{Tracks: []mkv.Track{{Number: 1, UID: 1, Type: mkv.Video, CodecID: mkv.CodecAVC}}})
	require.NoError(t, err)
	body = append(mkv.AppendSimpleBlockHeader(mkv.AppendCluster(body, 1_700_000_000_000), 1, 0, mkv.KeyFrame, 5), "frame"...)
	for stream, acks := range map[string]int{"cam": 3, "live": 2} {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, flags[1]+"/putMedia", bytes.NewReader(body))
		require.NoError(t, err)
		q.Header.Set("x-amzn-stream-name", stream)
		q.Header.Set("x-amzn-fragment-timecode-type", "ABSOLUTE")
		resp, err := http.DefaultClient.Do(q)
		require.NoError(t, err)
		answer, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, acks, bytes.Count(answer, []byte("\n")), "%s", answer)
	}
	for flag, bad := range map[string]string{"--video-stream": "cam:soon", "--video-memory": "much", "--video-disk": "-1"} {
		status, _, stderr := run(t, "local", "--port", "0", flag, bad)
		require.Equal(t, statusUsage, status, flag)
		require.Contains(t, stderr, flag)
	}
}

func TestLocalRefusals(t *testing.T) {
	t.Parallel()
	status, _, stderr := run(t, "local", "--port", "0", "--address", "0.0.0.0")
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "other machines could reach it")
	r, flags := beginLocal(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(flags[1], "http://"), ":")
	status, _, stderr = run(t, "local", "--port", port)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "address already in use")
	r.stop()
	require.Zero(t, r.wait(t))
}
