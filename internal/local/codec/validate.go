package codec

import (
	"fmt"
	"hash/fnv"
	"reflect"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"gst-kinesis/internal/local/apierr"
)

// maxFailures is how many failed constraints AWS lists in one message.
const maxFailures = 10

// constraints are what a member's tag asks for. In the tag they are separated by spaces, so that a pattern may hold
// commas:
//
//	required        the member must be there
//	min=N max=N     least and most length of a text, blob, list or map; least and most value of a number
//	pattern=RE      the whole text matches
//	enum=A|B|C      the text is one of these
//	keys=LO-HI      lengths of a map's keys; values=LO-HI of its values; items=LO-HI of a list's texts
//	as=NAME         how AWS's messages print an item of a list of structs
type constraints struct {
	required            bool
	min, max            *int64
	pattern             *regexp.Regexp
	patternText         string
	enum                []string
	keys, values, items *bounds
	as                  string
}

type bounds struct{ least, most int }

func (b *bounds) String() string {
	return fmt.Sprintf("[Member must have length less than or equal to %d, Member must have length greater than or equal to %d]",
		b.most, b.least)
}

func (b *bounds) hold(s string) bool {
	n := utf8.RuneCountInString(s)
	return n >= b.least && n <= b.most
}

func parseConstraints(tag string) constraints {
	var c constraints
	for _, part := range strings.Fields(tag) {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "required":
			c.required = true
		case "min":
			c.min = number(value)
		case "max":
			c.max = number(value)
		case "pattern":
			c.patternText = value
			c.pattern = regexp.MustCompile("^(?:" + value + ")$")
		case "enum":
			c.enum = strings.Split(value, "|")
		case "keys":
			c.keys = parseBounds(value)
		case "values":
			c.values = parseBounds(value)
		case "items":
			c.items = parseBounds(value)
		case "as":
			c.as = value
		default:
			panic("codec: unknown constraint " + part)
		}
	}
	return c
}

func number(s string) *int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic("codec: " + err.Error())
	}
	return &n
}

func parseBounds(s string) *bounds {
	var b bounds
	if _, err := fmt.Sscanf(s, "%d-%d", &b.least, &b.most); err != nil {
		panic("codec: " + err.Error())
	}
	return &b
}

// Validate checks v, a pointer to the Shape's struct, and returns nil or the *apierr.Error that lists what failed in
// AWS's words.
func (s *Shape) Validate(v any) error {
	// Most bodies are good: a first look costs nothing for the paths of members.
	quick := &checker{quick: true}
	if quick.structure(s, reflect.ValueOf(v).Elem(), ""); !quick.bad {
		return nil
	}
	c := &checker{}
	c.structure(s, reflect.ValueOf(v).Elem(), "")
	plural := ""
	if len(c.failed) > 1 {
		plural = "s"
	}
	return apierr.New(apierr.Validation, "%d validation error%s detected: %s", len(c.failed), plural, strings.Join(c.failed, "; "))
}

// checker walks a struct. A quick one only finds out whether anything is bad.
type checker struct {
	quick, bad bool
	failed     []string
}

func (c *checker) full() bool { return c.bad || len(c.failed) >= maxFailures }

// join makes a member's path.
func (c *checker) join(path, name string) string {
	if c.quick {
		return ""
	}
	return path + name
}

// item makes the path of a list's item.
func (c *checker) item(path string, i int) string {
	if c.quick {
		return ""
	}
	return fmt.Sprintf("%s.%d.member.", path, i+1)
}

func (c *checker) structure(s *Shape, v reflect.Value, path string) {
	for i := range s.fields {
		if c.full() {
			return
		}
		f := &s.fields[i]
		c.member(f, v.Field(f.index), c.join(path, f.camel))
	}
}

func (c *checker) fail(f *field, v reflect.Value, at, rule string) {
	if c.quick {
		c.bad = true
	}
	if c.full() {
		return
	}
	value := "null"
	if !absent(v) {
		value = "'" + f.show(v) + "'"
	}
	c.failed = append(c.failed, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, at, rule))
}

func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return v.IsNil()
	}
	return false
}

func (c *checker) member(f *field, v reflect.Value, at string) {
	if absent(v) {
		if f.limits.required {
			c.fail(f, v, at, "Member must not be null")
		}
		return
	}
	switch got := reflect.Indirect(v); {
	case got.Kind() == reflect.String:
		c.text(f, v, got.String(), at)
	case got.Kind() == reflect.Int32 || got.Kind() == reflect.Int64:
		c.size(f, v, at, "value", got.Int())
	case got.Kind() == reflect.Map:
		c.size(f, v, at, "length", int64(got.Len()))
		c.pairs(f, v, at)
	case got.Kind() == reflect.Slice:
		c.size(f, v, at, "length", int64(got.Len()))
		c.list(f, v, at)
	case f.elem != nil:
		c.structure(f.elem, got, c.join(at, "."))
	}
}

func (c *checker) text(f *field, v reflect.Value, s, at string) {
	if f.limits.pattern != nil && !f.limits.pattern.MatchString(s) {
		c.fail(f, v, at, "Member must satisfy regular expression pattern: "+f.limits.patternText)
	}
	c.size(f, v, at, "length", int64(utf8.RuneCountInString(s)))
	if len(f.limits.enum) == 0 {
		return
	}
	for _, allowed := range f.limits.enum {
		if s == allowed {
			return
		}
	}
	c.fail(f, v, at, "Member must satisfy enum value set: ["+strings.Join(f.limits.enum, ", ")+"]")
}

// size checks a length or a value, as what says.
func (c *checker) size(f *field, v reflect.Value, at, what string, n int64) {
	if f.limits.min != nil && n < *f.limits.min {
		c.fail(f, v, at, fmt.Sprintf("Member must have %s greater than or equal to %d", what, *f.limits.min))
	}
	if f.limits.max != nil && n > *f.limits.max {
		c.fail(f, v, at, fmt.Sprintf("Member must have %s less than or equal to %d", what, *f.limits.max))
	}
}

func (c *checker) list(f *field, v reflect.Value, at string) {
	switch {
	case f.elem != nil:
		for i := 0; i < v.Len() && !c.full(); i++ {
			c.structure(f.elem, v.Index(i), c.item(at, i))
		}
	case f.limits.items != nil:
		for _, s := range v.Interface().([]string) {
			if !f.limits.items.hold(s) {
				c.fail(f, v, at, "Member must satisfy constraint: "+f.limits.items.String())
				return
			}
		}
	}
}

func (c *checker) pairs(f *field, v reflect.Value, at string) {
	keysHold, valuesHold := true, true
	for key, value := range v.Interface().(map[string]string) {
		keysHold = keysHold && (f.limits.keys == nil || f.limits.keys.hold(key))
		valuesHold = valuesHold && (f.limits.values == nil || f.limits.values.hold(value))
	}
	if !keysHold {
		c.fail(f, v, at, "Map keys must satisfy constraint: "+f.limits.keys.String())
	}
	if !valuesHold {
		c.fail(f, v, at, "Map value must satisfy constraint: "+f.limits.values.String())
	}
}

// show prints a value as AWS's Java service does.
func (f *field) show(v reflect.Value) string {
	v = reflect.Indirect(v)
	switch got := v.Interface().(type) {
	case []byte:
		return fmt.Sprintf("java.nio.HeapByteBuffer[pos=0 lim=%d cap=%d]", len(got), len(got))
	case []string:
		return "[" + strings.Join(got, ", ") + "]"
	case map[string]string:
		pairs := make([]string, 0, len(got))
		for key, value := range got {
			pairs = append(pairs, key+"="+value)
		}
		sort.Strings(pairs)
		return "{" + strings.Join(pairs, ", ") + "}"
	}
	if v.Kind() != reflect.Slice {
		return fmt.Sprint(v.Interface())
	}
	items := make([]string, v.Len())
	for i := range items {
		h := fnv.New32a()
		fmt.Fprint(h, f.limits.as, i)
		items[i] = fmt.Sprintf("%s@%x", f.limits.as, h.Sum32())
	}
	return "[" + strings.Join(items, ", ") + "]"
}
