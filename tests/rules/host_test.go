package rules

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/tests/kit"
)

// forbidden is what a plugin must not do in somebody else's process, and what leaves C objects to a collector that does not see them.
var forbidden = map[string][]string{
	"os":        {"Exit", "Setenv", "Unsetenv", "Clearenv", "Chdir", "Stdout", "Stderr", "Stdin", "Getwd"},
	"os/signal": {"Notify", "NotifyContext", "Ignore", "Reset", "Stop"},
	"fmt":       {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
	"log":       {"Print", "Printf", "Println", "Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "SetOutput"},
	"syscall":   {"Exec", "ForkExec", "Kill", "Exit", "Setenv"},
	"runtime":   {"SetFinalizer", "AddCleanup", "GC", "GOMAXPROCS", "LockOSThread"},
	"time":      {"Sleep"},
	"slog":      {"SetDefault"},
}

// TestTheHostIsLeftAlone: no os.Exit, signal.Notify, standard output or os.Setenv in plugins and cgo, and in the engines that run there.
func TestTheHostIsLeftAlone(t *testing.T) {
	seen := 0
	for _, s := range tree(t) {
		if s.test || !under(s.dir, "plugins", "cgo", "internal", "cmd/libgstkinesis") || under(s.dir, "cgo/gsttest", "cgo/gstrtsp/rtsptest") {
			continue
		}
		seen++
		names := packages(s)
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				if !ok || x.Obj != nil {
					return true
				}
				for _, f := range forbidden[names[x.Name]] {
					if n.Sel.Name == f {
						t.Errorf("%s: %s.%s", s.at(n), x.Name, f)
					}
				}
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && id.Obj == nil && (id.Name == "print" || id.Name == "println") {
					t.Errorf("%s: %s", s.at(n), id.Name)
				}
			}
			return true
		})
	}
	require.Greater(t, seen, 50)
}

// packages gives the import paths by the names they have in a file.
func packages(s *source) map[string]string {
	names := map[string]string{}
	for i, path := range s.imports {
		name := path[strings.LastIndex(path, "/")+1:]
		if n := s.file.Imports[i].Name; n != nil {
			name = n.Name
		}
		names[name] = path
	}
	return names
}

// The same for C: what speaks to the host's output, environment, signals or life.
var forbiddenC = regexp.MustCompile(`\b(printf|puts|putchar|exit|_exit|abort|setenv|unsetenv|putenv|signal|sigaction|g_print|g_setenv|g_unsetenv|fork|system|sleep|usleep|g_usleep)\s*\(`)

// TestTheHostIsLeftAloneByC does so for the C files of cgo/gst. The library's main keeps the host's handler of SIGURG, so it may look at signals.
func TestTheHostIsLeftAloneByC(t *testing.T) {
	root := kit.Root(t)
	var files []string
	for _, pattern := range []string{"cgo/gst/*.c", "cgo/gst/*.h", "cmd/libgstkinesis/*.c"} {
		list, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		files = append(files, list...)
	}
	require.Greater(t, len(files), 5)
	comments := regexp.MustCompile(`(?s)/\*.*?\*/|"(\\.|[^"\\])*"`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		rel, _ := filepath.Rel(root, name)
		for _, m := range forbiddenC.FindAllStringSubmatch(comments.ReplaceAllString(string(text), ""), -1) {
			if m[1] == "sigaction" && under(filepath.ToSlash(rel), "cmd/libgstkinesis") {
				continue
			}
			t.Errorf("%s: %s", rel, m[1])
		}
	}
}
