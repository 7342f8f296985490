package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/version"
)

// The exit statuses.
const (
	statusOK         = 0
	statusFailed     = 1
	statusUsage      = 2
	statusIncomplete = 3 // it ended before it had all that was asked for
)

// program is one run of the command line. Its fields are what it has of the
// world, so that tests run it in process.
type program struct {
	in  io.Reader
	out io.Writer // results
	err io.Writer // the log, and the one line of an error
	now func() time.Time

	log *slog.Logger // set before any command begins
}

// statusError carries an exit status; without text nothing more is printed.
type statusError struct {
	status int
	text   string
}

// Error returns the text.
func (e *statusError) Error() string { return e.text }

// usageError says that a command line cannot be.
func usageError(format string, args ...any) error {
	return &statusError{status: statusUsage, text: fmt.Sprintf(format, args...)}
}

// run parses the arguments, the first being the program's own name, runs the
// command and returns the exit status. ctx ends when the user wants an end.
func (p *program) run(ctx context.Context, args []string) int {
	app := p.app()
	err := app.RunContext(ctx, permute(app, args))
	if err == nil {
		return statusOK
	}
	status := statusFailed
	var with *statusError
	if errors.As(err, &with) {
		status = with.status
	}
	if text := err.Error(); text != "" {
		fmt.Fprintf(p.err, "gst-kinesis: %s\n", text)
	}
	return status
}

// app assembles the commands.
func (p *program) app() *cli.App {
	commands := slices.Concat([]*cli.Command{
		p.localCommand(),
		p.produceCommand(),
		p.consumeCommand(),
		p.redriveCommand(),
		p.spoolCommand(),
		p.streamCommand(),
		p.videoCommand(),
		p.inspectCommand(),
		p.versionCommand(),
	}, gstCommands(p))
	finish(commands)
	return &cli.App{
		Name:            "gst-kinesis",
		Usage:           "cameras and sensors to Amazon Kinesis and back, with GStreamer",
		Version:         version.Version,
		HideVersion:     true,
		HideHelp:        true, // helpFlag says why
		HideHelpCommand: true,
		Commands:        commands,
		Flags:           []cli.Flag{logLevelFlag(), helpFlag()},
		Reader:          p.in,
		Writer:          p.out,
		ErrWriter:       p.err,
		Before:          p.setUpLog,
		Action:          unknownCommand,
		OnUsageError:    onUsageError,
		ExitErrHandler:  func(*cli.Context, error) {}, // the status is returned by run
	}
}

// helpFlag takes the place of the library's, which is one variable that all
// commands of all programs in a process write to.
func helpFlag() cli.Flag {
	return &cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "show help", DisableDefaultText: true}
}

// finish gives all commands the same manners.
func finish(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = onUsageError
		c.HideHelp, c.HideHelpCommand = true, true
		c.Flags = append(c.Flags, helpFlag())
		for _, f := range c.Flags {
			if b, ok := f.(*cli.BoolFlag); ok && !b.Value {
				b.DisableDefaultText = true // off is what one expects
			}
		}
		if len(c.Subcommands) > 0 && c.Action == nil {
			c.Action = unknownCommand
		}
		finish(c.Subcommands)
	}
}

func onUsageError(c *cli.Context, err error, _ bool) error {
	return usageError("%v (see %s --help)", err, nameOf(c))
}

// unknownCommand is what happens where a command was expected.
func unknownCommand(c *cli.Context) error {
	if !c.Args().Present() {
		if len(c.Lineage()) > 2 {
			return cli.ShowSubcommandHelp(c)
		}
		return cli.ShowAppHelp(c)
	}
	return usageError("there is no command %q (see %s --help)", c.Args().First(), nameOf(c))
}

// nameOf is the command as the user typed it, the program's name included.
func nameOf(c *cli.Context) string {
	if c.Command != nil && c.Command.HelpName != "" {
		return c.Command.HelpName
	}
	return c.App.Name
}

// takeArgs checks the number of arguments; names says what they are.
func takeArgs(c *cli.Context, names ...string) error {
	command := strings.TrimPrefix(nameOf(c), c.App.Name+" ")
	switch n := c.NArg(); {
	case n < len(names):
		return usageError("%s: give %s (see %s --help)", command, names[n], nameOf(c))
	case n > len(names):
		return usageError("%s: %q is one argument too many", command, c.Args().Get(len(names)))
	}
	return nil
}
