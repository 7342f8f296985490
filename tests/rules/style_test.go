package rules

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/tests/kit"
)

// The longest that files and functions may be. A test reads as a list, and may be longer.
const (
	mostLines         = 400
	mostTestLines     = 500
	mostFunctionLines = 45
	mostTestFunction  = 100
)

// TestLength: files of 400 lines, functions of 45.
func TestLength(t *testing.T) {
	for _, s := range tree(t) {
		lines, function := mostLines, mostFunctionLines
		if s.test || under(s.dir, "tests") {
			lines, function = mostTestLines, mostTestFunction
		}
		if s.lines > lines {
			t.Errorf("%s has %d lines", s.path, s.lines)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			if n := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1; n > function {
				t.Errorf("%s: %s has %d lines", s.at(f), f.Name.Name, n)
			}
		}
	}
}

// TestLengthOfC: the C side too.
func TestLengthOfC(t *testing.T) {
	root := kit.Root(t)
	for _, pattern := range []string{"cgo/*/*.c", "cgo/*/*.h", "cmd/*/*.c", "tests/*/testdata/*.c"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		for _, name := range files {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			if n := strings.Count(string(text), "\n"); n > mostTestLines {
				rel, _ := filepath.Rel(root, name)
				t.Errorf("%s has %d lines", rel, n)
			}
		}
	}
}

// TestPackagesAreExplained: each package says what it is.
func TestPackagesAreExplained(t *testing.T) {
	explained := map[string]bool{}
	for _, s := range tree(t) {
		explained[s.dir] = explained[s.dir] || s.file.Doc != nil
	}
	for dir, ok := range explained {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

// TestNoInit: nothing happens by the side of an import.
func TestNoInit(t *testing.T) {
	for _, s := range tree(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: func init", s.at(f))
			}
		}
	}
}

// TestNoMutableState: no variable of a package is ever assigned to after its declaration, nor a field or an element of it.
func TestNoMutableState(t *testing.T) {
	byPackage := map[string][]*source{}
	for _, s := range tree(t) {
		if !s.test && !under(s.dir, "tests", "cgo/gsttest") {
			byPackage[s.dir] = append(byPackage[s.dir], s)
		}
	}
	for _, list := range byPackage {
		for _, text := range changes(list) {
			t.Error(text)
		}
	}
}

// TestTheStateRuleItself shows that it sees what it should, and not what it should not.
func TestTheStateRuleItself(t *testing.T) {
	dir := t.TempDir()
	parse := func(name, text string) *source {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return read(t, path, name)
	}
	a := parse("a.go", "package p\nvar count, other int\nvar table = map[string]int{}\nfunc f() { count++; table[`x`] = 1 }\n")
	b := parse("b.go", "package p\nfunc g() { other = 1; count := 2; count = 3; _ = count; var table []int; table[0] = 1 }\n")
	require.Equal(t, []string{"a.go:4: the package's variable count is changed", "a.go:4: the package's variable table is changed",
		"b.go:2: the package's variable other is changed"}, changes([]*source{a, b}))
}

// changes tells where the files of a package change its variables.
func changes(list []*source) (found []string) {
	names, specs := packageVariables(list)
	for _, s := range list {
		ast.Inspect(s.file, func(n ast.Node) bool {
			for _, target := range assigned(n) {
				id := root(target)
				if id == nil || !names[id.Name] {
					continue
				}
				// The parser resolves what is declared in the same file; what it does not resolve is declared in another, at the package's level.
				if id.Obj == nil || specs[id.Obj.Decl] {
					found = append(found, s.at(n)+": the package's variable "+id.Name+" is changed")
				}
			}
			return true
		})
	}
	return found
}

// packageVariables gives the names of a package's variables, and their declarations.
func packageVariables(list []*source) (names map[string]bool, specs map[any]bool) {
	names, specs = map[string]bool{}, map[any]bool{}
	for _, s := range list {
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				specs[spec] = true
				for _, name := range spec.(*ast.ValueSpec).Names {
					names[name.Name] = name.Name != "_"
				}
			}
		}
	}
	return names, specs
}

// assigned gives what a statement changes.
func assigned(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	}
	return nil
}

// root is the variable that an expression such as a.b[c] starts from; nil where it goes through a call.
func root(x ast.Expr) *ast.Ident {
	for {
		switch e := x.(type) {
		case *ast.Ident:
			return e
		case *ast.SelectorExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.StarExpr:
			x = e.X
		case *ast.ParenExpr:
			x = e.X
		default:
			return nil
		}
	}
}
