package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// maxAnswer bounds an answer in bytes. One to 500 records has less than 1 MiB, even if
// each has an error with a long message.
const maxAnswer = 8 << 20

var errTooLong = errors.New("the answer is longer than any valid one")

// DeserializeResponse implements smithyhttp.ClientProtocol.
func (p *Protocol) DeserializeResponse(
	ctx context.Context, schema *smithy.OperationSchema, types *smithy.TypeRegistry, resp *smithyhttp.Response, out smithy.Deserializable,
) error {
	p.recognise(resp.Header)
	if !answers(out) || !p.complete {
		return p.sdk.DeserializeResponse(ctx, schema, types, resp, out)
	}
	c := callOf(ctx)
	if c == nil {
		c = new(call) // nothing is known of the request
	}
	buf := p.answers.get()
	defer p.answers.put(buf)
	if err := readWhole(buf, resp); err != nil {
		return &smithy.DeserializationError{Err: fmt.Errorf("reading the answer: %w", err)}
	}
	if c.body != nil {
		c.body.settle()
	}
	format := formatOf(resp.Header.Get("Content-Type"), buf.Bytes())
	if resp.StatusCode >= http.StatusOK && resp.StatusCode < http.StatusMultipleChoices {
		if buf.Len() == 0 {
			return nil // as the SDK has it; the caller misses the records
		}
		if err := readAnswer(newReader(format, buf.Bytes()), c.records, out); err != nil {
			return garbled(err, buf.Bytes())
		}
		return nil
	}
	body := buf.Bytes()
	if format == CBOR {
		var err error
		if body, err = errorAsJSON(buf.Bytes()); err != nil {
			return garbled(err, buf.Bytes())
		}
	}
	err := p.sdkError(ctx, schema, types, resp, body, out)
	if reason := refusal(c.format, resp.StatusCode, format, body, err); reason != "" {
		c.refused, c.reason = err, reason
	}
	return err
}

// sdkError lets the SDK's protocol make an error of an answer's body in JSON.
func (p *Protocol) sdkError(
	ctx context.Context, schema *smithy.OperationSchema, types *smithy.TypeRegistry, resp *smithyhttp.Response, body []byte, out smithy.Deserializable,
) error {
	plain := *resp.Response // a copy: the SDK still has to close the body
	plain.Body = io.NopCloser(bytes.NewReader(body))
	return p.sdk.DeserializeResponse(ctx, schema, types, &smithyhttp.Response{Response: &plain}, out)
}

// garbled is the error of an answer that makes no sense, as the SDK words its own.
func garbled(err error, body []byte) error {
	const most = 1024
	return &smithy.DeserializationError{
		Err:      fmt.Errorf("decoding the answer: %w", err),
		Snapshot: bytes.Clone(body[:min(len(body), most)]),
	}
}

// formatOf says how an answer is encoded, which need not be how the request was.
func formatOf(contentType string, body []byte) Format {
	switch {
	case strings.Contains(strings.ToLower(contentType), "cbor"):
		return CBOR
	case contentType == "" && len(body) > 0 && body[0]&0xe0 == majorMap:
		return CBOR // no JSON begins like this
	default:
		return JSON
	}
}

// refusal says why an answer means that its request was not taken because it is in CBOR;
// empty if it means anything else. All such answers are 4xx: what they refuse was not
// stored.
func refusal(sent Format, status int, format Format, body []byte, err error) string {
	if sent != CBOR || status < http.StatusBadRequest || status >= http.StatusInternalServerError {
		return ""
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		switch code := api.ErrorCode(); code {
		case "SerializationException", "UnknownOperationException", "UnknownOperation":
			return fmt.Sprintf("%s, HTTP %d", code, status)
		}
	}
	if status == http.StatusUnsupportedMediaType || status == http.StatusNotAcceptable {
		return fmt.Sprintf("HTTP %d", status)
	}
	// What does not know a content type as one of its services' answers in XML.
	if format == JSON && (bytes.Contains(body, []byte("<UnknownOperationException")) ||
		bytes.Contains(body, []byte("Unable to determine service/operation name"))) {
		return fmt.Sprintf("unknown operation, HTTP %d", status)
	}
	return ""
}

// readWhole reads an answer to its end.
func readWhole(buf *bytes.Buffer, resp *smithyhttp.Response) error {
	if resp.ContentLength > maxAnswer {
		return errTooLong
	}
	if n := int(resp.ContentLength); n > 0 {
		buf.Grow(n + bytes.MinRead) // so much, to see the end without growing
	}
	_, err := buf.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && buf.Len() > maxAnswer {
		err = errTooLong
	}
	return err
}

// buffers keeps the memory that answers were read into.
type buffers struct{ free sync.Pool }

func (b *buffers) get() *bytes.Buffer {
	buf, _ := b.free.Get().(*bytes.Buffer)
	if buf == nil {
		buf = new(bytes.Buffer)
	}
	return buf
}

func (b *buffers) put(buf *bytes.Buffer) {
	const most = 1 << 20
	if buf.Cap() <= most {
		buf.Reset()
		b.free.Put(buf)
	}
}
