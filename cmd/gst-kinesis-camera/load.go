package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gst-kinesis/cgo/gstrtsp"
)

// inspectTimeout bounds looking into a file.
const inspectTimeout = 20 * time.Second

// longWait is the distance of key frames from which on the user is told that a second client waits.
const longWait = 4 * time.Second

// A material is a file in memory, ready to be served. It does not change.
type material struct {
	line  string // the launch line that serves it
	film  *film
	sound *sound // nil: none
}

func (m *material) unref() {
	m.film.unref()
	if m.sound != nil {
		m.sound.unref()
	}
}

// A loader takes files into memory, each once, and owns what it took. One goroutine uses it.
type loader struct {
	set       *settings
	log       *slog.Logger
	materials map[string]*material // by file
	tone      *sound               // nil until somebody wants it
}

func newLoader(set *settings, log *slog.Logger) *loader {
	return &loader{set: set, log: log, materials: map[string]*material{}}
}

// unref gives all memory back. Nothing that was made of it may be used any more.
func (l *loader) unref() {
	for _, m := range l.materials {
		m.unref()
	}
	if l.tone != nil {
		l.tone.unref()
	}
}

// load takes a file into memory. It blocks for as long as reading and, if need be, encoding the whole file takes.
func (l *loader) load(ctx context.Context, path string) (*material, error) {
	if m := l.materials[path]; m != nil {
		return m, nil
	}
	if err := checkFile(path); err != nil {
		return nil, err
	}
	info, err := gstrtsp.Inspect(path, inspectTimeout)
	if err != nil {
		return nil, remedy(err)
	}
	if info.Video == "" {
		return nil, fmt.Errorf("%s has no video%s", path, missingHint(info))
	}
	film, kind, err := l.loadFilm(ctx, path, info)
	if err != nil {
		return nil, l.explain(path, err)
	}
	m := &material{line: served(kind, l.set.audio), film: film}
	l.materials[path] = m
	if l.set.audio {
		if m.sound, err = l.loadSound(ctx, path, info, film); err != nil {
			return nil, l.explain(path, err)
		}
	}
	l.tell(path, kind, m)
	return m, nil
}

func checkFile(path string) error {
	st, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("no file %s: give the path of a clip, or leave --file out for the test picture", path)
	}
	if err != nil {
		return fmt.Errorf("looking at the clip: %w", err)
	}
	if !st.Mode().IsRegular() || st.Size() == 0 {
		return fmt.Errorf("%s is not a file with anything in it", path)
	}
	return nil
}

func missingHint(info gstrtsp.Info) string {
	if info.Missing == "" {
		return ""
	}
	return fmt.Sprintf(" that can be read (no plug-in for: %s): try `apt install %s`", info.Missing, packageFor(info.Missing))
}

func (l *loader) explain(path string, err error) error {
	if errors.Is(err, gstrtsp.ErrTooBig) {
		return fmt.Errorf("%s holds more than %d MiB: cut it (ffmpeg -t 60 -i IN -c copy OUT) or raise --max-clip-size",
			path, l.set.maxClip>>20)
	}
	return fmt.Errorf("loading %s: %w", path, remedy(err))
}

func (l *loader) tell(path string, kind codec, c *material) {
	l.log.Info("clip loaded", "file", filepath.Base(path), "codec", string(kind), "frames", len(c.film.frames),
		"period", c.film.period, "audio", c.sound != nil)
	if w := c.film.longestWait(); w > longWait {
		l.log.Info("a client that joins while others look waits for the next key frame; --key-int encodes the clip anew with more of them",
			"longest wait", w.Round(time.Millisecond))
	}
}

// codecOf is the codec of caps, codecAny for one that is not served as it is.
func codecOf(caps string) codec {
	for _, c := range []codec{codecH264, codecH265, codecMJPEG} {
		if caps == c.mediaType() || strings.HasPrefix(caps, c.mediaType()+",") {
			return c
		}
	}
	return codecAny
}

// loadFilm takes the video as it is where that is possible and wanted, else encodes it.
func (l *loader) loadFilm(ctx context.Context, path string, info gstrtsp.Info) (*film, codec, error) {
	have, want := codecOf(info.Video), l.set.codec
	if want == codecAny {
		if want = have; want == codecAny {
			want = codecH264
		}
	}
	if have == want && !l.set.recodes(info.Container == "") {
		f, err := l.keepFilm(ctx, path, have)
		var no *notServable
		if !errors.As(err, &no) {
			return f, have, err
		}
		l.log.Info("the clip is encoded anew", "why", no.why)
	}
	f, err := l.encodeFilm(ctx, path, info, want)
	return f, want, err
}

// notServable says why a clip cannot be sent as it is.
type notServable struct{ why string }

func (e *notServable) Error() string { return e.why }

func (l *loader) keepFilm(ctx context.Context, path string, c codec) (*film, error) {
	line := fmt.Sprintf("filesrc name=file ! parsebin name=p p. ! %s ! %s ! appsink name=video", c.mediaType(), c.parse())
	reel, err := gstrtsp.Collect(ctx, line, path, l.set.maxClip)
	if err != nil {
		return nil, err
	}
	if err := l.fit(c, &reel.Video); err != nil {
		reel.Unref()
		return nil, err
	}
	return newFilm(reel.Video)
}

// fit checks whether units can be served as they are, and gives them times where they have none.
func (l *loader) fit(c codec, track *gstrtsp.Track) error {
	switch {
	case track.CapsChanged:
		return &notServable{"its format changes on the way"}
	case c == codecMJPEG:
		return fitJPEG(track)
	case len(track.Units) > 0 && !timed(track.Units):
		return l.giveTimes(c, track)
	}
	return nil
}

func timed(units []gstrtsp.Unit) bool {
	for _, u := range units {
		if u.PTS == gstrtsp.NoTime {
			return false
		}
	}
	return true
}

// giveTimes lays an elementary stream out at its rate: in the order of display, which only a decoder knows.
func (l *loader) giveTimes(c codec, track *gstrtsp.Track) error {
	order, err := gstrtsp.DisplayOrder("appsrc name=source ! "+c.decoder()+" ! appsink name=sink sync=false",
		track.Caps, track.Units)
	if err != nil {
		return err
	}
	if len(order) != len(track.Units) {
		return &notServable{fmt.Sprintf("%d access units give %d pictures", len(track.Units), len(order))}
	}
	rate := l.set.rate
	if rate.n == 0 {
		rate = rateOf(track.Caps)
	}
	for place, unit := range order {
		at := rate.times(int64(place))
		track.Units[unit].PTS = at
		track.Units[unit].Duration = rate.times(int64(place)+1) - at
	}
	return nil
}

// rateOf finds the frame rate in caps.
func rateOf(caps string) fraction {
	_, rest, found := strings.Cut(caps, "framerate=(fraction)")
	text, _, _ := strings.Cut(rest, ",")
	if f, err := parseFraction(text); found && err == nil {
		return f
	}
	return defaultRate()
}

func (l *loader) encodeFilm(ctx context.Context, path string, info gstrtsp.Info, c codec) (*film, error) {
	if c == codecMJPEG && l.set.width == 0 {
		if err := checkJPEGSize(sizeOf(info.Video)); err != nil {
			return nil, err
		}
	}
	l.log.Info("encoding the clip", "file", filepath.Base(path), "codec", string(c), "length", info.Duration.Round(time.Millisecond))
	raw, resample := "video/x-raw,format=I420,pixel-aspect-ratio=1/1", ""
	w, h := sizeOf(info.Video)
	rate := rateOf(info.Video)
	if l.set.width > 0 {
		w, h = l.set.width, l.set.height
		raw += fmt.Sprintf(",width=%d,height=%d", w, h)
	}
	if l.set.rate.n > 0 {
		rate = l.set.rate
		raw += ",framerate=" + rate.String()
		resample = " ! videorate"
	}
	e := encoding{codec: c, bitrate: l.set.bitrateFor(w, h, rate), keyInt: l.set.keyIntFor(rate), quality: l.set.quality}
	line := fmt.Sprintf("filesrc name=file ! decodebin name=d d. ! video/x-raw ! videoconvert ! videoscale%s ! %s ! %s ! %s ! appsink name=video",
		resample, raw, e.encode(false), c.parse())
	reel, err := gstrtsp.Collect(ctx, line, path, l.set.maxClip)
	if err != nil {
		return nil, err
	}
	return newFilm(reel.Video)
}

// sizeOf finds width and height in caps; the test picture's where there are none.
func sizeOf(caps string) (w, h int) {
	w, h = defaultWidth, defaultHeight
	if _, rest, ok := strings.Cut(caps, "width=(int)"); ok {
		fmt.Sscanf(rest, "%d", &w)
	}
	if _, rest, ok := strings.Cut(caps, "height=(int)"); ok {
		fmt.Sscanf(rest, "%d", &h)
	}
	return w, h
}
