// Command gst-kinesis-camera is an RTSP camera for trying and testing: it shows a clip over and over without a gap in
// time, or a moving test picture whose frames are numbered so that a machine can read them. See docs/camera.md.
//
//	gst-kinesis-camera --file clip.mp4
//	gst-kinesis-camera --size 1280x720 --rate 30 --codec h265 --mount /front --mount /back=clip.mp4 --port 0
//
// When it serves it prints one line for each mount on standard output, its URL; everything else goes to standard error.
// It runs until SIGINT or SIGTERM and then exits with 0; with 1 for what went wrong, 2 for wrong flags.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/lmittmann/tint"
	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit statuses.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// run is the command; it returns the exit status when ctx ends or something fails.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := newApp(stdout, stderr).RunContext(ctx, args)
	if err == nil || errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "gst-kinesis-camera: %v\n", err)
	var usage *usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitError
}

// A usageError is about the flags.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// newLog writes for people: coloured on a terminal, plain lines elsewhere.
func newLog(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level}))
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}
