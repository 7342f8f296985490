package inspect

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/tests/kit"
)

// TestAPI compares what the elements offer (classes, interfaces, URIs, pads, properties with types, flags, ranges, defaults and enum values, signals)
// with tests/testdata/api.txt. After a change that is meant: go test ./tests/inspect -run API -update.
func TestAPI(t *testing.T) {
	env := bare(t)
	var b strings.Builder
	for _, e := range elements() {
		out, _ := kit.Run(t, env, "gst-inspect-1.0", "--no-colors", e)
		b.WriteString("== " + e + "\n" + normalise(out) + "\n")
	}
	golden := filepath.Join(kit.Root(t), "tests", "testdata", "api.txt")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String(), "an interface has changed")
}

var (
	property = regexp.MustCompile(`^  ([a-z0-9-]+) +: `)
	field    = regexp.MustCompile(`^ {20,}([a-z0-9-]+): `)
	blanks   = regexp.MustCompile(`  +`)
)

// normalise leaves out what is no interface: where the plugin lies, texts for people, layout.
func normalise(text string) string {
	var b strings.Builder
	section := ""
	kit.Each(text, func(line string) {
		if line != "" && line[0] != ' ' {
			section = strings.TrimSuffix(line, ":")
		}
		if section == "Plugin Details" || strings.TrimSpace(line) == "" || strings.Contains(line, "Description ") {
			return
		}
		indent := "  "
		switch {
		case line[0] != ' ':
			indent = ""
		case section == "Element Properties":
			if m := property.FindStringSubmatch(line); m != nil {
				line = m[1]
				break
			}
			indent = "    "
			if m := field.FindStringSubmatch(line); m != nil && m[1] != "flags" {
				line = "field " + m[1]
			}
		}
		b.WriteString(indent + blanks.ReplaceAllString(strings.TrimSpace(line), " ") + "\n")
	})
	return b.String()
}
