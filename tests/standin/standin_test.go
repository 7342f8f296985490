// Package standin builds cgo/kvsproducer with its tag, against a stand-in for AWS's producer SDK (testdata), and runs its tests, and those of
// kinesisvideosink that hold for every engine. With the SDK itself,
// make test-sdk runs that of this folder which has the tag kvsproducer.
package standin

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/tests/kit"
)

const (
	engine  = "./cgo/kvsproducer"
	element = "./plugins/kinesisvideosink"
)

// build makes the stand-in and gives an environment in which pkg-config finds it and nothing else of the kind. Go's build cache does not look at what
// pkg-config says, nor into headers elsewhere: so the stand-in has a folder and a definition of its own by its content, which the cache does look at.
func build(t *testing.T, more ...string) []string {
	t.Helper()
	sources := filepath.Join(kit.Root(t), "tests/standin/testdata")
	sum := sha256.New()
	fmt.Fprintln(sum, sources, more)
	require.NoError(t, filepath.WalkDir(sources, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		fmt.Fprintln(sum, path, len(text))
		sum.Write(text)
		return err
	}))
	name := fmt.Sprintf("kvs-standin-%x", sum.Sum(nil)[:8])
	dir := kit.Cache(t, name, func(dir string) error {
		c := exec.Command(filepath.Join(sources, "build"), dir)
		c.Env = kit.Environ(more...)
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("building the stand-in: %w\n%s", err, out)
		}
		return nil
	})
	return kit.Environ(append(more, "PKG_CONFIG_PATH="+filepath.Join(dir, "pkgconfig"), "LD_LIBRARY_PATH="+dir, "GOFLAGS=-buildvcs=false",
		"CGO_CFLAGS=-g -O2 -DSTANDIN="+strings.ReplaceAll(name, "-", "_"))...)
}

func run(t *testing.T, env []string, args ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "go", args...)
	c.Dir, c.Env = kit.Root(t), env
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// TestAgainstTheStandIn: the package with its tag does what its own tests say.
func TestAgainstTheStandIn(t *testing.T) {
	t.Parallel()
	run(t, build(t), "test", "-count=1", "-tags", "kvsproducer", engine)
}

// TestTheElementAgainstTheStandIn: kinesisvideosink with engine=sdk does what its conformance set says.
func TestTheElementAgainstTheStandIn(t *testing.T) {
	t.Parallel()
	run(t, append(build(t), "GST_KINESIS_STANDIN=1"), "test", "-count=1", "-tags", "kvsproducer", "-run", "^TestConform|^TestSDK", element)
}

// TestNoMemoryError: AddressSanitizer and LeakSanitizer find nothing, on either side.
func TestNoMemoryError(t *testing.T) {
	t.Parallel()
	env := build(t, "CFLAGS=-fsanitize=address")
	run(t, env, "test", "-count=1", "-asan", "-tags", "kvsproducer", engine)
}

// TestTheTaggedFilesAreClean: go vet reads what the rest of the tree's runs does not.
func TestTheTaggedFilesAreClean(t *testing.T) {
	t.Parallel()
	run(t, build(t), "vet", "-tags", "kvsproducer", engine, element, "./tests/standin")
}

// TestWithoutTheTag: the package builds without the SDK, and without cgo whatever the tags are.
func TestWithoutTheTag(t *testing.T) {
	t.Parallel()
	env := kit.Environ("PKG_CONFIG_PATH=", "PKG_CONFIG_LIBDIR="+os.DevNull)
	run(t, env, "vet", engine, element)
	run(t, append(env, "CGO_ENABLED=0"), "vet", "-tags", "kvsproducer", engine)
}
