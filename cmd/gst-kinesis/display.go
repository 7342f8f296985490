package main

import (
	"io"
	"log/slog"
	"os"
	"time"

	"golang.org/x/term"

	"gst-kinesis/cmd/gst-kinesis/internal/status"
)

// display is what a long command writes to: lines, a log, and a status line that makes way for them.
type display struct {
	screen   *status.Screen
	out, err io.Writer // of whole lines
	log      *slog.Logger
}

// newDisplay lets the outputs share a screen; level is that of the log.
func (p *program) newDisplay(screen *status.Screen, level string) display {
	d := display{screen: screen, log: p.log}
	d.out = screen.Writer(p.out, isTerminal(p.out))
	d.err = screen.Writer(p.err, isTerminal(p.err))
	if screen.Terminal() {
		var l slog.Level
		_ = l.UnmarshalText([]byte(level)) // it was read before, by setUpLog
		d.log = slog.New(logHandler(d.err, l, os.Getenv("NO_COLOR") == ""))
	}
	return d
}

// redraw is how often the status line is written anew.
const redraw = 250 * time.Millisecond

// screenOn makes a screen with a status line where w is a terminal that can take one.
func screenOn(w io.Writer) *status.Screen {
	f, ok := w.(*os.File)
	if !ok || !isTerminal(w) || os.Getenv("TERM") == "dumb" {
		return status.NewScreen(nil, nil)
	}
	return status.NewScreen(f, func() int {
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0
		}
		return width
	})
}
