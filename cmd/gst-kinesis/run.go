//go:build cgo

package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/cmd/gst-kinesis/internal/pipeline"
	"gst-kinesis/internal/supervise"
	"gst-kinesis/pipelines"
)

func (p *program) runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "run a pipeline: a launch line, or a preset",
		ArgsUsage: "-- LAUNCH LINE | PRESET [--set NAME=VALUE]...",
		Description: "LAUNCH LINE is what gst-launch-1.0 takes; kinesissink and the other elements are built in. PRESET is one of\n" +
			"gst-kinesis presets list. A live network source that is lost is started again, while the rest goes on.\n" +
			"SIGINT and SIGTERM drain the pipeline, a second one stops it. Exit status: 0 when all that was accepted was delivered,\n" +
			"3 when records were lost.",
		Action: p.runPipeline,
		Flags: append(metricsFlags(),
			setFlag(),
			&cli.BoolFlag{Name: "print", Usage: "print the gst-launch-1.0 line that does the same, and end"},
			&cli.BoolFlag{Name: "print-secrets", Usage: "with --print: show secrets, too"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print no line for each accepted record"},
			&cli.StringFlag{Name: "retry-for", Value: "forever", Usage: "how long a live source may stay lost: a `TIME`, forever, or 0 for no retry"},
			&cli.DurationFlag{Name: "stall", Value: supervise.DefaultStall, Usage: "silence after which a live source counts as lost: `TIME`; 0 for never"},
			&cli.DurationFlag{Name: "status-interval", Value: 10 * time.Second, Usage: "`TIME` between status lines where there is no terminal; 0 for none"},
		),
	}
}

func (p *program) runPipeline(c *cli.Context) error {
	supervision, err := supervision(c)
	if err != nil {
		return err
	}
	shown, err := p.metricsOptions(c)
	if err != nil {
		return err
	}
	line, err := launchLine(c)
	if err != nil {
		return err
	}
	if c.Bool("print") {
		_, err := fmt.Fprintln(p.out, line.shell(c.Bool("print-secrets")))
		return err
	}
	stop, err := p.startGStreamer()
	if err != nil {
		return err
	}
	defer stop()
	r := newRunner(p, runOptions{
		level: c.String("log-level"), quiet: c.Bool("quiet"), interval: c.Duration("status-interval"), supervise: supervision, metrics: shown,
	})
	return r.run(c.Context, line.launch())
}

// supervision reads the flags about live sources.
func supervision(c *cli.Context) (supervise.Settings, error) {
	set := supervise.Default()
	set.Stall = c.Duration("stall")
	if set.Stall < 0 || c.Duration("status-interval") < 0 {
		return set, usageError("--stall and --status-interval must not be negative")
	}
	if text := c.String("retry-for"); text != "forever" {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return set, usageError("--retry-for %q is neither forever nor a time such as 10m", text)
		}
		set.RetryFor = d
	}
	return set, nil
}

// line is a pipeline that was asked for: as it was given, or by a preset.
type line struct {
	given  []string
	preset *pipelines.Line
}

// launchLine reads what is to be run. One word is a preset's name; a launch line has more, in one argument or several.
func launchLine(c *cli.Context) (line, error) {
	args, set := c.Args().Slice(), c.Generic("set").(*assignments)
	switch {
	case len(args) == 0:
		return line{}, usageError("run: give a launch line behind --, or a preset (see gst-kinesis run --help)")
	case len(args) == 1 && !strings.ContainsAny(args[0], " \t\n"):
		preset, err := pipelines.Find(args[0])
		if err != nil {
			return line{}, usageError("%v", err)
		}
		filled, err := preset.Fill(set.values)
		if err != nil {
			return line{}, usageError("%v", err)
		}
		return line{preset: &filled}, nil
	}
	if _, err := pipelines.Find(args[0]); err == nil {
		return line{}, usageError("run: %q is a preset, and its variables are set by --set NAME=VALUE, not by %q", args[0], args[1])
	}
	if len(set.values) > 0 {
		return line{}, usageError("run: --set is for presets; in a launch line write the values where they belong")
	}
	return line{given: args}, nil
}

// launch gives the line as GStreamer reads it.
func (l line) launch() string {
	if l.preset != nil {
		return l.preset.Launch()
	}
	if len(l.given) == 1 {
		return l.given[0]
	}
	return pipelines.Join(l.given)
}

// shell gives the line as a shell reads it.
func (l line) shell(secrets bool) string {
	if l.preset != nil {
		return l.preset.Shell(secrets)
	}
	words := l.given
	if len(words) == 1 {
		words = pipelines.Words(words[0])
	}
	return pipelines.Command(words, secrets)
}

// assignments is the value of --set, which may be given several times, each with any text behind the =.
type assignments struct{ values map[string]string }

func setFlag() cli.Flag {
	return &cli.GenericFlag{Name: "set", Usage: "set a variable of the preset: `NAME=VALUE`; may be given several times", Value: &assignments{}}
}

// Set takes one NAME=VALUE.
func (a *assignments) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return fmt.Errorf("%q is not of the form NAME=VALUE", text)
	}
	if _, twice := a.values[name]; twice {
		return fmt.Errorf("%s is set twice", name)
	}
	if a.values == nil {
		a.values = map[string]string{}
	}
	a.values[name] = value
	return nil
}

// String shows nothing: there is no default.
func (a *assignments) String() string { return "" }

// verdict is the exit status of a run, and what is said of it.
func verdict(out pipeline.Outcome, books []pipeline.Books) error {
	var lost uint64
	for _, b := range books {
		lost += b.Lost()
	}
	switch {
	case out.Err != nil:
		return out.Err
	case lost > 0:
		return &statusError{status: statusIncomplete, text: fmt.Sprintf("run: %d accepted records were not delivered", lost)}
	case out.End == pipeline.Failed:
		return errors.New("run: the pipeline failed")
	}
	return nil
}
