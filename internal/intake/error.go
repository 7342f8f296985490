package intake

import (
	"errors"
	"fmt"
	"strings"
)

// Kinds of errors, for errors.Is.
var (
	// ErrTooLarge says that a record is larger than Settings.MaxRecord.
	ErrTooLarge = errors.New("the record is too large")
	// ErrCutShort says that the input ends within a record.
	ErrCutShort = errors.New("the input ends within a record")
	// ErrFormat says that the input is not of the format.
	ErrFormat = errors.New("the input is not of this format")
)

// Error is what is wrong with an input, and where.
type Error struct {
	// Input is the input's name.
	Input string
	// Line is the line, from 1; 0 in formats without lines.
	Line int64
	// Offset is the byte, from 0.
	Offset int64
	// Err is what is wrong.
	Err error
	// Remedy says what to do; empty where nothing is known.
	Remedy string
}

// Error writes the error as one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("reading " + e.Input)
	if e.Line > 0 {
		fmt.Fprintf(&b, ", line %d", e.Line)
	}
	fmt.Fprintf(&b, ", at byte %d: %v", e.Offset, e.Err)
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// fault is an error with a text of its own that is of one of the kinds above.
type fault struct {
	kind error
	text string
}

func faultf(kind error, format string, args ...any) error {
	return &fault{kind: kind, text: fmt.Sprintf(format, args...)}
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.kind }
