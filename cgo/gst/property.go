package gst

// #include "ggo.h"
import "C"

import (
	"fmt"
	"math"
	"reflect"
	"sync"
	"unsafe"
)

// PropertyFlag says when and how a property may be used.
type PropertyFlag uint

// The flags. Without one a property is readable, and writable in NULL and READY.
const (
	MutablePlaying PropertyFlag = 1 << iota // may be written in any state
	WriteOnly                               // a secret: never readable, so never in a dump
	ReadOnly                                // computed by PropertyReader
)

// EnumValue is one value of an enum or flags property. Nick is how it is written in a launch line (hyphens); Name is the long form.
type EnumValue struct {
	Nick, Name string
	Value      int32
}

// Property is one row of an element's property table: one of the settings S seen from outside.
type Property[S any] struct {
	Name  string // kebab-case
	Blurb string // a sentence with the unit and what 0 or -1 mean
	// Field gives a pointer to the setting. Its type is the property's, its value in the defaults the default. Types:
	// *string (any string kind), *bool, *int32, *uint32, *int64, *uint64, *float64, *Fraction, **Structure. With Values a string
	// kind holds the nick of an enum, and a *uint32 the bits of flags.
	Field    func(*S) any
	Min, Max any         // bounds of a number, as int, int64, uint64, float64 or Fraction; nil: the type's (a fraction's: 0/1 to MaxInt32/1)
	EnumName string      // GType name of the enum or flags type
	Values   []EnumValue // of an enum or flags
	Flags    PropertyFlag
}

// Properties is the property table of a class, with the defaults of its settings. One table serves all instances; it is not changed.
type Properties[S any] struct {
	Defaults S
	List     []Property[S]
}

// propertyTable is what a class needs of a Properties of any S.
type propertyTable interface {
	count() int
	row(i int) propertyRow
}

// propertyRow is a Property without its S.
type propertyRow struct {
	Name, Blurb, EnumName string
	Values                []EnumValue
	Min, Max              any
	Default               any // the pointed-to default
	Flags                 PropertyFlag
	kind                  C.gint // GgoType
}

func (p *Properties[S]) count() int { return len(p.List) }

func (p *Properties[S]) row(i int) propertyRow {
	d := p.Defaults
	l := &p.List[i]
	r := propertyRow{
		Name: l.Name, Blurb: l.Blurb, EnumName: l.EnumName, Values: l.Values, Min: l.Min, Max: l.Max, Flags: l.Flags,
		Default: reflect.ValueOf(l.Field(&d)).Elem().Interface(),
	}
	r.kind = r.cType()
	return r
}

// Store holds the settings of one instance. Safe from any thread.
type Store[S any] struct {
	mu     sync.Mutex
	values S
	table  *Properties[S]
	// Changed is called after a property was written, without a lock, from the thread that wrote it; nil: nobody is told.
	// It is set by the element's constructor and not changed afterwards.
	Changed func(name string)
}

// store is what the class needs of a Store of any S.
type store interface {
	set(i int, v any)
	get(i int) any
}

// NewStore gives the settings of a new instance, at their defaults, and ties them to the element's properties.
func NewStore[S any](e *Element, table *Properties[S]) *Store[S] {
	s := &Store[S]{values: table.Defaults, table: table}
	e.store = s
	return s
}

// Get gives a copy of the settings as they are now.
func (s *Store[S]) Get() S {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values
}

// Update changes the settings under the store's lock; f must not call into this package.
func (s *Store[S]) Update(f func(*S)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.values)
}

func (s *Store[S]) set(i int, v any) {
	p := &s.table.List[i]
	s.mu.Lock()
	field := reflect.ValueOf(p.Field(&s.values)).Elem()
	switch {
	case field.Kind() == reflect.String && len(p.Values) > 0:
		field.SetString(nickOf(p.Values, v.(int32)))
	case field.Kind() == reflect.String:
		field.SetString(v.(string))
	default:
		field.Set(reflect.ValueOf(v).Convert(field.Type()))
	}
	s.mu.Unlock()
	if s.Changed != nil {
		s.Changed(p.Name)
	}
}

func (s *Store[S]) get(i int) any {
	p := &s.table.List[i]
	s.mu.Lock()
	defer s.mu.Unlock()
	field := reflect.ValueOf(p.Field(&s.values)).Elem()
	return readField(field, p.Values)
}

// readField gives a setting as one of the types that valueFromGo takes; an enum as its number.
func readField(field reflect.Value, values []EnumValue) any {
	switch field.Kind() {
	case reflect.String:
		if len(values) > 0 {
			return valueOfNick(values, field.String())
		}
		return field.String()
	case reflect.Bool:
		return field.Bool()
	case reflect.Int32:
		return int32(field.Int())
	case reflect.Uint32:
		return uint32(field.Uint())
	case reflect.Int64:
		return field.Int()
	case reflect.Uint64:
		return field.Uint()
	case reflect.Float64:
		return field.Float()
	}
	return field.Interface()
}

func nickOf(values []EnumValue, n int32) string {
	for _, v := range values {
		if v.Value == n {
			return v.Nick
		}
	}
	return ""
}

func valueOfNick(values []EnumValue, nick string) int32 {
	for _, v := range values {
		if v.Nick == nick {
			return v.Value
		}
	}
	return 0
}

// ---- describing to C ----

func (r *propertyRow) cType() C.gint {
	v := reflect.ValueOf(r.Default)
	switch v.Kind() {
	case reflect.String:
		if len(r.Values) > 0 {
			return C.GGO_ENUM
		}
		return C.GGO_STRING
	case reflect.Bool:
		return C.GGO_BOOL
	case reflect.Int32:
		return C.GGO_INT
	case reflect.Uint32:
		if len(r.Values) > 0 {
			return C.GGO_FLAGS
		}
		return C.GGO_UINT
	case reflect.Int64:
		return C.GGO_INT64
	case reflect.Uint64:
		return C.GGO_UINT64
	case reflect.Float64:
		return C.GGO_DOUBLE
	}
	switch r.Default.(type) {
	case Fraction:
		return C.GGO_FRACTION
	case *Structure:
		return C.GGO_STRUCTURE
	}
	panic(fmt.Sprintf("gst: property %q has a field of type %T", r.Name, r.Default))
}

func bound(x any, v *C.GgoValue, i int64, u uint64, d float64, num, den int32) {
	v.i, v.u, v.d, v.num, v.den = C.gint64(i), C.guint64(u), C.gdouble(d), C.gint(num), C.gint(den)
	switch n := x.(type) {
	case int:
		v.i, v.u, v.d = C.gint64(n), C.guint64(n), C.gdouble(n)
	case int64:
		v.i, v.u, v.d = C.gint64(n), C.guint64(n), C.gdouble(n)
	case uint64:
		v.u = C.guint64(n)
	case float64:
		v.d = C.gdouble(n)
	case Fraction:
		v.num, v.den = C.gint(n.Num), C.gint(n.Den)
	}
}

func (r *propertyRow) describe(p *C.GgoProperty) {
	p._type = r.kind
	switch p._type {
	case C.GGO_INT:
		bound(r.Min, &p.min, math.MinInt32, 0, 0, 0, 0)
		bound(r.Max, &p.max, math.MaxInt32, 0, 0, 0, 0)
	case C.GGO_UINT:
		bound(r.Max, &p.max, 0, math.MaxUint32, 0, 0, 0)
		bound(r.Min, &p.min, 0, 0, 0, 0, 0)
	default:
		bound(r.Min, &p.min, math.MinInt64, 0, -math.MaxFloat64, 0, 1)
		bound(r.Max, &p.max, math.MaxInt64, math.MaxUint64, math.MaxFloat64, math.MaxInt32, 1)
	}
	p.flags = C.G_PARAM_READWRITE
	if r.Flags&WriteOnly != 0 {
		p.flags = C.G_PARAM_WRITABLE
	}
	if r.Flags&ReadOnly != 0 {
		p.flags = C.G_PARAM_READABLE
	}
	if r.Flags&MutablePlaying != 0 {
		p.playing = 1
		p.flags |= C.GST_PARAM_MUTABLE_PLAYING
	} else if r.Flags&ReadOnly == 0 {
		p.flags |= C.GST_PARAM_MUTABLE_READY
	}
	if len(r.Values) > 0 {
		p.gtype = enumType(r.EnumName, r.Values, p._type == C.GGO_FLAGS)
	}
	if p._type != C.GGO_STRUCTURE {
		kind := p._type
		initial := readField(reflect.ValueOf(r.Default), r.Values)
		valueFromGo(initial, &p.def)
		if kind == C.GGO_STRING && initial == "" {
			cfree(p.def.str) // unset reads as NULL, as in every element
			p.def.str = nil
		}
	}
}

func enumType(name string, values []EnumValue, flags bool) C.GType {
	n := len(values)
	numbers := make([]C.gint, n)
	texts := make([]*C.gchar, 2*n)
	for i, v := range values {
		numbers[i] = C.gint(v.Value)
		long := v.Name
		if long == "" {
			long = v.Nick
		}
		texts[i], texts[n+i] = cstr(long), cstr(v.Nick)
	}
	cname := cstr(name)
	t := C.ggo_enum_type(cname, gbool(flags), C.guint(n), &numbers[0], &texts[0], &texts[n])
	cfree(cname)
	for _, s := range texts {
		cfree(s)
	}
	return t
}

// ---- from C ----

//export ggoGoSetProperty
func ggoGoSetProperty(h C.uintptr_t, i C.guint, v *C.GgoValue) {
	in := instanceOf(h)
	defer in.caught()
	if in.element.store == nil {
		return // a misfit
	}
	if v._type == C.GGO_STRUCTURE && v.ptr == nil {
		in.element.store.set(int(i), (*Structure)(nil))
		return
	}
	in.element.store.set(int(i), valueToGo(v))
}

//export ggoGoGetProperty
func ggoGoGetProperty(h C.uintptr_t, i C.guint, v *C.GgoValue) {
	in := instanceOf(h)
	defer in.caught()
	if in.element.store == nil {
		return // a misfit
	}
	row := &in.class.rows[i]
	x := any(nil)
	if row.Flags&ReadOnly != 0 {
		x = in.impl.(PropertyReader).ReadProperty(row.Name)
	} else {
		x = in.element.store.get(int(i))
	}
	if s, ok := x.(string); ok && s == "" && len(row.Values) == 0 {
		return // unset reads as NULL
	}
	if s, ok := x.(*Structure); ok && s == nil {
		return
	}
	if nick, ok := x.(string); ok && len(row.Values) > 0 {
		x = valueOfNick(row.Values, nick)
	}
	if x, ok := convert(x, row.kind); ok {
		valueFromGo(x, v)
	}
}

// gpointer gives a pointer for C functions that take anything.
func gpointer(p unsafe.Pointer) C.gpointer { return C.gpointer(p) }
