package pipelines

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Line is a preset with its variables filled in.
type Line struct {
	words  []string // as a launch line has them
	hidden []string // the same, without the secrets
}

// Fill puts values in the place of the variables; those not given get their defaults. Errors say which variables there are.
func (p *Preset) Fill(given map[string]string) (Line, error) {
	values := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		v := p.variable(name)
		if v == nil {
			return Line{}, fmt.Errorf("preset %s has no variable %q; it has %s", p.Name, name, p.names())
		}
		text, err := v.read(given[name])
		if err != nil {
			if v.Type == Secret {
				return Line{}, fmt.Errorf("setting %s of preset %s: it cannot be used", name, p.Name)
			}
			return Line{}, fmt.Errorf("setting %s of preset %s: %w", name, p.Name, err)
		}
		values[name] = text
	}
	for i := range p.Variables {
		v := &p.Variables[i]
		if _, ok := values[v.Name]; ok {
			continue
		}
		if v.Required {
			return Line{}, fmt.Errorf("preset %s needs %s (%s)", p.Name, v.Name, v.Help)
		}
		if v.Default != nil {
			values[v.Name], _ = v.read(*v.Default) // it was checked when the file was read
		}
	}
	shown, hidden := &writer{preset: p, values: values}, &writer{preset: p, values: values, mask: true}
	if err := shown.write(p.template); err != nil {
		return Line{}, fmt.Errorf("filling in preset %s: %w", p.Name, err)
	}
	if err := hidden.write(p.template); err != nil {
		return Line{}, fmt.Errorf("filling in preset %s: %w", p.Name, err)
	}
	return Line{words: Words(shown.out.String()), hidden: Words(hidden.out.String())}, nil
}

func (p *Preset) names() string {
	var all []string
	for _, v := range p.Variables {
		all = append(all, v.Name)
	}
	return strings.Join(all, ", ")
}

// Launch gives the line as gst_parse_launch reads it. It holds the secrets.
func (l Line) Launch() string { return strings.Join(l.words, " ") }

// Shell gives the command that does the same in a shell; secrets are hidden unless they are asked for.
func (l Line) Shell(secrets bool) string {
	if secrets {
		return Command(l.words, true)
	}
	return Command(l.hidden, false)
}

// hiddenSecret stands where a secret is not shown.
const hiddenSecret = "***"

// writer fills a template in.
type writer struct {
	preset *Preset
	values map[string]string
	mask   bool
	out    strings.Builder
	alone  bool // a string was written: what follows must be set off
}

func (w *writer) write(nodes []node) error {
	for _, n := range nodes {
		switch {
		case n.part != nil:
			if !w.anySet(n.part) {
				continue
			}
			if err := w.write(n.part); err != nil {
				return err
			}
		case n.variable != "":
			if err := w.variable(n); err != nil {
				return err
			}
		default:
			if w.alone && !strings.ContainsAny(n.text[:1], " \t\n") {
				return mistaken(n.line, "%q follows a string: it must stand alone behind the = of a property", firstWord(n.text))
			}
			w.out.WriteString(n.text)
			w.alone = false
		}
	}
	return nil
}

func (w *writer) variable(n node) error {
	v := w.preset.variable(n.variable)
	text := w.values[n.variable]
	if v.Type != String && v.Type != Secret {
		if w.alone {
			return mistaken(n.line, "${%s} follows a string: it must stand alone behind the = of a property", n.variable)
		}
		w.out.WriteString(text)
		return nil
	}
	if w.alone || !strings.HasSuffix(w.out.String(), "=") {
		return mistaken(n.line, "${%s} is a string: it must stand alone behind the = of a property", n.variable)
	}
	if w.mask && v.Type == Secret {
		text = hiddenSecret
	}
	w.out.WriteString(Quote(text))
	w.alone = true
	return nil
}

func (w *writer) anySet(nodes []node) bool {
	for _, n := range nodes {
		if _, set := w.values[n.variable]; n.variable != "" && set || w.anySet(n.part) {
			return true
		}
	}
	return false
}

func firstWord(text string) string {
	if f := strings.Fields(text); len(f) > 0 {
		return f[0]
	}
	return text
}
