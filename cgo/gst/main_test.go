package gst_test

import (
	"testing"

	"gst-kinesis/cgo/gsttest"
)

func TestMain(m *testing.M) { gsttest.Main(m) }
