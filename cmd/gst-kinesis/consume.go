package main

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/consumer"
	"gst-kinesis/internal/saving"
)

func (p *program) consumeCommand() *cli.Command {
	return &cli.Command{
		Name:      "consume",
		Usage:     "read all shards of a stream and print a line for each record",
		ArgsUsage: "STREAM",
		Description: "STREAM is a name or an ARN. Prints SequenceNumber=… ShardId=… PartitionKey=… Bytes=… for each record,\n" +
			"until interrupted. Exit status: 0 when it did what was asked, 3 when it ended before --count records.",
		Action: p.consume,
		Flags: awsFlags(
			fromFlag("latest"),
			&cli.BoolFlag{Name: "follow", Usage: "go on at the end of the stream; --follow=false ends there", Value: true},
			&cli.IntFlag{Name: "count", Usage: "end after `N` records", DefaultText: "no end"},
			&cli.DurationFlag{Name: "timeout", Usage: "end after this `TIME`, such as 30s", DefaultText: "no end"},
			&cli.DurationFlag{Name: "idle", Usage: "end when no record came for this `TIME`", DefaultText: "no end"},
			&cli.StringFlag{Name: "save", Usage: "write each payload to a file in `DIR`: .jpg, .h264, …"},
			&cli.BoolFlag{Name: "json", Usage: "print each record as JSON, one to a line"},
			&cli.BoolFlag{Name: "pretty", Usage: "print each record as indented JSON"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print no records"},
			&cli.BoolFlag{Name: "raw", Usage: "records as they lie in the stream: aggregates whole, what was compressed or came in parts as it is"},
			&cli.IntFlag{Name: "max-records", Usage: "ask for at most `N` records at a time", DefaultText: "as many as the service gives"},
		),
	}
}

func fromFlag(value string) cli.Flag {
	return &cli.StringFlag{Name: "from", Value: value,
		Usage: "where to begin: latest, trim-horizon, a time such as 2026-01-02T15:04:05Z or 1767366245.5, or how long ago, such as 10m"}
}

// position reads --from.
func (p *program) position(c *cli.Context) (consumer.Position, error) {
	switch text := c.String("from"); text {
	case "latest":
		return consumer.Latest(), nil
	case "trim-horizon", "trim_horizon":
		return consumer.TrimHorizon(), nil
	default:
		at, ok := parseTime(text, p.now())
		if !ok {
			return consumer.Position{}, usageError("--from %q is neither latest, trim-horizon, nor a time or duration", text)
		}
		return consumer.AtTimestamp(at), nil
	}
}

// parseUnix reads seconds since 1970.
func parseUnix(text string) (time.Time, bool) {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(seconds) || seconds < 0 || seconds > 1e11 {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(math.Round(seconds * 1e3))), true
}

func (p *program) consume(c *cli.Context) error {
	if err := takeArgs(c, "the STREAM's name or ARN"); err != nil {
		return err
	}
	from, err := p.position(c)
	if err != nil {
		return err
	}
	r, err := p.newReceiver(c)
	if err != nil {
		return err
	}
	t, err := openAWS(c, c.Args().First())
	if err != nil {
		return err
	}
	defer t.Close()
	reading, err := consumer.Start(t.Kinesis(), consumer.Options{
		Stream: t.stream.Name, StreamARN: t.stream.ARN, Region: t.Region(), Endpoint: t.Endpoint(),
		From: from, UntilTip: !c.Bool("follow"), MaxRecords: c.Int("max-records"), RequestTimeout: c.Duration("request-timeout"), Log: p.log, Raw: c.Bool("raw"),
	}, r.take)
	if err != nil {
		return err
	}
	why := await(c, reading, r.came)
	err = reading.Close()
	switch {
	case errors.Is(err, errEnough):
		why, err = "count", nil
	case err != nil:
		why = "an error"
	}
	s := reading.Stats()
	p.log.Info("read", "stream", t.stream.Name, "records", r.count(), "bytes", r.bytes(), "saved", r.saved(), "throttled", s.Throttled, "retried", s.Retried, "unread", s.Unread, "ended-by", why)
	switch {
	case err != nil:
		return err
	case r.limit > 0 && r.count() < r.limit:
		return &statusError{status: statusIncomplete, text: "consuming " + t.stream.Name + ": ended by " + why + " after " +
			strconv.Itoa(r.count()) + " of " + strconv.Itoa(r.limit) + " records"}
	}
	return nil
}

// newReceiver reads the flags about what is printed and saved, and when it is
// enough.
func (p *program) newReceiver(c *cli.Context) (*receiver, error) {
	if c.Int("count") < 0 || c.Duration("timeout") < 0 || c.Duration("idle") < 0 {
		return nil, usageError("--count, --timeout and --idle must not be negative")
	}
	r := &receiver{
		out: p.out, limit: c.Int("count"), quiet: c.Bool("quiet"), json: c.Bool("json"), pretty: c.Bool("pretty"), came: make(chan struct{}, 1),
	}
	var err error
	if dir := c.String("save"); dir != "" {
		r.folder, err = saving.Open(dir)
	}
	return r, err
}

// await waits for the end of reading, whatever brings it, and names it.
func await(c *cli.Context, reading *consumer.Consumer, came <-chan struct{}) string {
	ctx, idle := c.Context, c.Duration("idle")
	if d := c.Duration("timeout"); d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	var silence <-chan time.Time
	for {
		if idle > 0 {
			silence = time.After(idle)
		}
		select {
		case <-reading.Done():
			return "the end of the stream"
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return "timeout"
			}
			return "interrupt"
		case <-silence:
			return "silence"
		case <-came:
		}
	}
}
