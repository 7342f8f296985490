package pipelines

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Preset is a pipeline with variables.
type Preset struct {
	Name        string     `yaml:"name"`
	Title       string     `yaml:"title"`
	Description string     `yaml:"description"`
	Variables   []Variable `yaml:"variables"`
	Launch      string     `yaml:"launch"`

	file     string
	template []node
}

// Parse reads a preset's file; errors name the file and the line.
func Parse(file string, text []byte) (*Preset, error) {
	p := &Preset{file: file}
	doc, err := p.decode(text)
	if err != nil {
		return nil, describe(file, err)
	}
	if err := p.check(lines{doc: doc}); err != nil {
		return nil, err
	}
	return p, nil
}

// decode reads YAML. The reader panics at some texts that are none.
func (p *Preset) decode(text []byte) (doc *ast.File, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("this is no YAML")
		}
	}()
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(p); err != nil {
		return nil, err
	}
	return parser.ParseBytes(text, 0)
}

// describe puts the line of an error of the YAML reader in front, and leaves its picture of the file out.
func describe(file string, err error) error {
	var y yaml.Error
	if errors.As(err, &y) && y.GetToken() != nil {
		return mistake(file, y.GetToken().Position.Line, "%s", y.GetMessage())
	}
	return fmt.Errorf("%s: %w", file, err)
}

func mistake(file string, line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", file, line, fmt.Sprintf(format, args...))
}

// lines finds the lines of values.
type lines struct{ doc *ast.File }

// of gives the line of the value at a YAML path, that of its parent where it is not there.
func (l lines) of(path string) int {
	for ; path != "$"; path = path[:max(strings.LastIndexAny(path, ".["), 1)] {
		p, err := yaml.PathString(path)
		if err != nil {
			break
		}
		if n, err := p.FilterFile(l.doc); err == nil && n != nil {
			return n.GetToken().Position.Line
		}
	}
	return 1
}

var name = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// check holds the rules that the file's form alone does not.
func (p *Preset) check(at lines) error {
	base := strings.TrimSuffix(p.file[strings.LastIndexByte(p.file, '/')+1:], ".yaml")
	switch {
	case p.Name != base:
		return mistake(p.file, at.of("$.name"), "the name %q is not that of the file, %q", p.Name, base)
	case p.Title == "" || strings.Contains(p.Title, "\n"):
		return mistake(p.file, at.of("$.title"), "a title of one line is missing")
	case strings.TrimSpace(p.Launch) == "":
		return mistake(p.file, at.of("$.launch"), "the launch line is missing")
	}
	seen := map[string]bool{}
	for i := range p.Variables {
		v := &p.Variables[i]
		where := fmt.Sprintf("$.variables[%d]", i)
		if seen[v.Name] {
			return mistake(p.file, at.of(where+".name"), "the variable %q is there twice", v.Name)
		}
		seen[v.Name] = true
		if field, err := v.check(); err != nil {
			return mistake(p.file, at.of(where+"."+field), "variable %q: %v", v.Name, err)
		}
	}
	return p.checkLaunch(at)
}

func (p *Preset) checkLaunch(at lines) error {
	first := at.of("$.launch")
	if strings.Contains(p.Launch, "\n") {
		first++ // a block begins behind its |
	}
	nodes, err := parseTemplate(p.Launch, first)
	if err == nil {
		err = p.checkTemplate(nodes)
	}
	if err != nil {
		var t *templateError
		if errors.As(err, &t) {
			return mistake(p.file, t.line, "%s", t.text)
		}
		return err
	}
	p.template = nodes
	return nil
}

// variable finds a variable, nil where there is none.
func (p *Preset) variable(name string) *Variable {
	for i := range p.Variables {
		if p.Variables[i].Name == name {
			return &p.Variables[i]
		}
	}
	return nil
}
