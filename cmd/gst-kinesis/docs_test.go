package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"
)

// TestDocsNameEverything holds docs/cli.md against the commands of this folder
// that every build has.
func TestDocsNameEverything(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/cli.md")
	require.NoError(t, err)
	p := &program{}
	sections := map[string]string{}
	for section := range strings.SplitSeq(string(page), "\n## ") {
		title, text, _ := strings.Cut(section, "\n")
		name, _, _ := strings.Cut(title, ":")
		sections[name] = text
	}
	common := sections["Who we are to AWS"]
	for _, c := range []*cli.Command{p.localCommand(), p.streamCommand(), p.videoCommand(), p.produceCommand(), p.consumeCommand(), p.redriveCommand(), p.spoolCommand(), p.inspectCommand(), p.versionCommand()} {
		require.Contains(t, sections, c.Name)
		for _, leaf := range append(c.Subcommands, c) {
			for _, f := range leaf.Flags {
				require.Contains(t, sections[c.Name]+common, "--"+f.Names()[0], "%s --%s", leaf.Name, f.Names()[0])
			}
		}
	}
}
