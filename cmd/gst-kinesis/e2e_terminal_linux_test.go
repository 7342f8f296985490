//go:build cgo

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gst-kinesis/internal/local"
)

// openTerminal gives both ends of a pseudo terminal of a size.
func openTerminal(t *testing.T, columns uint16) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { screen.Close() })
	var number int
	conn, err := screen.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, conn.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
		if err == nil {
			err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns})
		}
	}))
	require.NoError(t, err)
	tty, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	return screen, tty
}

// startOnTerminal starts this program with both outputs, or its log alone, on a terminal.
func startOnTerminal(t *testing.T, columns uint16, both bool, args ...string) (p *process, shown *safeBuffer) {
	t.Helper()
	screen, tty := openTerminal(t, columns)
	self, err := os.Executable()
	require.NoError(t, err)
	p = &process{Cmd: exec.Command(self, args...), out: newBuffer(), log: newBuffer(), done: make(chan struct{})}
	p.Env = append(os.Environ(), beCLI+"=1", "TERM=xterm")
	p.Stderr, p.Stdout = tty, p.out
	if both {
		p.Stdout = tty
	}
	require.NoError(t, p.Start())
	tty.Close()
	shown = newBuffer()
	go func() { _, _ = io.Copy(shown, screen) }()
	go func() { _ = p.Cmd.Wait(); close(p.done) }()
	t.Cleanup(p.kill)
	return p, shown
}

func TestStatusLineOnATerminal(t *testing.T) {
	t.Parallel()
	for _, columns := range []uint16{40, 100} {
		t.Run(fmt.Sprint(columns), func(t *testing.T) {
			t.Parallel()
			_, flags := endpoint(t, local.Settings{Create: streams("s")})
			p, shown := startOnTerminal(t, columns, true, runLine(nil, testLine(flags))...)
			shown.waitFor(t, "\r0:00:01")
			shown.waitFor(t, "SequenceNumber=")
			p.interrupt(t)
			require.Zero(t, p.status(t, 20*time.Second), shown)
			shown.waitFor(t, "in flight 0\r\n")
			text := shown.String()
			for piece := range strings.SplitSeq(text, "\r") {
				if line, _, isStatus := strings.Cut(piece, "\x1b[K"); isStatus && strings.HasPrefix(line, "0:00:") {
					require.Less(t, len(line), int(columns), "it never wraps")
					require.Equal(t, columns == 100, strings.Contains(line, "in flight"))
				}
			}
			require.NotRegexp(t, `0:00:0\d[^\x1b]*SequenceNumber`, text, "the status line makes way for lines")
			require.NotContains(t, text[strings.LastIndex(text, "draining"):], "level=", "the log is for people")
			require.Regexp(t, `^kinesissink0 to s: accepted .*, in flight 0\r\n$`, text[strings.LastIndex(text, "\x1b[K")+3:], "nothing of the status line is left")
		})
	}
}

// Records that go elsewhere do not disturb the line, nor it them.
func TestStatusLineBesideAFile(t *testing.T) {
	t.Parallel()
	_, flags := endpoint(t, local.Settings{Create: streams("s")})
	p, shown := startOnTerminal(t, 100, false, runLine(nil, testLine(flags))...)
	shown.waitFor(t, "delivered")
	p.lines(t, 5)
	p.interrupt(t)
	require.Zero(t, p.status(t, 20*time.Second), shown)
	require.NotContains(t, p.out.String(), "\r")
	require.NotContains(t, shown.String(), "SequenceNumber")
}

// Ctrl-C on a terminal goes to the demo's camera, too, and is no loss.
func TestDemoOnATerminal(t *testing.T) {
	t.Parallel()
	screen, tty := openTerminal(t, 120)
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "demo", "--seconds", "60", "--no-footage", "--save", t.TempDir()+"/x.jpg")
	cmd.Env = append(os.Environ(), beCLI+"=1", "TERM=xterm", "PATH="+toolsDir(t)+":"+os.Getenv("PATH"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	tty.Close()
	p := &process{Cmd: cmd, out: newBuffer(), log: newBuffer(), done: make(chan struct{})}
	go func() { _, _ = io.Copy(p.out, screen) }()
	go func() { _ = cmd.Wait(); close(p.done) }()
	t.Cleanup(p.kill)
	p.out.waitFor(t, "read SequenceNumber=")
	p.out.waitFor(t, "read back ")
	_, err = screen.Write([]byte{3})
	require.NoError(t, err)
	require.Zero(t, p.status(t, 30*time.Second), p.out)
	p.out.waitFor(t, "they balance")
}
