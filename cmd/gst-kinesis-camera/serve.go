package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"

	"gst-kinesis/cgo/gstrtsp"
	"gst-kinesis/cmd/gst-kinesis-camera/picture"
)

// serve loads what is to be shown, serves it and prints the URLs, until ctx ends or a pipeline fails.
func serve(ctx context.Context, set *settings, log *slog.Logger, stdout io.Writer) error {
	if ip := net.ParseIP(set.address); set.user == "" && (ip == nil || !ip.IsLoopback()) {
		log.Warn("everybody who reaches this machine can look: --user and --password keep others out", "address", set.address)
	}
	running, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	server, err := gstrtsp.New(gstrtsp.Config{
		Address: set.address, Port: set.port, User: set.user, Password: set.password,
		NoTCP: !set.tcp, NoUDP: !set.udp,
		OnClient:  func(e gstrtsp.ClientEvent) { logClient(log, e) },
		OnFailure: func(path string, err error) { fail(fmt.Errorf("%s: %w", path, remedy(err))) },
		OnPanic:   func(err error) { log.Error("this is a defect of the camera", "error", err) },
	})
	if err != nil {
		return err
	}
	load := newLoader(set, log)
	if err = mountAll(ctx, server, load); err == nil {
		err = remedy(server.Start())
	}
	if err == nil {
		for _, m := range set.mounts {
			fmt.Fprintln(stdout, server.URL(m.path))
		}
		<-running.Done()
	}
	if running.Err() != nil && ctx.Err() == nil {
		err = context.Cause(running) // what the pipeline said tells more than that it did not start
	}
	log.Debug("stopping")
	if closeErr := server.Close(); closeErr != nil {
		log.Warn("stopping was not clean", "error", closeErr)
		return err
	}
	load.unref()
	return err
}

func logClient(log *slog.Logger, e gstrtsp.ClientEvent) {
	switch e.Kind {
	case gstrtsp.ClientConnected:
		log.Debug("client connected", "peer", e.Peer)
	case gstrtsp.ClientPlays:
		log.Info("client plays", "peer", e.Peer, "mount", e.Path)
	case gstrtsp.ClientClosed:
		log.Debug("client gone", "peer", e.Peer)
	}
}

// mountAll makes a show for each mount. Mounts of the same file share its memory but not their place in it.
func mountAll(ctx context.Context, server *gstrtsp.Server, load *loader) error {
	for _, m := range load.set.mounts {
		s, err := load.show(ctx, m.file)
		if err != nil {
			return err
		}
		log := load.log.With("mount", m.path)
		feed := func(ctx context.Context, media *gstrtsp.Media) {
			(&feeder{show: s, media: media, clock: systemTimer{}, log: log}).run(ctx)
		}
		if err := server.Mount(m.path, gstrtsp.Mount{Launch: s.launch(), Feed: feed}); err != nil {
			return remedy(err)
		}
	}
	return nil
}

// show makes what a mount with this file shows.
func (l *loader) show(ctx context.Context, file string) (show, error) {
	if file == "" {
		return l.testPicture(ctx)
	}
	m, err := l.load(ctx, file)
	if err != nil {
		return nil, err
	}
	return &clip{material: m, origin: gstrtsp.Now()}, nil
}

func (l *loader) testPicture(ctx context.Context) (show, error) {
	set := l.set
	w, h := set.pictureSize()
	painter, err := picture.NewPainter(w, h)
	if err != nil {
		return nil, err
	}
	rate := set.pictureRate()
	e := encoding{
		codec: set.pictureCodec(), bitrate: set.bitrateFor(w, h, rate), keyInt: set.keyIntFor(rate), quality: set.quality,
	}
	p := &testPicture{
		line:    painted(e, set.audio),
		rawCaps: fmt.Sprintf("video/x-raw,format=I420,width=%d,height=%d,framerate=%s,pixel-aspect-ratio=1/1", w, h, rate),
		painter: painter, rate: rate, origin: gstrtsp.Now(), wall: wallTime,
	}
	if !set.audio {
		return p, nil
	}
	if l.tone == nil {
		if l.tone, err = makeTone(ctx, set.maxClip); err != nil {
			return nil, err
		}
	}
	p.sound = l.tone
	return p, nil
}
