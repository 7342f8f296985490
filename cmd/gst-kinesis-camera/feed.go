package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gst-kinesis/cgo/gstrtsp"
)

// tooLate is how far behind its time a camera may be and still send everything. Later than that (it was stopped, or the
// machine was asleep) it goes on with the present, as a camera does.
const tooLate = 3 * time.Second

// A timer is the clock of gstrtsp.Now, or a test's.
type timer interface {
	now() time.Duration
	// wait returns at t, or when ctx ends.
	wait(ctx context.Context, t time.Duration)
}

// A media is what gstrtsp.Media is to a feeder.
type media interface {
	SetCaps(gstrtsp.Source, string) error
	Prime(i gstrtsp.Source, b *gstrtsp.Buffer, t gstrtsp.Times) error
	Push(i gstrtsp.Source, b *gstrtsp.Buffer, t gstrtsp.Times, maxLevel int) error
	Viewers() int
	Need() <-chan struct{}
	Play() <-chan struct{}
}

// A feeder pushes a show into one media, each unit when it is due, while somebody looks.
type feeder struct {
	show  show
	media media
	clock timer
	log   *slog.Logger

	tracks []track
	begun  time.Duration // the media's time line goes back no further
}

// run feeds until ctx ends or the media fails.
func (f *feeder) run(ctx context.Context) {
	if err := f.prime(ctx); err != nil {
		f.end(ctx, err)
		return
	}
	for f.awaitViewer(ctx) {
		f.tracks = f.show.open(max(f.clock.now(), f.begun+f.show.delay()))
		if err := f.play(ctx); err != nil {
			f.end(ctx, err)
			return
		}
	}
}

func (f *feeder) end(ctx context.Context, err error) {
	if ctx.Err() == nil {
		f.log.Error("the camera shows nothing more here", "error", err)
	}
}

// prime gives each source one unit: the media must see one to know what it will send. Nobody gets it.
func (f *feeder) prime(ctx context.Context) error {
	f.tracks = f.show.open(f.clock.now())
	for _, t := range f.tracks {
		if err := f.media.SetCaps(t.source(), t.caps()); err != nil {
			return err
		}
	}
	for _, t := range f.tracks {
		u := t.next()
		for u.buffer == nil {
			u = t.next()
		}
		err := f.primeSource(ctx, t, u)
		u.unref()
		if err != nil {
			return err
		}
	}
	f.begun = f.clock.now()
	return nil
}

// primeSource gives a source its unit as soon as the media plays: its time line begins then. It asks for data when it does.
func (f *feeder) primeSource(ctx context.Context, t track, u unit) error {
	for {
		now := f.clock.now()
		err := f.media.Prime(t.source(), u.buffer, gstrtsp.Times{PTS: now, DTS: now, Duration: u.Duration})
		if !errors.Is(err, gstrtsp.ErrIdle) {
			return err
		}
		select {
		case <-f.media.Need():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// awaitViewer returns when somebody looks, or false when ctx has ended.
func (f *feeder) awaitViewer(ctx context.Context) bool {
	for f.media.Viewers() == 0 {
		select {
		case <-f.media.Play():
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}

// play pushes until nobody looks any more.
func (f *feeder) play(ctx context.Context) error {
	for {
		t := f.earliest()
		if f.clock.wait(ctx, t.due()); ctx.Err() != nil {
			return nil
		}
		if t.source() == gstrtsp.Video && f.media.Viewers() == 0 {
			return nil
		}
		if late := f.clock.now() - t.due(); late > tooLate {
			f.log.Warn("the camera was held up and goes on with the present", "late", late.Round(time.Millisecond))
			t.skip(f.clock.now())
			continue
		}
		if err := f.send(t); err != nil {
			return err
		}
	}
}

func (f *feeder) earliest() track {
	first := f.tracks[0]
	for _, t := range f.tracks[1:] {
		if t.due() < first.due() {
			first = t
		}
	}
	return first
}

// send pushes the next unit of a track, if the media takes it.
func (f *feeder) send(t track) error {
	u := t.next()
	if u.buffer == nil {
		return nil
	}
	defer u.unref()
	err := f.media.Push(t.source(), u.buffer, u.Times, t.depth())
	if errors.Is(err, gstrtsp.ErrFull) || errors.Is(err, gstrtsp.ErrIdle) {
		f.log.Debug("the media takes nothing", "why", err)
		t.skip(f.clock.now())
		return nil
	}
	return err
}

// --- the real clock -------------------------------------------------------------------------------------

type systemTimer struct{}

func (systemTimer) now() time.Duration { return gstrtsp.Now() }

func (c systemTimer) wait(ctx context.Context, t time.Duration) {
	left := t - c.now()
	if left <= 0 {
		return
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// wallTime says what the wall clock showed, or will show, at a moment of the monotonic clock.
func wallTime(capture time.Duration) time.Time {
	return time.Now().Add(capture - gstrtsp.Now())
}
