package intake

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
)

// DefaultMaxRecord is the most bytes of a record unless the settings say another
// number: larger ones readers of this project do not put together again.
const DefaultMaxRecord = 64 << 20

// Settings say how an input is to be read.
type Settings struct {
	// Format is how records are told apart.
	Format Format
	// MaxRecord is the most bytes of a record; 0 means DefaultMaxRecord.
	MaxRecord int
	// KeepNewline leaves a line its line feed, in the formats with lines.
	KeepNewline bool
	// LittleEndian is the order of the bytes of length prefixes.
	LittleEndian bool
}

// Reader takes an input apart. It is used from one goroutine.
type Reader struct {
	window
	name     string
	settings Settings
	next     func() ([]byte, error)
	line     int64 // of the record that is being read, from 1; 0 in formats without lines
	begun    bool
	err      error // that reading ended with
}

// NewReader returns a reader of an input; the name appears in errors.
func NewReader(name string, in io.Reader, s Settings) *Reader {
	s.MaxRecord = cmp.Or(s.MaxRecord, DefaultMaxRecord)
	r := &Reader{window: newWindow(s.MaxRecord), settings: s}
	r.Reset(name, in)
	return r
}

// Reset turns to another input, with the same settings and the same memory.
func (r *Reader) Reset(name string, in io.Reader) {
	r.window.reset(in)
	r.name, r.line, r.begun, r.err = name, 0, false, nil
	switch r.settings.Format {
	case NDJSON:
		r.next = r.nextJSON
	case Files:
		r.next = r.nextFile
	case LengthPrefixed:
		r.next = r.nextPrefixed
	case Msgpack:
		r.next = r.nextObject
	case Bulk:
		r.next = r.nextOfBulk
	default:
		r.next = r.nextLine
	}
}

// Next returns the next record, which is valid until Next is called again. At the
// end the error is io.EOF; all others are *Error and come again.
func (r *Reader) Next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	if !r.begun {
		if err := r.looksRight(); err != nil {
			r.err = err
			return nil, err
		}
	}
	record, err := r.next()
	if err != nil {
		r.err = err
		return nil, err
	}
	return record, nil
}

// Offset is the place behind the record that Next returned last, in bytes.
func (r *Reader) Offset() int64 { return r.offset }

// looksRight looks at how the input begins.
func (r *Reader) looksRight() error {
	r.begun = true
	if r.settings.Format != Auto {
		return nil
	}
	if err := r.more(); err != nil {
		return nil //nolint:nilerr // the window keeps it for nextLine
	}
	if i := bytes.IndexByte(r.unread(), 0); i >= 0 {
		return r.failAt(r.offset+int64(i), faultf(ErrFormat, "this is no text: it holds a zero byte"),
			"say what it is: --format files, msgpack, length-prefixed, bulk, or lines all the same")
	}
	return nil
}

// failAt makes an error of the record that is being read.
func (r *Reader) failAt(offset int64, err error, remedy string) error {
	return &Error{Input: r.name, Line: r.line, Offset: offset, Err: err, Remedy: remedy}
}

// stop makes an error of what kept the window from getting more: within a record,
// the end of the input is an error, too.
func (r *Reader) stop(err error, within string) error {
	end := r.offset + int64(len(r.unread()))
	if !errors.Is(err, io.EOF) {
		return r.failAt(end, err, "")
	}
	if within == "" {
		return io.EOF
	}
	return r.failAt(end, faultf(ErrCutShort, "the input ends within %s that begins at byte %d", within, r.offset), "the input is cut short, or of another format")
}

// tooLarge makes the error of a record that is larger than MaxRecord.
func (r *Reader) tooLarge(remedies ...string) error {
	remedies = append(remedies, "send it in pieces")
	return r.failAt(r.offset, faultf(ErrTooLarge, "a record is longer than %s", sizeOf(r.settings.MaxRecord)), strings.Join(remedies, ", or "))
}

func sizeOf(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// nextFile takes the whole input, which may be empty, as one record.
func (r *Reader) nextFile() ([]byte, error) {
	for {
		if len(r.unread()) > r.settings.MaxRecord {
			return nil, r.tooLarge()
		}
		if err := r.more(); err != nil {
			if !errors.Is(err, io.EOF) {
				return nil, r.stop(err, "")
			}
			r.next = func() ([]byte, error) { return nil, io.EOF }
			return r.take(len(r.unread())), nil
		}
	}
}
