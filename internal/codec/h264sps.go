package codec

import "slices"

// Picture is what a sequence parameter set says of the pictures.
type Picture struct {
	Width, Height  int // of what is shown, in luma samples: cropping is taken off
	Chroma         int // chroma_format_idc: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4
	BitDepthLuma   int
	BitDepthChroma int
	// RateNum/RateDen are the frames a second that the VUI has; 0/0 where it has none, or cannot be read that far.
	RateNum, RateDen uint64
}

// H264SPS is a sequence parameter set of H.264 (7.3.2.1.1).
type H264SPS struct {
	Picture
	ID          int
	Profile     byte // profile_idc
	Constraints byte // constraint_set flags, highest bit first
	Level       byte // level_idc: 10 times the level
	Interlaced  bool // fields, or frames of them, may occur
}

// mostPixels is the largest width and height that is believed, as Video Streams' own producer holds them in 16 bits.
const mostPixels = 1<<16 - 1

// H.264's and H.265's limits on identifiers.
const (
	h264SPSs, h264PPSs           = 32, 256
	h265VPSs, h265SPSs, h265PPSs = 16, 16, 64
)

// highProfiles have chroma format and bit depths in their SPS (7.3.2.1.1).
func highProfile(idc byte) bool {
	return slices.Contains([]byte{100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}, idc)
}

// ParseH264SPS reads a NAL unit of type 7.
func ParseH264SPS(nal []byte) (H264SPS, error) {
	const what = "an H.264 SPS"
	var s H264SPS
	if len(nal) < 5 || nal[0]&31 != h264SPS {
		return s, fault(what, parseH264, "%d bytes that are no NAL unit of type %d", len(nal), h264SPS)
	}
	r := rbsp(nal, 1)
	s.Profile, s.Constraints, s.Level = byte(r.u(8)), byte(r.u(8)), byte(r.u(8))
	id := r.ue()
	if id >= h264SPSs {
		return s, fault(what, parseH264, "seq_parameter_set_id is %d, more than %d", id, h264SPSs-1)
	}
	s.ID, s.Chroma, s.BitDepthLuma, s.BitDepthChroma = int(id), 1, 8, 8
	separate := false
	if highProfile(s.Profile) {
		chroma := r.ue()
		separate = chroma == 3 && r.flag()
		luma, depth := r.ue(), r.ue()
		if chroma > 3 || luma > 6 || depth > 6 {
			return s, fault(what, parseH264, "chroma format %d with bit depths of 8+%d and 8+%d does not exist", chroma, luma, depth)
		}
		s.Chroma, s.BitDepthLuma, s.BitDepthChroma = int(chroma), 8+int(luma), 8+int(depth)
		r.bit() // qpprime_y_zero_transform_bypass_flag
		if r.flag() {
			h264ScalingLists(&r, s.Chroma)
		}
	}
	h264Order(&r)
	if err := s.size(&r, separate); err != nil {
		return s, err
	}
	if r.flag() {
		h264Rate(&r, &s.Picture)
	}
	return s, nil
}

func h264ScalingLists(r *bitReader, chroma int) {
	lists := 8
	if chroma == 3 {
		lists = 12
	}
	for i := range lists {
		if !r.flag() {
			continue
		}
		n := 16
		if i >= 6 {
			n = 64
		}
		for last, next := int32(8), int32(8); n > 0 && next != 0 && !r.short; n-- {
			next = (last + r.se() + 256) & 255
			if next != 0 {
				last = next
			}
		}
	}
}

// h264Order reads from log2_max_frame_num_minus4 to gaps_in_frame_num_value_allowed_flag.
func h264Order(r *bitReader) {
	r.ue()
	switch r.ue() {
	case 0:
		r.ue()
	case 1:
		r.bit()
		r.ues(2)
		r.ues(min(r.ue(), 255))
	}
	r.ue()
	r.bit()
}

// size reads width, height and cropping (7.4.2.1.1).
func (s *H264SPS) size(r *bitReader, separate bool) error {
	w, h := uint64(r.ue())+1, uint64(r.ue())+1
	fields := uint64(1)
	if !r.flag() { // frame_mbs_only_flag
		s.Interlaced, fields = true, 2
		r.bit()
	}
	r.bit() // direct_8x8_inference_flag
	x, y := chromaUnits(s.Chroma, separate)
	var crop [4]uint64
	if r.flag() {
		for i := range crop {
			crop[i] = uint64(r.ue())
		}
	}
	return s.crop("an H.264 SPS", parseH264, r, w*16, h*16*fields, [4]uint64{crop[0] * x, crop[1] * x, crop[2] * y * fields, crop[3] * y * fields})
}

// chromaUnits are the luma samples a unit of cropping stands for.
func chromaUnits(chroma int, separate bool) (x, y uint64) {
	x, y = 1, 1
	if chroma == 1 || chroma == 2 {
		x = 2
	}
	if chroma == 1 {
		y = 2
	}
	if separate {
		x, y = 1, 1
	}
	return x, y
}

// crop takes what is cropped (left, right, top, bottom; in luma samples) off the coded size. It is an error where nothing, or too much, is left.
func (p *Picture) crop(what, remedy string, r *bitReader, w, h uint64, by [4]uint64) error {
	if r.short {
		return fault(what, remedy, "it is cut short before its picture's size")
	}
	if by[0]+by[1] >= w || by[2]+by[3] >= h {
		return fault(what, remedy, "%dx%d samples, of which it crops %d at the left, %d at the right, %d at the top and %d at the bottom", w, h, by[0], by[1], by[2], by[3])
	}
	w, h = w-by[0]-by[1], h-by[2]-by[3]
	if w > mostPixels || h > mostPixels {
		return fault(what, remedy, "a picture of %dx%d, more than %d", w, h, mostPixels)
	}
	p.Width, p.Height = int(w), int(h)
	return nil
}

// vuiColour reads the VUI from its beginning to chroma_loc_info, which H.264 (E.1.1) and H.265 (E.2.1) have in common.
func vuiColour(r *bitReader) {
	if r.flag() && r.u(8) == 255 { // aspect_ratio_idc: Extended_SAR
		r.skip(32)
	}
	if r.flag() { // overscan
		r.bit()
	}
	if r.flag() { // video_signal_type
		r.skip(4)
		if r.flag() {
			r.skip(24)
		}
	}
	if r.flag() { // chroma_loc_info
		r.ues(2)
	}
}

// h264Rate reads the VUI's timing: a frame has two ticks.
func h264Rate(r *bitReader, p *Picture) {
	vuiColour(r)
	if r.flag() {
		den := uint64(r.u(32)) * 2
		p.rate(den, uint64(r.u(32)), r.short)
	}
}

// rate keeps frames a second as a fraction in its lowest terms.
func (p *Picture) rate(den, num uint64, short bool) {
	if short || num == 0 || den == 0 {
		return
	}
	a, b := num, den
	for b != 0 {
		a, b = b, a%b
	}
	p.RateNum, p.RateDen = num/a, den/a
}
