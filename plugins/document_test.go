package plugins

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
)

var update = flag.Bool("update", false, "write the generated documents anew")

const tables = "../docs/elements.md"

// TestTheTablesOfElementsAreTheCodes holds docs/elements.md against the property tables; `go test ./plugins -update` writes it.
func TestTheTablesOfElementsAreTheCodes(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Elements\n\nGenerated from the property tables; `go test ./plugins -update` writes this file. Times in ns are GStreamer's, times in ms AWS's.\n" +
		"Properties marked *live* may be set while the pipeline plays, the others in NULL and READY.\n")
	for _, c := range Classes() {
		fmt.Fprintf(&b, "\n## %s\n\n%s. Class `%s`.\n\n| property | type | default | what it does |\n|---|---|---|---|\n", c.Factory, c.Description, c.Klass)
		for _, p := range c.Document() {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", p.Name, kind(p), value(p), blurb(p))
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(tables, []byte(b.String()), 0o644))
	}
	have, err := os.ReadFile(tables)
	require.NoError(t, err)
	require.Equal(t, b.String(), string(have), "run: go test ./plugins -update")
}

func TestTheReadmeNamesEachElement(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	for _, c := range Classes() {
		require.Contains(t, string(readme), "`"+c.Factory+"`")
	}
}

func kind(p gst.PropertyDoc) string {
	text := p.Type
	if len(p.Values) > 0 {
		text = "`" + strings.Join(p.Values, "`, `") + "`"
	}
	if p.Bounds != "" {
		text += ", " + p.Bounds
	}
	return text
}

func value(p gst.PropertyDoc) string {
	if p.Default == "" {
		return ""
	}
	return "`" + p.Default + "`"
}

func blurb(p gst.PropertyDoc) string {
	text := strings.ReplaceAll(p.Blurb, "|", "\\|")
	switch {
	case p.Flags&gst.ReadOnly != 0:
		return text + " (read only)"
	case p.Flags&gst.WriteOnly != 0:
		return text + " (write only)"
	case p.Flags&gst.MutablePlaying != 0:
		return text + " (*live*)"
	}
	return text
}
