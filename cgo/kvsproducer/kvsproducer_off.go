//go:build !kvsproducer || !cgo

package kvsproducer

import "context"

// Built says whether AWS's SDK is built in.
const Built = false

// Stream is not there without the SDK: Open makes none, and all its methods answer ErrNotBuilt.
type Stream struct{}

// Open answers ErrNotBuilt.
func Open(context.Context, Settings, func(Event)) (*Stream, error) { return nil, ErrNotBuilt }

// Put answers ErrNotBuilt.
func (*Stream) Put(Frame) error { return ErrNotBuilt }

// EndFragment answers ErrNotBuilt.
func (*Stream) EndFragment() error { return ErrNotBuilt }

// SetCodec answers ErrNotBuilt.
func (*Stream) SetCodec(uint64, []byte) error { return ErrNotBuilt }

// AddMetadata answers ErrNotBuilt.
func (*Stream) AddMetadata(name, value string, persist bool) error { return ErrNotBuilt }

// AddEvent answers ErrNotBuilt.
func (*Stream) AddEvent(Signal, string, []Tag) error { return ErrNotBuilt }

// Stats answers ErrNotBuilt.
func (*Stream) Stats() (Stats, error) { return Stats{}, ErrNotBuilt }

// Close answers ErrNotBuilt.
func (*Stream) Close(context.Context) error { return ErrNotBuilt }

// Done is nil: there is nothing to wait for.
func (*Stream) Done() <-chan struct{} { return nil }
