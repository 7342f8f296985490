//go:build cgo

package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
)

// The end of the process at any moment loses nothing of what it accepted.
func TestProduceSpoolsOverAKill(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s"), Limits: local.LimitsNone, Faults: []local.Rule{{Operations: []string{"PutRecords"}, Hang: true, After: 3}}})
	dir := filepath.Join(t.TempDir(), "spool")
	lines, want := numbers(0, 1999)
	p := startCLI(t, with(flags, "produce", "s", file(t, "lines", lines), "--spool-directory", dir, "--linger", "1ms", "--status-interval", "50ms")...)
	p.log.waitFor(t, "in-flight=")
	p.kill()
	waiting := left(t, dir)
	_, sent := stored(t, srv, "s")
	srv.ClearFaults()
	status, _, stderr := run(t, with(flags, "spool", "drain", dir, "--stream", "s")...)
	require.Zero(t, status, stderr)
	require.Empty(t, left(t, dir))
	_, got := stored(t, srv, "s")
	accepted := map[string]bool{}
	for _, data := range append(waiting, sent...) {
		accepted[data] = true
	}
	arrived := map[string]bool{}
	for _, data := range got {
		arrived[data] = true
	}
	require.Equal(t, accepted, arrived)
	require.Subset(t, want, waiting)
}

// On a terminal a bar shows how far a spool is drained; an interrupt ends that soon, and what is left stays.
func TestSpoolDrainOnATerminal(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s"), Limits: local.LimitsNone, Faults: refused()})
	dir := filepath.Join(t.TempDir(), "spool")
	r := begin(t, strings.Repeat(strings.Repeat("x", 999)+"\n", 400), with(flags, "produce", "s", "--spool-directory", dir, "--drain-timeout", "0s")...)
	require.Equal(t, statusIncomplete, r.wait(t), r.err)
	srv.ClearFaults()

	p, shown := startOnTerminal(t, 120, true, with(flags, "spool", "drain", dir, "--stream", "s", "--max-bandwidth", "800k")...)
	shown.waitFor(t, "[#")
	p.interrupt(t)
	begun := time.Now()
	require.Equal(t, statusIncomplete, p.status(t, 20*time.Second), shown)
	require.Less(t, time.Since(begun), 10*time.Second)
	text := shown.waitFor(t, "still in the spool in "+dir+"\r\n")
	require.Regexp(t, `\r\[#+\.+\]  +\d+%  ETA 0:00:\d\d  0:00:\d\d  [\d.]+ rec/s  [\d.]+ k?B/s  delivered \d+  dropped 0  in flight \d+`, text)
	require.Contains(t, text, "ending; what is not delivered stays in the spool")
	require.Contains(t, text, "ended-by=\x1b[0minterrupt")
	require.Regexp(t, regexp.MustCompile(`spool drain to s: accepted 400 \(399\.6 kB\), delivered \d+, dropped 0, spooled \d+, in flight 0\r\n`), text)
	_, before := stored(t, srv, "s")
	require.NotEmpty(t, left(t, dir))
	require.GreaterOrEqual(t, len(left(t, dir))+len(before), 400)

	p, shown = startOnTerminal(t, 120, true, with(flags, "spool", "drain", dir, "--stream", "s")...)
	require.Zero(t, p.status(t, 20*time.Second), shown)
	require.Empty(t, left(t, dir))
}
