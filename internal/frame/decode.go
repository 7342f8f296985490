package frame

import (
	"errors"
	"fmt"
	"strconv"
)

// Bounds of what is decoded: a record comes from whoever may write to the
// stream.
const (
	// MaxDepth is how deep lists and maps may be nested, the record itself
	// being the first level.
	MaxDepth = 64
	// MaxValues is how many keys and items a record may have in all. It bounds
	// the memory that a few bytes on the wire can ask for.
	MaxValues = 1 << 16
)

// Format is how a record is written.
type Format uint8

// The formats.
const (
	Msgpack Format = iota
	JSON
)

// String returns the name of the format.
func (f Format) String() string {
	if f == JSON {
		return "json"
	}
	return "msgpack"
}

// Record is what [Decode] finds.
type Record struct {
	Meta   Meta
	Format Format
	// Payload is nil for a payload that is nil. Of a msgpack record it is a
	// part of the decoded data and not a copy.
	Payload []byte
}

// ErrNotRecord says that the data is neither a msgpack map nor a JSON object.
var ErrNotRecord = errors.New("neither a msgpack map nor a JSON object")

// ErrForeign says that the data is a map, but not one of this format: none of
// the keys that name it, or no payload.
var ErrForeign = errors.New("not a frame record")

// DecodeError says what is wrong with a record, and where.
type DecodeError struct {
	Key    string // the key of the record concerned, "" when it is none
	Offset int    // in bytes from the start of the data
	Err    error
}

// Error returns one line.
func (e *DecodeError) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("decoding record: at offset %d: %v", e.Offset, e.Err)
	}
	return fmt.Sprintf("decoding record: key %s at offset %d: %v", quoteKey(e.Key), e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

// quoteKey keeps a hostile key from filling a log.
func quoteKey(key string) string {
	if len(key) > 64 {
		return strconv.Quote(key[:64]) + "…"
	}
	return strconv.Quote(key)
}

// Decode reads a record in msgpack or JSON, whichever it is. Keys may come in
// any order; keys it does not know become Extra. What is missing is zero,
// is_encoded excepted, which is then true. JSON may have white space around
// it. Errors are of type [*DecodeError], or [ErrNotRecord] for data that does
// not even begin like a record.
func Decode(data []byte) (Record, error) {
	var room [24]entry
	entries, format, err := scan(data, room[:0])
	if err != nil {
		return Record{}, err
	}
	return build(entries, format)
}

// KeyInfo describes a key of a record as it lies in the data.
type KeyInfo struct {
	Key    string
	Kind   ValueKind
	Offset int // of the value, in bytes from the start of the data
	Size   int // of the value as encoded, in bytes
	Value  Value
}

// Keys lists the keys of a msgpack map or JSON object in the order of the
// data, whatever they are. Up to the place of an error it returns what it has
// read.
func Keys(data []byte) ([]KeyInfo, Format, error) {
	entries, format, err := scan(data, nil)
	infos := make([]KeyInfo, len(entries))
	for i := range entries {
		e := &entries[i]
		infos[i] = KeyInfo{Key: e.key, Kind: e.kind, Offset: e.off, Size: e.end - e.off, Value: e.value()}
	}
	return infos, format, err
}

// entry is one key of the outermost map with its value.
type entry struct {
	key  string
	kind ValueKind
	off  int // where the value begins
	end  int // where it ends

	text []byte // of strings, binary and ext: the bytes, part of the data where possible
	val  Value  // of all others; of ext it holds the type number
}

// value returns the value on its own, strings and bytes copied.
func (e *entry) value() Value {
	switch e.kind {
	case KindString:
		return String(string(e.text))
	case KindBinary:
		return Binary(e.text)
	}
	return e.val
}

// scan reads the outermost map into entries.
func scan(data []byte, entries []entry) ([]entry, Format, error) {
	for _, c := range data {
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			continue
		case c == '{':
			entries, err := scanJSON(data, entries)
			return entries, JSON, err
		}
		break
	}
	if len(data) > 0 && isMapCode(data[0]) {
		entries, err := scanMsgpack(data, entries)
		return entries, Msgpack, err
	}
	if len(data) == 0 {
		return nil, Msgpack, fmt.Errorf("decoding record: %w: it is empty", ErrNotRecord)
	}
	return nil, Msgpack, fmt.Errorf("decoding record: %w: it begins with 0x%02x", ErrNotRecord, data[0])
}

var (
	errTooDeep    = fmt.Errorf("nested deeper than %d levels", MaxDepth)
	errTooMany    = fmt.Errorf("more than %d keys and items", MaxValues)
	errTruncated  = errors.New("cut short")
	errTwice      = errors.New("given twice")
	errNoPayload  = fmt.Errorf("%w: it has neither an image nor a data key", ErrForeign)
	errNothingOwn = fmt.Errorf("%w: it has neither data_type nor sensor_name", ErrForeign)
)
