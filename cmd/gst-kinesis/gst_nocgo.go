//go:build !cgo

package main

import "github.com/urfave/cli/v2"

// gstSupport says in the version whether this binary can run pipelines.
const gstSupport = "without GStreamer"

// gstCommands stands in for the commands that need GStreamer.
func gstCommands(*program) []*cli.Command {
	commands := []*cli.Command{
		{Name: "run", Usage: "run a pipeline"},
		{Name: "presets", Usage: "list and show the pipelines that come with this program"},
		{Name: "camera", Usage: "serve a test camera by RTSP"},
	}
	for _, c := range commands {
		c.Usage += " (not in this build: it has no GStreamer)"
		c.SkipFlagParsing = true
		c.Action = func(c *cli.Context) error {
			return &statusError{status: statusFailed, text: c.Command.Name + ": this binary was built without cgo and cannot use GStreamer; " +
				"build it with CGO_ENABLED=1 where GStreamer's development files are installed (make build)"}
		}
	}
	return commands
}
