package gsttest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"gst-kinesis/cgo/gst"
)

// inside marks the process that was started again with the tracer in its environment.
const inside = "GST_KINESIS_TEST_TRACED"

// Main is a package's TestMain. GStreamer reads its environment once, so the test binary executes itself again in place with the leaks
// tracer on and criticals fatal (G_DEBUG, unless it is set: set it to "" to live on). It initialises GStreamer, registers the
// plugins, runs the tests, ends GStreamer and fails with the names of the objects that are still alive then. It does not return.
func Main(m *testing.M, plugins ...*gst.PluginInfo) {
	if os.Getenv(inside) == "" {
		fmt.Fprintln(os.Stderr, "gsttest:", again())
		os.Exit(2)
	}
	os.Exit(run(m, plugins))
}

// again replaces the process by itself with the environment of the tracer; it returns only where that fails.
func again() error {
	log, err := os.CreateTemp("", "gst-kinesis-leaks-*.log")
	if err != nil {
		return fmt.Errorf("making the tracer's log: %w", err)
	}
	log.Close()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the test binary: %w", err)
	}
	env := append(os.Environ(), inside+"="+log.Name(), "GST_TRACERS="+join(";", os.Getenv("GST_TRACERS"), "leaks"),
		"GST_DEBUG="+join(",", os.Getenv("GST_DEBUG"), "GST_TRACER:7"), "GST_DEBUG_FILE="+log.Name(), "GST_DEBUG_NO_COLOR=1")
	if _, set := os.LookupEnv("G_DEBUG"); !set {
		env = append(env, "G_DEBUG=fatal-criticals")
	}
	return fmt.Errorf("starting %s again: %w", self, syscall.Exec(self, os.Args, env))
}

func join(sep, a, b string) string {
	if a == "" {
		return b
	}
	return a + sep + b
}

func run(m *testing.M, plugins []*gst.PluginInfo) int {
	name := os.Getenv(inside)
	defer os.Remove(name)
	if err := gst.Init(); err != nil {
		fmt.Fprintln(os.Stderr, "gsttest:", err)
		return 2
	}
	for _, p := range plugins {
		if err := gst.RegisterStatic(p); err != nil {
			fmt.Fprintln(os.Stderr, "gsttest:", err)
			return 2
		}
	}
	code := m.Run()
	gst.Deinit()
	left, err := alive(name)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "gsttest:", err)
		return max(code, 1)
	case len(left) > 0:
		fmt.Fprintf(os.Stderr, "gsttest: %d objects are left after the tests:\n\t%s\n", len(left), strings.Join(left, "\n\t"))
		return max(code, 1)
	}
	return code
}

// alive reads the tracer's log: one line for each object that was left when GStreamer ended. Other lines are copied to the standard error,
// as GST_DEBUG asked for them.
func alive(name string) ([]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening the tracer's log: %w", err)
	}
	defer f.Close()
	var left []string
	for r := bufio.NewReader(f); ; {
		line, err := r.ReadString('\n')
		if object, ok := liveObject(line); ok {
			left = append(left, object)
		} else if !strings.Contains(line, "GST_TRACER") {
			fmt.Fprint(os.Stderr, line)
		}
		if err == io.EOF {
			return left, nil
		}
		if err != nil {
			return left, fmt.Errorf("reading the tracer's log: %w", err)
		}
	}
}

// liveObject reads a line such as
//
//	… GST_TRACER :0:: object-alive, type-name=(string)GstBus, address=(gpointer)0x…, description=(string)<bus0>, ref-count=(uint)1, trace=(string);
func liveObject(line string) (string, bool) {
	_, record, ok := strings.Cut(line, "object-alive, ")
	if !ok || strings.Contains(record, "%p") { // the format of the record comes first
		return "", false
	}
	return strings.TrimSuffix(strings.TrimSuffix(strings.TrimSpace(record), ";"), ", trace=(string)"), true
}
