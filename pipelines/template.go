package pipelines

import (
	"fmt"
	"regexp"
	"strings"
)

// node is a piece of a launch line: text, a variable, or a part that may be left out.
type node struct {
	line     int
	text     string
	variable string
	part     []node
}

// templateError is a mistake at a line of the file.
type templateError struct {
	line int
	text string
}

// Error gives the text.
func (e *templateError) Error() string { return e.text }

func mistaken(line int, format string, args ...any) error {
	return &templateError{line: line, text: fmt.Sprintf(format, args...)}
}

var mark = regexp.MustCompile(`\$\{[^}\n]*\}?|\$\[|\$\]`)

// parseTemplate reads a launch line; first is the line of the file that it begins at.
func parseTemplate(text string, first int) ([]node, error) {
	stack := [][]node{nil}
	var opened []int
	add := func(n node) { stack[len(stack)-1] = append(stack[len(stack)-1], n) }
	line := first
	for text != "" {
		at := mark.FindStringIndex(text)
		if at == nil {
			at = []int{len(text), len(text)}
		}
		if at[0] > 0 {
			add(node{line: line, text: text[:at[0]]})
			line += strings.Count(text[:at[0]], "\n")
		}
		switch m := text[at[0]:at[1]]; {
		case m == "":
		case m == "$[":
			stack, opened = append(stack, nil), append(opened, line)
		case m == "$]":
			if len(opened) == 0 {
				return nil, mistaken(line, "$] ends what no $[ began")
			}
			part := node{line: opened[len(opened)-1], part: stack[len(stack)-1]}
			stack, opened = stack[:len(stack)-1], opened[:len(opened)-1]
			add(part)
		case !strings.HasSuffix(m, "}"):
			return nil, mistaken(line, "%s has no end", m)
		default:
			add(node{line: line, variable: m[2 : len(m)-1]})
		}
		text = text[at[1]:]
	}
	if len(opened) > 0 {
		return nil, mistaken(opened[len(opened)-1], "$[ has no $]")
	}
	return stack[0], nil
}

// checkTemplate checks the line against the variables.
func (p *Preset) checkTemplate(nodes []node) error {
	used := map[string]bool{}
	if err := p.checkUse(nodes, false, used); err != nil {
		return err
	}
	for _, v := range p.Variables {
		if !used[v.Name] {
			return mistaken(nodes[0].line, "the variable %q is not used", v.Name)
		}
	}
	values := map[string]string{}
	for _, v := range p.Variables {
		values[v.Name] = "x"
	}
	w := &writer{preset: p, values: values}
	return w.write(nodes)
}

func (p *Preset) checkUse(nodes []node, optional bool, used map[string]bool) error {
	for _, n := range nodes {
		switch {
		case n.part != nil:
			if !hasVariable(n.part) {
				return mistaken(n.line, "there is no variable between $[ and $]")
			}
			if err := p.checkUse(n.part, true, used); err != nil {
				return err
			}
		case n.variable != "":
			v := p.variable(n.variable)
			if v == nil {
				return mistaken(n.line, "the variable %q is not described", n.variable)
			}
			if v.Default == nil && !v.Required && !optional {
				return mistaken(n.line, "the variable %q may be unset: put what needs it between $[ and $]", n.variable)
			}
			used[n.variable] = true
		}
	}
	return nil
}

func hasVariable(nodes []node) bool {
	for _, n := range nodes {
		if n.variable != "" || hasVariable(n.part) {
			return true
		}
	}
	return false
}
