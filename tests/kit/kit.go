// Package kit holds what the tests in this folder share: the built programs, the environment of GStreamer's own programs, processes that
// end with the test, C programs compiled on the spot, the road clip, and the records as their readers see them.
//
// Helpers fail the test that they are given; what they start ends with it.
package kit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Limit is how long anything may take that a test knows will come. It is never reached on a machine that works, however busy.
const Limit = 90 * time.Second

// Root is the module's folder.
func Root(tb testing.TB) string {
	tb.Helper()
	dir, err := root()
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}

func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("looking for go.mod above the test's folder: there is none")
		}
		dir = parent
	}
}

// Build gives the folder that holds libgstkinesis.so, gst-kinesis and gst-kinesis-camera as the sources are now: what is there already is
// built again only where it is old. GST_KINESIS_BUILD names a folder that is taken as it is.
func Build(tb testing.TB) string {
	tb.Helper()
	dir, err := built()
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}

var built = sync.OnceValues(build)

func build() (string, error) {
	if dir := os.Getenv("GST_KINESIS_BUILD"); dir != "" {
		return filepath.Abs(dir)
	}
	top, err := root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(top, "build")
	unlock, err := lock(filepath.Join(dir, ".lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	// As the Makefile does it, so that neither finds the other's work old.
	for _, args := range [][]string{
		{"build", "-buildvcs=false", "-buildmode=c-shared", "-o", filepath.Join(dir, "libgstkinesis.so"), "./cmd/libgstkinesis"},
		{"build", "-buildvcs=false", "-o", dir + "/", "./cmd/gst-kinesis", "./cmd/gst-kinesis-camera"},
	} {
		c := exec.Command("go", args...)
		c.Dir = top
		if out, err := c.CombinedOutput(); err != nil {
			return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return dir, nil
}

// lock holds a file for this process alone; test packages run side by side.
func lock(name string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	return func() { f.Close() }, nil
}

// Cache gives a folder that outlives the test, for what is slow to get, and calls fill once to make it. fill writes into an empty folder,
// which takes the name only when fill was well.
func Cache(tb testing.TB, name string, fill func(dir string) error) string {
	tb.Helper()
	base, err := os.UserCacheDir()
	if err != nil { // no home
		base = filepath.Join(Root(tb), "build", "cache")
	}
	dir := filepath.Join(base, "gst-kinesis-tests", name)
	unlock, err := lock(dir + ".lock")
	if err != nil {
		tb.Fatal(err)
	}
	defer unlock()
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), name+".new-")
	if err != nil {
		tb.Fatal(err)
	}
	defer os.RemoveAll(fresh)
	if err := fill(fresh); err != nil {
		tb.Fatal(err)
	}
	if err := os.Rename(fresh, dir); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// Environ is the environment without what would make a result depend on the user's own settings: AWS's variables and files, GStreamer's.
func Environ(more ...string) []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "AWS_") && !strings.HasPrefix(e, "GST_") && !strings.HasPrefix(e, "G_DEBUG=") && !strings.HasPrefix(e, "MSIGHT_") {
			env = append(env, e)
		}
	}
	return append(append(env, noAWS()...), more...)
}

func noAWS() []string {
	return []string{"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_EC2_METADATA_DISABLED=true"}
}

// Isolate does for the test's own process what Environ does for others. It is called in TestMain.
func Isolate() {
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "MSIGHT_") {
			os.Unsetenv(name)
		}
	}
	for _, e := range noAWS() {
		name, value, _ := strings.Cut(e, "=")
		os.Setenv(name, value)
	}
}

// GStreamer is Environ with the plugin on GStreamer's path. The registry is the tests' own, and is kept.
func GStreamer(tb testing.TB, more ...string) []string {
	tb.Helper()
	dir := Build(tb)
	return append(Environ("GST_PLUGIN_PATH="+dir, "GST_REGISTRY="+filepath.Join(dir, "tests.registry"), "GST_DEBUG_NO_COLOR=1"), more...)
}
