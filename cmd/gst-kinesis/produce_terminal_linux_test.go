//go:build cgo

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
)

// On a terminal a bar shows how far it is, over itself, and leaves nothing behind.
func TestProduceOnATerminal(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	path := file(t, "lines", strings.Repeat("0123456789\n", 100))
	p, shown := startOnTerminal(t, 120, true, with(flags, "produce", "s", path, "--rate", "50/s", "--acks")...)
	require.Zero(t, p.status(t, 20*time.Second), shown)
	text := shown.waitFor(t, "in flight 0\r\n")
	require.Regexp(t, `\r\[#+\.+\]  \d\d%  ETA 0:00:0\d  0:00:0\d  [\d.]+ rec/s  [\d.]+ B/s  delivered \d+  dropped 0  in flight \d+`, text)
	require.Regexp(t, regexp.MustCompile(`produce to s: accepted 100 \(1\.0 kB\), delivered 100, dropped 0, in flight 0\r\n$`), text[strings.LastIndex(text, "\x1b[K")+3:])
	require.Equal(t, 100, strings.Count(text, "SequenceNumber="))
	require.NotRegexp(t, `rec/s[^\x1b]*SequenceNumber`, text, "the bar makes way for lines")
	_, got := stored(t, srv, "s")
	require.Len(t, got, 100)
}

// A second interrupt cuts short what the first one drains, and the books tell.
func TestProduceCut(t *testing.T) {
	t.Parallel()
	_, flags := endpoint(t, local.Settings{Create: streams("s"), Faults: []local.Rule{{Operations: []string{"PutRecords"}, Hang: true}}})
	path := file(t, "lines", "a\nb\n")
	p := startCLI(t, with(flags, "produce", "s", path, "--repeat", "forever", "--rate", "20/s", "--drain-timeout", "10m")...)
	p.log.waitFor(t, "level=WARN") // nobody answers
	p.interrupt(t)
	p.log.waitFor(t, "draining; once more stops at once")
	p.interrupt(t)
	require.Equal(t, statusIncomplete, p.status(t, 20*time.Second), p.log)
	b := p.books(t)
	require.Equal(t, b.accepted, b.dropped, b.line)
	require.Contains(t, b.line, "(stop ")
}

// A named pipe that nobody writes to does not keep the program from ending.
func TestProducePipe(t *testing.T) {
	t.Parallel()
	_, flags := endpoint(t, local.Settings{Create: streams("s")})
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	p := startCLI(t, with(flags, "produce", "s", path, "--status-interval", "50ms")...)
	p.log.waitFor(t, "msg=status")
	p.interrupt(t)
	require.Zero(t, p.status(t, 20*time.Second), p.log)
	require.Equal(t, 0, p.books(t).accepted)
}

// Who reads no more lines, as head does, does not keep the rest from being delivered.
func TestProduceToAClosedOutput(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	path := file(t, "lines", strings.Repeat("x\n", 100))
	self, err := os.Executable()
	require.NoError(t, err)
	lines, out, err := os.Pipe()
	require.NoError(t, err)
	p := &process{Cmd: exec.Command(self, with(flags, "produce", "s", path, "--rate", "100/s", "--acks")...), out: newBuffer(), log: newBuffer(), done: make(chan struct{})}
	p.Env = append(os.Environ(), beCLI+"=1")
	p.Stdout, p.Stderr = out, p.log
	require.NoError(t, p.Start())
	go func() { _ = p.Cmd.Wait(); close(p.done) }()
	t.Cleanup(p.kill)
	require.NoError(t, out.Close())
	_, err = lines.Read(make([]byte, 10))
	require.NoError(t, err)
	require.NoError(t, lines.Close())
	require.Zero(t, p.status(t, 20*time.Second), p.log)
	require.Equal(t, 100, p.books(t).delivered)
	_, got := stored(t, srv, "s")
	require.Len(t, got, 100)
}
