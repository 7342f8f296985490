package codec

// H265SPS is a sequence parameter set of H.265 (7.3.2.2).
type H265SPS struct {
	Picture
	ID             int
	Space          byte    // general_profile_space
	Tier           byte    // general_tier_flag: 0 main, 1 high
	Profile        byte    // general_profile_idc
	Compatibility  uint32  // general_profile_compatibility_flags
	Constraints    [6]byte // general_progressive_source_flag and the 47 bits after it
	Level          byte    // general_level_idc: 30 times the level
	TemporalLayers int
	TemporalNested bool
}

// ParseH265SPS reads a NAL unit of type 33.
func ParseH265SPS(nal []byte) (H265SPS, error) {
	const what = "an H.265 SPS"
	var s H265SPS
	if len(nal) < 16 || nal[0]>>1&63 != h265SPS {
		return s, fault(what, parseH265, "%d bytes that are no NAL unit of type %d", len(nal), h265SPS)
	}
	r := rbsp(nal, 2)
	r.skip(4)
	more := int(r.u(3)) // sps_max_sub_layers_minus1
	if more > 6 {
		return s, fault(what, parseH265, "%d sub-layers, more than 7", more+1)
	}
	s.TemporalLayers, s.TemporalNested = more+1, r.flag()
	s.profile(&r, more)
	id := r.ue()
	if id >= h265SPSs {
		return s, fault(what, parseH265, "sps_seq_parameter_set_id is %d, more than %d", id, h265SPSs-1)
	}
	s.ID = int(id)
	if err := s.size(&r); err != nil {
		return s, err
	}
	s.tail(&r, more)
	return s, nil
}

// profile reads profile_tier_level (7.3.3), with more sub-layers than one.
func (s *H265SPS) profile(r *bitReader, more int) {
	s.Space, s.Tier, s.Profile = byte(r.u(2)), byte(r.bit()), byte(r.u(5))
	s.Compatibility = r.u(32)
	for i := range s.Constraints {
		s.Constraints[i] = byte(r.u(8))
	}
	s.Level = byte(r.u(8))
	var profile, level [8]bool
	for i := range more {
		profile[i], level[i] = r.flag(), r.flag()
	}
	if more > 0 {
		r.skip(2 * (8 - more))
	}
	for i := range more {
		if profile[i] {
			r.skip(88)
		}
		if level[i] {
			r.skip(8)
		}
	}
}

// size reads from chroma_format_idc to bit_depth_chroma_minus8.
func (s *H265SPS) size(r *bitReader) error {
	const what = "an H.265 SPS"
	chroma := r.ue()
	separate := chroma == 3 && r.flag()
	w, h := uint64(r.ue()), uint64(r.ue())
	var crop [4]uint64
	if r.flag() { // conformance_window_flag
		for i := range crop {
			crop[i] = uint64(r.ue())
		}
	}
	luma, depth := r.ue(), r.ue()
	if chroma > 3 || luma > 8 || depth > 8 {
		return fault(what, parseH265, "chroma format %d with bit depths of 8+%d and 8+%d does not exist", chroma, luma, depth)
	}
	s.Chroma, s.BitDepthLuma, s.BitDepthChroma = int(chroma), 8+int(luma), 8+int(depth)
	x, y := chromaUnits(s.Chroma, separate)
	return s.crop(what, parseH265, r, w, h, [4]uint64{crop[0] * x, crop[1] * x, crop[2] * y, crop[3] * y})
}

// tail reads what is between the size and the VUI's timing. Where it is cut short, or does not exist, the frame rate stays unknown.
func (s *H265SPS) tail(r *bitReader, more int) {
	order := int(r.ue()) + 4 // bits of a picture order count's lower part
	layers := uint32(1)
	if r.flag() { // sps_sub_layer_ordering_info_present_flag
		layers = uint32(more) + 1
	}
	r.ues(3*layers + 6) // … and the sizes of coding and transform blocks
	if r.flag() {       // scaling_list_enabled_flag
		if r.flag() { // sps_scaling_list_data_present_flag
			h265ScalingLists(r)
		}
	}
	r.skip(2)
	if r.flag() { // pcm_enabled_flag
		r.skip(8)
		r.ues(2)
		r.bit()
	}
	if !h265ReferenceSets(r) {
		return
	}
	if r.flag() { // long_term_ref_pics_present_flag
		n := r.ue()
		if n > 32 || order > 16 {
			return
		}
		r.skip(int(n) * (order + 1))
	}
	r.skip(2)
	if r.flag() && !r.short {
		h265Rate(r, &s.Picture)
	}
}

// h265ScalingLists reads scaling_list_data (7.3.4).
func h265ScalingLists(r *bitReader) {
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for matrix := 0; matrix < 6 && !r.short; matrix += step {
			if !r.flag() { // scaling_list_pred_mode_flag
				r.ue()
				continue
			}
			n := uint32(min(64, 1<<(4+size<<1)))
			if size > 1 {
				n++ // scaling_list_dc_coef_minus8
			}
			r.ues(n)
		}
	}
}

// h265ReferenceSets reads num_short_term_ref_pic_sets and the sets (7.3.7); false where they do not exist.
func h265ReferenceSets(r *bitReader) bool {
	sets := r.ue()
	if sets > 64 {
		return false
	}
	before := uint32(0) // NumDeltaPocs of the set before
	for i := range sets {
		if i > 0 && r.flag() { // inter_ref_pic_set_prediction_flag
			r.bit()
			r.ue()
			n := uint32(0)
			for range before + 1 {
				counts := r.flag() // used_by_curr_pic_flag
				if !counts {
					counts = r.flag() // use_delta_flag
				}
				if counts {
					n++
				}
			}
			before = n
		} else {
			negative, positive := r.ue(), r.ue()
			if negative > 16 || positive > 16 {
				return false
			}
			before = negative + positive
			for range before {
				r.ue()
				r.bit()
			}
		}
		if r.short || before > 32 {
			return false
		}
	}
	return true
}

// h265Rate reads the VUI's timing: a picture has one tick.
func h265Rate(r *bitReader, p *Picture) {
	vuiColour(r)
	r.skip(3)
	if r.flag() { // default_display_window_flag
		r.ues(4)
	}
	if r.flag() {
		den := uint64(r.u(32))
		p.rate(den, uint64(r.u(32)), r.short)
	}
}
