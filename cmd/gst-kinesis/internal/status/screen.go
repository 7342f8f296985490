// Package status shows how a run fares: on a terminal by a line that is written over in place, elsewhere by lines of the log.
package status

import (
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// Screen lets lines of output and a status line share a terminal: the status line is always the last. Its writers are safe for concurrent
// use; each Write should hold whole lines.
type Screen struct {
	mu     sync.Mutex // held while writing
	tty    io.Writer  // where the status line stands; nil: nowhere
	width  func() int // columns of the terminal; 0: not known
	status string
	shown  bool
}

// NewScreen gives a screen whose status line stands on tty, a terminal of width columns; nil where there is none.
func NewScreen(tty io.Writer, width func() int) *Screen { return &Screen{tty: tty, width: width} }

// Terminal says whether there is a place for a status line.
func (s *Screen) Terminal() bool { return s.tty != nil }

// Writer gives a writer of lines to w. onTerminal says that w is the terminal, too: then the status line makes way.
func (s *Screen) Writer(w io.Writer, onTerminal bool) io.Writer {
	return &lines{s: s, w: w, over: onTerminal && s.tty != nil}
}

type lines struct {
	s    *Screen
	w    io.Writer
	over bool
}

// Write writes lines.
func (l *lines) Write(p []byte) (int, error) {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if !l.over {
		return l.w.Write(p)
	}
	l.s.erase()
	n, err := l.w.Write(p)
	l.s.draw()
	return n, err
}

// Set changes the status line; empty takes it away.
func (s *Screen) Set(status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tty == nil {
		return
	}
	s.status = status
	if status == "" {
		s.erase()
		return
	}
	s.draw()
}

const (
	clearLine = "\r\x1b[K"
	clearTail = "\x1b[K"
)

// erase and draw: a terminal that is gone is not a reason to stop a run, so errors are left.
func (s *Screen) erase() {
	if s.shown {
		_, _ = io.WriteString(s.tty, clearLine)
	}
	s.shown = false
}

func (s *Screen) draw() {
	if s.status == "" {
		return
	}
	_, _ = io.WriteString(s.tty, "\r"+fit(s.status, s.width())+clearTail)
	s.shown = true
}

// fit cuts a line to fewer columns than the terminal has, so that it never wraps: a wrapped line cannot be written over. Control characters
// would move the cursor; they become spaces. What is not ASCII counts as two columns, which is never too few.
func fit(line string, width int) string {
	if width <= 0 {
		width = 80
	}
	var b strings.Builder
	columns := 0
	for _, r := range line {
		if r < ' ' || r == 0x7f {
			r = ' '
		}
		n := 1
		if r >= utf8.RuneSelf {
			n = 2
		}
		if columns+n >= width {
			break
		}
		columns += n
		b.WriteRune(r)
	}
	return b.String()
}
