package judges

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/tests/kit"
)

// promtool is Prometheus' own judge; it says nothing where all is well.
func promtool(t *testing.T, input string, args ...string) {
	t.Helper()
	judge := exec.Command("promtool", append([]string{"check"}, args...)...)
	judge.Stdin = strings.NewReader(input)
	out, err := judge.CombinedOutput()
	require.NoError(t, err, "%v: %s", args, out)
	if args[0] == "metrics" {
		require.Empty(t, string(out))
	}
}

// What a scrape gives is what Prometheus takes, by its names and types too.
func TestPrometheusTakesTheMetrics(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"scrape.txt", "scrape-fresh.txt"} {
		text, err := os.ReadFile(filepath.Join(kit.Root(t), "internal/metrics/datastream/testdata", name))
		require.NoError(t, err)
		promtool(t, string(text), "metrics")
	}
}

// The configuration and the alarms of docs/metrics.md are what Prometheus takes, and speak of metrics that there are.
func TestPrometheusTakesTheDocumentedConfiguration(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(kit.Root(t), "docs/metrics.md"))
	require.NoError(t, err)
	blocks := map[string]string{}
	for _, part := range strings.Split(string(page), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(part, "```")
		key, _, _ := strings.Cut(text, ":")
		blocks[key] = text
	}
	require.ElementsMatch(t, []string{"scrape_configs", "groups"}, slices.Collect(maps.Keys(blocks)))
	for key, what := range map[string]string{"scrape_configs": "config", "groups": "rules"} {
		path := filepath.Join(t.TempDir(), what+".yml")
		require.NoError(t, os.WriteFile(path, []byte(blocks[key]), 0o600))
		promtool(t, "", what, path)
	}
	scrape, err := os.ReadFile(filepath.Join(kit.Root(t), "internal/metrics/datastream/testdata/scrape.txt"))
	require.NoError(t, err)
	names := regexp.MustCompile(`gst_kinesis_\w+`).FindAllString(blocks["groups"], -1)
	require.NotEmpty(t, names)
	for _, name := range names {
		require.Regexp(t, `(?m)^`+name+`\{`, string(scrape))
	}
}
