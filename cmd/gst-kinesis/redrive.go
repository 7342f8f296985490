package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/deadletter"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
)

func (p *program) redriveCommand() *cli.Command {
	const choosing, sending = "WHICH LETTERS", "SENDING"
	text := func(category, name, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, Usage: usage, Category: category}
	}
	return &cli.Command{
		Name:      "redrive",
		Usage:     "send dead letters again: records that could not be delivered",
		ArgsUsage: "TARGET",
		Description: "TARGET is what kinesissink's dead-letter was set to: " + deadletter.Forms + ".\n" +
			"Letters go to the stream that they were meant for, and leave TARGET when they are delivered. Exit status: 0 when all chosen\n" +
			"letters were delivered, 3 when some were not, which then are still there, 1 when it failed.",
		Action: p.redrive,
		Flags: awsFlags(append(metricsFlags(),
			&cli.BoolFlag{Name: "dry-run", Usage: "print how many letters there are, by reason, and send nothing"},
			&cli.BoolFlag{Name: "list", Usage: "print a line for each letter, and send nothing"},
			&cli.StringSliceFlag{Name: "reason", Category: choosing, Usage: "letters of this `REASON`: oversize, retries, AccessDeniedException, …; may be given several times"},
			text(choosing, "since", "letters that were written at this `TIME` or later: 2026-01-02T15:04:05Z, or how long ago, such as 10m"),
			text(choosing, "until", "letters that were written before this `TIME`"),
			text(choosing, "partition-key", "letters with this partition `KEY`"),
			text(sending, "stream", "send to this `STREAM`, by name or ARN, in place of the one that a letter names"),
			text(sending, "key", "the partition `KEY` of letters that have no valid one; without it they stay where they are"),
			&cli.BoolFlag{Name: "keep", Category: sending, Usage: "leave the letters where they are when they are delivered, too"},
			text(sending, "rate", "send no faster than `N/s`: records a second, or bytes with a unit, such as 500kB/s"),
			&cli.StringFlag{Name: "max-record", Aliases: []string{"max-record-size"}, Value: "1MiB", Category: sending,
				Usage: "largest record, data and key, that the stream takes: `SIZE` up to 10MiB"},
			&cli.StringFlag{Name: "oversize", Value: producer.OversizeDrop.String(), Category: sending,
				Usage: "larger ones: `HOW` drop leaves them where they are, split sends them in parts, which only readers of gst-kinesis put together"},
			&cli.IntFlag{Name: "retry-attempts", Value: producer.Default().RetryAttempts, DefaultText: "for ever", Category: sending,
				Usage: "how `OFTEN` a record is sent again before its letter is left"},
			&cli.DurationFlag{Name: "status-interval", Value: 10 * time.Second, Usage: "`TIME` between status lines where there is no terminal; 0 for none"},
		)...),
	}
}

// redriving is what is to be sent again, and how.
type redriving struct {
	p        *program
	c        *cli.Context
	target   deadletter.Target
	filter   deadletter.Filter
	stream   awscfg.Stream     // where all letters go; the zero value where each goes to its own
	key      string            // of letters without a valid one
	keep     bool              // letters stay
	settings producer.Settings // but for the stream
	pace     *pacer            // nil: as fast as it goes

	seen    tally // chosen letters
	passed  int   // letters that were not chosen
	damaged int
	busy    int
}

func (p *program) redrive(c *cli.Context) error {
	if err := takeArgs(c, "the TARGET, "+deadletter.Forms); err != nil {
		return err
	}
	r, err := p.newRedriving(c)
	if err != nil {
		return err
	}
	switch list, dry := c.Bool("list"), c.Bool("dry-run"); {
	case list && dry:
		return usageError("redrive: --list prints each letter and --dry-run their numbers: give one of them")
	case list:
		return r.list(c.Context)
	case dry:
		return r.survey(c.Context)
	default:
		return r.send(c.Context)
	}
}

// newRedriving reads the command line.
func (p *program) newRedriving(c *cli.Context) (*redriving, error) {
	r := &redriving{p: p, c: c, key: c.String("key"), keep: c.Bool("keep"), seen: newTally()}
	var err error
	if r.target, err = deadletter.Parse(c.Args().First()); err != nil {
		return nil, usageError("redrive: %v", err)
	}
	r.filter = deadletter.Filter{Reasons: c.StringSlice("reason"), PartitionKey: c.String("partition-key")}
	if r.filter.Since, err = p.timeFlag(c, "since"); err != nil {
		return nil, err
	}
	if r.filter.Until, err = p.timeFlag(c, "until"); err != nil {
		return nil, err
	}
	if text := c.String("stream"); text != "" {
		if r.stream, err = awscfg.ParseStream(text); err != nil {
			return nil, usageError("redrive: %v", err)
		}
	}
	if err := shard.ValidateKey(r.key); r.key != "" && err != nil {
		return nil, usageError("redrive: --key: %v", err)
	}
	if text := c.String("rate"); text != "" {
		rate, err := parseRate(text)
		if err != nil {
			return nil, usageError("redrive: --rate %v", err)
		}
		r.pace = &pacer{rate: rate, now: p.now, sleep: sleep}
	}
	if c.Duration("status-interval") < 0 {
		return nil, usageError("--status-interval must not be negative")
	}
	r.settings, err = redriveSettings(c)
	return r, err
}

// redriveSettings reads the flags about sending. Data goes as it is: it was compressed, or made a
// part of something larger, before it became a letter.
func redriveSettings(c *cli.Context) (s producer.Settings, err error) {
	s = producer.Default()
	s.RetryAttempts, s.RequestTimeout, s.Endpoint = c.Int("retry-attempts"), c.Duration("request-timeout"), c.String("endpoint-uri")
	s.DrainTimeout = -1
	if s.Oversize, err = producer.ParseOversize(c.String("oversize")); err != nil || s.Oversize == producer.OversizeError {
		return s, usageError("redrive: --oversize %q is neither drop nor split", c.String("oversize"))
	}
	if s.MaxRecordSize, err = sizeFlag(c, "max-record"); err != nil {
		return s, usageError("redrive: %v", err)
	}
	s.Stream = "any" // each letter's, later
	if err := s.Validate(); err != nil {
		return s, usageError("redrive: %v", err)
	}
	return s, nil
}

// timeFlag reads a time; the zero time where there is none.
func (p *program) timeFlag(c *cli.Context, name string) (time.Time, error) {
	text := c.String(name)
	if text == "" {
		return time.Time{}, nil
	}
	at, ok := parseTime(text, p.now())
	if !ok {
		return at, usageError("--%s %q is neither a time such as 2026-01-02T15:04:05Z nor how long ago, such as 10m", name, text)
	}
	return at, nil
}

// place is how the letters are read.
func (r *redriving) place() (deadletter.Settings, error) {
	set, err := settingsOf(r.c, r.stream)
	if r.target.Kind == deadletter.Stream {
		set.Region = r.target.Region // so that --endpoint-uri is the endpoint of it
	}
	return deadletter.Settings{AWS: set, Log: r.p.log, Now: r.p.now}, err
}

// walk visits all bundles of the target.
func (r *redriving) walk(ctx context.Context, take bool, visit func(deadletter.Bundle) error) (err error) {
	place, err := r.place()
	if err != nil {
		return err
	}
	source, err := deadletter.OpenSource(ctx, r.target, place, r.filter.Since, take)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	for {
		b, err := source.Next(ctx)
		var busy *deadletter.BusyError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &busy):
			r.busy++
			r.p.log.Warn(err.Error())
			continue
		case err != nil:
			return err
		}
		if err := errors.Join(visit(b), b.Close()); err != nil {
			return err
		}
	}
}

// each visits the letters of a bundle; chosen says whether the filter takes one.
func (r *redriving) each(ctx context.Context, b deadletter.Bundle, visit func(l *deadletter.Letter, chosen bool) error) error {
	for {
		l, err := b.Next(ctx)
		var damage *deadletter.DamageError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &damage):
			r.damaged++
			r.p.log.Warn(err.Error())
			continue
		case err != nil:
			return err
		}
		chosen := r.filter.Match(&l)
		if chosen {
			r.seen.add(&l)
		} else {
			r.passed++
		}
		if err := visit(&l, chosen); err != nil {
			return err
		}
	}
}

// unread is an error if something among the letters could not be read.
func (r *redriving) unread() error {
	switch {
	case r.damaged > 0:
		return &statusError{status: statusIncomplete, text: fmt.Sprintf("redrive: %d damaged letters in %s could not be read; they stay where they are", r.damaged, r.target)}
	case r.busy > 0:
		return &statusError{status: statusIncomplete, text: fmt.Sprintf("redrive: %d files in %s are in use by another program; run it again", r.busy, r.target)}
	}
	return nil
}
