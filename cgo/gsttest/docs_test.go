package gsttest_test

import (
	"encoding/json"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// goBlocks gives the Go code in a page of the documentation.
func goBlocks(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	var blocks []string
	for _, part := range strings.Split(string(text), "```go\n")[1:] {
		code, _, closed := strings.Cut(part, "```\n")
		require.True(t, closed)
		blocks = append(blocks, code)
	}
	return blocks
}

// exampleMain runs the example in pipelines, as a program that imports it does.
const exampleMain = `package main

import (
	"fmt"
	"os"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/plugins/mask"
)

func main() {
	if err := run(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run() error {
	if err := gst.Init(); err != nil {
		return err
	}
	if err := mask.Class().Register(gst.Plugin{}); err != nil {
		return err
	}
	p, err := gst.Parse("fakesrc num-buffers=3 sizetype=fixed sizemax=5 filltype=zero ! mask mask=65 name=m ! fakesink signal-handoffs=true name=f")
	if err != nil {
		return err
	}
	defer p.Unref()
	m, f := p.ByName("m"), p.ByName("f")
	defer m.Unref()
	defer f.Unref()
	f.Connect("handoff", func(args []any) any {
		fmt.Printf("%s ", args[1].(gst.Buffer).Bytes())
		return nil
	})
	bus := p.Bus()
	defer bus.Unref()
	p.SetState(gst.StatePlaying)
	end := bus.Pop(20*time.Second, gst.MessageEOS|gst.MessageError)
	stats := m.Get("stats").(*gst.Structure)
	p.SetState(gst.StateNull)
	if end == nil || end.Type != gst.MessageEOS {
		return fmt.Errorf("it ended with %+v", end)
	}
	fmt.Println(stats.Uint64("bytes"), m.Set("mask", 256))
	return nil
}
`

// The example in docs/writing-elements.md is what it says: at most 60 lines of code that build, hold gofmt's form, and run.
func TestExampleElement(t *testing.T) {
	if os.Getenv("GST_KINESIS_TEST_DEFECT") != "" {
		return
	}
	t.Parallel()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	blocks := goBlocks(t, filepath.Join(root, "docs", "writing-elements.md"))
	code := blocks[0]
	require.LessOrEqual(t, strings.Count(code, "\n"), 60)
	formatted, err := format.Source([]byte(code))
	require.NoError(t, err)
	require.Equal(t, string(formatted), code)

	// The files are laid over the module: nothing is written into it.
	dir := t.TempDir()
	files := map[string]string{"plugins/mask/element.go": code, "cmd/example-element/main.go": exampleMain,
		"plugins/mask/element_test.go": exampleTest(blocks[1])}
	replace := map[string]string{}
	for name, text := range files {
		file := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		replace[filepath.Join(root, filepath.FromSlash(name))] = file
	}
	overlay := filepath.Join(dir, "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, text, 0o600))
	program, tests := filepath.Join(dir, "example"), filepath.Join(dir, "example.test")
	run := func(cwd, name string, args ...string) string {
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.Env = cwd, plainEnv()
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s %s:\n%s", name, strings.Join(args, " "), out)
		return string(out)
	}
	run(root, "go", "build", "-overlay", overlay, "-o", program, "./cmd/example-element")
	run(root, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", tests, "./plugins/mask")
	run(dir, tests)
	out := run(dir, program)
	require.Equal(t, "AAAAA AAAAA AAAAA 15 256 is out of range for property \"mask\"\n", out)
}

// exampleTest makes a file of the page's test, with the example's class in place of the whole plugin.
func exampleTest(code string) string {
	code = strings.Replace(code, "plugins.Info()", "&gst.PluginInfo{Name: \"mask\", Version: \"1\", License: \"MIT/X11\", Register: mask.Class().Register}", 1)
	return `package mask_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/plugins/mask"
)

` + code
}
