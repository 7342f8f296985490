//go:build cgo

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cmd/gst-kinesis/internal/scan"
	"gst-kinesis/internal/local"
)

// world is a place to run programs in that has GStreamer with few plugins, and says of each process which libraries it loaded.
type world struct {
	dir string
	env []string
}

// newWorld makes one whose plugin is on GST_PLUGIN_PATH. Without the scanner, GStreamer's own library is a copy, beside which there is none.
func newWorld(t *testing.T, scanner bool) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	lib, err := filepath.EvalSymlinks(gst.LibraryFile())
	require.NoError(t, err)
	system := w.path("system")
	require.NoError(t, os.Mkdir(system, 0o700))
	require.NoError(t, os.Mkdir(w.path("tmp"), 0o700))
	for _, name := range []string{"coreelements", "videotestsrc", "jpeg", "videoconvertscale", "typefindfunctions"} {
		file := "libgst" + name + ".so"
		require.NoError(t, os.Symlink(filepath.Join(filepath.Dir(lib), "gstreamer-1.0", file), filepath.Join(system, file)))
	}
	w.env = []string{
		"GST_PLUGIN_PATH_1_0=" + pluginDir(t), "GST_PLUGIN_SYSTEM_PATH_1_0=" + system, "GST_REGISTRY_1_0=" + w.path("registry.bin"),
		"TMPDIR=" + w.path("tmp"), "LD_DEBUG=files", "LD_DEBUG_OUTPUT=" + w.path("loaded"),
	}
	if !scanner {
		content, err := os.ReadFile(lib)
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(w.path("lib"), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(w.path("lib"), "libgstreamer-1.0.so.0"), content, 0o600))
		w.env = append(w.env, "LD_LIBRARY_PATH="+w.path("lib"))
	}
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// loaders gives the processes that loaded the plugin's library at any moment of their lives.
func (w *world) loaders(t *testing.T) map[int]bool {
	t.Helper()
	files, err := filepath.Glob(w.path("loaded.*"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "the loader tells what it loads")
	out := map[int]bool{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Ext(f), "."))
		require.NoError(t, err)
		if strings.Contains(string(text), scan.Library) {
			out[pid] = true
		}
	}
	return out
}

// GStreamer's own program shows what happens to one that does not care: with the scanner another process loads the library, without it the program itself.
func TestScanOfAProgramThatDoesNotCare(t *testing.T) {
	t.Parallel()
	for name, scanner := range map[string]bool{"with the scanner": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, scanner)
			launch, err := exec.LookPath("gst-launch-1.0")
			require.NoError(t, err)
			p := startProcess(t, w.env, launch, "fakesrc", "num-buffers=1", "!", "fakesink")
			require.Zero(t, p.status(t, 30*time.Second), p.log)
			loaders := w.loaders(t)
			require.Len(t, loaders, 1)
			require.Equal(t, !scanner, loaders[p.Process.Pid])
		})
	}
}

func TestLibraryIsNeverLoadedIntoThisProgram(t *testing.T) {
	t.Parallel()
	for name, scanner := range map[string]bool{"with the scanner": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, scanner)
			srv, flags := endpoint(t, local.Settings{Create: streams("s")})
			p := startCLIIn(t, w.env, runLine(nil, testLine(flags))...)
			p.lines(t, 3)
			maps, err := os.ReadFile("/proc/" + strconv.Itoa(p.Process.Pid) + "/maps")
			require.NoError(t, err)
			require.Contains(t, string(maps), "libgstvideotestsrc.so")
			require.NotContains(t, string(maps), scan.Library)
			p.interrupt(t)
			require.Zero(t, p.status(t, 20*time.Second), p.log)
			p.settled(t, srv, "s")
			loaders := w.loaders(t)
			require.False(t, loaders[p.Process.Pid], "not for a moment")
			if scanner {
				require.Len(t, loaders, 1, "the scanner looked at it")
				require.NotContains(t, p.log.String(), "gst-plugin-scanner")
				return
			}
			require.Empty(t, loaders)
			require.Contains(t, p.log.String(), "there is no gst-plugin-scanner, so "+scan.Library+" is kept out of this process")
			left, err := filepath.Glob(w.path("tmp/*"))
			require.NoError(t, err)
			require.Empty(t, left, "what was made for it is gone")
		})
	}
}

// A list of plugins that knows the library from before, and a newer library with elements of its own, do not bring it in either.
func TestLibraryOfAnOldListIsNotLoaded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	launch, err := exec.LookPath("gst-inspect-1.0")
	require.NoError(t, err)
	p := startProcess(t, w.env, launch, "kinesissink")
	require.Zero(t, p.status(t, 30*time.Second), p.log)
	_, flags := endpoint(t, local.Settings{Create: streams("s")})
	line := testLine(flags)
	line[1] = "num-buffers=3"
	cli := startCLIIn(t, w.env, runLine(nil, line)...)
	require.Zero(t, cli.status(t, 30*time.Second), cli.log)
	require.False(t, w.loaders(t)[cli.Process.Pid])
	require.Equal(t, 3, cli.count())
}
