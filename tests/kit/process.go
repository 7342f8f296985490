package kit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a program that runs in a process group of its own. Its output is kept, and shown when the test fails.
type Process struct {
	tb   testing.TB
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  lines
	err  lines
	done chan struct{}
	why  error // of Wait; valid when done is closed
}

// Start starts a program. It is killed, group and all, when the test ends.
func Start(tb testing.TB, env []string, name string, args ...string) *Process {
	tb.Helper()
	p := &Process{tb: tb, name: name, cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Env = env
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.out.init()
	p.err.init()
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.WaitDelay = 5 * time.Second
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		tb.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		tb.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		p.why = p.cmd.Wait()
		p.out.close()
		p.err.close()
		close(p.done)
	}()
	tb.Cleanup(func() {
		p.Kill()
		if tb.Failed() {
			tb.Logf("%s %s\n%s%s", name, strings.Join(args, " "), tail(p.out.String()), tail(p.err.String()))
		}
	})
	return p
}

func tail(s string) string {
	const most = 6000
	if len(s) > most {
		return "…" + s[len(s)-most:]
	}
	return s
}

// Pid is the process's id, which is its group's too.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Signal sends a signal to the process alone.
func (p *Process) Signal(s os.Signal) {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.tb.Fatalf("signalling %s: %v", p.name, err)
	}
}

// Kill ends the process and its children at once and waits for it.
func (p *Process) Kill() {
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the end and gives the exit status; a death by signal fails the test, and so does Limit.
func (p *Process) Wait() int {
	p.tb.Helper()
	state := p.End()
	if state.Exited() {
		return state.ExitStatus()
	}
	p.tb.Fatalf("%s died of %v", p.name, state.Signal())
	return -1
}

// End waits for the end, however it comes.
func (p *Process) End() syscall.WaitStatus {
	p.tb.Helper()
	select {
	case <-p.done:
	case <-time.After(Limit):
		_ = syscall.Kill(p.cmd.Process.Pid, syscall.SIGABRT) // Go programs show what they do
		select {
		case <-p.done:
		case <-time.After(5 * time.Second):
		}
		p.tb.Fatalf("%s did not end within %v", p.name, Limit)
	}
	status, _ := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status
}

// CPU is the processor time that the process used, when it has ended.
func (p *Process) CPU() time.Duration {
	<-p.done
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// Say writes a line to the standard input.
func (p *Process) Say(line string) {
	p.tb.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.tb.Fatalf("writing to %s: %v", p.name, err)
	}
}

// Line gives the next line of the standard output that contains text; the process's end fails the test.
func (p *Process) Line(text string) string {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	line, err := p.out.next(ctx, text)
	if err != nil {
		p.tb.Fatalf("waiting for %q from %s: %v", text, p.name, err)
	}
	return line
}

// Out and Err give all output so far.
func (p *Process) Out() string { return p.out.String() }

// Err gives the standard error so far.
func (p *Process) Err() string { return p.err.String() }

// Run runs a program to its end, which must be exit status 0, and gives its output.
func Run(tb testing.TB, env []string, name string, args ...string) (stdout, stderr string) {
	tb.Helper()
	p := Start(tb, env, name, args...)
	if status := p.Wait(); status != 0 {
		tb.Fatalf("%s: exit status %d", name, status)
	}
	return p.Out(), p.Err()
}

// lines is an output: written by one, read line by line by another.
type lines struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	read   int
	closed bool
	more   chan struct{} // closed and made anew when something came
}

func (l *lines) init() { l.more = make(chan struct{}) }

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.more)
	l.more = make(chan struct{})
	return l.buf.Write(b)
}

func (l *lines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	close(l.more)
	l.more = make(chan struct{})
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// take gives the next whole line, or what to wait for.
func (l *lines) take() (line string, ok bool, more chan struct{}, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := l.buf.Bytes()[l.read:]
	if n := bytes.IndexByte(rest, '\n'); n >= 0 {
		l.read += n + 1
		return string(rest[:n]), true, nil, nil
	}
	if l.closed {
		return "", false, nil, io.EOF
	}
	return "", false, l.more, nil
}

func (l *lines) next(ctx context.Context, text string) (string, error) {
	for {
		line, ok, more, err := l.take()
		switch {
		case err != nil:
			return "", err
		case ok && strings.Contains(line, text):
			return line, nil
		case ok:
			continue
		}
		select {
		case <-more:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// Each calls f for each line of a text.
func Each(text string, f func(line string)) {
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		f(s.Text())
	}
}
