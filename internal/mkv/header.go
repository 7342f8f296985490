package mkv

import "math"

// ebmlHeader is the same in every stream that is written here.
const ebmlHeader = "\x1A\x45\xDF\xA3\xA3" +
	"\x42\x86\x81\x01" + "\x42\xF7\x81\x01" + "\x42\xF2\x81\x04" + "\x42\xF3\x81\x08" +
	"\x42\x82\x88matroska" + "\x42\x87\x81\x02" + "\x42\x85\x81\x02"

// segmentStart is a Segment of unknown size.
const segmentStart = "\x18\x53\x80\x67\xFF"

// HeaderSize is how many bytes [AppendHeader] appends.
func HeaderSize(h Header) int {
	return len(ebmlHeader) + len(segmentStart) + 4 + 2 + infoSize(&h) + 4 + 4 + tracksSize(&h)
}

// AppendHeader appends the EBML header, the beginning of a Segment of unknown size, its Info and its Tracks. It begins
// every session of PutMedia. A header that the service would not take is refused, see [Header.Check], and dst returned as it was.
func AppendHeader(dst []byte, h Header) ([]byte, error) {
	if err := h.Check(); err != nil {
		return dst, err
	}
	dst = append(dst, ebmlHeader...)
	dst = append(dst, segmentStart...)
	dst = appendSize(appendID(dst, idInfo), uint64(infoSize(&h)), 2)
	dst = appendBytes(dst, idSegmentUID, h.SegmentUID[:])
	dst = appendUint(dst, idTimecodeScale, h.scale(), 8)
	dst = appendBytes(dst, idTitle, h.Title)
	dst = appendBytes(dst, idMuxingApp, h.MuxingApp)
	dst = appendBytes(dst, idWritingApp, h.WritingApp)
	dst = appendSize(appendID(dst, idTracks), uint64(tracksSize(&h)), 4)
	for i := range h.Tracks {
		dst = h.Tracks[i].append(dst)
	}
	return dst, nil
}

func (h *Header) scale() uint64 {
	if h.TimecodeScale == 0 {
		return DefaultTimecodeScale
	}
	return h.TimecodeScale
}

func infoSize(h *Header) int {
	return bytesSize(idSegmentUID, len(h.SegmentUID)) + uintSize(idTimecodeScale, 8) +
		bytesSize(idTitle, len(h.Title)) + bytesSize(idMuxingApp, len(h.MuxingApp)) + bytesSize(idWritingApp, len(h.WritingApp))
}

func tracksSize(h *Header) int {
	n := 0
	for i := range h.Tracks {
		n += 1 + 4 + h.Tracks[i].size()
	}
	return n
}

// optional are the elements that are written only where they say something.
func (t *Track) optional() [3]struct {
	id uint32
	n  uint64
} {
	return [3]struct {
		id uint32
		n  uint64
	}{{idDefaultDuration, t.DefaultDuration}, {idCodecDelay, t.CodecDelay}, {idSeekPreRoll, t.SeekPreRoll}}
}

// size is that of a TrackEntry's content.
func (t *Track) size() int {
	n := uintSize(idTrackNumber, numberBytes(t.Number)) + uintSize(idTrackUID, 8) + uintSize(idTrackType, 1) +
		bytesSize(idName, len(t.Name)) + bytesSize(idCodecID, len(t.CodecID))
	for _, o := range t.optional() {
		if o.n != 0 {
			n += uintSize(o.id, 8)
		}
	}
	if s := t.videoSize(); s > 0 {
		n += 1 + 4 + s
	}
	if s := t.audioSize(); s > 0 {
		n += 1 + 4 + s
	}
	if len(t.CodecPrivate) > 0 {
		n += bytesSize(idCodecPrivate, len(t.CodecPrivate))
	}
	return n
}

func (t *Track) videoSize() int {
	if t.Width == 0 && t.Height == 0 {
		return 0
	}
	return uintSize(idPixelWidth, 2) + uintSize(idPixelHeight, 2)
}

func (t *Track) audioSize() int {
	n := 0
	if t.SamplingFrequency != 0 || t.Channels != 0 {
		n += uintSize(idSamplingFrequency, 8) + uintSize(idChannels, 1)
	}
	if t.BitDepth != 0 {
		n += uintSize(idBitDepth, 1)
	}
	return n
}

func (t *Track) append(dst []byte) []byte {
	dst = appendSize(appendID(dst, idTrackEntry), uint64(t.size()), 4)
	dst = appendUint(dst, idTrackNumber, t.Number, numberBytes(t.Number))
	dst = appendUint(dst, idTrackUID, t.UID, 8)
	dst = appendUint(dst, idTrackType, uint64(t.Type), 1)
	for _, o := range t.optional() {
		if o.n != 0 {
			dst = appendUint(dst, o.id, o.n, 8)
		}
	}
	dst = appendBytes(dst, idName, t.Name)
	dst = appendBytes(dst, idCodecID, t.CodecID)
	if s := t.videoSize(); s > 0 {
		dst = appendSize(appendID(dst, idVideo), uint64(s), 4)
		dst = appendUint(dst, idPixelWidth, uint64(t.Width), 2)
		dst = appendUint(dst, idPixelHeight, uint64(t.Height), 2)
	}
	if s := t.audioSize(); s > 0 {
		dst = appendSize(appendID(dst, idAudio), uint64(s), 4)
		if t.SamplingFrequency != 0 || t.Channels != 0 {
			dst = appendUint(dst, idSamplingFrequency, math.Float64bits(t.SamplingFrequency), 8)
			dst = appendUint(dst, idChannels, uint64(t.Channels), 1)
		}
		if t.BitDepth != 0 {
			dst = appendUint(dst, idBitDepth, uint64(t.BitDepth), 1)
		}
	}
	if len(t.CodecPrivate) > 0 {
		dst = appendBytes(dst, idCodecPrivate, t.CodecPrivate)
	}
	return dst
}

// numberBytes is how many bytes a number takes as an element's value.
func numberBytes(n uint64) int {
	length := 1
	for length < 8 && n>>(8*length) != 0 {
		length++
	}
	return length
}
