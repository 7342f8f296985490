package wire

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
)

// Settings of a Protocol.
type Settings struct {
	Mode Mode
	// Endpoint is the endpoint's URL, empty for AWS's own.
	Endpoint string
	// Log is told once, in one line, when the client falls back to JSON. It may be nil, is
	// called from a goroutine that performs a call, and must not block.
	Log func(line string)
}

// Protocol encodes and decodes for one client. It is safe for concurrent use.
type Protocol struct {
	sdk      *awsjson.Protocol // for all other operations and for errors
	settings Settings
	complete bool
	state    atomic.Int32
	bodies   pool
	answers  buffers
	stats    counters
}

var _ smithyhttp.ClientProtocol = (*Protocol)(nil)

// New returns a protocol for one client, which Install makes the client use.
func New(s Settings) *Protocol {
	p := &Protocol{sdk: awsjson.New11(schemas.Kinesis_20131202), settings: s, complete: complete()}
	p.state.Store(s.Mode.begin(s.Endpoint))
	return p
}

// Install is an option of kinesis.New, not of single calls, and for one client. It stands
// behind the option that sets BaseEndpoint, so that an endpoint is seen that environment
// or profile have set.
func (p *Protocol) Install(o *kinesis.Options) {
	if o.BaseEndpoint != nil && p.settings.Endpoint == "" {
		p.state.Store(p.settings.Mode.begin(*o.BaseEndpoint))
	}
	o.Protocol = p
	o.APIOptions = append(o.APIOptions, p.addMiddleware)
}

// Format returns the format in which the next call is sent.
func (p *Protocol) Format() Format {
	if p.state.Load() == speaksCBOR {
		return CBOR
	}
	return JSON
}

// recognise notes what an endpoint says of itself.
func (p *Protocol) recognise(header http.Header) {
	if p.state.Load() == undecided && offersCBOR(header.Get(Header)) {
		p.state.CompareAndSwap(undecided, speaksCBOR)
	}
}

// fallBack settles for JSON, for a reason.
func (p *Protocol) fallBack(reason string) {
	if p.state.Swap(settledJSON) != settledJSON && p.settings.Log != nil {
		p.settings.Log(fmt.Sprintf("the endpoint does not take CBOR (%s): JSON from here on", reason))
	}
}

// ID implements smithyhttp.ClientProtocol.
func (p *Protocol) ID() smithy.ShapeID { return p.sdk.ID() }

// SerializeRequest implements smithyhttp.ClientProtocol.
func (p *Protocol) SerializeRequest(ctx context.Context, schema *smithy.OperationSchema, in smithy.Serializable, req *smithyhttp.Request) error {
	m, ok := messageOf(in)
	if !ok || !p.complete {
		return p.sdk.SerializeRequest(ctx, schema, in, req)
	}
	c := callOf(ctx)
	if c == nil { // without Install's middleware the memory is not used again
		c = &call{format: p.Format()}
	}
	format, packed := c.format, p.pack(c.format, &m)
	c.body, c.records = &body{packed: packed}, len(m.records)
	p.stats.add(format, m.payload(), packed.size)
	req.Method = http.MethodPost
	if req.URL.Path == "" {
		req.URL.Path = "/"
	}
	req.Header.Set("X-Amz-Target", m.target)
	req.Header.Set("Content-Type", format.contentType())
	with, err := req.SetStream(c.body)
	if err != nil {
		return fmt.Errorf("setting the request's body: %w", err)
	}
	*req = *with
	return nil
}

// pack encodes a message.
func (p *Protocol) pack(f Format, m *message) *packed {
	if f == CBOR {
		size, referred := cborSize(m)
		packed := p.bodies.get(size - referred)
		packed.size = size
		packed.appendCBOR(m)
		return packed
	}
	size := jsonSize(m)
	packed := p.bodies.get(size)
	packed.size = size
	packed.appendJSON(m)
	return packed
}

// HasInitialEventMessage implements smithyhttp.ClientProtocol.
func (p *Protocol) HasInitialEventMessage() bool { return p.sdk.HasInitialEventMessage() }

// SerializeEventMessage implements smithyhttp.ClientProtocol.
func (p *Protocol) SerializeEventMessage(schema, variant *smithy.Schema, v smithy.Serializable, w io.Writer) error {
	return p.sdk.SerializeEventMessage(schema, variant, v, w)
}

// DeserializeEventMessage implements smithyhttp.ClientProtocol.
func (p *Protocol) DeserializeEventMessage(schema *smithy.Schema, types *smithy.TypeRegistry, r io.Reader) (smithy.Deserializable, error) {
	return p.sdk.DeserializeEventMessage(schema, types, r)
}

// SerializeInitialRequest implements smithyhttp.ClientProtocol.
func (p *Protocol) SerializeInitialRequest(schema *smithy.Schema, v smithy.Serializable, w io.Writer) error {
	return p.sdk.SerializeInitialRequest(schema, v, w)
}

// DeserializeInitialResponse implements smithyhttp.ClientProtocol.
func (p *Protocol) DeserializeInitialResponse(schema *smithy.Schema, r io.Reader, out smithy.Deserializable) error {
	return p.sdk.DeserializeInitialResponse(schema, r, out)
}
