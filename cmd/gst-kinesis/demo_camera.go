//go:build cgo

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// cameraStart is how long the camera may take to serve: it reads a clip whole, and may have to encode it anew.
const cameraStart = 60 * time.Second

// cameraProcess is the test camera as a process of its own.
type cameraProcess struct {
	cmd   *exec.Cmd
	url   string
	shows string
	said  bytes.Buffer // on its standard error
	gone  chan error
}

// startCamera starts the camera with the clip that was asked for, one that can be had, or its moving picture.
func (d *demo) startCamera(ctx context.Context) error {
	clip, shows := d.clip, d.clip
	if clip == "" && !d.picture {
		var err error
		if clip, err = d.footage(ctx); err != nil {
			d.say("footage    none could be had (%v), so the camera shows a moving picture", err)
		}
		shows = "real footage (" + clip + ")"
	}
	if clip == "" {
		shows = "a moving picture"
	}
	path, err := findCamera()
	if err != nil {
		return err
	}
	cam := &cameraProcess{shows: shows, gone: make(chan error, 1)}
	args := []string{"--port", "0"}
	if clip != "" {
		args = append(args, "--file", clip)
	}
	if err := cam.start(ctx, path, args); err != nil {
		return fmt.Errorf("starting the camera: %w", err)
	}
	d.cameraProgram = cam
	return nil
}

// start starts the process and waits for the line with its URL.
func (c *cameraProcess) start(ctx context.Context, path string, args []string) error {
	c.cmd = exec.Command(path, args...)
	c.cmd.Stderr = &c.said
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.cmd.Start(); err != nil {
		return err
	}
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(out).ReadString('\n')
		line <- strings.TrimSpace(text)
		c.gone <- c.cmd.Wait()
	}()
	select {
	case c.url = <-line:
	case <-time.After(cameraStart):
		err = fmt.Errorf("it does not serve within %v", cameraStart)
	case <-ctx.Done():
		err = ctx.Err()
	}
	if c.url == "" {
		_ = c.cmd.Process.Kill()
		if gone := <-c.gone; err == nil {
			err = gone
		}
		return errors.Join(err, errors.New(strings.TrimSpace(c.said.String())))
	}
	return nil
}

// stop ends the process.
func (c *cameraProcess) stop() {
	_ = c.cmd.Process.Signal(os.Interrupt)
	select {
	case <-c.gone:
	case <-time.After(5 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.gone
	}
}
