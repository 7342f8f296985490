package faults

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/internal/local"
)

// TestEveryValueThatAPropertyTakesStarts: the range that a property shows is the one that works: with its least and with its greatest value the
// sink starts, and delivers.
func TestEveryValueThatAPropertyTakesStarts(t *testing.T) {
	e, err := gst.NewElement("kinesissink", "")
	require.NoError(t, err)
	properties := gsttest.Properties(e)
	e.Unref()
	srv := endpoint(t, local.Settings{})
	tried := 0
	for _, p := range properties { // with a bound beside it: without any, the memory would have none
		if p.Min == "" || !p.Writable {
			continue
		}
		for _, value := range []string{p.Min, p.Max} {
			tried++
			t.Run(fmt.Sprintf("%s=%s", p.Name, value), func(t *testing.T) {
				r := newRig(t, srv, fmt.Sprintf("max-size-buffers=1000 %s=%s", p.Name, value))
				r.play()
				r.push(3, 1000)
				r.end()
				r.balance(len(r.stored())) // what the others left there
				require.Empty(t, r.count(gst.MessageError, ""))
			})
		}
	}
	require.Greater(t, tried, 20)
}
