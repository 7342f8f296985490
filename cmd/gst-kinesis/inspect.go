package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/consumer"
	"gst-kinesis/internal/listing"
)

// maxInspected bounds what is read of a file: no record is larger.
const maxInspected = 64 << 20

func (p *program) inspectCommand() *cli.Command {
	return &cli.Command{
		Name:      "inspect",
		Usage:     "show what is in a record, and what is wrong with it",
		ArgsUsage: "FILE | - | --stream STREAM",
		Description: "FILE holds one record as it was put, msgpack or JSON; - reads standard input; --stream takes records\n" +
			"from a stream. Exit status: 0, or 1 when a record is broken.",
		Action: p.inspect,
		Flags: awsFlags(
			&cli.StringFlag{Name: "stream", Usage: "take records from a `STREAM`, by name or ARN"},
			fromFlag("trim-horizon"),
			&cli.IntFlag{Name: "count", Usage: "how many `RECORDS` of the stream", Value: 1},
			&cli.DurationFlag{Name: "timeout", Usage: "wait no longer than this `TIME` for records of the stream", DefaultText: "no end"},
		),
	}
}

func (p *program) inspect(c *cli.Context) error {
	if c.String("stream") != "" {
		if err := takeArgs(c); err != nil {
			return err
		}
		return p.inspectStream(c)
	}
	if err := takeArgs(c, "a FILE, - for standard input, or --stream"); err != nil {
		return err
	}
	name := c.Args().First()
	data, err := p.readInput(name)
	if err != nil {
		return fmt.Errorf("inspecting: %w", err)
	}
	if name == "-" {
		name = "standard input"
	}
	return broken(listing.Inspect(p.out, name, data, p.now()))
}

// broken maps the verdict to an exit status: what is wrong was printed.
func broken(err error) error {
	if errors.Is(err, listing.ErrBroken) {
		return &statusError{status: statusFailed}
	}
	return err
}

// readInput reads a file, or standard input for -.
func (p *program) readInput(name string) ([]byte, error) {
	in := p.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxInspected+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxInspected {
		return nil, fmt.Errorf("%s is larger than %d MiB and no record", name, maxInspected>>20)
	}
	return data, nil
}

// inspectStream shows the first records that a stream yields.
func (p *program) inspectStream(c *cli.Context) error {
	from, err := p.position(c)
	if err != nil {
		return err
	}
	limit := c.Int("count")
	if limit < 1 {
		return usageError("--count %d: inspect at least one record", limit)
	}
	t, err := openAWS(c, c.String("stream"))
	if err != nil {
		return err
	}
	defer t.Close()
	records := make(chan consumer.Batch)
	reading, err := consumer.Start(t.Kinesis(), consumer.Options{
		Stream: t.stream.Name, StreamARN: t.stream.ARN, Region: t.Region(), Endpoint: t.Endpoint(),
		From: from, MaxRecords: min(limit, 100), RequestTimeout: c.Duration("request-timeout"), Log: p.log,
	}, func(ctx context.Context, b consumer.Batch) error {
		select {
		case records <- b:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		return err
	}
	verdict := p.inspectBatches(c, reading, records, limit)
	if err := reading.Close(); err != nil {
		return err
	}
	return verdict
}

// inspectBatches shows records until there are enough.
func (p *program) inspectBatches(c *cli.Context, reading *consumer.Consumer, records <-chan consumer.Batch, limit int) error {
	ctx := c.Context
	if d := c.Duration("timeout"); d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	var verdict error
	for shown := 0; shown < limit; {
		select {
		case <-reading.Done():
			return nil
		case <-ctx.Done():
			return &statusError{status: statusIncomplete, text: fmt.Sprintf("inspecting: only %d of %d records came", shown, limit)}
		case b := <-records:
			for _, r := range b.Records[:min(len(b.Records), limit-shown)] {
				name := fmt.Sprintf("%s %s", b.ShardID, r.SequenceNumber)
				if err := broken(listing.Inspect(p.out, name, r.Data, p.now())); err != nil {
					verdict = err
				}
				shown++
			}
		}
	}
	return verdict
}
