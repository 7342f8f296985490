//go:build cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gst-kinesis/cmd/gst-kinesis/internal/pipeline"
	"gst-kinesis/pipelines"
)

// The footage: a bird filmed for imageio (BSD-2-Clause), in a package of Debian. Its colours are sampled as few decoders take it, so it is encoded
// anew, once.
const (
	footagePackage = "python3-imageio"
	footageFile    = "cockatoo.mp4"
	footageFetch   = 30 * time.Second
	footageEncode  = 2 * time.Minute
)

// footage gives the path of the clip, fetched and encoded where it is not in the user's cache yet.
func (d *demo) footage(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "gst-kinesis")
	clip := filepath.Join(dir, "cockatoo-baseline.mp4")
	if info, err := os.Stat(clip); err == nil && info.Size() > 0 {
		return clip, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(dir, "fetching-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	d.say("footage    fetching a clip from Debian's %s, once", footagePackage)
	original, err := fetchFootage(ctx, work)
	if err != nil {
		return "", err
	}
	made := filepath.Join(work, "baseline.mp4")
	if err := encodeBaseline(ctx, original, made); err != nil {
		return "", err
	}
	return clip, os.Rename(made, clip)
}

// fetchFootage gets the package without installing it.
func fetchFootage(ctx context.Context, dir string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, footageFetch)
	defer cancel()
	for _, tool := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", errors.New("there is no " + tool)
		}
	}
	download := exec.CommandContext(ctx, "apt-get", "download", "-qq", footagePackage)
	download.Dir = dir
	if out, err := download.CombinedOutput(); err != nil {
		return "", fmt.Errorf("apt-get download: %s", firstLine(out, err))
	}
	packages, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(packages) != 1 {
		return "", errors.New("apt-get download left no package")
	}
	if out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", packages[0], dir).CombinedOutput(); err != nil {
		return "", fmt.Errorf("dpkg-deb: %s", firstLine(out, err))
	}
	return findFile(dir, footageFile)
}

// firstLine is what a tool said, in one line.
func firstLine(out []byte, err error) string {
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return err.Error()
}

func findFile(dir, name string) (string, error) {
	found := ""
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && e.Name() == name {
			found = path
			return fs.SkipAll
		}
		return err
	})
	if err == nil && found == "" {
		err = errors.New("the package does not hold " + name)
	}
	return found, err
}

// encodeBaseline makes an H.264 that every decoder takes.
func encodeBaseline(ctx context.Context, from, to string) error {
	ctx, cancel := context.WithTimeout(ctx, footageEncode)
	defer cancel()
	p, err := pipeline.Open("filesrc location="+pipelines.Quote(from)+" ! qtdemux ! h264parse ! avdec_h264 ! videoconvert ! video/x-raw,format=I420 ! "+
		"x264enc speed-preset=veryfast bitrate=2500 key-int-max=20 bframes=0 ! video/x-h264,profile=baseline ! h264parse ! mp4mux ! "+
		"filesink location="+pipelines.Quote(to), pipeline.Settings{}, quietly{})
	if err != nil {
		return err
	}
	defer p.Close()
	out := p.Run(ctx, nil)
	if out.Err == nil && out.End != pipeline.EndOfStream {
		return errors.New("encoding the clip takes too long")
	}
	return out.Err
}
