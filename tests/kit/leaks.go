package kit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Leaks lets a GStreamer program run under the leaks tracer: env is what its environment needs, beside other debug categories; check, called after
// its end, fails the test with the objects that were alive then.
func Leaks(tb testing.TB, debug string) (env []string, check func()) {
	tb.Helper()
	log := filepath.Join(tb.TempDir(), "leaks.log")
	if debug != "" {
		debug += ","
	}
	env = []string{"GST_TRACERS=leaks", "GST_DEBUG=" + debug + "GST_TRACER:7", "GST_DEBUG_FILE=" + log, "G_DEBUG=fatal-criticals"}
	return env, func() {
		tb.Helper()
		text, err := os.ReadFile(log)
		if err != nil {
			tb.Fatal(err)
		}
		ran := false
		Each(string(text), func(line string) {
			ran = ran || strings.Contains(line, "object-alive.class")
			if strings.Contains(line, "object-alive, ") && !strings.Contains(line, "%p") {
				tb.Errorf("left alive: %s", line)
			}
		})
		if !ran {
			tb.Error("the leaks tracer did not run")
		}
	}
}
