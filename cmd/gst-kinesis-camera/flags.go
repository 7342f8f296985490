package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"
)

func newApp(stdout, stderr io.Writer) *cli.App {
	return &cli.App{
		Name:  "gst-kinesis-camera",
		Usage: "an RTSP camera for trying and testing: a clip without end, or a numbered test picture",
		Description: "Without --file it shows a moving picture with a clock and a frame number that machines can read.\n" +
			"All who look at a mount see the same live picture; it goes on whether somebody looks or not.\n" +
			"Prints the URL of each mount on standard output when it serves. Ends on SIGINT or SIGTERM.",
		UsageText:                 "gst-kinesis-camera [--file CLIP] [flags]",
		Flags:                     flags(),
		Action:                    action(stdout, stderr),
		Writer:                    stdout,
		ErrWriter:                 stderr,
		HideHelp:                  true, // the library's own flag is shared by all apps of a process; ours is below
		DisableSliceFlagSeparator: true, // a file's name may hold a comma
		OnUsageError:              func(_ *cli.Context, err error, _ bool) error { return &usageError{err} },
		ExitErrHandler:            func(*cli.Context, error) {},
	}
}

// flags say their defaults themselves where those depend on the file.
func flags() []cli.Flag {
	picture := fmt.Sprintf("%dx%d", defaultWidth, defaultHeight)
	return []cli.Flag{
		&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "`CLIP` to show over and over: mp4, mkv, … or .h264, .h265; H.264 and H.265 are sent as they are", DefaultText: "the test picture"},
		&cli.StringSliceFlag{Name: "mount", Aliases: []string{"m"}, Usage: "`PATH` of the camera, or PATH=CLIP for a clip of its own, or PATH= for the test picture; may be repeated", DefaultText: defaultMount},
		&cli.StringFlag{Name: "address", Value: defaultAddress, Usage: "`IP` address to listen on; 0.0.0.0 for all, then better with --user"},
		&cli.IntFlag{Name: "port", Aliases: []string{"p"}, Value: defaultPort, Usage: "TCP `PORT`; 0 takes a free one"},
		&cli.StringFlag{Name: "transport", Value: "both", Usage: "`WAYS` to fetch the pictures: tcp, udp or both"},
		&cli.StringFlag{Name: "user", Usage: "`NAME` that clients must give (RTSP digest or basic)"},
		&cli.StringFlag{Name: "password", Usage: "`SECRET` that goes with --user", EnvVars: []string{"GST_KINESIS_CAMERA_PASSWORD"}},
		&cli.StringFlag{Name: "codec", Usage: "`CODEC` of the video: h264, h265 or mjpeg; a file that has another is encoded anew", DefaultText: "the file's own, else h264"},
		&cli.StringFlag{Name: "size", Usage: "`WxH` in pixels; a file is encoded anew", DefaultText: "the file's own; test picture: " + picture},
		&cli.StringFlag{Name: "rate", Usage: "frames a second as `N/D`; a file is encoded anew, an elementary stream is played at it", DefaultText: "the file's own; test picture: " + defaultRate().String()},
		&cli.IntFlag{Name: "bitrate", Usage: "`KBIT/S` of the video; a file is encoded anew", DefaultText: "the file's own, else by size and rate"},
		&cli.IntFlag{Name: "key-int", Usage: "`FRAMES` from key frame to key frame at most; a file is encoded anew", DefaultText: "the file's own, else one second's"},
		&cli.IntFlag{Name: "quality", Value: defaultQuality, Usage: "of mjpeg, `1..100`"},
		&cli.BoolFlag{Name: "audio", Usage: "send audio, too (AAC): the file's own, else a tick every second", DisableDefaultText: true},
		&cli.IntFlag{Name: "max-clip-size", Value: defaultMaxClip, Usage: "`MIB` that a clip may take in memory"},
		&cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "show this", DisableDefaultText: true},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "tell more on standard error", DisableDefaultText: true},
	}
}

func action(stdout, stderr io.Writer) cli.ActionFunc {
	return func(c *cli.Context) error {
		if c.Bool("help") {
			return cli.ShowAppHelp(c)
		}
		set, err := readFlags(c)
		if err != nil {
			return &usageError{err}
		}
		return serve(c.Context, set, newLog(stderr, c.Bool("verbose")), stdout)
	}
}

func readFlags(c *cli.Context) (*settings, error) {
	if c.NArg() > 0 {
		return nil, fmt.Errorf("%q is not a flag: a clip is given by --file", c.Args().First())
	}
	s := &settings{
		address: c.String("address"), port: c.Int("port"),
		user: c.String("user"), password: c.String("password"),
		bitrate: c.Int("bitrate"), keyInt: c.Int("key-int"), quality: c.Int("quality"),
		audio: c.Bool("audio"), maxClip: int64(c.Int("max-clip-size")) << 20,
	}
	for _, n := range []string{"bitrate", "key-int", "quality", "max-clip-size"} {
		if c.IsSet(n) && c.Int(n) < 1 {
			return nil, fmt.Errorf("--%s %d: want 1 or more", n, c.Int(n))
		}
	}
	if s.quality > 100 {
		return nil, fmt.Errorf("--quality %d: want 1 to 100", s.quality)
	}
	var err error
	if s.tcp, s.udp, err = parseTransport(c.String("transport")); err != nil {
		return nil, err
	}
	if s.codec, err = parseCodec(c.String("codec")); err != nil {
		return nil, err
	}
	if s.width, s.height, err = parseSize(c.String("size")); err != nil {
		return nil, err
	}
	if c.IsSet("rate") {
		if s.rate, err = parseFraction(c.String("rate")); err != nil {
			return nil, fmt.Errorf("--rate: %w", err)
		}
	}
	if s.mounts, err = parseMounts(c.StringSlice("mount"), c.String("file")); err != nil {
		return nil, err
	}
	return s, s.check()
}
