// Package codec knows what the Video Streams sink has to know about elementary streams: the NAL units of H.264 and H.265, their parameter
// sets and decoder configuration records, which access unit one may start at, AAC's and Opus' headers, and how Matroska names it all.
//
// Nothing here keeps a reference to what it was given, unless it says so, and nothing here may be used from two goroutines at once; functions may.
// What is done for each frame (Units, ConvertedSize, Convert, Sets.Update without a change, H264Access, H265Access, StripADTS) allocates nothing.
//
// Sources: ITU-T H.264 (08/2021) and H.265 (08/2021); ISO/IEC 14496-15:2019 (avcC, hvcC); ISO/IEC 14496-3:2009 (AAC); RFC 7845 (Opus).
package codec

import "fmt"

// Remedies, as errors end with them.
const (
	parseH264 = "put h264parse before the sink"
	parseH265 = "put h265parse before the sink"
	parseAAC  = "put aacparse before the sink"
)

// fault is an error about something that was read: what, what is wrong with it, and what helps.
func fault(what, remedy, format string, args ...any) error {
	return fmt.Errorf("reading %s: %s; %s", what, fmt.Sprintf(format, args...), remedy)
}
