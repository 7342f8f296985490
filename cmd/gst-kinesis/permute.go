package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// permute lets flags stand anywhere, as people type them: behind the arguments
// ("stream create NAME --shards 2"), and the program's own flags behind the
// command. The parser wants a command's flags right behind its name. What
// follows "--" stays as it is.
func permute(app *cli.App, args []string) []string {
	if len(args) == 0 {
		return args
	}
	level := level{flags: app.Flags, commands: app.Commands}
	front := []string{args[0]} // the path of commands so far, with the app's flags
	var global, flags, rest []string
	for i := 1; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			rest = append(rest, args[i:]...)
			i = len(args)
		case strings.HasPrefix(arg, "-") && arg != "-":
			n := 1
			to := &flags
			own, found := find(level.flags, arg)
			if !found {
				if own, found = find(app.Flags, arg); found {
					to = &global
				}
			}
			if found && takesValue(own) && !strings.Contains(arg, "=") && i+1 < len(args) {
				n = 2
			}
			*to = append(*to, args[i:i+n]...)
			i += n - 1
		default:
			next := level.command(arg)
			if next == nil || len(rest) > 0 {
				rest = append(rest, arg)
				continue
			}
			front = append(append(front, flags...), arg)
			flags = nil
			level.flags, level.commands = next.Flags, next.Subcommands
			if next.SkipFlagParsing { // what follows is somebody else's
				rest = append(rest, args[i+1:]...)
				i = len(args)
			}
		}
	}
	front = slices.Insert(front, 1, global...)
	return slices.Concat(front, flags, rest)
}

// level is what may be typed at one point of the command line.
type level struct {
	flags    []cli.Flag
	commands []*cli.Command
}

func (l level) command(name string) *cli.Command {
	i := slices.IndexFunc(l.commands, func(c *cli.Command) bool { return c.HasName(name) })
	if i < 0 {
		return nil
	}
	return l.commands[i]
}

// find returns the flag that an argument such as --name or -n=value means.
func find(flags []cli.Flag, arg string) (cli.Flag, bool) {
	name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return f, true
		}
	}
	return nil, false
}

// takesValue tells whether a flag's value is the next argument.
func takesValue(f cli.Flag) bool {
	_, isBool := f.(*cli.BoolFlag)
	return !isBool
}
