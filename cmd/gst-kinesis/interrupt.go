package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// interrupts tells of the signals after the first, which ends ctx: what is returned is closed by the second, and a third kills.
func interrupts(ctx context.Context) (force <-chan struct{}, stop func()) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	forced, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer signal.Stop(signals)
		select {
		case <-ctx.Done():
		case <-done:
			return
		}
		select {
		case <-signals: // the first one, which ended ctx
		case <-done:
			return
		}
		select {
		case <-signals:
			close(forced)
		case <-done:
		}
	}()
	return forced, func() { close(done) }
}

// outliveOutput makes an output that nobody reads any more an error of writing, and not the end of the process, until it is told to stop:
// what was accepted is then still delivered and counted.
func outliveOutput() (stop func()) {
	unread := make(chan os.Signal, 1)
	signal.Notify(unread, syscall.SIGPIPE)
	return func() { signal.Stop(unread) }
}
