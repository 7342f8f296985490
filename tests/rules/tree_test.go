// Package rules holds the tree to the house's rules: who may import whom, where C may stand, what plugins must not do to their host, and how long
// things may get.
package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/tests/kit"
)

const module = "gst-kinesis/"

// source is one Go file.
type source struct {
	path    string // from the module's folder on
	dir     string
	test    bool
	lines   int
	file    *ast.File
	set     *token.FileSet
	imports []string
}

// at is a place in the file, for messages.
func (s *source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.set.Position(n.Pos()).Line)
}

// tree reads all Go files of the module.
func tree(t *testing.T) []*source {
	t.Helper()
	root := kit.Root(t)
	var list []*source
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if d.IsDir() {
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || rel == "build") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) == ".go" {
			list = append(list, read(t, path, filepath.ToSlash(rel)))
		}
		return nil
	}))
	require.Greater(t, len(list), 100)
	return list
}

func read(t *testing.T, path, rel string) *source {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	s := &source{path: rel, dir: filepath.ToSlash(filepath.Dir(rel)), test: strings.HasSuffix(rel, "_test.go"), set: token.NewFileSet()}
	s.lines = strings.Count(string(text), "\n")
	s.file, err = parser.ParseFile(s.set, path, text, parser.ParseComments)
	require.NoError(t, err)
	for _, i := range s.file.Imports {
		name, err := strconv.Unquote(i.Path.Value)
		require.NoError(t, err)
		s.imports = append(s.imports, name)
	}
	return s
}

// under says whether a folder is one of these or lies in it.
func under(dir string, tops ...string) bool {
	for _, top := range tops {
		if dir == top || strings.HasPrefix(dir, top+"/") {
			return true
		}
	}
	return false
}

// element is the folder of the element that a path lies in, "" for none.
func element(dir string) string {
	rest, ok := strings.CutPrefix(dir, "plugins/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return "plugins/" + name
}
