package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
	"gst-kinesis/internal/spool"
	"gst-kinesis/internal/wire"
)

func (p *program) spoolCommand() *cli.Command {
	return &cli.Command{
		Name:  "spool",
		Usage: "look into a spool, where records wait for their delivery, and send them by hand",
		Subcommands: []*cli.Command{
			{
				Name: "inspect", Usage: "show what is in a spool, who has it open, and what is damaged", ArgsUsage: "DIR", Action: p.inspectSpool,
				Description: "DIR is the spool-directory of a kinesissink or of gst-kinesis produce. All records are read and their checksums compared.\n" +
					"Nothing is changed, and who has the spool open is not disturbed.",
				Flags: []cli.Flag{jsonFlag()},
			},
			{
				Name: "drain", Usage: "send all records of a spool that nobody has open", ArgsUsage: "DIR", Action: p.drainSpool,
				Description: "DIR is the spool-directory of a kinesissink or of gst-kinesis produce that does not run, or a copy of it. Records leave it when\n" +
					"they are delivered, or dead letters. They lie there as they were put, with their keys: a spool knows neither the stream, which\n" +
					"--stream names, nor what becomes of them on their way, such as --compression, --aggregation and --oversize.\n" +
					"SIGINT and SIGTERM end it within 2 s; what is not delivered stays. Exit status: 0 when nothing is left and nothing was lost,\n" +
					"3 when records are left or were lost, 1 when it failed, which leaves them too.",
				Flags: drainFlags(),
			},
		},
	}
}

// drainFlags are those of produce, but for what is about an input.
func drainFlags() []cli.Flag {
	own := []cli.Flag{
		&cli.StringFlag{Name: "stream", Usage: "the `STREAM` to send to, by name or ARN"},
		&cli.BoolFlag{Name: "dry-run", Usage: "print what would be sent, by key, and send nothing; works while another process has the spool open"},
		&cli.BoolFlag{Name: "list", Usage: "print a line for each record and send nothing; likewise"},
		&cli.BoolFlag{Name: "acks", Usage: "print a line for each accepted record: SequenceNumber=… ShardId=… PartitionKey=… Bytes=…"},
		&cli.DurationFlag{Name: "status-interval", Value: 10 * time.Second, Usage: "`TIME` between status lines where there is no terminal; 0 for none"},
	}
	flags := producerFlags(own, sendingFlags(), linkFlags("SENDING"), metricsFlags())
	for _, f := range flags {
		switch f := f.(type) {
		case *cli.StringFlag:
			if f.Name == "max-record" {
				f.DefaultText = "as the stream says where kinesis:DescribeStreamSummary is allowed, else 1MiB"
			}
		case *cli.DurationFlag:
			if f.Name == "drain-timeout" {
				f.DefaultText, f.Usage = "as long as it takes", "how long it goes on at most: `TIME`; what is left then stays"
			}
		}
	}
	return slices.Clip(flags)
}

// spoolIn checks that there is a spool in a command's DIR.
func spoolIn(c *cli.Context) (dir string, err error) {
	if err := takeArgs(c, "the spool's DIR"); err != nil {
		return "", err
	}
	dir = c.Args().First()
	is, err := spool.Exists(dir)
	if err == nil && !is {
		err = fmt.Errorf("spool %s: there is no spool in %s; give what spool-directory was set to", c.Command.Name, dir)
	}
	return dir, err
}

func (p *program) drainSpool(c *cli.Context) error {
	dir, err := spoolIn(c)
	if err != nil {
		return err
	}
	list, dry := c.Bool("list"), c.Bool("dry-run")
	switch {
	case list && dry:
		return usageError("spool drain: --list prints each record and --dry-run their numbers: give one of them")
	case list:
		return p.listSpool(c.Context, dir)
	}
	pr, err := newDraining(c, dir)
	if err != nil {
		return err
	}
	if dry {
		return p.surveySpool(c.Context, pr)
	}
	return p.send(c, pr)
}

// newDraining reads the command line.
func newDraining(c *cli.Context, dir string) (*production, error) {
	pr := &production{name: "spool drain", draining: true, feed: &feed{passes: 1}, keys: &recordKeys{mode: shard.Static}, askLargest: !c.IsSet("max-record")}
	pr.places.SpoolDirectory, pr.places.SpoolSync = dir, spool.SyncInterval.String()
	name := c.String("stream")
	if name == "" {
		return nil, usageError("spool drain: name the stream with --stream: the spool does not know which one its records were meant for")
	}
	if c.Duration("status-interval") < 0 {
		return nil, usageError("--status-interval must not be negative")
	}
	var err error
	if pr.stream, err = awscfg.ParseStream(name); err != nil {
		return nil, err
	}
	if pr.settings, err = producerSettings(c, pr.stream); err != nil {
		return nil, usageError("spool drain: %v", err)
	}
	if pr.settings.Oversize == producer.OversizeError {
		return nil, usageError("spool drain: --oversize error would stop at the same record each time: take drop, which with --dead-letter writes it down, or split")
	}
	if pr.wire, err = wire.ParseMode(c.String("wire")); err != nil {
		return nil, usageError("spool drain: --wire: %v", err)
	}
	if err = pr.link(c); err != nil {
		return nil, usageError("spool drain: %v", err)
	}
	return pr, nil
}
