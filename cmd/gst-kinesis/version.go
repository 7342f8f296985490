package main

import (
	"fmt"
	"runtime"

	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/version"
)

func (p *program) versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Action: func(c *cli.Context) error {
			if err := takeArgs(c); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.out, "gst-kinesis %s (%s, %s/%s, %s)\n", version.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH, gstSupport)
			return err
		},
	}
}
