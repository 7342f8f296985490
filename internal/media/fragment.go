package media

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"gst-kinesis/internal/mkv"
)

// Fragment is a fragment as it is stored. It and all that hangs on it but Tracks are used again: they are valid until the next call of
// [Reader.Next].
type Fragment struct {
	// Number is the service's; later ones are larger, as numbers of decimal digits.
	Number string
	// ServerTime is when the service had it, ProducerTime when it begins by the producer's clock, both to a millisecond; zero if the
	// service does not say.
	ServerTime, ProducerTime time.Time
	// ContinuationToken is what GetMedia gives to go on with after this fragment, see [Continue].
	ContinuationToken string
	// MillisBehind is how far behind now GetMedia is; -1 if it does not say.
	MillisBehind int64
	// Tracks are those of its document.
	Tracks []mkv.Track
	// Timecode is the cluster's, in ticks of TimecodeScale ns, absolute or relative as the producer sent it.
	Timecode      int64
	TimecodeScale uint64
	// Tags are the producer's own.
	Tags []mkv.Tag
	// Frames are in the order of the stream.
	Frames []Frame
	// Bytes are the frames' payloads.
	Bytes int64

	data []byte // of all frames
}

// Frame is one frame.
type Frame struct {
	Track                       uint64 // its number in Tracks
	Relative                    int64  // ticks after the fragment's Timecode
	Key, Invisible, Discardable bool
	Data                        []byte

	size int
}

// Time is when a frame of the fragment is shown, by the producer's clock.
func (f *Fragment) Time(frame *Frame) time.Time {
	return f.ProducerTime.Add(time.Duration(frame.Relative) * time.Duration(f.TimecodeScale))
}

// The most that a fragment may hold: more than the service stores, see mkv.MaxFragment.
const (
	mostBytes  = 2 * mkv.MaxFragment
	mostFrames = 1 << 20
)

// begin makes it one of which nothing is known, in the same buffers.
func (f *Fragment) begin(timecode, scale uint64, tracks []mkv.Track) {
	*f = Fragment{MillisBehind: -1, Tracks: tracks, Timecode: int64(timecode), TimecodeScale: scale, //nolint:gosec // below 2^62
		Tags: f.Tags[:0], Frames: f.Frames[:0], data: f.data[:0]}
}

// add copies a frame.
func (f *Fragment) add(b *mkv.Block) error {
	if len(f.data)+len(b.Data) > mostBytes || len(f.Frames) == mostFrames {
		return fmt.Errorf("reading the fragment %s: %w: it has more than %d bytes or %d frames", f.Number, mkv.ErrLimit, mostBytes, mostFrames)
	}
	relative := int64(b.Relative)
	if b.Frame > 0 {
		relative += int64(b.Frame) * f.frameTicks(b)
	}
	f.data = append(f.data, b.Data...)
	f.Frames = append(f.Frames, Frame{Track: b.Track, Relative: relative, Key: b.Key, Invisible: b.Invisible, Discardable: b.Discardable, size: len(b.Data)})
	return nil
}

// frameTicks is how much later the next frame of a lace is.
func (f *Fragment) frameTicks(b *mkv.Block) int64 {
	for i := range f.Tracks {
		if t := &f.Tracks[i]; t.Number == b.Track && t.DefaultDuration != 0 {
			return int64(min(t.DefaultDuration/f.TimecodeScale, math.MaxInt16)) //nolint:gosec // bounded
		}
	}
	return int64(min(b.Duration/uint64(b.Frames), math.MaxInt16)) //nolint:gosec // bounded
}

// end gives the frames their data, which lie still from now on.
func (f *Fragment) end() {
	rest := f.data
	for i := range f.Frames {
		n := f.Frames[i].size
		f.Frames[i].Data, rest = rest[:n:n], rest[n:]
	}
	f.Bytes = int64(len(f.data))
}

// learn takes a tag of the service that stands before the cluster; false if it is none.
func (f *Fragment) learn(t mkv.Tag) bool {
	switch t.Name {
	case mkv.TagFragmentNumber:
		f.Number = t.Value
	case mkv.TagServerTimestamp, mkv.TagServerSideTimestamp:
		f.ServerTime = tagTime(t.Value)
	case mkv.TagProducerTimestamp, mkv.TagProducerSideTimestamp:
		f.ProducerTime = tagTime(t.Value)
	default:
		return false
	}
	return true
}

// learnAfter takes a tag of the service that stands after the cluster; false if it is none.
func (f *Fragment) learnAfter(t mkv.Tag) bool {
	switch t.Name {
	case mkv.TagContinuation:
		f.ContinuationToken = t.Value
	case mkv.TagMillisBehind:
		if n, err := strconv.ParseInt(t.Value, 10, 64); err == nil {
			f.MillisBehind = n
		}
	case mkv.TagEndOfFragment: // the producer's way to end one
	default:
		return false
	}
	return true
}

// tagTime reads seconds since 1970; zero if they are none.
func tagTime(text string) time.Time {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(seconds) || math.Abs(seconds) > 1e11 {
		return time.Time{}
	}
	return fromSeconds(seconds)
}

// fromSeconds gives the time to a millisecond, which is as exact as the service is.
func fromSeconds(seconds float64) time.Time { return time.UnixMilli(int64(math.Round(seconds * 1e3))) }
