package mp4

// stbl writes the tables of samples.
func (l *table) stbl(w *writer, t *timing, base int64, wide bool) {
	w.box("stbl", func() {
		w.full("stsd", 0, 0, func() {
			w.u32(1)
			if l.track.Codec.video() {
				l.visual(w)
			} else {
				l.sound(w)
			}
		})
		w.full("stts", 0, 0, func() { runs(w, t.deltas) })
		if t.offsets != nil {
			w.full("ctts", 0, 0, func() { runs(w, t.offsets) })
		}
		if l.track.Codec.video() && len(l.keys) < len(l.times) {
			w.full("stss", 0, 0, func() {
				w.u32(uint32(len(l.keys)))
				w.u32(l.keys...)
			})
		}
		w.full("stsc", 0, 0, func() { l.chunkRuns(w) })
		w.full("stsz", 0, 0, func() {
			w.u32(0, uint32(len(l.sizes)))
			w.u32(l.sizes...)
		})
		l.offsets(w, base, wide)
	})
}

// runs writes how often each value comes in a row.
func runs(w *writer, values []uint32) {
	at := len(w.b)
	w.u32(0)
	count := uint32(0)
	for i := 0; i < len(values); {
		n := 1
		for i+n < len(values) && values[i+n] == values[i] {
			n++
		}
		w.u32(uint32(n), values[i])
		i += n
		count++
	}
	put32(w.b[at:], count)
}

func put32(b []byte, v uint32) {
	b[0], b[1], b[2], b[3] = byte(v>>24), byte(v>>16), byte(v>>8), byte(v)
}

// chunkRuns writes how many samples the chunks have, where that changes.
func (l *table) chunkRuns(w *writer) {
	at := len(w.b)
	w.u32(0)
	count, before := uint32(0), uint32(0)
	for i, c := range l.chunks {
		if c.count != before {
			w.u32(uint32(i+1), c.count, 1)
			before = c.count
			count++
		}
	}
	put32(w.b[at:], count)
}

// offsets writes where in the file the chunks are.
func (l *table) offsets(w *writer, base int64, wide bool) {
	kind := "stco"
	if wide {
		kind = "co64"
	}
	w.full(kind, 0, 0, func() {
		w.u32(uint32(len(l.chunks)))
		for _, c := range l.chunks {
			if wide {
				w.u64(uint64(base + c.offset))
			} else {
				w.u32(uint32(base + c.offset))
			}
		}
	})
}

// visual writes the sample entry of video.
func (l *table) visual(w *writer) {
	kind, config := "avc1", "avcC"
	if l.track.Codec == HEVC {
		kind, config = "hvc1", "hvcC"
	}
	w.box(kind, func() {
		w.zeros(6)
		w.u16(1)
		w.zeros(16)
		w.u16(uint16(l.track.Width), uint16(l.track.Height))
		w.u32(0x480000, 0x480000, 0) // 72 dots an inch
		w.u16(1)                     // frame a sample
		w.zeros(32)
		w.u16(24, 0xFFFF)
		w.box(config, func() { w.b = append(w.b, l.track.Config...) })
	})
}

// sound writes the sample entry of audio.
func (l *table) sound(w *writer) {
	kind := map[Codec]string{AAC: "mp4a", ALaw: "alaw", MuLaw: "ulaw"}[l.track.Codec]
	rate := uint32(0)
	if l.track.SampleRate < 1<<16 {
		rate = uint32(l.track.SampleRate) << 16
	}
	w.box(kind, func() {
		w.zeros(6)
		w.u16(1)
		w.zeros(8)
		w.u16(uint16(l.track.Channels), 16, 0, 0)
		w.u32(rate)
		if l.track.Codec == AAC {
			l.esds(w)
		}
	})
}

// esds writes the descriptor of AAC. Source: ISO/IEC 14496-1, 7.2.6: tag, size, content.
func (l *table) esds(w *writer) {
	n := len(l.track.Config)
	w.full("esds", 0, 0, func() {
		w.u8(3, uint8(3+2+13+2+n+3)) // ES_Descriptor
		w.u16(0)
		w.u8(0)
		w.u8(4, uint8(13+2+n)) // DecoderConfigDescriptor
		w.u8(0x40, 0x15)       // MPEG-4 audio; an audio stream
		w.u8(0, 0, 0)
		w.u32(0, 0)
		w.u8(5, uint8(n)) // DecoderSpecificInfo
		w.b = append(w.b, l.track.Config...)
		w.u8(6, 1, 2) // SLConfigDescriptor
	})
}
