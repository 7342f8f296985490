package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/control"
)

func (p *program) streamCommand() *cli.Command {
	return &cli.Command{
		Name:  "stream",
		Usage: "create, list, describe and delete data streams",
		Subcommands: []*cli.Command{
			{
				Name: "create", Usage: "create a data stream", ArgsUsage: "NAME", Action: p.createStream,
				Flags: awsFlags(
					&cli.IntFlag{Name: "shards", Usage: "`NUMBER` of shards of a provisioned stream", Value: 1},
					&cli.StringFlag{Name: "mode", Usage: "capacity `MODE`: provisioned, or on-demand (no shards to count, another price)", Value: "provisioned"},
					waitFlag("wait until it is ACTIVE, and describe it"), jsonFlag(),
				),
			},
			{
				Name: "list", Usage: "list the data streams of the account in the region", Action: p.listStreams,
				Flags: awsFlags(jsonFlag()),
			},
			{
				Name: "describe", Usage: "show a data stream and its shards", ArgsUsage: "NAME", Action: p.describeStream,
				Flags: awsFlags(jsonFlag()),
			},
			{
				Name: "delete", Usage: "delete a data stream and all its records", ArgsUsage: "NAME", Action: p.deleteStream,
				Flags: awsFlags(waitFlag("wait until it is gone")),
			},
		},
	}
}

func waitFlag(usage string) cli.Flag { return &cli.BoolFlag{Name: "wait", Usage: usage} }

func jsonFlag() cli.Flag { return &cli.BoolFlag{Name: "json", Usage: "print JSON"} }

// withStream opens what a subcommand with one NAME needs, and explains errors.
func withStream(c *cli.Context, do func(t target, s *control.Streams, name string) error) error {
	if err := takeArgs(c, "the stream's NAME"); err != nil {
		return err
	}
	t, err := openAWS(c, c.Args().First())
	if err != nil {
		return err
	}
	defer t.Close()
	return t.explain(do(t, control.New(t.Kinesis(), c.Duration("request-timeout"), time.After), t.stream.Name))
}

func (p *program) createStream(c *cli.Context) error {
	shards := c.Int("shards")
	switch mode := c.String("mode"); {
	case mode == "on-demand" && c.IsSet("shards"):
		return usageError("--shards goes with --mode provisioned: a stream on demand has as many as it needs")
	case mode == "on-demand":
		shards = 0
	case mode != "provisioned":
		return usageError("--mode %q is neither provisioned nor on-demand", mode)
	case shards < 1:
		return usageError("--shards %d: a stream has at least one", shards)
	}
	return withStream(c, func(_ target, s *control.Streams, name string) error {
		if err := s.Create(c.Context, name, shards); err != nil {
			return err
		}
		if !c.Bool("wait") {
			p.log.Info("the stream is being created", "stream", name)
			return nil
		}
		if _, err := s.WaitActive(c.Context, name); err != nil {
			return err
		}
		d, err := s.Describe(c.Context, name)
		if err != nil {
			return err
		}
		return p.printStream(c, d)
	})
}

func (p *program) describeStream(c *cli.Context) error {
	return withStream(c, func(_ target, s *control.Streams, name string) error {
		d, err := s.Describe(c.Context, name)
		if err != nil {
			return err
		}
		return p.printStream(c, d)
	})
}

func (p *program) deleteStream(c *cli.Context) error {
	return withStream(c, func(_ target, s *control.Streams, name string) error {
		if err := s.Delete(c.Context, name); err != nil {
			return err
		}
		if !c.Bool("wait") {
			p.log.Info("the stream is being deleted", "stream", name)
			return nil
		}
		return s.WaitGone(c.Context, name)
	})
}

func (p *program) listStreams(c *cli.Context) error {
	if err := takeArgs(c); err != nil {
		return err
	}
	t, err := openAWS(c, "")
	if err != nil {
		return err
	}
	defer t.Close()
	all, err := control.New(t.Kinesis(), c.Duration("request-timeout"), time.After).List(c.Context)
	if err != nil {
		return t.explain(err)
	}
	if c.Bool("json") {
		if all == nil {
			all = []control.Stream{}
		}
		return p.printJSON(all)
	}
	tab := tabwriter.NewWriter(p.out, 2, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "NAME\tSTATUS\tMODE\tSHARDS\tRETENTION\tARN")
	for _, d := range all {
		fmt.Fprintf(tab, "%s\t%s\t%s\t%d\t%d h\t%s\n", d.Name, d.Status, d.Mode, d.OpenShards, d.Retention, d.ARN)
	}
	return tab.Flush()
}

// printStream shows a stream with its shards.
func (p *program) printStream(c *cli.Context, d control.Stream) error {
	if c.Bool("json") {
		return p.printJSON(d)
	}
	tab := tabwriter.NewWriter(p.out, 2, 0, 2, ' ', 0)
	fmt.Fprintf(tab, "Name\t%s\nARN\t%s\nStatus\t%s\nMode\t%s\nOpen shards\t%d\nRetention\t%d h\nEncryption\t%s\n",
		d.Name, d.ARN, d.Status, d.Mode, d.OpenShards, d.Retention, d.Encryption)
	if d.MaxRecord > 0 {
		fmt.Fprintf(tab, "Largest record\t%d KiB\n", d.MaxRecord)
	}
	fmt.Fprintf(tab, "Created\t%s\n", d.Created.Format(time.RFC3339))
	if err := tab.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(tab, "\nSHARD\tSTATUS\tHASH KEYS\tPARENTS")
	for _, s := range d.Shards {
		fmt.Fprintf(tab, "%s\t%s\t%s-%s\t%s\n", s.ID, s.Status, s.FirstKey, s.LastKey, strings.Join(s.Parents, " "))
	}
	return tab.Flush()
}

func (p *program) printJSON(v any) error {
	enc := json.NewEncoder(p.out)
	enc.SetIndent("", "    ")
	return enc.Encode(v)
}
