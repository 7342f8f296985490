//go:build cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/cmd/gst-kinesis/internal/pipeline"
	"gst-kinesis/cmd/gst-kinesis/internal/status"
	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/consumer"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/supervise"
	"gst-kinesis/pipelines"
)

// What the demo runs with.
const (
	demoStream  = "demo"
	demoShards  = 2
	demoKeys    = 2 // in turn; camera0 and camera1 lie on different shards of two
	demoGap     = 3
	demoCatchUp = 20 * time.Second // for what was delivered to be read back
)

func (p *program) demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "show the whole way on this machine, without an AWS account: camera, pipeline, stream, and back",
		Description: "Starts an endpoint, an RTSP camera, the preset rtsp-frames and a consumer, and prints a line for each record accepted (sent)\n" +
			"and read back (read). Exit status: 0 when the books balance and frames came back, 3 when records were lost, else 1.",
		Action: p.demo,
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "seconds", Value: 20, Usage: "run for so many `SECONDS`", EnvVars: []string{"DEMO_SECONDS"}},
			&cli.StringFlag{Name: "clip", Usage: "show this `FILE` (default: a clip of a Debian package where it can be had, else a moving picture)"},
			&cli.BoolFlag{Name: "no-footage", Usage: "show the moving picture, and look for no clip"},
			&cli.StringFlag{Name: "save", Usage: "leave the last frame in `FILE` (default: gst-kinesis-demo.jpg among the temporary files)"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print no line for each record"},
		},
	}
}

func (p *program) demo(c *cli.Context) error {
	if err := takeArgs(c); err != nil {
		return err
	}
	if c.Int("seconds") < 1 {
		return usageError("--seconds %d: give at least 1", c.Int("seconds"))
	}
	stop, err := p.startGStreamer()
	if err != nil {
		return err
	}
	defer stop()
	d := &demo{p: p, clip: c.String("clip"), picture: c.Bool("no-footage"), save: c.String("save"), seconds: c.Int("seconds")}
	if d.save == "" {
		d.save = filepath.Join(os.TempDir(), "gst-kinesis-demo.jpg")
	}
	d.r = newRunner(p, runOptions{
		level: c.String("log-level"), quiet: c.Bool("quiet"), interval: 5 * time.Second, supervise: supervise.Default(), prefix: "sent ", extend: d.extend,
	})
	d.back = &readBack{out: d.r.out, quiet: c.Bool("quiet"), shards: map[string]bool{}}
	return d.run(c.Context)
}

// demo is the whole way on one machine.
type demo struct {
	p             *program
	r             *runner
	clip          string
	picture       bool
	save          string
	seconds       int
	back          *readBack
	books         []pipeline.Books
	cameraProgram *cameraProcess
}

// run builds the way up from its end, so that nothing is missed, and looks at the books when it is over.
func (d *demo) run(ctx context.Context) error {
	srv, err := local.New(local.Settings{Create: []local.StreamSpec{{Name: demoStream, Shards: demoShards}}})
	if err != nil {
		return err
	}
	if err := srv.Start(); err != nil {
		return err
	}
	defer d.close(srv)
	d.say("endpoint   %s, stream %q of %d shards", srv.URL(), demoStream, demoShards)
	reader, err := d.read(ctx, srv)
	if err != nil {
		return err
	}
	defer reader.Close()
	if err := d.startCamera(ctx); err != nil {
		return err
	}
	defer d.cameraProgram.stop()
	d.say("camera     %s, showing %s", d.cameraProgram.url, d.cameraProgram.shows)
	line, err := d.line(srv)
	if err != nil {
		return err
	}
	d.say("pipeline   %s", line.Shell(false))
	if err := d.play(ctx, line.Launch(), reader); err != nil {
		return err
	}
	return d.conclude()
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.r.out, format+"\n", args...) }

func (d *demo) close(srv *local.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), localGrace)
	defer cancel()
	if err := srv.Close(ctx); err != nil {
		d.r.log.Warn("closing the endpoint", "error", err)
	}
}

// line is the preset, filled in.
func (d *demo) line(srv *local.Server) (pipelines.Line, error) {
	preset, err := pipelines.Find("rtsp-frames")
	if err != nil {
		return pipelines.Line{}, err
	}
	return preset.Fill(map[string]string{
		"location": d.cameraProgram.url, "gap": strconv.Itoa(demoGap), "sensor-name": "camera", "stream-name": demoStream, "shards": strconv.Itoa(demoKeys),
		"region": local.DefaultRegion, "endpoint-uri": srv.URL(), "access-key": anyKey, "secret-access-key": anyKey,
	})
}

// play runs the pipeline for its time, and the reader until it has all of it.
func (d *demo) play(ctx context.Context, launch string, reader *consumer.Consumer) error {
	limited, cancel := context.WithTimeout(ctx, time.Duration(d.seconds)*time.Second)
	defer cancel()
	out, books, err := d.r.play(limited, launch)
	if err == nil {
		err = out.Err
	}
	d.books = books
	if err != nil {
		return err
	}
	var delivered uint64
	for _, b := range books {
		delivered += b.Delivered.Records
	}
	late := time.After(demoCatchUp)
	for d.back.count() < delivered {
		select {
		case <-late:
			return nil // the books tell
		case <-reader.Done():
			return reader.Wait()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// read begins to read all shards back.
func (d *demo) read(ctx context.Context, srv *local.Server) (*consumer.Consumer, error) {
	way, err := awscfg.Open(ctx, awscfg.Settings{Region: local.DefaultRegion, EndpointURI: srv.URL(), AccessKey: anyKey, SecretAccessKey: anyKey},
		awscfg.Stream{Name: demoStream})
	if err != nil {
		return nil, err
	}
	return consumer.Start(way.Kinesis(), consumer.Options{
		Stream: demoStream, Region: way.Region(), Endpoint: way.Endpoint(), From: consumer.TrimHorizon(), Log: d.r.log,
	}, d.back.take)
}

// extend adds to the status what was read back.
func (d *demo) extend(s *status.Sample) { s.Read, s.Reads = d.back.count(), true }

// conclude prints the books of both sides and says whether they balance.
func (d *demo) conclude() error {
	back, last := d.back.result()
	for _, b := range d.books {
		d.say("sent       %s", b.Line())
	}
	d.say("read back  %d records (%s) from %d shards, %d of them frames", back.Records, status.Size(float64(back.Bytes)), len(d.back.shards), d.back.frames)
	if last == nil {
		return errors.New("demo: no frame came back")
	}
	if err := os.WriteFile(d.save, last, 0o644); err != nil {
		return fmt.Errorf("demo: leaving the last frame: %w", err)
	}
	d.say("last frame %s (%s)", d.save, describeJPEG(last))
	return d.balance(back)
}

func (d *demo) balance(back pipeline.Count) error {
	var delivered, lost uint64
	for _, b := range d.books {
		if !b.Balanced() || b.InFlight.Records != 0 {
			return errors.New("demo: the books do not balance: " + b.Line())
		}
		delivered += b.Delivered.Records
		lost += b.Lost()
	}
	if back.Records != delivered || d.back.frames != delivered {
		return fmt.Errorf("demo: the books do not balance: %d records were delivered, %d were read back, %d of them frames", delivered, back.Records, d.back.frames)
	}
	d.say("books      they balance: accepted = delivered + dropped, in flight 0, read back = delivered")
	if lost > 0 {
		return &statusError{status: statusIncomplete, text: fmt.Sprintf("demo: %d accepted records were not delivered", lost)}
	}
	return nil
}
