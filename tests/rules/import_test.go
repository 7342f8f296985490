package rules

import (
	"strings"
	"testing"
)

// helpers are what tests may use beside what their folder may import.
var helpers = []string{"cgo/gsttest", "tests/kit", "internal/local/localtest", "cgo/gstrtsp/rtsptest"}

// mayImport says whether a folder may import another of ours. That there is no circle the compiler sees to.
func mayImport(from, to string, test bool) bool {
	switch {
	case under(from, "internal"):
		return under(to, "internal") // its tests too: they pass without cgo
	case under(from, "cgo"):
		return under(to, "cgo") && (test || under(from, "cgo/gsttest") || !under(to, "cgo/gsttest"))
	case under(from, "pipelines"):
		return under(to, "internal", "pipelines")
	case from == "plugins":
		return under(to, "plugins", "internal") || to == "cgo/gst" || test && under(to, helpers...)
	case under(from, "plugins/internal"): // what elements share and what needs GStreamer
		return under(to, "plugins/internal", "internal") || to == "cgo/gst" || test && under(to, helpers...)
	case under(from, "plugins"):
		own := under(to, element(from), "plugins/internal") || under(to, "internal") || to == "cgo/gst" || to == "cgo/kvsproducer"
		return own || test && (to == "plugins" || under(to, helpers...)) // the list of elements, to register them
	case from == "cmd/libgstkinesis":
		return to == "plugins" || to == "cgo/gst"
	case under(from, "cmd/gst-kinesis-camera"):
		return under(to, "cmd/gst-kinesis-camera", "cgo/gstrtsp", "internal") || test && under(to, helpers...)
	case under(from, "cmd"):
		if under(to, "cgo/gstrtsp") { // nothing else links gst-rtsp-server
			return test && to == "cgo/gstrtsp/rtsptest"
		}
		return under(to, commandOf(from), "plugins", "pipelines", "internal", "cgo") || test && under(to, "cmd", "tests/kit")
	}
	return under(from, "tests")
}

// commandOf is the folder of the command that a folder belongs to.
func commandOf(dir string) string {
	parts := strings.SplitN(dir, "/", 3)
	return strings.Join(parts[:2], "/")
}

// TestImports: cmd -> plugins, pipelines, internal; an element -> cgo/gst, internal, no other element; internal -> internal; cgo -> cgo.
func TestImports(t *testing.T) {
	for _, s := range tree(t) {
		for _, i := range s.imports {
			to, ours := strings.CutPrefix(i, module)
			if ours && to != s.dir && !mayImport(s.dir, to, s.test) {
				t.Errorf("%s imports %s", s.path, i)
			}
			if !s.test && under(s.dir, "internal", "pipelines", "plugins", "cgo/gst", "cmd") && under(i, "testing", "github.com/stretchr/testify") &&
				!under(s.dir, "internal/local/localtest", "cgo/gsttest") {
				t.Errorf("%s imports %s", s.path, i)
			}
		}
	}
}

// TestWhereCIs: C stands in the folders under cgo and in the c-shared main, nowhere else.
func TestWhereCIs(t *testing.T) {
	found := 0
	for _, s := range tree(t) {
		for _, i := range s.imports {
			if i != "C" {
				continue
			}
			found++
			if !under(s.dir, "cgo", "cmd/libgstkinesis") {
				t.Errorf("%s imports C", s.path)
			}
		}
	}
	if found == 0 {
		t.Error("there is no C at all: this test looks in the wrong place")
	}
}

// TestTheRuleItself shows that mayImport says no where it should.
func TestTheRuleItself(t *testing.T) {
	for _, c := range []struct {
		from, to string
		test, ok bool
	}{
		{"internal/producer", "cgo/gst", false, false},
		{"internal/producer", "cgo/gsttest", true, false},
		{"internal/producer", "plugins", false, false},
		{"internal/producer", "internal/shard", false, true},
		{"plugins/kinesissink", "plugins/subsample", false, false},
		{"plugins/kinesissink", "plugins/kinesissink/part", false, true},
		{"plugins/kinesissink", "plugins/internal/bus", false, true},
		{"plugins/internal/bus", "plugins/kinesissink", false, false},
		{"internal/producer", "plugins/internal/bus", false, false},
		{"plugins/kinesissink", "cgo/gstrtsp", false, false},
		{"plugins/kinesissink", "cgo/gsttest", false, false},
		{"plugins/kinesissink", "cgo/gsttest", true, true},
		{"plugins/kinesissink", "cgo/gst", false, true},
		{"cgo/gst", "internal/shard", false, false},
		{"cgo/gst", "cgo/gsttest", false, false},
		{"cgo/gst", "cgo/gsttest", true, true},
		{"cmd/gst-kinesis", "cgo/gstrtsp", false, false},
		{"cmd/gst-kinesis", "plugins", false, true},
		{"cmd/gst-kinesis", "cmd/gst-kinesis-camera/picture", false, false},
		{"cmd/libgstkinesis", "internal/shard", false, false},
	} {
		if got := mayImport(c.from, c.to, c.test); got != c.ok {
			t.Errorf("%s -> %s (test %v): %v", c.from, c.to, c.test, got)
		}
	}
}
