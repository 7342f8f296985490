package scan_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cmd/gst-kinesis/internal/scan"
)

// tree makes files; those whose name ends in * can be run.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		mode := os.FileMode(0o600)
		if f[len(f)-1] == '*' {
			f, mode = f[:len(f)-1], 0o700
		}
		path := filepath.Join(dir, f)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(f), mode))
	}
	return dir
}

func environment(vars map[string]string) scan.Environment {
	return scan.Environment{
		Lookup: func(n string) (string, bool) { v, ok := vars[n]; return v, ok },
		Set:    func(n, v string) error { vars[n] = v; return nil },
	}
}

func TestScannerIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files []string
		vars  map[string]string
		want  string
	}{
		"where Debian has it":       {[]string{"lib/gstreamer1.0/gstreamer-1.0/gst-plugin-scanner*"}, nil, "lib/gstreamer1.0/gstreamer-1.0/gst-plugin-scanner"},
		"where Fedora has it":       {[]string{"libexec/gstreamer-1.0/gst-plugin-scanner*"}, nil, "libexec/gstreamer-1.0/gst-plugin-scanner"},
		"beside the plugins":        {[]string{"lib/gstreamer-1.0/gst-plugin-scanner*"}, nil, "lib/gstreamer-1.0/gst-plugin-scanner"},
		"by its variable":           {[]string{"x/s*", "lib/gstreamer-1.0/gst-plugin-scanner*"}, map[string]string{"GST_PLUGIN_SCANNER": "x/s"}, "x/s"},
		"by its version's variable": {[]string{"x/s*", "x/t*"}, map[string]string{"GST_PLUGIN_SCANNER": "x/s", "GST_PLUGIN_SCANNER_1_0": "x/t"}, "x/t"},
		"in spite of its variable":  {[]string{"x/s", "lib/gstreamer-1.0/gst-plugin-scanner*"}, map[string]string{"GST_PLUGIN_SCANNER": "x/s"}, "lib/gstreamer-1.0/gst-plugin-scanner"},
		"not if it cannot be run":   {[]string{"lib/gstreamer-1.0/gst-plugin-scanner"}, nil, ""},
		"not if it is a directory":  {[]string{"lib/gstreamer-1.0/gst-plugin-scanner/x*"}, nil, ""},
		"not if it is not there":    {nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := tree(t, c.files...)
			vars := map[string]string{}
			for k, v := range c.vars {
				vars[k] = filepath.Join(dir, v)
			}
			r, err := scan.Prepare(environment(vars), filepath.Join(dir, "lib", "libgstreamer-1.0.so.0"))
			require.NoError(t, err)
			if c.want == "" {
				require.Empty(t, r.Scanner)
				require.NotContains(t, vars, "GST_PLUGIN_SCANNER_1_0")
			} else {
				require.Equal(t, filepath.Join(dir, c.want), r.Scanner)
				require.Equal(t, r.Scanner, vars["GST_PLUGIN_SCANNER_1_0"], "GStreamer is told to use that one")
			}
			require.Empty(t, r.Hidden)
			require.NotContains(t, vars, "GST_REGISTRY_1_0")
			require.NoError(t, r.Close())
		})
	}
}

func TestLibraryIsHidden(t *testing.T) {
	t.Parallel()
	dir := tree(t, "a/libgsta.so", "b/libgstb.so", "b/libgstkinesis.so", "b/more/libgstc.so", "b/deep/er/libgstkinesis.so", "b/deep/er/libgstd.so", "b/deep/libgste.so")
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	vars := map[string]string{"GST_PLUGIN_PATH": a + ":" + b, "GST_PLUGIN_SYSTEM_PATH_1_0": a + ":/nowhere"}
	r, err := scan.Prepare(environment(vars), "")
	require.NoError(t, err)
	require.Equal(t, []string{b}, r.Hidden)
	paths := filepath.SplitList(vars["GST_PLUGIN_PATH"])
	require.Len(t, paths, 2)
	require.Equal(t, a, paths[0], "what does not hold it stays")
	require.Equal(t, a+":/nowhere", vars["GST_PLUGIN_SYSTEM_PATH_1_0"])
	require.NotEmpty(t, vars["GST_REGISTRY_1_0"], "other programs' list of plugins is left alone")
	var found []string
	require.NoError(t, filepath.Walk(paths[1], func(path string, _ os.FileInfo, err error) error {
		require.NoError(t, err)
		if rel, err := filepath.Rel(paths[1], path); err == nil && filepath.Ext(rel) == ".so" {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, "b/"+rel, string(content))
			found = append(found, rel)
		}
		return nil
	}))
	require.ElementsMatch(t, []string{"libgstb.so", "deep/er/libgstd.so", "deep/libgste.so"}, found)
	content, err := os.ReadFile(filepath.Join(paths[1], "more", "libgstc.so"))
	require.NoError(t, err, "a directory without it is linked whole")
	require.Equal(t, "b/more/libgstc.so", string(content))
	require.NoError(t, r.Close())
	require.NoDirExists(t, paths[1])
	require.FileExists(t, filepath.Join(b, "libgstkinesis.so"))
}

func TestLibraryAmongTheSystemsPluginsIsHidden(t *testing.T) {
	t.Parallel()
	dir := tree(t, "lib/gstreamer-1.0/libgstcore.so", "lib/gstreamer-1.0/libgstkinesis.so", "home/.local/share/gstreamer-1.0/plugins/libgstkinesis.so")
	for name, c := range map[string]struct {
		vars   map[string]string
		hidden []string
	}{
		"by default": {
			map[string]string{"HOME": filepath.Join(dir, "home")},
			[]string{filepath.Join(dir, "home/.local/share/gstreamer-1.0/plugins"), filepath.Join(dir, "lib/gstreamer-1.0")},
		},
		"with a data home": {map[string]string{"XDG_DATA_HOME": "/nowhere"}, []string{filepath.Join(dir, "lib/gstreamer-1.0")}},
		"by a variable":    {map[string]string{"GST_PLUGIN_SYSTEM_PATH": filepath.Join(dir, "lib/gstreamer-1.0")}, []string{filepath.Join(dir, "lib/gstreamer-1.0")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := scan.Prepare(environment(c.vars), filepath.Join(dir, "lib", "libgstreamer-1.0.so.0"))
			require.NoError(t, err)
			require.Equal(t, c.hidden, r.Hidden)
			value := c.vars["GST_PLUGIN_SYSTEM_PATH_1_0"] + c.vars["GST_PLUGIN_SYSTEM_PATH"]
			paths := filepath.SplitList(value)
			require.FileExists(t, filepath.Join(paths[len(paths)-1], "libgstcore.so"))
			require.NoFileExists(t, filepath.Join(paths[len(paths)-1], scan.Library))
			require.NoError(t, r.Close())
		})
	}
}

func TestNothingIsDoneWhereItIsNot(t *testing.T) {
	t.Parallel()
	dir := tree(t, "lib/gstreamer-1.0/libgstcore.so")
	vars := map[string]string{"GST_PLUGIN_PATH": dir, "HOME": dir}
	r, err := scan.Prepare(environment(vars), filepath.Join(dir, "lib", "libgstreamer-1.0.so.0"))
	require.NoError(t, err)
	require.Empty(t, r.Hidden)
	require.Equal(t, map[string]string{"GST_PLUGIN_PATH": dir, "HOME": dir}, vars)
	require.NoError(t, r.Close())
}
