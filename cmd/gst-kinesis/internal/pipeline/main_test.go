package pipeline

import (
	"testing"

	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/plugins"
)

func TestMain(m *testing.M) { gsttest.Main(m, plugins.Info()) }
