package frame

import (
	"fmt"
	"math"
	"strconv"
)

// ValueKind is the type of a [Value].
type ValueKind uint8

// The types a value can have.
const (
	KindNil ValueKind = iota
	KindBool
	KindInt
	KindUint // an integer above the range of int64
	KindFloat
	KindString
	KindBinary
	KindList
	KindMap
	KindExt // msgpack extension: a type number and bytes; base64 in JSON
)

var kindNames = [...]string{"nil", "bool", "int", "int", "float", "string", "bytes", "list", "map", "ext"}

// String returns the name of the type as errors use it.
func (k ValueKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// Field is a key with its value. The order of fields is kept.
type Field struct {
	Key   string
	Value Value
}

// Value is an immutable value of a map: what msgpack and JSON can both hold.
// The zero Value is nil.
type Value struct {
	kind  ValueKind
	num   uint64 // bool, int, float bits, ext type
	str   string // string, binary and ext bytes
	items []Field
}

// Nil returns the nil value.
func Nil() Value { return Value{} }

// Bool returns a boolean.
func Bool(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.num = 1
	}
	return v
}

// Int returns an integer.
func Int(i int64) Value { return Value{kind: KindInt, num: uint64(i)} }

// Uint returns an integer; one that fits an int64 is the same as [Int].
func Uint(u uint64) Value {
	if u <= math.MaxInt64 {
		return Int(int64(u))
	}
	return Value{kind: KindUint, num: u}
}

// Float returns a floating-point number.
func Float(f float64) Value { return Value{kind: KindFloat, num: math.Float64bits(f)} }

// String returns a text.
func String(s string) Value { return Value{kind: KindString, str: s} }

// Binary returns a copy of bytes as a value.
func Binary(b []byte) Value { return Value{kind: KindBinary, str: string(b)} }

// Ext returns a msgpack extension with a copy of its bytes.
func Ext(code int8, b []byte) Value {
	return Value{kind: KindExt, num: uint64(uint8(code)), str: string(b)}
}

// List returns a list of values, in order.
func List(values ...Value) Value {
	if len(values) == 0 {
		return Value{kind: KindList}
	}
	items := make([]Field, len(values))
	for i, v := range values {
		items[i].Value = v
	}
	return Value{kind: KindList, items: items}
}

// Map returns a map whose fields keep their order. It takes the slice over.
func Map(fields ...Field) Value {
	if len(fields) == 0 {
		fields = nil // all empty maps are equal
	}
	return Value{kind: KindMap, items: fields}
}

// Kind returns the type of the value.
func (v Value) Kind() ValueKind { return v.kind }

// IsNil tells whether the value is nil.
func (v Value) IsNil() bool { return v.kind == KindNil }

// AsBool returns the boolean and whether the value is one.
func (v Value) AsBool() (b, ok bool) { return v.num != 0, v.kind == KindBool }

// AsInt returns the integer and whether the value is one that fits.
func (v Value) AsInt() (int64, bool) { return int64(v.num), v.kind == KindInt }

// AsFloat returns a number, integers included, and whether the value is one.
func (v Value) AsFloat() (float64, bool) {
	switch v.kind {
	case KindFloat:
		return math.Float64frombits(v.num), true
	case KindInt:
		return float64(int64(v.num)), true
	case KindUint:
		return float64(v.num), true
	}
	return 0, false
}

// AsString returns the text, or the bytes of binary and ext values, and
// whether the value is one of these.
func (v Value) AsString() (string, bool) {
	return v.str, v.kind == KindString || v.kind == KindBinary || v.kind == KindExt
}

// Len is the number of items of a list or map, and of bytes of the others.
func (v Value) Len() int {
	if v.kind == KindList || v.kind == KindMap {
		return len(v.items)
	}
	return len(v.str)
}

// Fields returns the items of a map, or of a list with empty keys. They must
// not be changed.
func (v Value) Fields() []Field { return v.items }

// String returns the value as JSON, for logs and listings.
func (v Value) String() string { return string(v.appendJSON(nil)) }

// depth is 1 for a value without items and grows by one each nesting.
func (v Value) depth() int {
	deepest := 0
	for i := range v.items {
		deepest = max(deepest, v.items[i].Value.depth())
	}
	return deepest + 1
}

// GoString names the type too, for failed tests.
func (v Value) GoString() string { return fmt.Sprintf("%s(%s)", v.kind, v.String()) }
