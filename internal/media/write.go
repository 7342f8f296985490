package media

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"gst-kinesis/internal/mkv"
)

// Writer writes fragments as one Matroska document: one Segment, a Cluster each, with times that begin at 0. Before a Cluster stand the
// producer's tags and those of the service that name the fragment and its times, so that the file knows when it was recorded. A
// Segment can neither have other tracks in its middle nor go back in time before its start: there another document begins in the
// same file. It is used from one goroutine.
type Writer struct {
	dst io.Writer
	app string
	buf []byte

	Documents int   // documents that were begun
	Written   int64 // bytes

	tracks []mkv.Track
	scale  uint64
	began  time.Time // of the document, by the producer's clock
	first  int64     // the document's first Timecode, where there is no clock
	tags   []mkv.Tag
}

// NewWriter writes to dst, a whole fragment at a time; app names the program in the file.
func NewWriter(dst io.Writer, app string) *Writer { return &Writer{dst: dst, app: app} }

// Write writes a fragment. After an error of dst the file ends within it.
func (w *Writer) Write(f *Fragment) error {
	w.buf = w.buf[:0]
	at := w.place(f)
	if w.Documents == 0 || at < 0 || f.TimecodeScale != w.scale || !sameTracks(w.tracks, f.Tracks) {
		if err := w.begin(f); err != nil {
			return err
		}
		at = 0
	}
	w.buf = mkv.AppendTags(w.buf, f.Tags)
	w.buf = mkv.AppendTags(w.buf, w.serviceTags(f))
	w.buf = mkv.AppendCluster(w.buf, uint64(at)) //nolint:gosec // not negative
	for i := range f.Frames {
		w.frame(&f.Frames[i])
	}
	n, err := w.dst.Write(w.buf)
	w.Written += int64(n)
	if err != nil {
		return fmt.Errorf("writing the fragment %s: %w", f.Number, err)
	}
	return nil
}

// place is a fragment's timecode in the document; negative if it is before its start.
func (w *Writer) place(f *Fragment) int64 {
	if f.ProducerTime.IsZero() || w.began.IsZero() {
		return f.Timecode - w.first
	}
	scale := max(int64(f.TimecodeScale), 1) //nolint:gosec // of a file that was read: below 2^63 or nonsense
	return int64(f.ProducerTime.Sub(w.began)) / scale
}

func (w *Writer) begin(f *Fragment) error {
	h := mkv.Header{TimecodeScale: f.TimecodeScale, MuxingApp: w.app, WritingApp: w.app, Tracks: slices.Clone(f.Tracks)}
	_, _ = rand.Read(h.SegmentUID[:]) // it never fails
	for i := range h.Tracks {
		t := &h.Tracks[i]
		if t.Encoded {
			return fmt.Errorf("writing the fragment %s: its track %d is compressed or encrypted by Matroska's own means, which cannot be copied", f.Number, t.Number)
		}
		if t.UID == 0 {
			t.UID = t.Number
		}
	}
	buf, err := mkv.AppendHeader(w.buf, h)
	if err != nil {
		return fmt.Errorf("writing the fragment %s: %w", f.Number, err)
	}
	w.buf, w.tracks, w.scale, w.began, w.first = buf, f.Tracks, f.TimecodeScale, f.ProducerTime, f.Timecode
	w.Documents++
	return nil
}

func (w *Writer) serviceTags(f *Fragment) []mkv.Tag {
	w.tags = w.tags[:0]
	if f.Number != "" {
		w.tags = append(w.tags, mkv.Tag{Name: mkv.TagFragmentNumber, Value: f.Number})
	}
	for _, t := range [...]struct {
		name string
		at   time.Time
	}{{mkv.TagServerTimestamp, f.ServerTime}, {mkv.TagProducerTimestamp, f.ProducerTime}} {
		if !t.at.IsZero() {
			w.tags = append(w.tags, mkv.Tag{Name: t.name, Value: strconv.FormatFloat(float64(t.at.UnixMilli())/1000, 'f', 3, 64)})
		}
	}
	return w.tags
}

func (w *Writer) frame(f *Frame) {
	var flags mkv.BlockFlags
	for _, b := range [...]struct {
		set  bool
		flag mkv.BlockFlags
	}{{f.Key, mkv.KeyFrame}, {f.Invisible, mkv.Invisible}, {f.Discardable, mkv.Discardable}} {
		if b.set {
			flags |= b.flag
		}
	}
	relative := int16(min(max(f.Relative, math.MinInt16), math.MaxInt16)) //nolint:gosec // bounded
	w.buf = mkv.AppendSimpleBlockHeader(w.buf, f.Track, relative, flags, len(f.Data))
	w.buf = append(w.buf, f.Data...)
}

// sameTracks says whether fragments can stand in one Segment.
func sameTracks(a, b []mkv.Track) bool {
	return slices.EqualFunc(a, b, func(x, y mkv.Track) bool {
		return sameTrack(&x, &y) && bytes.Equal(x.CodecPrivate, y.CodecPrivate)
	})
}

// sameTrack leaves UID and Name out: the frames do not hang on them, and a session may have its own.
func sameTrack(x, y *mkv.Track) bool {
	return x.Number == y.Number && x.Type == y.Type && x.CodecID == y.CodecID && x.DefaultDuration == y.DefaultDuration &&
		x.CodecDelay == y.CodecDelay && x.SeekPreRoll == y.SeekPreRoll && x.Width == y.Width && x.Height == y.Height &&
		x.SamplingFrequency == y.SamplingFrequency && x.Channels == y.Channels && x.BitDepth == y.BitDepth && x.Encoded == y.Encoded
}
