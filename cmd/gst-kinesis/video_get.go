package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/media"
)

func (p *program) videoGetCommand() *cli.Command {
	return &cli.Command{
		Name:      "get",
		Usage:     "read a video stream into a file or to standard output",
		ArgsUsage: "STREAM",
		Description: "Without --from it reads from --start on, goes on with what is being recorded, and ends when it is interrupted.\n" +
			"With --from it gets what is stored. The result is Matroska; a name that ends in .mp4, with --from, makes it an MP4 clip.\n" +
			"Exit status: 0 when it did what was asked, 3 when it ended before --count fragments.",
		Action: p.getVideo,
		Flags: awsFlags(append([]cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`; - is standard output", Value: "-"},
			&cli.BoolFlag{Name: "force", Usage: "write over a file that is there"},
			&cli.StringFlag{Name: "start", Usage: "`WHERE` to begin: now, earliest, a time or how long ago (by --clock), or \"fragment NUMBER\" for what comes after it", Value: "now"},
			&cli.IntFlag{Name: "count", Usage: "end after `N` fragments", DefaultText: "no end"},
			&cli.DurationFlag{Name: "timeout", Usage: "end after this `TIME`, such as 30s", DefaultText: "no end"},
			&cli.DurationFlag{Name: "idle", Usage: "end when no fragment came for this `TIME`", DefaultText: "no end"},
			&cli.BoolFlag{Name: "repeats", Usage: "keep fragments that the producer sent again, too"},
		}, rangeFlags()...)...),
	}
}

// fetch is one run of video get.
type fetch struct {
	*program
	c       *cli.Context
	display display
	output  string
	stored  bool        // of a range
	within  media.Range // if stored
	start   media.Start // if not
	count   int
}

// newFetch reads the flags.
func (p *program) newFetch(c *cli.Context) (*fetch, error) {
	f := &fetch{program: p, c: c, output: c.String("output"), stored: c.IsSet("from"), count: c.Int("count")}
	switch {
	case f.output == "-" && isTerminal(p.out):
		return nil, usageError("video get: Matroska is nothing for a terminal: give a file by -o, or pipe it into a program")
	case f.stored && c.IsSet("start"):
		return nil, usageError("--start is for what is being recorded, and --from for what is stored: give one of them")
	case c.IsSet("to") && !f.stored:
		return nil, usageError("--to needs --from")
	case c.IsSet("count") && f.count < 1, c.Duration("timeout") < 0, c.Duration("idle") < 0:
		return nil, usageError("--count, --timeout and --idle are more than 0")
	}
	var err error
	if f.within, err = p.rangeIn(c); err != nil {
		return nil, err
	}
	if f.start, err = p.startOf(c, f.within.Clock); err != nil {
		return nil, err
	}
	if !f.isClip() {
		return f, nil
	}
	switch {
	case !f.stored:
		return nil, usageError("-o %s: a clip is of what is stored: give --from and --to, or write an .mkv", f.output)
	case c.IsSet("count"), c.IsSet("timeout"), c.IsSet("idle"), c.IsSet("repeats"):
		return nil, usageError("--count, --timeout, --idle and --repeats go with Matroska: a clip is made by the service")
	}
	if !c.IsSet("to") { // the service refuses a time to come, and a day in all
		f.within.To = p.now()
	}
	if d := f.within.To.Sub(f.within.From); d > media.MaxClipRange {
		return nil, usageError("from %s to %s are %v: a clip covers at most %v; get several, or write an .mkv, which has no limit",
			f.within.From.Format(time.RFC3339), f.within.To.Format(time.RFC3339), d.Round(time.Second), media.MaxClipRange)
	}
	return f, nil
}

func (f *fetch) isClip() bool { return strings.HasSuffix(strings.ToLower(f.output), ".mp4") }

// startOf reads --start.
func (p *program) startOf(c *cli.Context, clock media.Clock) (media.Start, error) {
	text := strings.TrimSpace(c.String("start"))
	if number, ok := strings.CutPrefix(text, "fragment"); ok {
		number = strings.TrimLeft(number, " :=")
		if number == "" || strings.Trim(number, "0123456789") != "" || len(number) > 128 {
			return media.Start{}, usageError("--start %q: a fragment's number is of digits, as video fragments prints it", text)
		}
		return media.After(number), nil
	}
	switch text {
	case "now":
		return media.Now(), nil
	case "earliest":
		return media.Earliest(), nil
	}
	at, ok := parseTime(text, p.now())
	if !ok {
		return media.Start{}, usageError("--start %q is neither now, earliest, a time or duration, nor \"fragment NUMBER\"", text)
	}
	return media.At(clock, at), nil
}

func (p *program) getVideo(c *cli.Context) error {
	f, err := p.newFetch(c)
	if err != nil {
		return err
	}
	f.display = p.newDisplay(screenOn(p.err), c.String("log-level"))
	set := media.Settings{Repeats: c.Bool("repeats"), Waiting: func(err error, pause time.Duration) {
		f.display.log.Warn("waiting to go on", "error", err, "pause", pause)
	}}
	if !f.stored {
		set.Attempts = -1 // what is being recorded is waited for
	}
	return withVideo(c, set, func(m *media.Client) error {
		if f.isClip() {
			return f.clip(m)
		}
		return f.matroska(m)
	})
}

// Why reading ended before its end.
var (
	errTimedOut = errors.New("timeout")
	errIdle     = errors.New("idle")
)

// matroska writes fragments until an end.
func (f *fetch) matroska(m *media.Client) (err error) {
	out, err := f.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.close()) }()
	ctx, cancel := context.WithCancelCause(f.c.Context)
	defer cancel(nil)
	for name, cause := range map[string]error{"timeout": errTimedOut, "idle": errIdle} {
		if d := f.c.Duration(name); d > 0 {
			timer := time.AfterFunc(d, func() { cancel(cause) })
			defer timer.Stop()
			if cause == errIdle {
				out.came = func() { timer.Reset(d) }
			}
		}
	}
	r, total, err := f.reader(ctx, m)
	if err == nil {
		defer r.Close()
		err = f.copy(r, out, total)
	}
	f.display.screen.Set("")
	why := "the end"
	switch {
	case ctx.Err() != nil:
		why, err = "interrupted", nil
		if cause := context.Cause(ctx); errors.Is(cause, errTimedOut) || errors.Is(cause, errIdle) {
			why = cause.Error()
		}
	case errors.Is(err, errEnough):
		why, err = "count", nil
	case err != nil:
		why = "an error"
	}
	out.report(f, r, why)
	if err == nil && out.fragments < f.count {
		return &statusError{status: statusIncomplete, text: fmt.Sprintf("%d of %d fragments came", out.fragments, f.count)}
	}
	return err
}

// reader begins reading; total is how many fragments there are, 0 if it has no end.
func (f *fetch) reader(ctx context.Context, m *media.Client) (r *media.Reader, total int, err error) {
	if !f.stored {
		r, err = m.GetMedia(ctx, f.start)
		return r, 0, err
	}
	var all []media.Info
	for info, err := range m.ListFragments(ctx, f.within) {
		if err != nil {
			return nil, 0, err
		}
		all = append(all, info)
	}
	// By the time they show; of repeats the one that came first stays the first.
	slices.SortStableFunc(all, func(a, b media.Info) int { return a.Producer.Compare(b.Producer) })
	numbers := make([]string, len(all))
	for i := range all {
		numbers[i] = all[i].Number
	}
	r, err = m.GetFragments(ctx, numbers)
	return r, len(numbers), err
}
