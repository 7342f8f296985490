package wire

import (
	"context"
	"errors"
	"fmt"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// call is one call in one format, with all its tries. It belongs to the call's goroutine.
type call struct {
	format  Format
	body    *body // nil until it was encoded by us
	records int
	refused error  // of the try whose CBOR the endpoint would not have
	reason  string // in words
}

// wasRefused reports whether a call's error is that of the refused try. When a custom
// retryer went on and another try failed otherwise, something may have been stored.
func (c *call) wasRefused(err error) bool { return c.refused != nil && errors.Is(err, c.refused) }

type callKey struct{}

func callOf(ctx context.Context) *call {
	c, _ := middleware.GetStackValue(ctx, callKey{}).(*call)
	return c
}

// serializer is the id of the SDK's middleware that calls SerializeRequest.
const serializer = "OperationSerializer"

// addMiddleware puts ours around and behind the SDK's serializer. All tries of a call and
// its answer lie between them.
func (p *Protocol) addMiddleware(stack *middleware.Stack) error {
	switch stack.ID() {
	case "PutRecords", "PutRecord":
	default:
		return nil
	}
	outer := middleware.SerializeMiddlewareFunc("WireCall", p.perform)
	if err := stack.Serialize.Insert(outer, serializer, middleware.Before); err != nil {
		return fmt.Errorf("adding to the client's middleware: %w", err)
	}
	inner := middleware.SerializeMiddlewareFunc("WirePayloadHash", hashOnce)
	if err := stack.Serialize.Insert(inner, serializer, middleware.After); err != nil {
		return fmt.Errorf("adding to the client's middleware: %w", err)
	}
	return nil
}

// perform performs a call, and once more in JSON if its CBOR was refused.
func (p *Protocol) perform(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (
	middleware.SerializeOutput, middleware.Metadata, error,
) {
	c := &call{format: p.Format()}
	fresh := in
	if req, ok := in.Request.(*smithyhttp.Request); ok && c.format == CBOR {
		fresh.Request = req.Clone() // before the serializer and all behind it write to it
	}
	out, metadata, err := p.attempt(ctx, c, in, next)
	if c.refused == nil {
		return out, metadata, err
	}
	p.fallBack(c.reason)
	if !c.wasRefused(err) || ctx.Err() != nil {
		return out, metadata, err
	}
	return p.attempt(ctx, &call{format: JSON}, fresh, next)
}

// attempt performs a call in one format and puts the body's memory away.
func (p *Protocol) attempt(ctx context.Context, c *call, in middleware.SerializeInput, next middleware.SerializeHandler) (
	middleware.SerializeOutput, middleware.Metadata, error,
) {
	defer func() {
		if c.body == nil {
			return
		}
		if packed := c.body.end(); packed != nil {
			p.bodies.put(packed)
		}
	}()
	return next.HandleSerialize(middleware.WithStackValue(ctx, callKey{}, c), in)
}

// hashOnce computes what the signature needs of the body, which the SDK would compute for
// each try.
func hashOnce(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (
	middleware.SerializeOutput, middleware.Metadata, error,
) {
	if c := callOf(ctx); c != nil && c.body != nil && v4.GetPayloadHash(ctx) == "" {
		hash, err := c.body.hash()
		if err != nil {
			return middleware.SerializeOutput{}, middleware.Metadata{}, &smithy.SerializationError{Err: err}
		}
		ctx = v4.SetPayloadHash(ctx, hash)
	}
	return next.HandleSerialize(ctx, in)
}
