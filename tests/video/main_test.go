// Package video proves kinesisvideosink as other people's programs run it: gst-launch-1.0, gst-kinesis run and hosts in C as processes that end, are killed and
// are started again, against `gst-kinesis local` as a process that is killed too, with its data directory. What was stored is read back by GetMedia.
package video

import (
	"flag"
	"os"
	"testing"

	"gst-kinesis/tests/kit"
)

func TestMain(m *testing.M) {
	kit.Isolate()
	flag.Parse()
	_ = flag.Set("test.parallel", "4") // film takes its time whatever the processors do
	os.Exit(m.Run())
}

// soak says whether the long form is asked for.
func soak() bool { return os.Getenv("GST_KINESIS_SOAK") != "" }
