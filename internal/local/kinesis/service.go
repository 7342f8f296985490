// Package kinesis puts the operations of Kinesis Data Streams, as the API names and checks them, over the model in package
// streams.
//
// Source: API reference of Amazon Kinesis Data Streams (2013-12-02) and the model in AWS's SDKs. Errors that the
// reference only names have the words that clients of the service have reported.
package kinesis

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/local/codec"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/front"
	"gst-kinesis/internal/local/streams"
)

// targetPrefix stands before the operation in X-Amz-Target.
const targetPrefix = "Kinesis_20131202"

// SigningName is the service's name in signatures.
const SigningName = "kinesis"

// Service implements front.Service. It is safe for concurrent use.
type Service struct {
	store  *streams.Store
	faults *fault.Set
	ops    map[string]operation
}

// operation binds a name of the API to Go.
type operation struct {
	in, out *codec.Shape
	input   func() any
	run     func(s *Service, in any) (out any, books front.Books, err error)
	subject func(s *Service, in any) fault.Subject
	carries bool // whether the answer carries the records' data
}

// New returns the service over a store. faults may strike single records.
func New(store *streams.Store, faults *fault.Set) *Service {
	s := &Service{store: store, faults: faults, ops: operations()}
	return s
}

// Operations returns the names of all operations.
func Operations() []string {
	var names []string
	for name := range operations() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Match implements front.Service.
func (s *Service) Match(r *http.Request) (string, bool) {
	service, op, found := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if !found || service != targetPrefix {
		return "", false
	}
	if _, known := s.ops[op]; !known {
		return "", true
	}
	return op, true
}

// Prepare implements front.Service.
func (s *Service) Prepare(name string, format codec.Format, body []byte) (front.Work, error) {
	op := s.ops[name]
	in := op.input()
	if err := op.in.Decode(format.NewReader(body), in); err != nil {
		return nil, err
	}
	if err := op.in.Validate(in); err != nil {
		return nil, err
	}
	return &work{service: s, name: name, op: op, in: in, format: format}, nil
}

// work is one call.
type work struct {
	service *Service
	name    string
	op      operation
	in      any
	format  codec.Format
	subject fault.Subject
}

func (w *work) Subject() fault.Subject {
	w.subject = w.op.subject(w.service, w.in)
	w.subject.Operation = w.name
	return w.subject
}

// Throttled implements front.Work: reads are throttled by shard, the control plane by stream or account.
func (w *work) Throttled() *apierr.Error {
	if w.subject.Shards != nil {
		if ids := w.subject.Shards(); len(ids) > 0 {
			return w.service.store.Throttled(w.subject.Stream, ids[0])
		}
	}
	return w.service.store.OverLimit(w.subject.Stream)
}

func (w *work) Run(context.Context) ([]byte, front.Books, error) {
	out, books, err := w.op.run(w.service, w.in)
	if err != nil || out == nil {
		return nil, books, err
	}
	writer := w.format.NewWriter(make([]byte, 0, w.op.room(books)))
	w.op.out.Encode(writer, out)
	return writer.Bytes(), books, nil
}

// room guesses the size of an answer.
func (op *operation) room(books front.Books) int {
	const fixed, each = 512, 256
	n := fixed + each*(books.Records+books.Failed)
	if op.carries {
		n += int(books.Bytes) * 3 / 2 // base64
	}
	return n
}

// define makes an operation of a typed function. O is empty for operations that answer with an empty body.
func define[I, O any](run func(s *Service, in *I) (*O, error), stream func(in *I) (name, arn *string)) operation {
	return operation{
		in: codec.ShapeOf[I](), out: codec.ShapeOf[O](),
		input: func() any { return new(I) },
		run: func(s *Service, in any) (any, front.Books, error) {
			out, err := run(s, in.(*I))
			if err != nil || out == nil {
				return nil, front.Books{}, err
			}
			return out, front.Books{}, nil
		},
		subject: func(s *Service, in any) fault.Subject {
			name, arn := stream(in.(*I))
			return fault.Subject{Stream: s.named(name, arn)}
		},
	}
}

// named returns the stream that a request names, empty if it names none rightly.
func (s *Service) named(name, arn *string) string {
	if name == nil && arn == nil {
		return ""
	}
	got, err := s.store.Resolve(name, arn)
	if err != nil {
		return ""
	}
	return got
}

// dryRun ends a call that was only to be checked. AWS answers it with an error, as success.
func dryRun(asked *bool) error {
	if asked == nil || !*asked {
		return nil
	}
	return apierr.New(apierr.DryRun, "The request would have succeeded, but the DryRun option is set.")
}

func or(n *int32, otherwise int) int {
	if n == nil {
		return otherwise
	}
	return int(*n)
}

// filled returns a pointer to s, nil if s is empty.
func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
