//go:build cgo

package main

import "github.com/urfave/cli/v2"

// gstSupport says in the version whether this binary can run pipelines.
const gstSupport = "with GStreamer"

// gstCommands are the commands that need GStreamer.
func gstCommands(p *program) []*cli.Command {
	return []*cli.Command{p.runCommand(), p.presetsCommand(), p.cameraCommand(), p.demoCommand()}
}
