package mp4

import (
	"errors"
	"math"
)

// movieScale is how many ticks a second the times of the whole file have.
const movieScale = 1000

// ftyp says that this is an MP4 of the base format.
func ftyp() []byte {
	var w writer
	w.box("ftyp", func() {
		w.text("isom")
		w.u32(0x200)
		w.text("isomiso2mp41")
	})
	return w.b
}

// scaled converts ticks, rounding to the nearest.
func scaled(ticks int64, from, to uint32) int64 {
	whole, rest := ticks/int64(from), ticks%int64(from)
	return whole*int64(to) + (rest*int64(to)+int64(from)/2)/int64(from)
}

// moov writes the tables. base is where the samples' bytes begin in the file; wide asks for offsets of 64 bits. Tracks without
// samples are left out.
func (t *tables) moov(base int64, wide bool) ([]byte, error) {
	timings, spans, err := t.schedule()
	if err != nil {
		return nil, err
	}
	longest := int64(0)
	for _, s := range spans {
		longest = max(longest, s.lead+s.length)
	}
	var w writer
	w.box("moov", func() {
		w.full("mvhd", 1, 0, func() {
			w.u64(0, 0)
			w.u32(movieScale)
			w.u64(uint64(longest))
			w.u32(0x10000)
			w.u16(0x100)
			w.zeros(10)
			w.matrix()
			w.zeros(24)
			w.u32(uint32(len(t.list) + 1))
		})
		for i := range t.list {
			if len(t.list[i].times) > 0 {
				t.list[i].trak(&w, uint32(i+1), &timings[i], spans[i], base, wide)
			}
		}
	})
	return w.b, nil
}

// schedule makes the times of all tracks. What is first of all is at the file's beginning.
func (t *tables) schedule() (timings []timing, spans []span, err error) {
	timings, spans = make([]timing, len(t.list)), make([]span, len(t.list))
	first := int64(math.MaxInt64)
	for i := range t.list {
		if len(t.list[i].times) == 0 {
			continue
		}
		if timings[i], err = t.list[i].timing(); err != nil {
			return nil, nil, err
		}
		first = min(first, scaled(timings[i].start, t.list[i].track.Timescale, movieScale))
	}
	if first == math.MaxInt64 {
		return nil, nil, errors.New("writing an MP4: there is no sample")
	}
	for i := range t.list {
		if len(t.list[i].times) > 0 {
			scale := t.list[i].track.Timescale
			spans[i] = span{lead: scaled(timings[i].start, scale, movieScale) - first, length: scaled(timings[i].duration, scale, movieScale)}
		}
	}
	return timings, spans, nil
}

// span is when a track is shown, in ticks of the whole file.
type span struct{ lead, length int64 }

func (l *table) trak(w *writer, id uint32, t *timing, s span, base int64, wide bool) {
	w.box("trak", func() {
		w.full("tkhd", 1, 7, func() { // enabled, in movie, in preview
			w.u64(0, 0)
			w.u32(id, 0)
			w.u64(uint64(s.lead + s.length))
			w.zeros(8)
			volume := uint16(0x100)
			if l.track.Codec.video() {
				volume = 0
			}
			w.u16(0, 0, volume, 0)
			w.matrix()
			w.u32(uint32(l.track.Width)<<16, uint32(l.track.Height)<<16)
		})
		l.edits(w, t, s)
		w.box("mdia", func() {
			w.full("mdhd", 1, 0, func() {
				w.u64(0, 0)
				w.u32(l.track.Timescale)
				w.u64(uint64(t.duration))
				w.u16(0x55C4, 0) // undetermined language
			})
			l.handler(w)
			w.box("minf", func() {
				l.header(w)
				w.box("dinf", func() {
					w.full("dref", 0, 0, func() {
						w.u32(1)
						w.full("url ", 0, 1, func() {}) // in this file
					})
				})
				l.stbl(w, t, base, wide)
			})
		})
	})
}

// edits writes the edit list, if one is needed: nothing until the track begins, then what is shown.
func (l *table) edits(w *writer, t *timing, s span) {
	if s.lead == 0 && t.delay == 0 {
		return
	}
	w.box("edts", func() {
		w.full("elst", 1, 0, func() {
			count := uint32(1)
			if s.lead > 0 {
				count = 2
			}
			w.u32(count)
			if s.lead > 0 {
				w.u64(uint64(s.lead), math.MaxUint64) // media time -1: empty
				w.u16(1, 0)
			}
			w.u64(uint64(s.length), uint64(t.delay))
			w.u16(1, 0)
		})
	})
}

func (l *table) handler(w *writer) {
	kind, name := "soun", "SoundHandler\x00"
	if l.track.Codec.video() {
		kind, name = "vide", "VideoHandler\x00"
	}
	w.full("hdlr", 0, 0, func() {
		w.u32(0)
		w.text(kind)
		w.zeros(12)
		w.text(name)
	})
}

func (l *table) header(w *writer) {
	if l.track.Codec.video() {
		w.full("vmhd", 0, 1, func() { w.zeros(8) })
		return
	}
	w.full("smhd", 0, 0, func() { w.zeros(4) })
}
