package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/local"
)

// The credentials that are printed where any will do.
const anyKey = "local"

// localGrace is how long requests under way may take at the end.
const localGrace = 2 * time.Second

func (p *program) localCommand() *cli.Command {
	return &cli.Command{
		Name:  "local",
		Usage: "serve Kinesis Data Streams and Video Streams on this machine, without an AWS account",
		Description: "Prints one line when it listens: words of NAME=VALUE that are flags of this program (--NAME VALUE)\n" +
			"and properties of the elements alike. Both services are at that endpoint. Ends on SIGINT and SIGTERM.",
		Action: p.local,
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "port", Usage: "TCP `PORT`; 0 takes a free one", Value: 4567},
			&cli.StringFlag{Name: "address", Usage: "`ADDRESS` to listen at", Value: "127.0.0.1"},
			&cli.BoolFlag{Name: "allow-remote", Usage: "permit an address that other machines can reach"},
			&cli.StringSliceFlag{Name: "create", Usage: "create a stream: `NAME[:SHARDS]`; may be given several times"},
			&cli.StringSliceFlag{Name: "video-stream", Usage: "create a video stream: `NAME[:RETENTION]`, such as cam:24h or cam:0; may be given several times"},
			&cli.StringFlag{Name: "limits", Usage: "`LIMITS` of shards, calls and connections: aws (as the service throttles) or none", Value: string(local.LimitsAWS)},
			&cli.StringFlag{Name: "data-dir", Usage: "keep streams and records in `DIR` over a restart (default: in memory only)"},
			&cli.BoolFlag{Name: "sync", Usage: "with --data-dir: answer puts only when they are on the disk itself"},
			&cli.StringFlag{Name: "max-bytes", Usage: "memory for records; the oldest go first: `SIZE` such as 256MiB", Value: "256MiB"},
			&cli.StringFlag{Name: "video-memory", Usage: "memory for video; the oldest fragments go first: `SIZE` such as 512MiB", Value: "512MiB"},
			&cli.StringFlag{Name: "video-disk", Usage: "with --data-dir: room for video there: `SIZE` such as 16GiB", Value: "16GiB"},
			&cli.StringFlag{Name: "faults", Usage: "go wrong as this YAML `FILE` says"},
			&cli.StringFlag{Name: "region", Usage: "`REGION` in ARNs and signatures", Value: local.DefaultRegion},
			&cli.StringFlag{Name: "access-key", Usage: "verify signatures: the access key `ID` to sign with"},
			&cli.StringFlag{Name: "secret-access-key", Usage: "its `SECRET`", EnvVars: []string{"GST_KINESIS_LOCAL_SECRET"}},
			&cli.BoolFlag{Name: "log-requests", Usage: "log each request"},
		},
	}
}

func (p *program) local(c *cli.Context) error {
	if err := takeArgs(c); err != nil {
		return err
	}
	set, err := p.localSettings(c)
	if err != nil {
		return err
	}
	srv, err := local.New(set)
	if err != nil {
		return err
	}
	err = srv.Start()
	if err == nil {
		err = p.announce(c, srv)
	}
	if err == nil {
		<-c.Context.Done()
	}
	ctx, cancel := context.WithTimeout(context.Background(), localGrace)
	defer cancel()
	closing := srv.Close(ctx)
	if errors.Is(closing, context.DeadlineExceeded) { // somebody's request, not our failure
		p.log.Warn("ending", "error", closing)
		closing = nil
	}
	return errors.Join(err, closing)
}

// localSettings reads the flags.
func (p *program) localSettings(c *cli.Context) (local.Settings, error) {
	set := local.Settings{
		Addr:        net.JoinHostPort(c.String("address"), strconv.Itoa(c.Int("port"))),
		AllowRemote: c.Bool("allow-remote"),
		Region:      c.String("region"),
		Limits:      local.Limits(c.String("limits")),
		DataDir:     c.String("data-dir"),
		Sync:        c.Bool("sync"),
		Now:         p.now,
		Logger:      p.log,
	}
	if p := c.Int("port"); p < 0 || p > 65535 {
		return set, usageError("--port %d is no port", p)
	}
	if c.Bool("log-requests") {
		set.Observe = p.logRequest
	}
	if err := localSizes(c, &set); err != nil {
		return set, err
	}
	if err := localStreams(c, &set); err != nil {
		return set, err
	}
	key, secret := c.String("access-key"), c.String("secret-access-key")
	if (key == "") != (secret == "") {
		return set, usageError("--access-key and --secret-access-key go together: give both to verify signatures, or neither")
	}
	if key != "" {
		set.Credentials = []local.Credentials{{AccessKeyID: key, SecretAccessKey: secret}}
	}
	if file := c.String("faults"); file != "" {
		return set, addFaults(&set, file)
	}
	return set, nil
}

// localSizes reads the bounds.
func localSizes(c *cli.Context, set *local.Settings) error {
	for flag, into := range map[string]*int64{"max-bytes": &set.MaxBytes, "video-memory": &set.VideoMemory, "video-disk": &set.VideoDisk} {
		size, err := parseSize(c.String(flag))
		if err != nil {
			return usageError("--%s: %v", flag, err)
		}
		*into = size
	}
	return nil
}

// localStreams reads what is to be created.
func localStreams(c *cli.Context, set *local.Settings) error {
	for _, text := range c.StringSlice("create") {
		spec, err := local.ParseStreamSpec(text)
		if err != nil {
			return usageError("--create: %v", err)
		}
		set.Create = append(set.Create, spec)
	}
	for _, text := range c.StringSlice("video-stream") {
		spec, err := local.ParseVideoStreamSpec(text)
		if err != nil {
			return usageError("--video-stream: %v", err)
		}
		set.VideoCreate = append(set.VideoCreate, spec)
	}
	return nil
}

func addFaults(set *local.Settings, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the faults: %w", err)
	}
	script, err := local.ParseFaults(text)
	if err != nil {
		return fmt.Errorf("reading the faults in %s: %w", file, err)
	}
	set.Faults, set.Seed = script.Rules, script.Seed
	return nil
}

// announce prints the line that scripts read. A secret that was given is not
// repeated.
func (p *program) announce(c *cli.Context, srv *local.Server) error {
	line := "endpoint-uri=" + srv.URL() + " region=" + c.String("region")
	if key := c.String("access-key"); key != "" {
		line += " access-key=" + key
	} else {
		line += " access-key=" + anyKey + " secret-access-key=" + anyKey
	}
	for _, text := range c.StringSlice("video-stream") {
		name, _, _ := strings.Cut(text, ":")
		p.log.Info("serving a video stream", "stream", name, "endpoint-uri", srv.URL())
	}
	_, err := fmt.Fprintln(p.out, line)
	return err
}

func (p *program) logRequest(r local.Request) {
	level := slog.LevelInfo
	if r.Code != "" {
		level = slog.LevelWarn
	}
	p.log.Log(context.Background(), level, "request", "operation", r.Operation, "stream", r.Stream, "status", r.Status, "code", r.Code,
		"records", r.Records, "failed", r.Failed, "bytes", r.Bytes, "duration", r.Duration.Round(time.Microsecond))
}
