package main

import (
	"errors"
	"slices"
	"sort"
	"time"

	"gst-kinesis/cgo/gstrtsp"
)

// A frame is one access unit of a clip, in the order of decoding. Times count from the clip's first picture.
type frame struct {
	buffer   *gstrtsp.Buffer
	pts      time.Duration // when the picture was taken
	due      time.Duration // when a live camera would send it: never before pts, and at an even pace
	duration time.Duration
	key      bool
}

// A film is the video of a clip, made to be repeated: what comes after its last frame is its first, one frame later.
type film struct {
	caps   string
	frames []frame
	period time.Duration // from one first picture to the next
	delay  time.Duration // from a picture to its sending at most: what reordering costs a live encoder
	lag    time.Duration // how much later than in the order of display a picture comes at most
	start  time.Duration // running time of the first picture in the file; the audio counts from there, too
}

var errNoKeyFrame = errors.New("there is no key frame")

// newFilm takes the units as a file gives them, with their PTS, and lays them out for repetition. The buffers of units that
// cannot be used (before the first key frame, or referring to what is before it) are given back.
func newFilm(track gstrtsp.Track) (*film, error) {
	units := decodable(track.Units)
	if len(units) == 0 {
		return nil, errNoKeyFrame
	}
	shown := make([]time.Duration, len(units)) // in the order of display
	for i, u := range units {
		shown[i] = u.PTS
	}
	slices.Sort(shown)
	settle(units, shown, rateOf(track.Caps))

	f := &film{caps: track.Caps, start: shown[0], frames: make([]frame, len(units))}
	step := typicalStep(shown)
	f.period = shown[len(shown)-1] + lastStep(units, shown[len(shown)-1], step) - f.start
	for i, u := range units {
		f.delay = max(f.delay, u.PTS-shown[i])
		f.lag = max(f.lag, shown[i]-u.PTS)
	}
	for i, u := range units {
		f.frames[i] = frame{
			buffer: u.Buffer, pts: u.PTS - f.start, due: shown[i] - f.start + f.delay, key: u.Key,
			duration: f.stepAfter(shown, u.PTS),
		}
	}
	return f, nil
}

// decodable drops what stands before the first key frame and what is shown before it: those pictures refer to others
// that are not there, neither at the first time nor at any repetition.
func decodable(units []gstrtsp.Unit) []gstrtsp.Unit {
	first := slices.IndexFunc(units, func(u gstrtsp.Unit) bool { return u.Key })
	if first < 0 {
		first = len(units)
	}
	out := units[:0:0]
	for i, u := range units {
		if i < first || u.PTS < units[first].PTS {
			u.Buffer.Unref()
			continue
		}
		out = append(out, u)
	}
	return out
}

// settleWithin is how far a container may round its times: Matroska counts milliseconds.
const settleWithin = time.Millisecond

// settle puts times that a container has rounded back onto the grid of the frame rate, so that the steps are even and so
// is the one over the seam. Times that do not follow the rate stay as they are.
func settle(units []gstrtsp.Unit, shown []time.Duration, rate fraction) {
	start := shown[0]
	for i, t := range shown {
		if (t-start-rate.times(int64(i))).Abs() > settleWithin || i > 0 && t == shown[i-1] {
			return
		}
	}
	for i := range units {
		place, _ := slices.BinarySearch(shown, units[i].PTS)
		at := rate.times(int64(place))
		units[i].PTS, units[i].Duration = start+at, rate.times(int64(place)+1)-at
	}
	for i := range shown {
		shown[i] = start + rate.times(int64(i))
	}
}

// typicalStep is the median distance of two pictures; a clip of one picture lasts 1/25 s.
func typicalStep(shown []time.Duration) time.Duration {
	if len(shown) < 2 {
		return time.Second / 25
	}
	steps := make([]time.Duration, len(shown)-1)
	for i := range steps {
		steps[i] = shown[i+1] - shown[i]
	}
	slices.Sort(steps)
	return max(steps[len(steps)/2], time.Millisecond)
}

// lastStep is how long the picture shown last stays: as the file says, if that is likely, else a typical step.
func lastStep(units []gstrtsp.Unit, last, step time.Duration) time.Duration {
	for _, u := range units {
		if u.PTS == last && u.Duration > 0 && u.Duration <= 4*step {
			return u.Duration
		}
	}
	return step
}

// stepAfter is the time from the picture at pts to the one shown next.
func (f *film) stepAfter(shown []time.Duration, pts time.Duration) time.Duration {
	i := sort.Search(len(shown), func(i int) bool { return shown[i] > pts })
	if i == len(shown) {
		return f.period - (pts - f.start)
	}
	return shown[i] - pts
}

// keyBefore is the number of the last key frame sent at or before t, 0 <= t < period.
func (f *film) keyBefore(t time.Duration) int {
	best := 0
	for i, u := range f.frames {
		if u.key && u.due <= t {
			best = i
		}
	}
	return best
}

// longestWait is the longest time from one key frame to the next.
func (f *film) longestWait() time.Duration {
	var longest, key time.Duration
	for _, u := range f.frames {
		if u.key {
			longest = max(longest, u.pts-key)
			key = u.pts
		}
	}
	return max(longest, f.period-key)
}

// dts is when a decoder needs a frame: in even steps, and never after it is shown.
func (f *film) dts(fr frame) time.Duration { return fr.due - f.delay - f.lag }

// at is frame number n of the endless repetition, and how often the film was over before it.
func (f *film) at(n int64) (frame, time.Duration) {
	count := int64(len(f.frames))
	return f.frames[n%count], time.Duration(n/count) * f.period
}

// A sound is the audio of a clip: frames of equal length. Its own time line has no seam at all: frame follows frame for
// ever, and what each holds is chosen so that it fits the picture to half a frame.
type sound struct {
	caps    string
	frames  []*gstrtsp.Buffer
	samples int64           // in a frame
	rate    int64           // samples a second
	start   time.Duration   // of the first frame, from the film's first picture on
	period  time.Duration   // of the film
	silence *gstrtsp.Buffer // for where the file has no audio; nil: nothing is sent there
}

// time is when frame n of the endless audio begins.
func (s *sound) time(n int64) time.Duration {
	samples := n * s.samples
	return time.Duration(samples/s.rate)*time.Second + time.Duration(samples%s.rate*int64(time.Second)/s.rate)
}

// length is that of one frame.
func (s *sound) length() time.Duration { return s.time(1) }

// firstAt is the number of the first frame that begins at or after t.
func (s *sound) firstAt(t time.Duration) int64 {
	if t <= 0 {
		return 0
	}
	n := int64(t/time.Second)*s.rate/s.samples + int64(t%time.Second)*s.rate/int64(time.Second)/s.samples
	n = max(n-2, 0)
	for s.time(n) < t {
		n++
	}
	return n
}

// at is what frame n holds; nil where there is nothing.
func (s *sound) at(n int64) *gstrtsp.Buffer {
	loop := s.time(n) / s.period
	first := s.firstAt(loop * s.period)
	length := s.length()
	lead := s.time(first) - loop*s.period - s.start // the file's own time of the first frame in this repetition
	index := int64((lead + length/2) / length)
	if lead+length/2 < 0 {
		index = -int64((-lead + length/2) / length)
	}
	index += n - first
	if index < 0 || index >= int64(len(s.frames)) {
		return s.silence
	}
	return s.frames[index]
}

func (f *film) unref() {
	for _, fr := range f.frames {
		fr.buffer.Unref()
	}
}

func (s *sound) unref() {
	for _, b := range s.frames {
		b.Unref()
	}
	if s.silence != nil {
		s.silence.Unref()
	}
}
