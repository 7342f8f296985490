package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gstrtsp"
)

// fakeTimer is a clock that is where it is asked to wait for. Before is called at each wait.
type fakeTimer struct {
	at     time.Duration
	before func(t time.Duration)
}

func (c *fakeTimer) now() time.Duration { return c.at }

func (c *fakeTimer) wait(_ context.Context, t time.Duration) {
	if c.before != nil {
		c.before(t)
	}
	c.at = max(c.at, t)
}

// pushed is one buffer that a fakeMedia took.
type pushed struct {
	source   gstrtsp.Source
	number   int
	at       time.Duration // of capture
	order    time.Duration // DTS
	now      time.Duration // of the push
	duration time.Duration
}

// fakeMedia takes what it is given. answer may refuse it; pushes beyond limit end the test's context.
type fakeMedia struct {
	t       *testing.T
	clock   *fakeTimer
	viewers func() int
	answer  func(p pushed) error
	need    chan struct{}
	play    chan struct{}
	caps    []string
	pushes  []pushed
	limit   int
	stop    context.CancelFunc
}

func (m *fakeMedia) SetCaps(_ gstrtsp.Source, caps string) error {
	m.caps = append(m.caps, caps)
	return nil
}

func (m *fakeMedia) Push(i gstrtsp.Source, b *gstrtsp.Buffer, t gstrtsp.Times, _ int) error {
	p := pushed{source: i, number: number(m.t, b), at: t.PTS, order: t.DTS, now: m.clock.at, duration: t.Duration}
	if m.answer != nil {
		if err := m.answer(p); err != nil {
			return err
		}
	}
	m.pushes = append(m.pushes, p)
	if len(m.pushes) >= m.limit {
		m.stop()
	}
	return nil
}

func (m *fakeMedia) Prime(i gstrtsp.Source, b *gstrtsp.Buffer, t gstrtsp.Times) error {
	return m.Push(i, b, t, 0)
}

func (m *fakeMedia) Viewers() int          { return m.viewers() }
func (m *fakeMedia) Need() <-chan struct{} { return m.need }
func (m *fakeMedia) Play() <-chan struct{} { return m.play }

type feedTest struct {
	*fakeMedia
	feeder *feeder
	log    bytes.Buffer
	ctx    context.Context
}

// newFeedTest feeds a show into a media at which one viewer looks, until limit buffers were taken.
func newFeedTest(t *testing.T, s show, limit int) *feedTest {
	ctx, stop := context.WithCancel(t.Context())
	clock := &fakeTimer{at: time.Hour}
	ft := &feedTest{ctx: ctx, fakeMedia: &fakeMedia{
		t: t, clock: clock, limit: limit, stop: stop,
		viewers: func() int { return 1 },
		need:    make(chan struct{}, 1), play: make(chan struct{}, 1),
	}}
	ft.feeder = &feeder{show: s, media: ft.fakeMedia, clock: clock, log: slog.New(slog.NewTextHandler(&ft.log, nil))}
	return ft
}

func clipOf(t *testing.T, withSound bool, places []int, keys ...int) *clip {
	m := &material{film: filmOf(t, places, keys...)}
	if withSound {
		m.sound = soundOf(t, int(m.film.period/(21333*time.Microsecond))+1, 48000, 0, m.film.period)
	}
	return &clip{material: m, origin: time.Hour}
}

func TestFeedPlaysOverTheSeam(t *testing.T) {
	t.Parallel()
	ft := newFeedTest(t, clipOf(t, false, []int{0, 2, 1, 3}, 0), 14)
	ft.feeder.run(ft.ctx)
	require.Len(t, ft.pushes, 14)
	first := ft.pushes[1] // 0 is the one that primes
	for i, p := range ft.pushes[1:] {
		require.Equal(t, i%4, p.number)
		place := time.Duration(i/4*4 + []int{0, 2, 1, 3}[i%4])
		require.Equal(t, first.at+place*tick, p.at)
		require.Equal(t, first.now+time.Duration(i)*tick, p.now, "an even pace")
		require.GreaterOrEqual(t, p.now, p.at)
		require.LessOrEqual(t, p.order, p.at)
		require.Equal(t, first.order+time.Duration(i)*tick, p.order)
		require.Equal(t, tick, p.duration)
	}
}

func TestFeedKeepsSoundBesidePicture(t *testing.T) {
	t.Parallel()
	ft := newFeedTest(t, clipOf(t, true, []int{0, 2, 1, 3, 4, 5, 6, 7, 8, 9}, 0), 400)
	ft.feeder.run(ft.ctx)
	require.Len(t, ft.caps, 2)
	var last pushed
	for _, p := range ft.pushes[2:] {
		if p.source != gstrtsp.Audio {
			continue
		}
		if last.duration > 0 {
			require.InDelta(t, last.at+last.duration, p.at, 1)
		}
		require.Equal(t, p.at+tick, p.now, "sent with the pictures of its time, which are one step late")
		last = p
	}
	require.NotZero(t, last)
}

func TestFeedWaitsUntilTheMediaPlays(t *testing.T) {
	t.Parallel()
	ft := newFeedTest(t, clipOf(t, true, []int{0, 1}, 0), 10)
	asked := 0
	ft.answer = func(pushed) error {
		if asked++; asked < 4 {
			ft.need <- struct{}{}
			return gstrtsp.ErrIdle
		}
		return nil
	}
	ft.feeder.run(ft.ctx)
	require.Len(t, ft.pushes, 10)
	require.Equal(t, gstrtsp.Video, ft.pushes[0].source)
	require.Equal(t, gstrtsp.Audio, ft.pushes[1].source, "each source is primed")
}

// While nobody looks nothing is sent; who comes sees a key frame at once, and the film has gone on meanwhile.
func TestFeedRestsWhileNobodyLooks(t *testing.T) {
	t.Parallel()
	places := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	ft := newFeedTest(t, clipOf(t, false, places, 0, 5), 12)
	away := 0
	ft.viewers = func() int {
		if len(ft.pushes) != 4 {
			return 1
		}
		switch away++; away { // after three pictures the viewer goes
		case 1:
			return 0
		case 2:
			ft.play <- struct{}{} // somebody came, and is gone already
			return 0
		case 3:
			ft.clock.at += 100*10*tick + 4*tick
			ft.play <- struct{}{}
			return 0
		}
		return 1
	}
	ft.feeder.run(ft.ctx)
	require.Len(t, ft.pushes, 12)
	before, after := ft.pushes[3], ft.pushes[4]
	require.Equal(t, 2, before.number)
	require.Equal(t, 5, after.number, "a key frame: 7 would have been due")
	require.GreaterOrEqual(t, after.at-before.at, 1000*tick)
	require.Equal(t, after.now, after.at)
	require.Equal(t, 6, ft.pushes[5].number)
}

func TestFeedGoesOnWithAKeyFrameAfterLoss(t *testing.T) {
	t.Parallel()
	ft := newFeedTest(t, clipOf(t, false, []int{0, 1, 2, 3, 4, 5}, 0, 4), 6)
	full := true
	ft.answer = func(p pushed) error {
		if p.number == 1 && full {
			full = false
			return gstrtsp.ErrFull
		}
		return nil
	}
	ft.feeder.run(ft.ctx)
	var numbers []int
	for _, p := range ft.pushes[1:] {
		numbers = append(numbers, p.number)
	}
	require.Equal(t, []int{0, 4, 5, 0, 1}, numbers, "1 was lost: 2 and 3 are of no use")
	require.Equal(t, 4*tick, ft.pushes[2].at-ft.pushes[1].at)
}

// A camera that was stopped for long does not send all that it missed.
func TestFeedGoesOnWithThePresent(t *testing.T) {
	t.Parallel()
	ft := newFeedTest(t, clipOf(t, false, []int{0, 1, 2, 3, 4, 5}, 0, 4), 8)
	ft.clock.before = func(due time.Duration) {
		if len(ft.pushes) == 3 && ft.clock.at < 2*time.Hour {
			ft.clock.at = due + time.Hour
		}
	}
	ft.feeder.run(ft.ctx)
	require.Contains(t, ft.log.String(), "goes on with the present")
	require.GreaterOrEqual(t, ft.pushes[3].at-ft.pushes[2].at, time.Hour)
	require.Contains(t, []int{0, 4}, ft.pushes[3].number, "a key frame")
	for _, p := range ft.pushes[3:] {
		require.Less(t, (p.now - p.at).Abs(), tick)
	}
}

func TestFeedEndsWithItsMedia(t *testing.T) {
	t.Parallel()
	for _, after := range []int{0, 3} {
		ft := newFeedTest(t, clipOf(t, false, []int{0, 1}, 0), 100)
		ft.answer = func(pushed) error {
			if len(ft.pushes) == after {
				return gstrtsp.ErrFailed
			}
			return nil
		}
		ft.feeder.run(ft.ctx)
		require.Len(t, ft.pushes, after)
		require.Contains(t, ft.log.String(), gstrtsp.ErrFailed.Error())
	}
}

func TestFeedEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ft := newFeedTest(t, clipOf(t, false, []int{0, 1}, 0), 100)
	ft.answer = func(pushed) error { ft.stop(); return gstrtsp.ErrIdle } // stopped before the media ever plays
	ft.feeder.run(ft.ctx)
	require.Empty(t, ft.log.String())
	require.True(t, errors.Is(ft.ctx.Err(), context.Canceled))
}
