package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/tests/kit"
)

// TestReadmeNamesElements: each element that the plugin registers stands in the README, with a link to its properties.
func TestReadmeNamesElements(t *testing.T) {
	root := kit.Root(t)
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	api, err := os.ReadFile(filepath.Join(root, "tests", "testdata", "api.txt"))
	require.NoError(t, err)
	elements := regexp.MustCompile(`(?m)^== (\S+)`).FindAllSubmatch(api, -1)
	require.NotEmpty(t, elements)
	for _, e := range elements {
		require.Contains(t, string(readme), "`"+string(e[1])+"`")
	}
	require.Contains(t, string(readme), "docs/elements.md")
}

// TestLinks: what the documents refer to in this tree is there.
func TestLinks(t *testing.T) {
	root := kit.Root(t)
	link := regexp.MustCompile(`\]\(([^)#:\s]+)(#[^)]*)?\)`)
	files := []string{filepath.Join(root, "README.md")}
	for _, pattern := range []string{"docs/*.md", "docker/*.md"} {
		list, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		files = append(files, list...)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				rel, _ := filepath.Rel(root, name)
				t.Errorf("%s refers to %s, which is not there", rel, m[1])
			}
		}
	}
}
