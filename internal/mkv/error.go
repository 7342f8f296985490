package mkv

import (
	"errors"
	"fmt"
	"io"
)

// What is wrong with a stream, for errors.Is. A stream that ends within an element wraps io.ErrUnexpectedEOF; an error of the
// reader below is wrapped as it is.
var (
	// ErrInvalid is a stream that is not Matroska, or not the Matroska it says it is.
	ErrInvalid = errors.New("invalid Matroska")
	// ErrLimit is an element beyond the [Limits]: hostile, or of a size that nobody thought of.
	ErrLimit = errors.New("beyond a limit")
)

// Error says what is wrong, with which element, and where in the stream.
type Error struct {
	Offset  int64  // of the element's first byte
	Element string // its name in the specification
	Err     error
}

// Error gives all of it.
func (e *Error) Error() string {
	return fmt.Sprintf("reading Matroska: %s at byte %d: %s", e.Element, e.Offset, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

func invalid(id uint32, offset int64, format string, args ...any) error {
	return &Error{offset, elementName(id), fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))}
}

func beyond(id uint32, offset int64, what string, got, limit int64) error {
	return &Error{offset, elementName(id), fmt.Errorf("%w: %s: %d, and at most %d are accepted", ErrLimit, what, got, limit)}
}

// broken is for a stream that gave no more within an element: it ended, or the reader below failed.
func broken(id uint32, offset, have, want int64, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if want > 0 {
		return &Error{offset, elementName(id), fmt.Errorf("the stream breaks off after %d of its %d bytes: %w", have, want, err)}
	}
	return &Error{offset, elementName(id), fmt.Errorf("the stream breaks off: %w", err)}
}
