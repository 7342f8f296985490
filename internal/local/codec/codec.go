// Package codec reads and writes the bodies of AWS's JSON 1.1 protocol and of its CBOR sibling
// (application/x-amz-cbor-1.1) over one set of operation structs.
//
// A body is read through Reader and written through Writer, pull and push interfaces that both formats implement; Shape
// binds them to Go structs whose field names are AWS's member names. Where the two formats differ:
//
//   - a blob is standard base64 in JSON and a byte string in CBOR;
//   - a timestamp is a number of seconds with a fraction in JSON; in AWS's CBOR it is tag 1 around an integer number of
//     milliseconds (RFC 8949 would mean seconds);
//   - AWS's CBOR maps and lists are of indefinite length; both lengths are read.
//
// Errors in a body are *apierr.Error of SerializationException in AWS's wording.
package codec

import (
	"time"

	"gst-kinesis/internal/local/apierr"
)

// Content types of the two formats.
const (
	JSONContentType = "application/x-amz-json-1.1"
	CBORContentType = "application/x-amz-cbor-1.1"
)

// maxDepth bounds nesting, so that a hostile body cannot exhaust the stack.
const maxDepth = 32

// Kind is what the next value of a body is.
type Kind uint8

// The kinds of values. KindInvalid stands for a body that is broken at this place.
const (
	KindInvalid Kind = iota
	KindNull
	KindTrue
	KindFalse
	KindNumber
	KindString
	KindBytes
	KindTime
	KindList
	KindMap
)

// Reader pulls values out of one body. Every value must be consumed before the next one is asked for. A Reader belongs
// to one goroutine. Strings and blobs that it returns are copies; keys are valid until the next call.
type Reader interface {
	// Peek tells the kind of the next value without consuming it.
	Peek() Kind
	// Null consumes a null.
	Null() error
	// Bool consumes a boolean.
	Bool() (bool, error)
	// Number consumes a number.
	Number() (float64, error)
	// String consumes a text.
	String() (string, error)
	// Blob consumes bytes into fresh memory.
	Blob() ([]byte, error)
	// Time consumes a timestamp, at millisecond resolution.
	Time() (time.Time, error)
	// MapStart consumes the start of a map; NextKey then yields its keys until ok is false.
	MapStart() error
	NextKey() (key []byte, ok bool, err error)
	// ListStart consumes the start of a list; NextItem then tells whether another item follows.
	ListStart() error
	NextItem() (bool, error)
	// Skip consumes the next value whatever it is.
	Skip() error
	// Done fails if anything but space is left.
	Done() error
}

// Writer appends values to one body. A Writer belongs to one goroutine.
type Writer interface {
	MapStart()
	Key(name string)
	MapEnd()
	ListStart()
	ListEnd()
	String(s string)
	Int(n int64)
	Bool(b bool)
	Blob(b []byte)
	Time(t time.Time)
	// Bytes returns the body written so far; it shares the Writer's memory.
	Bytes() []byte
}

// Format is one of the two encodings.
type Format uint8

// The formats. Answers go back in the format of the request.
const (
	JSON Format = iota
	CBOR
)

// ContentType returns the media type of the format.
func (f Format) ContentType() string {
	if f == CBOR {
		return CBORContentType
	}
	return JSONContentType
}

// NewReader returns a Reader over body, which it does not change and does not keep after Done.
func (f Format) NewReader(body []byte) Reader {
	if f == CBOR {
		return &cborReader{buf: body}
	}
	return &jsonReader{buf: body}
}

// NewWriter returns a Writer that appends to buf.
func (f Format) NewWriter(buf []byte) Writer {
	if f == CBOR {
		return &cborWriter{buf: buf}
	}
	return &jsonWriter{buf: buf}
}

// EncodeError writes the body of an error answer.
func (f Format) EncodeError(e *apierr.Error) []byte {
	w := f.NewWriter(make([]byte, 0, 64+len(e.Code)+len(e.Message)))
	w.MapStart()
	w.Key("__type")
	w.String(e.Code)
	if e.Message != "" {
		// AWS's front wrote "Message" for bodies that it cannot convert and the services write "message".
		if e.Code == apierr.Serialization {
			w.Key("Message")
		} else {
			w.Key("message")
		}
		w.String(e.Message)
	}
	w.MapEnd()
	return w.Bytes()
}

// broken is the answer to a body that is not of its format at all: AWS sends no message then.
func broken() error { return apierr.Bare(apierr.Serialization) }

// mismatch words a value of the wrong kind as AWS does.
func mismatch(got Kind, want string) error {
	switch got {
	case KindInvalid:
		return broken()
	case KindList:
		return apierr.New(apierr.Serialization, "Start of list found where not expected")
	case KindMap:
		return apierr.New(apierr.Serialization, "Start of structure or map found where not expected.")
	}
	names := map[Kind]string{KindNull: "NULL_VALUE", KindTrue: "TRUE_VALUE", KindFalse: "FALSE_VALUE",
		KindNumber: "NUMBER_VALUE", KindString: "STRING_VALUE", KindBytes: "BLOB_VALUE", KindTime: "TIMESTAMP_VALUE"}
	switch want {
	case "list", "map":
		return apierr.New(apierr.Serialization, "Expected %s or null", want)
	case "structure":
		return apierr.New(apierr.Serialization, "Expected null")
	}
	return apierr.New(apierr.Serialization, "%s cannot be converted to %s", names[got], want)
}
