// Package chaos lets a producer work through everything that goes wrong on the way to a stream, and holds its books against what the embedded endpoint
// has really stored: each record carries its key and its number. Everything is real: sockets, the SDK, disks, processes and their deaths. Nothing
// here needs GStreamer.
//
// Short forms run in ordinary tests; GST_KINESIS_SOAK asks for the long ones.
package chaos

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gst-kinesis/tests/kit"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	kit.Isolate()
	flag.Parse()
	_ = flag.Set("test.parallel", "32") // most of them wait for time to pass, not for a processor
	dir, err := os.MkdirTemp("", "gst-kinesis-chaos-")
	if err == nil {
		err = profiles(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// soak says whether the long forms are asked for.
func soak() bool { return os.Getenv("GST_KINESIS_SOAK") != "" }

// lasting gives the short or the long time.
func lasting(short, long time.Duration) time.Duration {
	if soak() {
		return long
	}
	return short
}

// seeded gives a source of chance and says how to have the same again.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, seed))
}

// profiles writes a shared configuration whose profiles get their credentials from a file each, by a process, as many boxes do. A test writes the file.
func profiles(dir string) error {
	text := ""
	for _, name := range rotating {
		text += fmt.Sprintf("[profile %s]\ncredential_process = cat %s\n", name, filepath.Join(dir, name+".json"))
	}
	file := filepath.Join(dir, "config")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Setenv("AWS_CONFIG_FILE", file)
}
