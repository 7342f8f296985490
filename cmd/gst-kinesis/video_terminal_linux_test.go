//go:build cgo

package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Matroska is not written to a terminal; a file's progress is shown on one, and an interrupt ends it well.
func TestVideoGetOnATerminal(t *testing.T) {
	t.Parallel()
	srv, flags := videoEndpoint(t, time.Hour)
	film(t, srv, 320, 1, 2, 3)
	p, shown := startOnTerminal(t, 120, true, with(flags, "video", "get", "cam", "--start", "earliest")...)
	require.Equal(t, statusUsage, p.status(t, 20*time.Second), shown)
	shown.waitFor(t, "nothing for a terminal")

	name := filepath.Join(t.TempDir(), "a.mkv")
	p, shown = startOnTerminal(t, 120, true, with(flags, "video", "get", "cam", "--start", "earliest", "-o", name)...)
	shown.waitFor(t, "1 fragments")
	p.interrupt(t)
	require.Zero(t, p.status(t, 20*time.Second), shown)
	shown.waitFor(t, "interrupted")
}
