// Package inspect looks at the plugin with gst-inspect-1.0, as users do first: without network, without credentials, without a home; and keeps
// what it shows in tests/testdata/api.txt, so that no change of an interface goes unseen.
package inspect

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/tests/kit"
)

var update = flag.Bool("update", false, "write the golden file anew")

func TestMain(m *testing.M) {
	kit.Isolate()
	os.Exit(m.Run())
}

// elements are all that the plugin has.
func elements() []string {
	return []string{"jsonenc", "kinesissink", "kinesisvideosink", "msgpackenc", "subsample"}
}

// bare is an environment with nothing in it but the plugin, a home without anything, and a registry of its own. GStreamer's own plugins are not in it.
func bare(t *testing.T, more ...string) []string {
	t.Helper()
	dir := t.TempDir()
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GST_PLUGIN_SYSTEM_PATH=" + dir, "GST_PLUGIN_PATH=" + kit.Build(t),
		"GST_REGISTRY=" + filepath.Join(dir, "registry.bin"),
	}, more...)
}

func offline(t *testing.T) string {
	t.Helper()
	program := kit.CC(t, nil, filepath.Join("testdata", "offline.c"))
	p := kit.Start(t, kit.Environ(), program, "/usr/bin/python3", "-c", "import socket; socket.socket(); print('made')")
	require.Equal(t, syscall.SIGSYS, p.End().Signal(), "the judge works")
	return program
}

// TestOffline: the plugin is scanned and each element is shown though nobody may make a socket, whoever scans, and without any error.
func TestOffline(t *testing.T) {
	program := offline(t)
	for name, more := range map[string]string{
		"scanned by the scanner":  "GST_REGISTRY_FORK=yes",
		"scanned in the process":  "GST_REGISTRY_FORK=no",
		"with credentials to ask": "AWS_PROFILE=nobody",
		"with a role to ask":      "AWS_ROLE_ARN=arn:aws:iam::123456789012:role/r",
	} {
		t.Run(name, func(t *testing.T) {
			env := bare(t, more)
			for _, what := range append([]string{"kinesis", filepath.Join(kit.Build(t), "libgstkinesis.so")}, elements()...) {
				out, stderr := kit.Run(t, env, program, "gst-inspect-1.0", what)
				require.Empty(t, stderr)
				require.Contains(t, out, "MIT/X11")
			}
			out, _ := kit.Run(t, env, program, "gst-inspect-1.0", "kinesis")
			for _, e := range elements() {
				require.Contains(t, out, "  "+e+": ")
			}
			require.Contains(t, out, "+-- 5 elements")
			require.NotContains(t, out, "blacklisted")
		})
	}
}

// TestStartsOffline: in READY, where users' programs look at elements too, there is no network either.
func TestStartsOffline(t *testing.T) {
	program := offline(t)
	env := slices.DeleteFunc(bare(t), func(e string) bool { return strings.HasPrefix(e, "GST_PLUGIN_SYSTEM_PATH=") })
	for _, line := range []string{
		"gst-launch-1.0 --no-fault fakesrc num-buffers=0 ! msgpackenc ! subsample ! fakesink",
		"gst-launch-1.0 --no-fault fakesrc num-buffers=0 ! jsonenc ! kinesissink stream-name=s region=eu-west-1 access-key=a secret-access-key=b",
	} {
		_, stderr := kit.Run(t, env, program, strings.Fields(line)...)
		require.Empty(t, stderr)
	}
}

// TestTime prints what the plugin costs. It asserts nothing of it: that would be a test of the machine.
func TestTime(t *testing.T) {
	dir := kit.Build(t)
	registry := func(path string) []string {
		return append(kit.Environ(), "GST_PLUGIN_PATH="+path, "GST_REGISTRY="+filepath.Join(t.TempDir(), "registry.bin"))
	}
	with, without := registry(dir), registry("")
	first := func(env []string) time.Duration { return took(t, env, "fakesink") }
	t.Logf("the first scan of all plugins: %v without, %v with", first(without), first(with))
	t.Logf("an element of another plugin:  %v without, %v with", median(t, without, "fakesink"), median(t, with, "fakesink"))
	t.Logf("all of a plugin:               %v coreelements, %v kinesis", median(t, without, "coreelements"), median(t, with, "kinesis"))
	t.Logf("an element:                    %v fakesink, %v kinesissink", median(t, without, "fakesink"), median(t, with, "kinesissink"))
}

func took(t *testing.T, env []string, what string) time.Duration {
	t.Helper()
	began := time.Now()
	kit.Run(t, env, "gst-inspect-1.0", what)
	return time.Since(began).Round(time.Millisecond)
}

func median(t *testing.T, env []string, what string) time.Duration {
	t.Helper()
	var list []time.Duration
	for range 5 {
		list = append(list, took(t, env, what))
	}
	slices.Sort(list)
	return list[2]
}
