package gst

// #include "ggo.h"
import "C"

import (
	"math"
	"reflect"
	"unsafe"
)

// valueToGo copies what a flat value holds. Objects, caps and buffers come as wrappers of the same reference.
func valueToGo(v *C.GgoValue) any {
	switch v._type {
	case C.GGO_STRING:
		return gstring(v.str)
	case C.GGO_BOOL:
		return v.i != 0
	case C.GGO_INT, C.GGO_ENUM:
		return int32(v.i)
	case C.GGO_UINT, C.GGO_FLAGS:
		return uint32(v.u)
	case C.GGO_INT64:
		return int64(v.i)
	case C.GGO_UINT64:
		return uint64(v.u)
	case C.GGO_DOUBLE:
		return float64(v.d)
	case C.GGO_FRACTION:
		return Fraction{int32(v.num), int32(v.den)}
	case C.GGO_STRUCTURE:
		return structureFromC((*C.GstStructure)(v.ptr))
	case C.GGO_CAPS:
		return Caps{(*C.GstCaps)(v.ptr)}
	case C.GGO_BUFFER:
		return Buffer{(*C.GstBuffer)(v.ptr)}
	case C.GGO_OBJECT:
		return objectToGo(unsafe.Pointer(v.ptr))
	case C.GGO_OTHER:
		return gstring(v.str)
	}
	return nil
}

// valueFromGo fills v; its string and structure are on the C heap and v's, freed by ggo_value_clear.
func valueFromGo(x any, v *C.GgoValue) {
	*v = C.GgoValue{}
	switch x := x.(type) {
	case string:
		v._type, v.str = C.GGO_STRING, cstr(validUTF8(x))
	case bool:
		v._type = C.GGO_BOOL
		if x {
			v.i = 1
		}
	case int32:
		v._type, v.i = C.GGO_INT, C.gint64(x)
	case uint32:
		v._type, v.u = C.GGO_UINT, C.guint64(x)
	case int:
		v._type, v.i = C.GGO_INT64, C.gint64(x)
	case int64:
		v._type, v.i = C.GGO_INT64, C.gint64(x)
	case uint64:
		v._type, v.u = C.GGO_UINT64, C.guint64(x)
	case float64:
		v._type, v.d = C.GGO_DOUBLE, C.gdouble(x)
	case Fraction:
		v._type, v.num, v.den = C.GGO_FRACTION, C.gint(max(x.Num, -math.MaxInt32)), C.gint(max(x.Den, 1))
	case *Structure:
		v._type, v.ptr = C.GGO_STRUCTURE, C.gpointer(unsafe.Pointer(x.toC()))
	case Caps:
		v._type, v.ptr = C.GGO_CAPS, C.gpointer(unsafe.Pointer(x.c))
	case Buffer:
		v._type, v.ptr = C.GGO_BUFFER, C.gpointer(unsafe.Pointer(x.c))
	case *Object:
		v._type = C.GGO_OBJECT
		if x != nil {
			v.ptr = C.gpointer(x.p)
		}
	default:
		v._type = C.GGO_NONE
	}
}

// convert makes a number fit the type that a property or signal asks for, so that a caller may write 3 for any of them; false where
// it does not fit. What is no number, or asked for by no number, stays as it is.
func convert(x any, t C.gint) (any, bool) {
	v := reflect.ValueOf(x)
	switch {
	case !v.IsValid():
		return x, true
	case v.Kind() == reflect.String:
		return v.String(), true
	case v.Kind() == reflect.Bool:
		return v.Bool(), true
	case v.CanInt():
		return fromInt(v.Int(), t)
	case v.CanUint():
		if u := v.Uint(); t == C.GGO_UINT64 || u > math.MaxInt64 {
			return u, t == C.GGO_UINT64
		}
		return fromInt(int64(v.Uint()), t)
	case v.CanFloat():
		f := v.Float()
		if t == C.GGO_DOUBLE || t == -1 {
			return f, true
		}
		if f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
			return x, false
		}
		return fromInt(int64(f), t)
	}
	return x, true
}

func fromInt(i int64, t C.gint) (any, bool) {
	switch t {
	case C.GGO_INT, C.GGO_ENUM:
		return int32(i), i == int64(int32(i))
	case C.GGO_UINT, C.GGO_FLAGS:
		return uint32(i), i == int64(uint32(i))
	case C.GGO_UINT64:
		return uint64(i), i >= 0
	case C.GGO_DOUBLE:
		return float64(i), true
	case C.GGO_BOOL:
		return i != 0, true
	case C.GGO_FRACTION:
		return Fraction{int32(i), 1}, i == int64(int32(i))
	}
	return i, true
}
