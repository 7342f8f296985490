// Command gst-kinesis is the command line of the project: an endpoint to try
// things with, pipelines, and tools for streams and records. It builds with
// and without cgo; without it the commands that need GStreamer say so.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	// The first signal asks for an orderly end; after it a second one kills.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	p := &program{in: os.Stdin, out: os.Stdout, err: os.Stderr, now: time.Now}
	status := p.run(ctx, os.Args)
	stop()
	os.Exit(status)
}
