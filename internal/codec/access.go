package codec

// Access says whether a decoder may start at an access unit. GStreamer's parsers tell it by GST_BUFFER_FLAG_DELTA_UNIT, which the sink goes by;
// this is to check that, and for what has no parser before it.
type Access int

// The kinds of access, the better one being greater.
const (
	// Delta: the pictures refer to others.
	Delta Access = iota
	// Gradual: an H.264 recovery point SEI with recovery_frame_cnt above 0 (rolling refresh): all is right that many frames later. h264parse takes it for
	// a key frame; in such a stream there may be no better.
	Gradual
	// Intra: all slices are I or SI, but nothing says that what follows does without the pictures before. h264parse takes it for a key frame.
	Intra
	// Recovery: what is shown from here on is right: an H.264 recovery point SEI with recovery_frame_cnt 0 (D.2.8), an H.265 CRA picture.
	// Pictures that follow in decoding order and are shown before it (leading ones) may not be decodable.
	Recovery
	// IDR: nothing that follows refers to what was before: H.264 IDR; H.265 IDR and BLA.
	IDR
)

// Key says whether a fragment may begin here: Recovery or IDR.
func (a Access) Key() bool { return a >= Recovery }

// H264Access tells what an access unit of H.264 is. It looks no further than it must; an access unit without slices, or one that cannot be read, is Delta.
func H264Access(au Units) Access {
	recovery, best := Delta, Delta
	for head := au.peek(); len(head) > 0; head = au.peek() {
		switch kind := head[0] & 31; kind {
		case h264IDR:
			return IDR
		case h264SEI:
			nal, _ := au.Next()
			recovery = max(recovery, recoveryPoint(nal))
			continue
		case h264Slice, h264PartitionA:
			if recovery == Recovery || !intraSlice(head) {
				return recovery
			}
			best = Intra
		}
		if _, ok := au.Next(); !ok {
			break
		}
	}
	return best
}

// intraSlice reads slice_type (7.3.3).
func intraSlice(nal []byte) bool {
	r := rbsp(nal, 1)
	r.ue() // first_mb_in_slice
	kind := r.ue() % 5
	return !r.short && (kind == 2 || kind == 4)
}

// recoveryPoint looks for a recovery point SEI message (7.3.2.3, D.1.8): Recovery, Gradual, or Delta where there is none.
func recoveryPoint(nal []byte) Access {
	r := rbsp(nal, 1)
	for r.available() > 16 {
		kind, size := seiNumber(&r), seiNumber(&r)
		if kind == seiRecoveryPoint {
			frames := r.ue()
			switch {
			case r.short:
				return Delta
			case frames == 0:
				return Recovery
			}
			return Gradual
		}
		r.skip(8 * size)
	}
	return Delta
}

// seiRecoveryPoint is the payloadType (D.1.1).
const seiRecoveryPoint = 6

// seiNumber reads a payload's type or size: bytes FF, and one that is none, added up.
func seiNumber(r *bitReader) int {
	n := 0
	for !r.short {
		b := int(r.u(8))
		if n += b; b != 255 {
			break
		}
	}
	return n
}

// H265Access tells what an access unit of H.265 is, by its first slice: all slices of a random access picture are of one type.
func H265Access(au Units) Access {
	for head := au.peek(); len(head) > 0; head = au.peek() {
		switch kind := head[0] >> 1 & 63; {
		case kind == h265CRA:
			return Recovery
		case kind >= h265FirstIRAP && kind <= h265LastIRAP:
			return IDR
		case kind <= h265LastVCL:
			return Delta
		}
		if _, ok := au.Next(); !ok {
			break
		}
	}
	return Delta
}
