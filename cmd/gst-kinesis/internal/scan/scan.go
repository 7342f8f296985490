// Package scan keeps libgstkinesis.so out of this program's process. The library and the program are each a whole Go runtime, and two of them in
// one process are not supported. The program has the elements built in, so it does not need the library; but GStreamer looks into every plugin it
// finds. It does so in a process of its own, gst-plugin-scanner; where that is not there, it loads the plugins into the program that scans.
//
// Call [Prepare] before GStreamer is initialised. Where the scanner is found, GStreamer is told to use that one. Where it is not, every directory on
// GStreamer's paths that holds the library is replaced by a temporary one with links to everything else in it.
package scan

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Library is the file that must not be loaded.
const Library = "libgstkinesis.so"

const scannerFile = "gst-plugin-scanner"

// Environment is the process' own, or that of a test.
type Environment struct {
	Lookup func(name string) (string, bool)
	Set    func(name, value string) error
}

// Process is the environment of this process.
func Process() Environment { return Environment{Lookup: os.LookupEnv, Set: os.Setenv} }

// first gives the first of the variables that is set, as GStreamer reads them.
func (e Environment) first(names ...string) (name, value string, set bool) {
	for _, n := range names {
		if v, ok := e.Lookup(n); ok {
			return n, v, true
		}
	}
	return "", "", false
}

// Result says what was found and done.
type Result struct {
	Scanner string   // the scanner that GStreamer is told to use; "" where there is none
	Ignored string   // a scanner that the environment names and that cannot be run
	Hidden  []string // directories whose copy of the library is kept from GStreamer

	temporary string
}

// Close removes what Prepare made. Plugins are loaded from there as long as pipelines run.
func (r *Result) Close() error {
	if r.temporary == "" {
		return nil
	}
	return os.RemoveAll(r.temporary)
}

// Prepare makes GStreamer's scan safe. gstreamer is the file of its library in this process: the places of scanner and plugins are counted from
// there, as GStreamer itself does. What is returned is closed when GStreamer is not used any more.
func Prepare(env Environment, gstreamer string) (*Result, error) {
	r := &Result{}
	if r.Scanner = r.findScanner(env, gstreamer); r.Scanner != "" {
		if err := env.Set("GST_PLUGIN_SCANNER_1_0", r.Scanner); err != nil {
			return nil, fmt.Errorf("telling where the plugin scanner is: %w", err)
		}
		return r, nil
	}
	if err := r.hide(env, gstreamer); err != nil {
		return nil, errors.Join(fmt.Errorf("keeping %s out of this process: %w", Library, err), r.Close())
	}
	return r, nil
}

func (r *Result) findScanner(env Environment, gstreamer string) string {
	if _, path, set := env.first("GST_PLUGIN_SCANNER_1_0", "GST_PLUGIN_SCANNER"); set && path != "" {
		if executable(path) {
			return path
		}
		r.Ignored = path
	}
	lib := filepath.Dir(gstreamer)
	for _, dir := range []string{
		filepath.Join(lib, "gstreamer1.0", "gstreamer-1.0"), // Debian
		filepath.Join(lib, "gstreamer-1.0"),
		filepath.Join(lib, "..", "libexec", "gstreamer-1.0"), // upstream, Fedora
		filepath.Join(lib, "..", "..", "libexec", "gstreamer-1.0"),
	} {
		if path := filepath.Join(dir, scannerFile); gstreamer != "" && executable(path) {
			return path
		}
	}
	return ""
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// hide rewrites the paths that hold the library. GStreamer's list of plugins, which other programs read too, is left alone then: this process gets
// a list of its own.
func (r *Result) hide(env Environment, gstreamer string) error {
	changed := false
	for _, p := range paths(env, gstreamer) {
		dirs := filepath.SplitList(p.value)
		for i, dir := range dirs {
			if !holds(dir, 0) {
				continue
			}
			mirror, err := r.mirror(dir)
			if err != nil {
				return err
			}
			dirs[i] = mirror
			r.Hidden = append(r.Hidden, dir)
			changed = true
		}
		value := strings.Join(dirs, string(filepath.ListSeparator))
		if value == p.value {
			continue
		}
		if err := env.Set(p.name, value); err != nil {
			return err
		}
	}
	if !changed {
		return nil
	}
	return env.Set("GST_REGISTRY_1_0", filepath.Join(r.temporary, "registry.bin"))
}

// searched is a list of directories that GStreamer scans, and the variable that it comes from.
type searched struct{ name, value string }

func paths(env Environment, gstreamer string) []searched {
	var all []searched
	if name, value, set := env.first("GST_PLUGIN_PATH_1_0", "GST_PLUGIN_PATH"); set {
		all = append(all, searched{name, value})
	}
	name, value, set := env.first("GST_PLUGIN_SYSTEM_PATH_1_0", "GST_PLUGIN_SYSTEM_PATH")
	if !set {
		name, value = "GST_PLUGIN_SYSTEM_PATH_1_0", defaults(env, gstreamer)
	}
	return append(all, searched{name, value})
}

// defaults are the directories that GStreamer scans where no variable says otherwise: the user's and the system's.
func defaults(env Environment, gstreamer string) string {
	data, ok := env.Lookup("XDG_DATA_HOME")
	if !ok || data == "" {
		home, _ := env.Lookup("HOME")
		data = filepath.Join(home, ".local", "share")
	}
	dirs := []string{filepath.Join(data, "gstreamer-1.0", "plugins")}
	if gstreamer != "" {
		dirs = append(dirs, filepath.Join(filepath.Dir(gstreamer), "gstreamer-1.0"))
	}
	return strings.Join(dirs, string(filepath.ListSeparator))
}

// GStreamer looks this deep into the directories on its paths.
const maxDepth = 10

// holds says whether the library lies in a directory or below.
func holds(dir string, depth int) bool {
	entries, err := os.ReadDir(dir)
	if err != nil || depth > maxDepth {
		return false
	}
	for _, e := range entries {
		if e.Name() == Library || isDir(dir, e) && holds(filepath.Join(dir, e.Name()), depth+1) {
			return true
		}
	}
	return false
}

// isDir follows links, as GStreamer does.
func isDir(dir string, e os.DirEntry) bool {
	if e.Type()&os.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(filepath.Join(dir, e.Name()))
	return err == nil && info.IsDir()
}

// mirror makes a temporary directory that holds all that dir does, as links, but for the library.
func (r *Result) mirror(dir string) (string, error) {
	if r.temporary == "" {
		t, err := os.MkdirTemp("", "gst-kinesis-plugins-")
		if err != nil {
			return "", err
		}
		r.temporary = t
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	to := filepath.Join(r.temporary, fmt.Sprint(len(r.Hidden)))
	return to, link(dir, to, 0)
}

func link(from, to string, depth int) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		src, dst := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		switch {
		case e.Name() == Library:
			continue
		case isDir(from, e) && holds(src, depth+1):
			err = link(src, dst, depth+1)
		default:
			err = os.Symlink(src, dst)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
