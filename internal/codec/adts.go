package codec

// ADTS (ISO/IEC 14496-3, 1.A.2.2) puts a header before each frame: 12 ones, MPEG version (1 bit), layer 00, protection_absent, profile (2: object
// type - 1), sampling frequency index (4), private (1), channels (3), 4 flags, length of header and frame (13), fullness (11), raw data blocks - 1 (2),
// and a CRC of 16 bits where protection_absent is 0. Video Streams and Matroska take raw frames only (caps: stream-format=raw).
const adtsHead = 7

// ADTS says whether a frame has an ADTS header. A raw frame has none: it would begin with its own end.
func ADTS(frame []byte) bool {
	return len(frame) >= adtsHead && frame[0] == 0xFF && frame[1]&0xF6 == 0xF0
}

// CheckRaw gives an error for a frame with an ADTS header where the caps say raw.
func CheckRaw(frame []byte) error {
	if ADTS(frame) {
		return fault("an AAC frame", parseAAC+", for stream-format=raw", "it has an ADTS header")
	}
	return nil
}

// StripADTS gives the raw frame of the ADTS frame that data begins with, and what follows it: both share data's memory. An error tells that there is
// none, that it is cut short, or that it holds several raw data blocks, whose bounds only a decoder finds.
func StripADTS(data []byte) (raw, rest []byte, err error) {
	const what = "an ADTS frame"
	if !ADTS(data) {
		return nil, nil, fault(what, parseAAC, "%d bytes without its header", len(data))
	}
	head := adtsHead
	if data[1]&1 == 0 {
		head += 2
	}
	size := int(data[3]&3)<<11 | int(data[4])<<3 | int(data[5]>>5)
	if size < head || size > len(data) {
		return nil, nil, fault(what, parseAAC, "its length is %d, with %d bytes of header, where %d bytes are left", size, head, len(data))
	}
	if blocks := data[6]&3 + 1; blocks > 1 {
		return nil, nil, fault(what, parseAAC, "it holds %d raw data blocks; only frames of one can be taken apart", blocks)
	}
	return data[head:size:size], data[size:], nil
}

// ADTSConfig gives the AudioSpecificConfig that an ADTS header stands for.
func ADTSConfig(frame []byte) ([]byte, error) {
	const what = "an ADTS header"
	if !ADTS(frame) {
		return nil, fault(what, parseAAC, "%d bytes without it", len(frame))
	}
	object, rate, channels := frame[2]>>6+1, frame[2]>>2&15, frame[2]&1<<2|frame[3]>>6
	if int(rate) >= len(aacRates()) || channels == 0 {
		return nil, fault(what, parseAAC, "sampling frequency index %d with channel configuration %d: they tell no rate, or no channels", rate, channels)
	}
	return []byte{object<<3 | rate>>1, rate<<7 | channels<<3}, nil
}
