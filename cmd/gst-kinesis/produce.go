package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/cmd/gst-kinesis/internal/status"
	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/deadletter"
	"gst-kinesis/internal/places"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/spool"
	"gst-kinesis/internal/wire"
)

func (p *program) produceCommand() *cli.Command {
	flags := producerFlags(inputFlags(), keyFlags(), sendingFlags(), linkFlags("SENDING"), keptFlags(), loadFlags(), metricsFlags(), shownFlags())
	return &cli.Command{
		Name:      "produce",
		Usage:     "write lines, messages or whole files to a stream, a record each",
		ArgsUsage: "STREAM [FILE]...",
		Description: "STREAM is a name or an ARN; with --stream all arguments are files. Without a FILE, or for -, standard input is read.\n" +
			"SIGINT and SIGTERM end the reading and drain what was read, a second one cuts that short. Exit status: 0 when all that was\n" +
			"accepted was delivered or became dead letters, 3 when records were lost or are left in the spool, or files were not read to\n" +
			"their end, 1 when it failed.",
		Action: p.produce,
		Flags:  flags,
	}
}

// producerFlags are the flags of a command that sends by a producer.
func producerFlags(own ...[]cli.Flag) []cli.Flag {
	flags := awsFlags(slices.Concat(own...)...)
	for _, f := range flags {
		if d, ok := f.(*cli.DurationFlag); ok && d.Name == "request-timeout" {
			d.Value = producer.Default().RequestTimeout // shorter: others wait behind a request
		}
	}
	return flags
}

// production is what is to be written, where and how.
type production struct {
	name       string // of the command
	stream     awscfg.Stream
	feed       *feed
	keys       *recordKeys
	settings   producer.Settings
	wire       wire.Mode
	duration   time.Duration // 0: no bound
	bandwidth  uint64        // bits a second; 0: no bound
	places     places.Settings
	letters    deadletter.Target // where places says so
	draining   bool              // there is nothing but what is in the spool
	askLargest bool              // the stream says what its largest record is
	left       spool.Stats       // what an earlier run left in the spool
}

func (p *program) produce(c *cli.Context) error {
	pr, err := p.newProduction(c)
	if err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return p.dryRun(c.Context, pr)
	}
	if pr.feed.typed() {
		p.log.Info("reading from the terminal: a line is a record, Ctrl-D ends")
	}
	if text := pr.keys.mixesOrder(pr.settings.Ordering); text != "" {
		p.log.Warn(text)
	}
	return p.send(c, pr)
}

// newProduction reads the command line.
func (p *program) newProduction(c *cli.Context) (*production, error) {
	name, files := c.String("stream"), c.Args().Slice()
	if name == "" {
		if len(files) == 0 {
			return nil, usageError("produce: give the STREAM's name or ARN (see %s --help)", nameOf(c))
		}
		name, files = files[0], files[1:]
	}
	pr := &production{name: "produce", duration: c.Duration("duration")}
	if pr.duration < 0 || c.Duration("status-interval") < 0 {
		return nil, usageError("--duration and --status-interval must not be negative")
	}
	var err error
	if pr.stream, err = awscfg.ParseStream(name); err != nil {
		return nil, err
	}
	if pr.settings, err = producerSettings(c, pr.stream); err != nil {
		return nil, usageError("produce: %v", err)
	}
	if pr.wire, err = wire.ParseMode(c.String("wire")); err != nil {
		return nil, usageError("produce: --wire: %v", err)
	}
	if pr.keys, err = newRecordKeys(c); err != nil {
		return nil, usageError("produce: %v", err)
	}
	if err = cmp.Or(pr.keep(c), pr.link(c)); err != nil {
		return nil, usageError("produce: %v", err)
	}
	pr.feed, err = p.newFeed(c, files)
	return pr, err
}

// send writes to the stream.
func (p *program) send(c *cli.Context, pr *production) error {
	reading, cancel := context.WithCancelCause(c.Context)
	defer cancel(nil)
	v := p.newProduceView(c, pr, cancel)
	shown, err := p.showMetrics(c)
	if err != nil {
		return err
	}
	defer shown.Leave()
	w, err := p.openWay(c, pr, v)
	if err != nil {
		return err
	}
	prod := w.producer
	pr.keys.producer = prod
	shown.Publish(sourceOf(prod, pr.stream, "produce"))
	force, stop := interrupts(c.Context)
	defer stop()
	defer outliveOutput()()
	if n := pr.left.Records; n > 0 {
		v.log.Info(pr.greeting(), "records", n, "bytes", pr.left.Bytes, "directory", pr.places.SpoolDirectory)
	}
	end := v.shown(c.Context, prod, func() ending {
		end := pr.read(reading, prod)
		end.left = pr.drain(c.Context, force, prod, end)
		end.why = pr.why(end, c.Context.Err() != nil)
		prod.Close()
		return end
	})
	left := w.close()
	books := booksOf(pr.stream.Name, prod.Books())
	books.Sink = pr.name
	pr.tellLeft(v, prod.Books())
	v.conclude(books, end)
	if err := pr.verdict(end, books); err != nil {
		return err
	}
	return left
}

// why says what ended it, once it has drained.
func (pr *production) why(end ending, interrupted bool) string {
	switch {
	case errors.Is(end.left, producer.ErrFailed):
		return "an error"
	case pr.draining && interrupted:
		return errInterrupt.Error()
	case pr.draining && end.left == nil:
		return "the end of the spool"
	case pr.draining:
		return "drain-timeout"
	}
	return end.why
}

// The ways in which reading ends beside the end of the input.
var (
	errInterrupt = errors.New("interrupt")
	errDuration  = errors.New("duration")
)

// ending is how it ended.
type ending struct {
	why  string
	err  error // of the input, or of a record that was refused
	left error // of draining
}

// read feeds the producer until the input or the time is over, somebody interrupts, or the stream fails.
func (pr *production) read(ctx context.Context, prod *producer.Producer) ending {
	if pr.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, pr.duration, errDuration)
		defer cancel()
	}
	err := pr.feed.run(ctx, &sender{producer: prod, keys: pr.keys})
	cause := context.Cause(ctx)
	switch {
	case err == nil:
		return ending{why: "the end of the input"}
	case errors.Is(err, producer.ErrFailed), errors.As(cause, new(producer.Trouble)):
		return ending{why: "an error"} // draining tells which
	case ctx.Err() == nil:
		return ending{why: "an error", err: err}
	case errors.Is(cause, errDuration):
		return ending{why: errDuration.Error()}
	}
	return ending{why: errInterrupt.Error()}
}

// interruptedDrain is a production's grace.
const interruptedDrain = 10 * time.Second

// drain waits for what was read to be delivered.
func (pr *production) drain(ctx context.Context, force <-chan struct{}, prod *producer.Producer, end ending) error {
	waiting, cancel := context.WithCancel(context.Background())
	defer cancel()
	hurry := ctx.Done()
	if end.why == errDuration.Error() {
		closed := make(chan struct{})
		close(closed)
		hurry = closed
	}
	go func() {
		var late <-chan time.Time
		for {
			select {
			case <-hurry:
				hurry = nil
				if pr.settings.DrainTimeout < 0 {
					late = time.After(pr.grace())
				}
				continue
			case <-force:
			case <-late:
			case <-waiting.Done():
			}
			cancel()
			return
		}
	}()
	return prod.Flush(waiting)
}

// verdict is the exit status, and what is said of it.
func (pr *production) verdict(end ending, books status.Books) error {
	var trouble producer.Trouble
	incomplete := func(format string, args ...any) error {
		return &statusError{status: statusIncomplete, text: pr.name + ": " + fmt.Sprintf(format, args...)}
	}
	switch lost, spooled := books.Lost(), books.Spooled.Records; {
	case errors.Is(end.left, producer.ErrFailed) && errors.As(end.left, &trouble):
		return fmt.Errorf("writing to stream %s: %w", pr.stream.Name, trouble)
	case end.err != nil:
		return end.err
	case lost > 0 && spooled > 0:
		return incomplete("%d accepted records were lost, and %d are still in the spool in %s", lost, spooled, pr.places.SpoolDirectory)
	case lost > 0:
		return incomplete("%d accepted records were not delivered", lost)
	case spooled > 0:
		return incomplete("%d accepted records are not delivered yet and still in the spool in %s", spooled, pr.places.SpoolDirectory)
	case pr.left.LostRecords > 0:
		return incomplete("%d records in the spool in %s were damaged and are lost", pr.left.LostRecords, pr.places.SpoolDirectory)
	case end.why == errInterrupt.Error() && pr.feed.total > 0:
		return incomplete("interrupted before the end of the input; all that was read was delivered")
	}
	return nil
}

// booksOf gives a producer's books as they are shown.
func booksOf(stream string, b producer.Books) (out status.Books) {
	count := func(c producer.Count) status.Count {
		return status.Count{Records: uint64(max(c.Records, 0)), Bytes: uint64(max(c.Bytes, 0))} //nolint:gosec // counts
	}
	out = status.Books{
		Sink: "produce", Stream: stream, Accepted: count(b.Accepted), Delivered: count(b.Delivered), Dropped: count(b.DroppedAll()),
		DeadLettered: count(b.DeadLettered), Spooled: count(b.Spooled), InFlight: count(b.InFlight), ByReason: map[string]uint64{},
	}
	for reason, c := range b.Dropped {
		out.ByReason[reason] = count(c).Records
	}
	return out
}
