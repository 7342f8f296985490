//go:build kvsproducer && cgo

package kvsproducer

// contentType is what the service is told of the stream, by its tracks.
func (s *Settings) contentType() string {
	if s.ContentType != "" {
		return s.ContentType
	}
	text := ""
	for i, t := range s.Tracks {
		if i > 0 {
			text += ","
		}
		text += mediaType(t)
	}
	return text
}

func mediaType(t Track) string {
	switch {
	case t.Codec == "V_MPEG4/ISO/AVC":
		return "video/h264"
	case t.Codec == "V_MPEGH/ISO/HEVC":
		return "video/h265"
	case t.Codec == "A_AAC":
		return "audio/aac"
	case t.Codec == "A_MS/ACM" && len(t.Private) > 0 && t.Private[0] == 6: // WAVE_FORMAT_ALAW, little-endian
		return "audio/alaw"
	case t.Codec == "A_MS/ACM":
		return "audio/mulaw"
	case t.Type == Audio:
		return "audio/x-matroska"
	}
	return "video/x-matroska"
}
