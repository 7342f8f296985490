package codec

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"time"
)

// Shape binds one Go struct type to bodies. Field names are the member names of the API; unexported fields are left
// alone. Field types: *string, *int32, *int64, *bool, *time.Time, []byte (blob), []string, []T and *T with T a struct,
// map[string]string. When writing, plain string, int32, int64 and bool fields are always written; nil pointers, nil maps
// and nil slices are left out, empty slices are written as empty lists.
//
// The tag `v` holds the constraints of a member, see Validate. A Shape is immutable and safe for concurrent use.
type Shape struct {
	typ    reflect.Type
	fields []field
	byName map[string]int
}

// field is one member.
type field struct {
	name   string
	camel  string // the name in messages: first letter small
	index  int
	elem   *Shape // of a struct, or of the structs in a list
	limits constraints
}

// ShapeOf makes the Shape of struct type T. It panics on a type that no member can have or on a broken tag: both are
// mistakes of the program, seen by the first test.
func ShapeOf[T any]() *Shape { return shapeOf(reflect.TypeFor[T]()) }

func shapeOf(t reflect.Type) *Shape {
	s := &Shape{typ: t, byName: map[string]int{}}
	for i := range t.NumField() {
		sf := t.Field(i)
		if !sf.IsExported() {
			continue
		}
		f := field{name: sf.Name, camel: camel(sf.Name), index: i, limits: parseConstraints(sf.Tag.Get("v"))}
		if elem := structOf(sf.Type); elem != nil {
			f.elem = shapeOf(elem)
		} else if !plain(sf.Type) {
			panic(fmt.Sprintf("codec: no member can be a %s as %s.%s is", sf.Type, t, sf.Name))
		}
		s.byName[f.name] = len(s.fields)
		s.fields = append(s.fields, f)
	}
	return s
}

// structOf returns the struct type inside a member's type, nil if it holds none.
func structOf(t reflect.Type) reflect.Type {
	switch {
	case t == reflect.TypeFor[*time.Time](), t == reflect.TypeFor[time.Time]():
		return nil
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct, t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return t.Elem()
	case t.Kind() == reflect.Struct:
		return t
	}
	return nil
}

// plain tells whether a type without structs is one that members have.
func plain(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[[]byte](), reflect.TypeFor[[]string](), reflect.TypeFor[map[string]string](), reflect.TypeFor[time.Time](),
		reflect.TypeFor[*time.Time]():
		return true
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64:
		return true
	}
	return false
}

// camel makes AWS's spelling of a member in messages.
func camel(name string) string { return string(name[0]|0x20) + name[1:] }

// Decode reads one map into v, a pointer to the Shape's struct. Members that the Shape does not know are skipped, as AWS
// does.
func (s *Shape) Decode(r Reader, v any) error {
	if k := r.Peek(); k != KindMap {
		return broken()
	}
	if err := s.decode(r, reflect.ValueOf(v).Elem()); err != nil {
		return err
	}
	return r.Done()
}

func (s *Shape) decode(r Reader, v reflect.Value) error {
	if err := r.MapStart(); err != nil {
		return err
	}
	for {
		key, ok, err := r.NextKey()
		if !ok || err != nil {
			return err
		}
		i, known := s.byName[string(key)]
		switch {
		case !known:
			err = r.Skip()
		case r.Peek() == KindNull:
			err = r.Null()
		default:
			err = s.fields[i].decode(r, v.Field(s.fields[i].index))
		}
		if err != nil {
			return err
		}
	}
}

func (f *field) decode(r Reader, v reflect.Value) error {
	switch p := v.Addr().Interface().(type) {
	case **string:
		text, err := r.String()
		*p = &text
		return err
	case *[]byte:
		data, err := r.Blob()
		*p = data
		return err
	case **int32:
		n, err := integer(r, math.MinInt32, math.MaxInt32)
		small := int32(n)
		*p = &small
		return err
	case **int64:
		n, err := integer(r, math.MinInt64, math.MaxInt64)
		*p = &n
		return err
	case **bool:
		b, err := r.Bool()
		*p = &b
		return err
	case **time.Time:
		t, err := r.Time()
		*p = &t
		return err
	case *[]string:
		list, err := stringList(r)
		*p = list
		return err
	case *map[string]string:
		m, err := stringMap(r)
		*p = m
		return err
	}
	return f.decodeStructs(r, v)
}

func (f *field) decodeStructs(r Reader, v reflect.Value) error {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(f.elem.typ))
		return f.elem.decode(r, v.Elem())
	}
	if err := r.ListStart(); err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	for {
		ok, err := r.NextItem()
		if !ok || err != nil {
			return err
		}
		n := v.Len()
		if n == v.Cap() {
			v.Grow(1 + n)
		}
		v.SetLen(n + 1)
		if r.Peek() == KindNull {
			err = r.Null()
		} else {
			err = f.elem.decode(r, v.Index(n))
		}
		if err != nil {
			return err
		}
	}
}

// integer reads a number the way AWS converts it: fractions are cut, what is too large becomes the largest.
func integer(r Reader, least, most int64) (int64, error) {
	n, err := r.Number()
	switch {
	case err != nil:
		return 0, err
	case n >= float64(most):
		return most, nil
	case n <= float64(least):
		return least, nil
	case math.IsNaN(n):
		return 0, nil
	}
	return int64(n), nil
}

func stringList(r Reader) ([]string, error) {
	if err := r.ListStart(); err != nil {
		return nil, err
	}
	list := []string{}
	for {
		ok, err := r.NextItem()
		if !ok || err != nil {
			return list, err
		}
		text, err := r.String()
		if err != nil {
			return nil, err
		}
		list = append(list, text)
	}
}

func stringMap(r Reader) (map[string]string, error) {
	if k := r.Peek(); k != KindMap {
		return nil, mismatch(k, "map")
	}
	if err := r.MapStart(); err != nil {
		return nil, err
	}
	m := map[string]string{}
	for {
		key, ok, err := r.NextKey()
		if !ok || err != nil {
			return m, err
		}
		name := string(key)
		if r.Peek() == KindNull {
			if err := r.Null(); err != nil {
				return nil, err
			}
			m[name] = ""
			continue
		}
		if m[name], err = r.String(); err != nil {
			return nil, err
		}
	}
}

// Encode writes v, the Shape's struct or a pointer to it.
func (s *Shape) Encode(w Writer, v any) {
	s.encode(w, reflect.Indirect(reflect.ValueOf(v)))
}

func (s *Shape) encode(w Writer, v reflect.Value) {
	w.MapStart()
	for i := range s.fields {
		f := &s.fields[i]
		fv := v.Field(f.index)
		switch fv.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			if fv.IsNil() {
				continue
			}
		}
		w.Key(f.name)
		f.encode(w, fv)
	}
	w.MapEnd()
}

func (f *field) encode(w Writer, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		w.String(v.String())
	case reflect.Bool:
		w.Bool(v.Bool())
	case reflect.Int32, reflect.Int64:
		w.Int(v.Int())
	case reflect.Struct:
		f.encodeStruct(w, v)
	case reflect.Slice:
		f.encodeSlice(w, v)
	case reflect.Map:
		w.MapStart()
		pairs := v.Interface().(map[string]string)
		for _, key := range slices.Sorted(maps.Keys(pairs)) {
			w.Key(key)
			w.String(pairs[key])
		}
		w.MapEnd()
	}
}

func (f *field) encodeStruct(w Writer, v reflect.Value) {
	if t, ok := v.Interface().(time.Time); ok {
		w.Time(t)
		return
	}
	f.elem.encode(w, v)
}

func (f *field) encodeSlice(w Writer, v reflect.Value) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		w.Blob(v.Bytes())
		return
	}
	w.ListStart()
	for i := range v.Len() {
		if f.elem != nil {
			f.elem.encode(w, v.Index(i))
		} else {
			w.String(v.Index(i).String())
		}
	}
	w.ListEnd()
}
