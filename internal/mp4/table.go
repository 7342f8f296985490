package mp4

import (
	"fmt"
	"math"
	"slices"
)

// chunkBytes is how large a chunk of one track grows.
const chunkBytes = 1 << 20

// chunk is a run of samples of one track that lie behind one another.
type chunk struct {
	offset int64 // of its first byte in the samples' bytes
	count  uint32
	bytes  int64
}

// table is what is known of the samples of one track.
type table struct {
	track  Track
	times  []int64
	sizes  []uint32
	keys   []uint32 // numbers of key samples, from 1
	chunks []chunk
	last   uint32 // duration of the last sample, if it was told
}

// tables are those of all tracks.
type tables struct {
	list []table
	size int64 // of all samples
	open int   // the track whose chunk was added to last, -1 without one
}

func newTables(tracks []Track) (tables, error) {
	if len(tracks) == 0 {
		return tables{}, fmt.Errorf("describing an MP4: there is no track: %w", ErrConfig)
	}
	t := tables{open: -1, list: make([]table, len(tracks))}
	for i := range tracks {
		if err := tracks[i].check(i); err != nil {
			return tables{}, err
		}
		t.list[i].track = tracks[i]
	}
	return t, nil
}

// add enters a sample that lies behind all others.
func (t *tables) add(track int, s Sample) error {
	if track < 0 || track >= len(t.list) {
		return fmt.Errorf("adding a sample to an MP4: there is no track %d", track)
	}
	if s.Size < 0 || int64(s.Size) > math.MaxUint32 || s.Time > math.MaxInt64/4 || s.Time < math.MinInt64/4 {
		return fmt.Errorf("adding a sample to an MP4: %d bytes at %d cannot be", s.Size, s.Time)
	}
	l := &t.list[track]
	l.times = append(l.times, s.Time)
	l.sizes = append(l.sizes, uint32(s.Size))
	l.last = s.Duration
	if s.Key && l.track.Codec.video() {
		l.keys = append(l.keys, uint32(len(l.times)))
	}
	n := len(l.chunks)
	if t.open != track || n == 0 || l.chunks[n-1].bytes >= chunkBytes {
		l.chunks = append(l.chunks, chunk{offset: t.size})
		n++
	}
	l.chunks[n-1].count++
	l.chunks[n-1].bytes += int64(s.Size)
	t.open = track
	t.size += int64(s.Size)
	return nil
}

// timing is what a track's presentation times come to.
type timing struct {
	start    int64    // of the first sample that is shown
	delay    int64    // by which all samples are shown later than they would be, because of those that are decoded early
	deltas   []uint32 // between decode times, one a sample
	offsets  []uint32 // from decode to presentation time; nil if all are 0
	duration int64    // of all, in decode time
}

// timing makes decode times.
func (l *table) timing() (t timing, err error) {
	n := len(l.times)
	decode := slices.Clone(l.times)
	slices.Sort(decode)
	for i := 1; i < n; i++ {
		decode[i] = max(decode[i], decode[i-1]+1) // two at one time: one tick apart, for players want time to go on
	}
	t.start = decode[0]
	for i, shown := range l.times {
		t.delay = max(t.delay, decode[i]-shown)
	}
	t.deltas = make([]uint32, n)
	for i := range n - 1 {
		d := decode[i+1] - decode[i]
		if d > math.MaxUint32 {
			return t, fmt.Errorf("timing an MP4: a pause of %d ticks between two samples is too long", d)
		}
		t.deltas[i] = uint32(d)
	}
	if t.deltas[n-1] = l.last; l.last == 0 {
		t.deltas[n-1] = l.track.Timescale / 25
		if n > 1 {
			t.deltas[n-1] = t.deltas[n-2]
		}
	}
	t.duration = decode[n-1] - decode[0] + int64(t.deltas[n-1])
	if t.delay == 0 && slices.Equal(decode, l.times) {
		return t, nil
	}
	t.offsets = make([]uint32, n)
	for i, shown := range l.times {
		o := shown - decode[i] + t.delay
		if o > math.MaxInt32 {
			return t, fmt.Errorf("timing an MP4: a sample is shown %d ticks after it is decoded", o)
		}
		t.offsets[i] = uint32(o)
	}
	return t, nil
}
