package main

import (
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

func logLevelFlag() cli.Flag {
	return &cli.StringFlag{Name: "log-level", Value: "info", Usage: "what is logged to standard error: `LEVEL` debug, info, warn or error"}
}

// setUpLog makes the logger: coloured on a terminal, plain text elsewhere.
func (p *program) setUpLog(c *cli.Context) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.String("log-level"))); err != nil {
		return usageError("--log-level %q is none of debug, info, warn, error", c.String("log-level"))
	}
	p.log = slog.New(logHandler(p.err, level, isTerminal(p.err) && os.Getenv("NO_COLOR") == ""))
	return nil
}

func logHandler(w io.Writer, level slog.Level, terminal bool) slog.Handler {
	if terminal {
		return tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: time.TimeOnly})
	}
	return slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})
}

// isTerminal tells whether a writer is somebody's screen.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
