package gst

// #include "ggo.h"
import "C"

import (
	"encoding/hex"
	"fmt"
	"iter"
)

// Structure is a GstStructure as a Go value: a name and fields in their order. Field values are of the types
//
//	string, bool, int32, uint32, int64, uint64, float64, Fraction, []byte, *Structure,
//	[]any (GstValueList), Array (GstValueArray), IntRange, Int64Range, DoubleRange, FractionRange, Opaque
//
// and, only on the way to C, also int (as int64), []string and []uint64 (as lists). What has no place in a GstStructure (another type, a name
// that GStreamer refuses, a range whose end is below its start) panics where the structure crosses to C. Strings are made valid UTF-8 and end at a NUL.
// A range of one value becomes that value, a fraction without a denominator gets 1.
type Structure struct {
	Name   string
	Fields []Field
}

// Field is one field of a Structure.
type Field struct {
	Name  string
	Value any
}

// Fraction is a GstFraction.
type Fraction struct{ Num, Den int32 }

// String gives GStreamer's text form, such as 30/1.
func (f Fraction) String() string { return fmt.Sprintf("%d/%d", f.Num, f.Den) }

// Array is a GstValueArray: an ordered sequence; a []any is a GstValueList: alternatives in caps.
type Array []any

// IntRange is a GstIntRange: Min to Max in Steps (0 counts as 1).
type IntRange struct{ Min, Max, Step int32 }

// Int64Range is a GstInt64Range.
type Int64Range struct{ Min, Max, Step int64 }

// DoubleRange is a GstDoubleRange.
type DoubleRange struct{ Min, Max float64 }

// FractionRange is a GstFractionRange.
type FractionRange struct{ Min, Max Fraction }

// Opaque is a value of a type that has no Go form, as GStreamer serialises it.
type Opaque struct{ Type, Text string }

// Bytes gives the content of a buffer, as caps have in codec_data and streamheader; nil where the value is none.
func (o Opaque) Bytes() []byte {
	if o.Type != "GstBuffer" {
		return nil
	}
	b, err := hex.DecodeString(o.Text) // which is how GStreamer writes it
	if err != nil {
		return nil
	}
	return b
}

// NewStructure gives a structure of the fields.
func NewStructure(name string, fields ...Field) *Structure {
	return &Structure{Name: name, Fields: fields}
}

// Get gives a field's value, nil where there is none.
func (s *Structure) Get(name string) any {
	if s == nil {
		return nil
	}
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return s.Fields[i].Value
		}
	}
	return nil
}

// All gives the fields in their order.
func (s *Structure) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for i := range s.Fields {
			if !yield(s.Fields[i].Name, s.Fields[i].Value) {
				return
			}
		}
	}
}

// String gives a field that is a string, else "".
func (s *Structure) Str(name string) string {
	v, _ := s.Get(name).(string)
	return v
}

// Uint64 gives a field that is an integer, else 0.
func (s *Structure) Uint64(name string) uint64 {
	switch v := s.Get(name).(type) {
	case uint64:
		return v
	case int64:
		return uint64(v)
	case uint32:
		return uint64(v)
	case int32:
		return uint64(v)
	}
	return 0
}

// Set sets a field, a new one behind the others.
func (s *Structure) Set(name string, value any) {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			s.Fields[i].Value = value
			return
		}
	}
	s.Fields = append(s.Fields, Field{name, value})
}

// Remove removes a field.
func (s *Structure) Remove(name string) {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			s.Fields = append(s.Fields[:i], s.Fields[i+1:]...)
			return
		}
	}
}

// Copy gives a copy with fields of its own; values are shared, as they are never changed in place.
func (s *Structure) Copy() *Structure {
	return &Structure{Name: s.Name, Fields: append([]Field(nil), s.Fields...)}
}

// String gives GStreamer's text form.
func (s *Structure) String() string {
	if s == nil {
		return ""
	}
	c := s.toC()
	defer C.gst_structure_free(c)
	return takeString(C.gst_structure_to_string(c))
}

// ParseStructure reads GStreamer's text form.
func ParseStructure(text string) (*Structure, error) {
	t := cstr(text)
	defer cfree(t)
	c := C.gst_structure_from_string(t, nil)
	if c == nil {
		return nil, fmt.Errorf("parsing the structure %q", text)
	}
	defer C.gst_structure_free(c)
	return structureFromC(c), nil
}
