//go:build cgo && unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
)

// scraped asks for metrics and gives the value of one, by name and element; -1 where it is not there.
func scraped(t *testing.T, url, name, element string) float64 {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	answer, err := client.Get(url)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	m := regexp.MustCompile(`(?m)^gst_kinesis_` + name + `\{element="` + element + `".*\} (\S+)$`).FindSubmatch(text)
	if m == nil {
		return -1
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	require.NoError(t, err)
	return v
}

// metricsURL waits until the program says where its metrics are.
func (p *process) metricsURL(t *testing.T) (url string) {
	t.Helper()
	require.Eventually(t, func() bool {
		url = regexp.MustCompile(`http://[0-9.:]+/metrics`).FindString(p.log.String())
		return url != ""
	}, 20*time.Second, 10*time.Millisecond, "%s", p.log)
	return url
}

// Two sinks of a pipeline are scraped at one address while it runs, and say what the books say at the end.
func TestRunShowsMetrics(t *testing.T) {
	t.Parallel()
	_, flags := endpoint(t, local.Settings{Create: streams("a", "b")})
	emf := filepath.Join(t.TempDir(), "emf.log")
	line := "videotestsrc is-live=true ! fakesink" // it goes on when the others have ended
	for i, name := range []string{"a", "b"} {
		line += fmt.Sprintf(" fakesrc num-buffers=%d sizetype=fixed sizemax=100 ! kinesissink name=%s stream-name=%s %s",
			40+i, name, name, strings.Join(props(flags), " "))
	}
	line += " metrics-emf=" + emf + "-own"
	p := startCLI(t, runLine([]string{"--metrics", "127.0.0.1:0", "--metrics-emf", emf, "--metrics-interval", "100ms"}, []string{line})...)
	url := p.metricsURL(t)
	for i, name := range []string{"a", "b"} {
		require.Eventually(t, func() bool { return scraped(t, url, "user_records_put_total", name) == float64(40+i) }, 20*time.Second, 20*time.Millisecond)
		require.EqualValues(t, 40+i, scraped(t, url, "user_records_received_total", name))
		require.EqualValues(t, 100*(40+i), scraped(t, url, "user_data_put_bytes_total", name))
		require.Zero(t, scraped(t, url, "user_records_pending", name))
	}
	p.signal(t, syscall.SIGINT)
	require.Zero(t, p.status(t, 20*time.Second), p.log)
	require.Contains(t, p.log.String(), "a to a: accepted 40 (4.0 kB), delivered 40, dropped 0, in flight 0\n")
	require.Contains(t, p.log.String(), "b to b: accepted 41 (4.1 kB), delivered 41, dropped 0, in flight 0\n")
	for path, want := range map[string]float64{emf: 40, emf + "-own": 41} {
		require.Equal(t, want, summed(t, path, "UserRecordsPut"), path)
	}
}

// summed adds up what the lines of a file say of a stream.
func summed(t *testing.T, path, name string) (sum float64) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		var root map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &root), line)
		if v, ok := root[name].(float64); ok && root["ShardId"] == nil {
			sum += v
		}
	}
	return sum
}

// What cannot be is said by the element, and ends the run.
func TestRunWithoutItsAddress(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	p := startCLI(t, runLine([]string{"--metrics", strings.TrimPrefix(srv.URL(), "http://")}, testLine(flags))...)
	require.Equal(t, statusFailed, p.status(t, 20*time.Second), p.log)
	require.Contains(t, p.log.String(), "another program has that port")
}

// Lines for standard error go where the log goes.
func TestRunWritesMetricsToStandardError(t *testing.T) {
	t.Parallel()
	_, flags := endpoint(t, local.Settings{Create: streams("s")})
	line := testLine(flags)
	line[1] = "num-buffers=30"
	p := startCLI(t, runLine([]string{"--metrics-emf", "-"}, line)...)
	require.Zero(t, p.status(t, 20*time.Second), p.log)
	require.Regexp(t, `(?m)^\{"_aws":.*"UserRecordsPut":30,.*\}$`, p.log.String())
}
