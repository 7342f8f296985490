package gst

// #include "ggo.h"
import "C"

import (
	"fmt"
	"reflect"
	"strings"
)

// PropertyDoc describes a property for people.
type PropertyDoc struct {
	Name, Type, Default, Blurb string
	Bounds                     string   // "1 to 10000"; "" where the type has no others
	Values                     []string // nicks of an enum or flags
	Flags                      PropertyFlag
}

// Document describes the properties of the class, in the table's order.
func (c *Class) Document() []PropertyDoc {
	if c.Properties == nil {
		return nil
	}
	var out []PropertyDoc
	for i := range c.Properties.count() {
		row := c.Properties.row(i)
		d := PropertyDoc{Name: row.Name, Blurb: row.Blurb, Flags: row.Flags, Type: typeName(row.cType()), Default: row.defaultText(), Bounds: row.bounds()}
		for _, v := range row.Values {
			d.Values = append(d.Values, v.Nick)
		}
		out = append(out, d)
	}
	return out
}

func typeName(t C.gint) string {
	switch t {
	case C.GGO_STRING:
		return "string"
	case C.GGO_BOOL:
		return "boolean"
	case C.GGO_INT:
		return "int"
	case C.GGO_UINT:
		return "uint"
	case C.GGO_INT64:
		return "int64"
	case C.GGO_UINT64:
		return "uint64"
	case C.GGO_DOUBLE:
		return "double"
	case C.GGO_FRACTION:
		return "fraction"
	case C.GGO_ENUM:
		return "enum"
	case C.GGO_FLAGS:
		return "flags"
	}
	return "GstStructure"
}

func (r *propertyRow) defaultText() string {
	if r.Flags&ReadOnly != 0 {
		return ""
	}
	switch d := r.Default.(type) {
	case Fraction:
		return fmt.Sprintf("%d/%d", d.Num, d.Den)
	case *Structure:
		return d.String()
	}
	return fmt.Sprint(reflect.ValueOf(r.Default).Interface())
}

func (r *propertyRow) bounds() string {
	var parts []string
	if r.Min != nil {
		parts = append(parts, fmt.Sprintf("from %v", r.Min))
	}
	if r.Max != nil && r.Max != int(1<<31-1) && r.Max != uint64(1<<63-1) {
		parts = append(parts, fmt.Sprintf("to %v", r.Max))
	}
	return strings.Join(parts, " ")
}
