package pipeline

import (
	"testing"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/plugins"
)

func TestMain(m *testing.M) {
	gsttest.Main(m, plugins.Info(), &gst.PluginInfo{
		Name: "testcam", Description: "A camera that does what a test says", Version: "1", License: "MIT/X11", Source: "test", Package: "test", Origin: "test",
		Register: func(p gst.Plugin) error { return testcam.class().Register(p) },
	})
}
