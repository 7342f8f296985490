//go:build cgo

package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"gst-kinesis/pipelines"
)

func (p *program) presetsCommand() *cli.Command {
	return &cli.Command{
		Name:  "presets",
		Usage: "list and show the pipelines that come with this program",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list the presets", Action: p.listPresets},
			{Name: "show", Usage: "show a preset, its variables and its launch line", ArgsUsage: "NAME", Action: p.showPreset},
		},
	}
}

func (p *program) listPresets(c *cli.Context) error {
	if err := takeArgs(c); err != nil {
		return err
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, name := range pipelines.Names() {
		preset, err := pipelines.Find(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\t%s\n", preset.Name, preset.Title)
	}
	return w.Flush()
}

func (p *program) showPreset(c *cli.Context) error {
	if err := takeArgs(c, "the preset's NAME"); err != nil {
		return err
	}
	preset, err := pipelines.Find(c.Args().First())
	if err != nil {
		return usageError("%v", err)
	}
	fmt.Fprintf(p.out, "%s: %s\n\n%s\nVariables (--set NAME=VALUE):\n", preset.Name, preset.Title, preset.Description)
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for i := range preset.Variables {
		v := &preset.Variables[i]
		state := "unset"
		switch {
		case v.Required:
			state = "required"
		case v.Default != nil:
			state = "default " + *v.Default
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", v.Name, v.Range(), state, v.Help)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "\nLaunch line:\n  %s\n", strings.ReplaceAll(strings.TrimSpace(preset.Launch), "\n", "\n  "))
	return err
}
