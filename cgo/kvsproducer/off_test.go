//go:build !kvsproducer || !cgo

package kvsproducer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/kvsproducer"
)

// TestNotBuilt: without the tag Open says how to build it.
func TestNotBuilt(t *testing.T) {
	t.Parallel()
	require.False(t, kvsproducer.Built)
	s, err := kvsproducer.Open(t.Context(), kvsproducer.Defaults(), nil)
	require.ErrorIs(t, err, kvsproducer.ErrNotBuilt)
	require.ErrorContains(t, err, "-tags kvsproducer")
	require.ErrorContains(t, err, "https://github.com/awslabs/")
	require.Nil(t, s)
	require.ErrorIs(t, s.Put(kvsproducer.Frame{}), kvsproducer.ErrNotBuilt)
}
