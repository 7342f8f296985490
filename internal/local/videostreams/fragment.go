package videostreams

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"gst-kinesis/internal/mkv"
)

// Header is what a session of PutMedia began with. Its fragments share it; it is immutable once made.
type Header struct {
	Raw    []byte // EBML header, the beginning of a Segment of unknown size, Info, Tracks: what a fragment's cluster can follow
	Scale  uint64 // ns a tick of timecodes
	Tracks []mkv.Track
}

// Milliseconds converts ticks of a timecode, as far as that goes.
func (h *Header) Milliseconds(ticks uint64) int64 {
	if h.Scale == mkv.DefaultTimecodeScale {
		return int64(min(ticks, math.MaxInt64))
	}
	ms := float64(ticks) * float64(h.Scale) / 1e6
	if ms >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(ms)
}

// Fragment is one stored fragment. It is immutable once stored.
type Fragment struct {
	Number   Number
	Producer time.Time // when its recording began, by the producer
	Server   time.Time // when its first byte came
	Timecode uint64    // of its cluster, in ticks as it was sent
	Length   time.Duration
	Tags     []mkv.Tag // the user's own
	Header   *Header
	// Media is the cluster's blocks, each a whole SimpleBlock or BlockGroup as it was sent. Not kept after storing where there
	// are files: use Blocks.
	Media []byte
	Bytes int64 // of Media

	order uint64 // in which it was stored
	kept  Kept
}

// Kept is a fragment's media on disk.
type Kept interface {
	// Read gives the media into fresh memory, or an error that wraps fs.ErrNotExist when it is gone.
	Read() ([]byte, error)
	// Release says that the fragment is not needed any more; called once.
	Release()
}

// clusterHead is what a cluster takes beside its blocks.
const clusterHead = int64(mkv.ClusterSize)

// Size is that of the whole fragment, header and tags included.
func (f *Fragment) Size() int64 {
	return int64(len(f.Header.Raw)+mkv.TagsSize(f.Tags)) + clusterHead + f.Bytes
}

// overhead is what a fragment costs in memory beside its media, roughly.
const overhead = 512

// Blocks gives the media. It reads from disk where there are files. The caller must not change it.
func (f *Fragment) Blocks() ([]byte, error) {
	if f.kept == nil {
		return f.Media, nil
	}
	b, err := f.kept.Read()
	if err != nil {
		return nil, fmt.Errorf("reading fragment %s: %w", f.Number, err)
	}
	return b, nil
}

// Append appends the fragment as a document of its own: header, tags, cluster, blocks.
func (f *Fragment) Append(dst []byte, tags ...[]mkv.Tag) ([]byte, error) {
	blocks, err := f.Blocks()
	if err != nil {
		return dst, err
	}
	dst = append(dst, f.Header.Raw...)
	for _, list := range tags {
		dst = mkv.AppendTags(dst, list)
	}
	return append(mkv.AppendCluster(dst, f.Timecode), blocks...), nil
}

// Frame is one frame of a fragment, in the order it was sent.
type Frame struct {
	Track     uint64
	Timestamp int64 // ms, of the same zero as the fragment's timecode
	Key       bool
	Data      []byte
}

// Frames takes the fragment apart.
func (f *Fragment) Frames() ([]Frame, error) {
	doc, err := f.Append(nil)
	if err != nil {
		return nil, err
	}
	var list []Frame
	r := mkv.NewReader(bytes.NewReader(doc), mkv.Limits{})
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("taking fragment %s apart: %w", f.Number, err)
		}
		if b, ok := e.(*mkv.Block); ok {
			data := append(make([]byte, 0, len(b.Data)), b.Data...)
			at := f.Header.Milliseconds(uint64(max(b.Timecode, 0)))
			list = append(list, Frame{Track: b.Track, Timestamp: at, Key: b.Key, Data: data})
		}
	}
}
