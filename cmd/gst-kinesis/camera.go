//go:build cgo

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/urfave/cli/v2"
)

// cameraBinary is a program of its own, so that this one does not need an RTSP server.
const cameraBinary = "gst-kinesis-camera"

func (p *program) cameraCommand() *cli.Command {
	return &cli.Command{
		Name:            "camera",
		Usage:           "serve a test camera by RTSP: a clip without end, or a moving picture",
		Description:     "Runs " + cameraBinary + " with the same flags; gst-kinesis camera --help shows them.",
		ArgsUsage:       "[flags of " + cameraBinary + "]",
		SkipFlagParsing: true,
		Action:          p.camera,
	}
}

// camera becomes the camera's program: its signals and its exit status are this command's.
func (p *program) camera(c *cli.Context) error {
	path, err := findCamera()
	if err != nil {
		return err
	}
	args := append([]string{path}, c.Args().Slice()...)
	if err := syscall.Exec(path, args, os.Environ()); err != nil {
		return fmt.Errorf("starting %s: %w", path, err)
	}
	return nil
}

// findCamera looks beside this program, then on the PATH.
func findCamera() (string, error) {
	if self, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		if path := filepath.Join(filepath.Dir(self), cameraBinary); runnable(path) {
			return path, nil
		}
	}
	path, err := exec.LookPath(cameraBinary)
	if err != nil {
		return "", errors.New("camera: " + cameraBinary + " is neither beside this program nor on the PATH; make build leaves both in build/, make install installs both")
	}
	return filepath.Abs(path)
}

func runnable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}
