//go:build cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cmd/gst-kinesis/internal/pipeline"
	"gst-kinesis/cmd/gst-kinesis/internal/scan"
	"gst-kinesis/cmd/gst-kinesis/internal/status"
	"gst-kinesis/internal/listing"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/supervise"
	"gst-kinesis/plugins"
)

// startGStreamer makes GStreamer and the elements ready. What it returns is called when no pipeline runs any more.
func (p *program) startGStreamer() (stop func(), err error) {
	found, err := scan.Prepare(scan.Process(), gst.LibraryFile())
	if err != nil {
		return nil, err
	}
	if found.Ignored != "" {
		p.log.Warn("the plugin scanner that the environment names cannot be run", "scanner", found.Ignored, "instead", found.Scanner)
	}
	for _, dir := range found.Hidden {
		p.log.Warn("there is no gst-plugin-scanner, so "+scan.Library+" is kept out of this process; its elements are built in", "directory", dir)
	}
	stop = func() {
		if err := found.Close(); err != nil {
			p.log.Warn("removing the temporary plugin folder", "error", err)
		}
	}
	if err = gst.Init(); err == nil {
		gst.ForgetLibrary(scan.Library)
		err = gst.RegisterStatic(plugins.InfoWith(&metrics.Registry{Out: p.err}))
	}
	if err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// runOptions say how a run is shown and kept going.
type runOptions struct {
	level     string // of the log
	quiet     bool
	interval  time.Duration // between status lines elsewhere than on a terminal
	supervise supervise.Settings
	metrics   metrics.Options
	prefix    string // of the lines of accepted records
	extend    func(*status.Sample)
}

// runner runs one pipeline and shows how it fares.
type runner struct {
	display
	opt  runOptions
	now  func() time.Time
	buf  []byte // of the goroutine that reads the bus, as is said
	said repeats

	mu   sync.Mutex
	note map[string]time.Time // sources that are lost, and since when
}

func newRunner(p *program, opt runOptions) *runner {
	return &runner{opt: opt, now: p.now, display: p.newDisplay(screenOn(p.err), opt.level), note: map[string]time.Time{}}
}

// run runs a launch line to its end, prints the books and returns the exit status as an error.
func (r *runner) run(ctx context.Context, launch string) error {
	out, books, err := r.play(ctx, launch)
	if err != nil {
		return err
	}
	for _, b := range books {
		r.printBooks(b)
	}
	return verdict(out, books)
}

// play runs a launch line to its end and gives the books of its sinks.
func (r *runner) play(ctx context.Context, launch string) (pipeline.Outcome, []pipeline.Books, error) {
	p, err := pipeline.Open(launch, pipeline.Settings{Acks: !r.opt.quiet, Supervise: r.opt.supervise, Metrics: r.opt.metrics}, r)
	if err != nil {
		return pipeline.Outcome{}, nil, err
	}
	defer p.Close()
	force, stop := interrupts(ctx)
	defer stop()
	ended := make(chan struct{})
	var showing sync.WaitGroup
	showing.Go(func() { r.show(ctx, p, ended) })
	out := p.Run(ctx, force)
	close(ended)
	showing.Wait()
	return out, p.Books(), nil
}

// show keeps the status shown until the run has ended.
func (r *runner) show(ctx context.Context, p *pipeline.Pipeline, ended <-chan struct{}) {
	meter := status.NewMeter(r.now())
	interval := r.opt.interval
	if r.screen.Terminal() {
		interval = redraw
	}
	if interval == 0 {
		interval = math.MaxInt64
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	defer r.screen.Set("")
	interrupted := ctx.Done()
	for {
		select {
		case <-ended:
			return
		case <-interrupted:
			interrupted = nil
			if errors.Is(ctx.Err(), context.Canceled) {
				r.log.Info("draining; once more stops at once")
			}
		case <-ticker.C:
			report := meter.Report(r.now(), r.sample(p))
			if r.screen.Terminal() {
				r.screen.Set(report.Line())
			} else {
				r.log.Info("status", report.Attrs()...)
			}
		}
	}
}

// sample sums up all sinks and sources.
func (r *runner) sample(p *pipeline.Pipeline) status.Sample {
	books := p.Books()
	s := status.Sample{Frames: len(books) > 0 && !slices.ContainsFunc(books, func(b pipeline.Books) bool { return !b.Frames })}
	for _, b := range books {
		s.Records += b.Delivered.Records
		s.Bytes += b.Delivered.Bytes
		s.Dropped += b.Dropped.Records
		s.InFlight += b.InFlight.Records
		s.Spooled += b.Spooled.Records
		s.DeadLettered += b.DeadLettered.Records
	}
	for _, src := range p.Sources() {
		s.Live = true
		s.Losses += src.Losses
		s.Reconnects += src.Reconnects
		s.Downtime += src.Downtime
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var notes []string
	for name, since := range r.note {
		notes = append(notes, fmt.Sprintf("%s lost for %s", name, status.Clock(r.now().Sub(since))))
	}
	s.Note = strings.Join(notes, ", ")
	if r.opt.extend != nil {
		r.opt.extend(&s)
	}
	return s
}

// ---- pipeline.Events ----

// Acks prints a line for each record.
func (r *runner) Acks(_ string, acks []pipeline.Ack) {
	if r.opt.quiet {
		return
	}
	r.buf = r.buf[:0]
	for _, a := range acks {
		r.buf = append(r.buf, r.opt.prefix...)
		r.buf = listing.AppendHead(r.buf, a.SequenceNumber, a.ShardID, a.PartitionKey, int(a.Bytes))
	}
	_, _ = r.out.Write(r.buf) // whoever closed the output wants no lines; the run goes on
}

// Warning logs what an element warns of. What it says over and over is said again now and then only, with how often it was.
func (r *runner) Warning(m *gst.Message) {
	text := strings.TrimSpace(m.Err.Text)
	if again, times := r.said.again(m.Source+text, r.now()); !again {
		attrs := details(m)
		if times > 0 {
			attrs = append(attrs, "times", times)
		}
		r.log.Warn(text, attrs...)
	}
}

// Info logs what an element tells.
func (r *runner) Info(m *gst.Message) { r.log.Info(strings.TrimSpace(m.Err.Text), details(m)...) }

// details gives what a program reads from a message, without what its text says already.
func details(m *gst.Message) []any {
	attrs := []any{"element", m.Source}
	for _, name := range []string{"aws-error-code", "http-status-code", "request-id", "count", "remedy"} {
		v := m.Structure.Get(name)
		if v == nil || v == "" || v == uint32(0) || v == uint64(0) {
			continue
		}
		if text, ok := v.(string); ok && strings.Contains(strings.ToLower(m.Err.Text), strings.ToLower(text)) {
			continue
		}
		attrs = append(attrs, name, v)
	}
	return attrs
}

// Lost logs that a source is lost.
func (r *runner) Lost(source string, l supervise.Loss) {
	r.mu.Lock()
	if _, lost := r.note[source]; !lost {
		r.note[source] = r.now().Add(-l.Down)
	}
	r.mu.Unlock()
	if l.Next == 0 {
		return // it is the error that the run ends with
	}
	r.log.Warn("the source is lost and is started again", "source", source, "why", l.Error(), "tries", l.Tries, "lost-for", l.Down.Round(100*time.Millisecond),
		"next-try", l.Next.Round(10*time.Millisecond))
}

// Stuck logs that a source does not come back.
func (r *runner) Stuck(source, doing string) {
	r.log.Warn(doing+" the source takes long", "source", source)
}

// Back logs that data flows again.
func (r *runner) Back(source string, down time.Duration) {
	r.mu.Lock()
	delete(r.note, source)
	r.mu.Unlock()
	r.log.Info("the source is back", "source", source, "lost-for", down.Round(100*time.Millisecond))
}

// quietly hears nothing.
type quietly struct{}

func (quietly) Acks(string, []pipeline.Ack) {}
func (quietly) Warning(*gst.Message)        {}
func (quietly) Info(*gst.Message)           {}
func (quietly) Lost(string, supervise.Loss) {}
func (quietly) Stuck(string, string)        {}
func (quietly) Back(string, time.Duration)  {}

// printBooks prints what became of a sink's records.
func (r *runner) printBooks(b pipeline.Books) { fmt.Fprintln(r.err, b.Line()) }
