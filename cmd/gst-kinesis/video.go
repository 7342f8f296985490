package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/media"
)

func (p *program) videoCommand() *cli.Command {
	return &cli.Command{
		Name:  "video",
		Usage: "list video streams, and read what they hold",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list the video streams of the account in the region", Action: p.listVideo,
				Flags: awsFlags(jsonFlag()),
			},
			{
				Name: "describe", Usage: "show a video stream", ArgsUsage: "STREAM", Action: p.describeVideo,
				Flags: awsFlags(jsonFlag()),
			},
			{
				Name: "fragments", Usage: "list the fragments that a video stream keeps", ArgsUsage: "STREAM", Action: p.listFragments,
				Flags: awsFlags(append(rangeFlags(), jsonFlag())...),
			},
			p.videoGetCommand(),
		},
	}
}

// rangeFlags choose fragments by the time at which they begin.
func rangeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "from", Usage: "fragments that begin at this `TIME` or later: 2026-01-02T15:04:05Z, Unix seconds, or how long ago, such as 10m"},
		&cli.StringFlag{Name: "to", Usage: "and at this `TIME` at the latest; it is included", DefaultText: "now"},
		&cli.StringFlag{Name: "clock", Usage: "whose `CLOCK` times are by: producer, the camera's; or server, when media came in", Value: "producer"},
	}
}

// clockOf reads --clock.
func clockOf(c *cli.Context) (media.Clock, error) {
	switch text := c.String("clock"); text {
	case "producer":
		return media.Producer, nil
	case "server":
		return media.Server, nil
	default:
		return "", usageError("--clock %q is neither producer nor server", text)
	}
}

const (
	// longestKept is the longest that a stream keeps media.
	longestKept = 10 * 366 * 24 * time.Hour
	// fastClock is how far a camera's clock may be ahead for its newest fragments to be found without --to.
	fastClock = 24 * time.Hour
)

// rangeIn reads the flags of rangeFlags. What is left open is as far back as streams keep media, and now: with a producer's clock that
// may be fast.
func (p *program) rangeIn(c *cli.Context) (media.Range, error) {
	now := p.now()
	within := media.Range{From: now.Add(-longestKept), To: now}
	var err error
	if within.Clock, err = clockOf(c); err != nil {
		return within, err
	}
	if within.Clock == media.Producer {
		within.To = now.Add(fastClock)
	}
	for _, f := range []struct {
		name string
		at   *time.Time
	}{{"from", &within.From}, {"to", &within.To}} {
		if text := c.String(f.name); text != "" {
			var ok bool
			if *f.at, ok = parseTime(text, now); !ok {
				return within, usageError("--%s %q is neither a time nor how long ago", f.name, text)
			}
		}
	}
	if within.To.Before(within.From) {
		return within, usageError("--to %s is before --from %s", within.To.Format(time.RFC3339), within.From.Format(time.RFC3339))
	}
	return within, nil
}

// explainVideo is explain for a video stream that is read.
func (t target) explainVideo(err error) error {
	return explainAs(err, awserr.VideoReadSubject(t.stream.Name, t.Region(), t.Endpoint()))
}

// withVideo opens what a subcommand with one STREAM needs, by set and the flags, and explains errors.
func withVideo(c *cli.Context, set media.Settings, do func(m *media.Client) error) error {
	if err := takeArgs(c, "the STREAM's name or ARN"); err != nil {
		return err
	}
	stream, err := awscfg.ParseVideoStream(c.Args().First())
	if err != nil {
		return err
	}
	t, err := openFor(c, stream)
	if err != nil {
		return err
	}
	defer t.Close()
	set.Name, set.ARN, set.RequestTimeout = t.stream.Name, t.stream.ARN, c.Duration("request-timeout")
	if tell := set.Waiting; tell != nil {
		set.Waiting = func(err error, pause time.Duration) { tell(t.explainVideo(err), pause) }
	}
	m := media.New(t.Session, set)
	defer m.Close()
	return t.explainVideo(do(m))
}

func (p *program) listVideo(c *cli.Context) error {
	if err := takeArgs(c); err != nil {
		return err
	}
	t, err := openAWS(c, "")
	if err != nil {
		return err
	}
	defer t.Close()
	all, err := media.Streams(c.Context, t.Session, c.Duration("request-timeout"))
	if err != nil {
		return t.explainVideo(err)
	}
	if c.Bool("json") {
		return p.printJSON(all)
	}
	tab := tabwriter.NewWriter(p.out, 2, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "NAME\tSTATUS\tMEDIA\tRETENTION\tARN")
	for _, s := range all {
		fmt.Fprintf(tab, "%s\t%s\t%s\t%d h\t%s\n", s.Name, s.Status, s.MediaType, s.Retention, s.ARN)
	}
	return tab.Flush()
}

func (p *program) describeVideo(c *cli.Context) error {
	return withVideo(c, media.Settings{}, func(m *media.Client) error {
		s, err := m.Describe(c.Context)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return p.printJSON(s)
		}
		tab := tabwriter.NewWriter(p.out, 2, 0, 2, ' ', 0)
		fmt.Fprintf(tab, "Name\t%s\nARN\t%s\nStatus\t%s\nMedia type\t%s\nDevice\t%s\nRetention\t%d h\nKMS key\t%s\nVersion\t%s\nCreated\t%s\n",
			s.Name, s.ARN, s.Status, s.MediaType, s.Device, s.Retention, s.KMSKey, s.Version, s.Created.Format(time.RFC3339))
		return tab.Flush()
	})
}

// listedFragment is a fragment in JSON.
type listedFragment struct {
	media.Info
	Milliseconds int64 `json:"length_ms"`
}

func (p *program) listFragments(c *cli.Context) error {
	within, err := p.rangeIn(c)
	if err != nil {
		return err
	}
	return withVideo(c, media.Settings{}, func(m *media.Client) error {
		all := []listedFragment{}
		for info, err := range m.ListFragments(c.Context, within) {
			if err != nil {
				return err
			}
			all = append(all, listedFragment{info, info.Length.Milliseconds()})
		}
		if c.Bool("json") {
			return p.printJSON(all)
		}
		tab := tabwriter.NewWriter(p.out, 2, 0, 2, ' ', 0)
		fmt.Fprintln(tab, "FRAGMENT\tPRODUCER TIME\tSERVER TIME\tLENGTH\tBYTES")
		const layout = "2006-01-02T15:04:05.000Z07:00"
		for _, f := range all {
			fmt.Fprintf(tab, "%s\t%s\t%s\t%.3f s\t%d\n", f.Number, f.Producer.Format(layout), f.Server.Format(layout), f.Length.Seconds(), f.Size)
		}
		return tab.Flush()
	})
}
