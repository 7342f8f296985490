package kit

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// CC compiles C sources against pkg-config packages and gives the program's path. Warnings are errors.
func CC(tb testing.TB, packages []string, sources ...string) string {
	tb.Helper()
	args := []string{"-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-D_GNU_SOURCE", "-pthread"}
	out := filepath.Join(tb.TempDir(), strings.TrimSuffix(filepath.Base(sources[0]), ".c"))
	args = append(append(args, "-o", out), sources...)
	if len(packages) > 0 {
		flags, err := exec.Command("pkg-config", append([]string{"--cflags", "--libs"}, packages...)...).Output()
		if err != nil {
			tb.Fatalf("pkg-config %s: %v", strings.Join(packages, " "), err)
		}
		args = append(args, strings.Fields(string(flags))...)
	}
	if text, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		tb.Fatalf("gcc %s: %v\n%s", strings.Join(sources, " "), err, text)
	}
	return out
}
