package main

import (
	"sync"
	"time"

	"gst-kinesis/cgo/gstrtsp"
	"gst-kinesis/cmd/gst-kinesis-camera/picture"
)

// A unit is one buffer on the camera's time line: the monotonic clock of gstrtsp.Now.
type unit struct {
	gstrtsp.Times // PTS: when its picture was taken, its first sample heard

	buffer *gstrtsp.Buffer
	owned  bool // the buffer was made for this unit: Unref after use
}

// unref gives back a buffer that was made for the unit.
func (u *unit) unref() {
	if u.owned {
		u.buffer.Unref()
	}
}

// A track is an endless sequence of units for one source of a media. One goroutine uses it.
type track interface {
	source() gstrtsp.Source
	caps() string
	// depth is how many units may wait in the media.
	depth() int
	// due is when the next unit is to be sent; it does not move.
	due() time.Duration
	// next takes the next unit. A unit without a buffer is a pause.
	next() unit
	// skip goes on to the first unit due at or after now that a decoder can begin with.
	skip(now time.Duration)
}

// depthFor is tooLate's worth of units: as long as a machine that is busy elsewhere may take to get to them.
func depthFor(step time.Duration) int {
	return int(tooLate/max(step, time.Millisecond)) + 2
}

// A show is what a mount shows. It goes on whether somebody looks or not.
type show interface {
	// launch is the launch line of the media.
	launch() string
	// open gives the tracks, video first, for somebody who begins to look now.
	open(now time.Duration) []track
	// delay is from the capture of a picture to its sending at most.
	delay() time.Duration
}

// --- a clip ---------------------------------------------------------------------------------------------

// A clip is a show: a file over and over. Safe for concurrent use.
type clip struct {
	*material

	mu     sync.Mutex
	origin time.Duration // when the film began for the first time
}

func (c *clip) launch() string       { return c.line }
func (c *clip) delay() time.Duration { return c.film.delay }

// open begins with the key frame last sent, as if it were to be sent now: nobody was looking, so nobody sees that the film
// went back by less than a group of pictures; and the first picture is there at once.
func (c *clip) open(now time.Duration) []track {
	c.mu.Lock()
	defer c.mu.Unlock()
	shown := max(now-c.origin, 0)
	loops := shown / c.film.period
	n := int64(loops)*int64(len(c.film.frames)) + int64(c.film.keyBefore(shown-loops*c.film.period))
	at, base := c.film.at(n)
	c.origin = now - base - at.due
	tracks := []track{&filmTrack{film: c.film, origin: c.origin, n: n, hidden: c.origin + base + at.pts}}
	if c.sound != nil {
		s := &soundTrack{sound: c.sound, origin: c.origin, delay: c.film.delay}
		s.skip(now)
		tracks = append(tracks, s)
	}
	return tracks
}

// filmTrack plays a film from frame n on.
type filmTrack struct {
	film   *film
	origin time.Duration
	n      int64
	hidden time.Duration // pictures taken before this one refer to what was skipped
}

func (t *filmTrack) source() gstrtsp.Source { return gstrtsp.Video }
func (t *filmTrack) caps() string           { return t.film.caps }
func (t *filmTrack) depth() int             { return depthFor(t.film.period / time.Duration(len(t.film.frames))) }

func (t *filmTrack) due() time.Duration {
	f, base := t.film.at(t.n)
	return t.origin + base + f.due
}

func (t *filmTrack) next() unit {
	f, base := t.film.at(t.n)
	t.n++
	at := t.origin + base
	u := unit{Times: gstrtsp.Times{PTS: at + f.pts, DTS: at + t.film.dts(f), Duration: f.duration}, buffer: f.buffer}
	if u.PTS < t.hidden {
		u.buffer = nil
	}
	return u
}

func (t *filmTrack) skip(now time.Duration) {
	count := int64(len(t.film.frames))
	if behind := int64((now - t.origin) / t.film.period); behind-1 > t.n/count {
		t.n = (behind - 1) * count
	}
	for {
		f, base := t.film.at(t.n)
		if f.key && t.origin+base+f.due >= now {
			t.hidden = t.origin + base + f.pts
			return
		}
		t.n++
	}
}

// soundTrack plays a sound. It is sent together with the pictures of its time.
type soundTrack struct {
	sound  *sound
	origin time.Duration
	delay  time.Duration // of the pictures
	n      int64
}

func (t *soundTrack) source() gstrtsp.Source { return gstrtsp.Audio }
func (t *soundTrack) caps() string           { return t.sound.caps }
func (t *soundTrack) depth() int             { return depthFor(t.sound.length()) }
func (t *soundTrack) due() time.Duration     { return t.origin + t.delay + t.sound.time(t.n) }

func (t *soundTrack) next() unit {
	at := t.due() - t.delay
	u := unit{Times: gstrtsp.Times{PTS: at, DTS: at, Duration: t.sound.length()}, buffer: t.sound.at(t.n)}
	t.n++
	return u
}

func (t *soundTrack) skip(now time.Duration) {
	t.n = max(t.n, t.sound.firstAt(now-t.delay-t.origin))
}

// --- the test picture -----------------------------------------------------------------------------------

// A testPicture is a show: a picture that moves, with a clock, encoded while somebody looks.
type testPicture struct {
	line    string
	rawCaps string
	painter *picture.Painter
	rate    fraction
	origin  time.Duration // of frame 0
	sound   *sound        // nil: none
	wall    func(capture time.Duration) time.Time
}

func (p *testPicture) launch() string       { return p.line }
func (p *testPicture) delay() time.Duration { return 0 }

func (p *testPicture) open(now time.Duration) []track {
	t := &pictureTrack{show: p}
	t.skip(now)
	tracks := []track{t}
	if p.sound != nil { // its ticks come with the full seconds of the picture's clock
		begin := p.wall(p.origin)
		s := &soundTrack{sound: p.sound, origin: p.origin - begin.Sub(begin.Truncate(time.Second))}
		s.skip(now)
		tracks = append(tracks, s)
	}
	return tracks
}

type pictureTrack struct {
	show *testPicture
	n    int64
}

func (t *pictureTrack) source() gstrtsp.Source { return gstrtsp.Video }
func (t *pictureTrack) caps() string           { return t.show.rawCaps }
func (t *pictureTrack) due() time.Duration     { return t.show.origin + t.show.rate.times(t.n) }

// Raw pictures are large: no more of them may wait than 64 MiB hold.
func (t *pictureTrack) depth() int {
	return max(2, min(depthFor(t.show.rate.times(1)), 64<<20/t.show.painter.Size()))
}

func (t *pictureTrack) next() unit {
	at := t.due()
	p := t.show
	b := gstrtsp.NewBuffer(p.painter.Size())
	stamp := picture.Stamp{Frame: uint32(t.n), Time: p.wall(at)}
	err := b.Fill(func(dst []byte) { p.painter.Paint(dst, stamp) })
	t.n++
	times := gstrtsp.Times{PTS: at, DTS: at, Duration: p.rate.times(t.n) - p.rate.times(t.n-1)}
	u := unit{Times: times, buffer: b, owned: true}
	if err != nil {
		b.Unref()
		u.buffer, u.owned = nil, false
	}
	return u
}

func (t *pictureTrack) skip(now time.Duration) {
	for t.n = max(t.n, t.show.rate.count(now-t.show.origin)-1); t.due() < now; t.n++ {
	}
}
