package gst

// #include "ggo.h"
import "C"

import (
	"fmt"
	"math"
	"strings"
	"unsafe"
)

// ---- Go -> C ----

// structureWriter flattens a structure to rows over one arena, so that it crosses in one call.
type structureWriter struct {
	rows  []C.GgoRow
	arena []byte
}

func (s *Structure) toC() *C.GstStructure {
	if s == nil {
		return nil
	}
	var w structureWriter
	w.structure("", s)
	w.arena = append(w.arena, 0)
	return C.ggo_structure_build(unsafe.SliceData(w.rows), C.gint(len(w.rows)), (*C.gchar)(unsafe.Pointer(unsafe.SliceData(w.arena))))
}

func (w *structureWriter) text(s string) C.gint64 {
	at := len(w.arena)
	w.arena = append(append(w.arena, validUTF8(s)...), 0)
	return C.gint64(at)
}

func (w *structureWriter) row(name string, t C.gint) *C.GgoRow {
	at := C.gint64(-1)
	if name != "" {
		at = w.text(name)
	}
	w.rows = append(w.rows, C.GgoRow{_type: t, name: at})
	return &w.rows[len(w.rows)-1]
}

func (w *structureWriter) structure(name string, s *Structure) {
	if !validName(s.Name) {
		panic(fmt.Sprintf("gst: %q is no name of a structure", s.Name))
	}
	str := w.text(s.Name)
	r := w.row(name, C.GGO_STRUCTURE)
	r.str, r.n = str, C.gint(len(s.Fields))
	for i := range s.Fields {
		if s.Fields[i].Name == "" {
			panic(fmt.Sprintf("gst: a field of the structure %q has no name", s.Name))
		}
		w.value(s.Fields[i].Name, s.Fields[i].Value)
	}
}

func list[T any](w *structureWriter, name string, t C.gint, items []T) {
	w.row(name, t).n = C.gint(len(items))
	for i := range items {
		w.value("", any(items[i]))
	}
}

func (w *structureWriter) value(name string, v any) {
	switch v := v.(type) {
	case string:
		str := w.text(v)
		w.row(name, C.GGO_STRING).str = str
	case bool:
		r := w.row(name, C.GGO_BOOL)
		if v {
			r.i = 1
		}
	case int32:
		w.row(name, C.GGO_INT).i = C.gint64(v)
	case uint32:
		w.row(name, C.GGO_UINT).u = C.guint64(v)
	case int:
		w.row(name, C.GGO_INT64).i = C.gint64(v)
	case int64:
		w.row(name, C.GGO_INT64).i = C.gint64(v)
	case uint64:
		w.row(name, C.GGO_UINT64).u = C.guint64(v)
	case float64:
		w.row(name, C.GGO_DOUBLE).d = C.gdouble(v)
	case Fraction:
		w.fraction(name, v)
	case *Structure:
		w.structure(name, v)
	case []any:
		list(w, name, C.GGO_LIST, v)
	case []string:
		list(w, name, C.GGO_LIST, v)
	case []uint64:
		list(w, name, C.GGO_LIST, v)
	case Array:
		list(w, name, C.GGO_ARRAY, v)
	default:
		w.rare(name, v)
	}
}

// rare writes the types that stand in caps only, bytes, and what was opaque on its way in.
func (w *structureWriter) rare(name string, v any) {
	switch v := v.(type) {
	case []byte:
		at := len(w.arena)
		w.arena = append(w.arena, v...)
		r := w.row(name, C.GGO_BYTES)
		r.str, r.len = C.gint64(at), C.gint64(len(v))
	case IntRange:
		w.span(name, C.GGO_INT_RANGE, int64(v.Min), int64(v.Max), int64(v.Step), v.Min)
	case Int64Range:
		w.span(name, C.GGO_INT64_RANGE, v.Min, v.Max, v.Step, v.Min)
	case DoubleRange:
		w.doubles(name, v)
	case FractionRange:
		w.fractions(name, v)
	case Opaque:
		str, kind := w.text(v.Text), w.text(v.Type)
		r := w.row(name, C.GGO_OTHER)
		r.str, r.len = str, kind
	default:
		panic(fmt.Sprintf("gst: a structure cannot hold a %T (field %q)", v, name))
	}
}

// validName says whether GStreamer takes the name of a structure: a letter, then letters, digits and /-_.:+.
func validName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || !('0' <= c && c <= '9' || strings.IndexByte("/-_.:+", c) >= 0)) {
			return false
		}
	}
	return s != ""
}

func clamp(f Fraction) (num, den C.gint) {
	return C.gint(max(f.Num, -math.MaxInt32)), C.gint(max(f.Den, 1))
}

func (w *structureWriter) fraction(name string, f Fraction) {
	r := w.row(name, C.GGO_FRACTION)
	r.num, r.den = clamp(f)
}

func inverted(name string, v any) {
	panic(fmt.Sprintf("gst: the range %v of field %q is none", v, name))
}

// span writes a range of integers; one is what a range of one value becomes.
func (w *structureWriter) span(name string, t C.gint, lo, hi, step int64, one any) {
	step = max(step, 1)
	if lo == hi {
		w.value(name, one)
		return
	}
	if lo > hi || lo%step != 0 || hi%step != 0 {
		inverted(name, [3]int64{lo, hi, step})
	}
	r := w.row(name, t)
	r.i, r.i2, r.u = C.gint64(lo), C.gint64(hi), C.guint64(step)
}

func (w *structureWriter) doubles(name string, v DoubleRange) {
	switch {
	case v.Min == v.Max:
		w.value(name, v.Min)
		return
	case !(v.Min < v.Max):
		inverted(name, v)
	}
	r := w.row(name, C.GGO_DOUBLE_RANGE)
	r.d, r.d2 = C.gdouble(v.Min), C.gdouble(v.Max)
}

func (w *structureWriter) fractions(name string, v FractionRange) {
	num, den := clamp(v.Min)
	num2, den2 := clamp(v.Max)
	switch a, b := int64(num)*int64(den2), int64(num2)*int64(den); {
	case a == b:
		w.fraction(name, v.Min)
		return
	case a > b:
		inverted(name, v)
	}
	r := w.row(name, C.GGO_FRACTION_RANGE)
	r.num, r.den, r.num2, r.den2 = num, den, num2, den2
}

// ---- C -> Go ----

// structureFromC copies; nil for nil.
func structureFromC(c *C.GstStructure) *Structure {
	if c == nil {
		return nil
	}
	s := &Structure{Name: gstring(C.gst_structure_get_name(c))}
	n := int(C.ggo_structure_n(c))
	if n > 0 {
		s.Fields = make([]Field, 0, n)
	}
	for i := range n {
		name := gstring(C.ggo_structure_field(c, C.guint(i)))
		s.Fields = append(s.Fields, Field{name, valueFromC(C.ggo_structure_value(c, C.guint(i)))})
	}
	return s
}

func valueFromC(v *C.GValue) any {
	t := C.ggo_gvalue_type(v)
	switch t {
	case C.GGO_LIST, C.GGO_ARRAY:
		n := int(C.ggo_gvalue_list_size(v))
		items := make([]any, n)
		for i := range n {
			items[i] = valueFromC(C.ggo_gvalue_list_at(v, C.guint(i)))
		}
		if t == C.GGO_ARRAY {
			return Array(items)
		}
		return items
	case C.GGO_BYTES:
		var n C.gsize
		p := C.ggo_gvalue_bytes(v, &n)
		return C.GoBytes(unsafe.Pointer(p), C.int(n))
	case C.GGO_INT_RANGE, C.GGO_INT64_RANGE, C.GGO_DOUBLE_RANGE, C.GGO_FRACTION_RANGE:
		return rangeFromC(v, t)
	case C.GGO_OTHER, C.GGO_ENUM, C.GGO_FLAGS, C.GGO_CAPS, C.GGO_BUFFER, C.GGO_OBJECT:
		var name *C.gchar
		text := takeString(C.ggo_gvalue_serialize(v, &name))
		return Opaque{Type: gstring(name), Text: text}
	}
	var g C.GgoValue
	C.ggo_value_from_gvalue(v, &g)
	return valueToGo(&g)
}

func rangeFromC(v *C.GValue, t C.gint) any {
	var i, i2, step C.gint64
	var d, d2 C.gdouble
	var num, den, num2, den2 C.gint
	C.ggo_gvalue_ranges(v, &i, &i2, &step, &d, &d2, &num, &den, &num2, &den2)
	switch t {
	case C.GGO_INT_RANGE:
		return IntRange{int32(i), int32(i2), int32(step)}
	case C.GGO_INT64_RANGE:
		return Int64Range{int64(i), int64(i2), int64(step)}
	case C.GGO_DOUBLE_RANGE:
		return DoubleRange{float64(d), float64(d2)}
	}
	return FractionRange{Fraction{int32(num), int32(den)}, Fraction{int32(num2), int32(den2)}}
}
