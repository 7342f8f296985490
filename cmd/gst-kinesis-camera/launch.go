package main

import "fmt"

// pay is the payloader of a codec; parameter sets go in band before every key frame, for whoever joins there.
// "Perfect" RTP times would count samples and stand still while nobody looks; ours are those of the capture.
func (c codec) pay() string {
	switch c {
	case codecH265:
		return "rtph265pay name=pay0 pt=96 config-interval=-1 aggregate-mode=zero-latency perfect-rtptime=false"
	case codecMJPEG:
		return "rtpjpegpay name=pay0 pt=26 perfect-rtptime=false"
	}
	return "rtph264pay name=pay0 pt=96 config-interval=-1 aggregate-mode=zero-latency perfect-rtptime=false"
}

// parse brings a codec's stream into the one form that is kept: whole access units, parameter sets in the caps.
func (c codec) parse() string {
	switch c {
	case codecH265:
		return "h265parse ! video/x-h265,stream-format=hvc1,alignment=au"
	case codecMJPEG:
		return "jpegparse ! image/jpeg"
	}
	return "h264parse ! video/x-h264,stream-format=avc,alignment=au"
}

// mediaType is the codec's name in caps.
func (c codec) mediaType() string {
	switch c {
	case codecH265:
		return "video/x-h265"
	case codecMJPEG:
		return "image/jpeg"
	}
	return "video/x-h264"
}

// decoder is the element that learns the order of display.
func (c codec) decoder() string {
	if c == codecH265 {
		return "avdec_h265"
	}
	return "avdec_h264"
}

// An encoding is what an encoder is told.
type encoding struct {
	codec           codec
	bitrate, keyInt int
	quality         int
}

// encode is the encoder of a codec. live is for an encoder that runs while people look: it holds no picture back.
func (e encoding) encode(live bool) string {
	x264, x265 := "speed-preset=veryfast bframes=0", "speed-preset=ultrafast"
	if live { // one thread: more would cut each picture into slices
		x264, x265 = "speed-preset=superfast tune=zerolatency threads=1", "speed-preset=ultrafast tune=zerolatency"
	}
	switch e.codec {
	case codecH265:
		return fmt.Sprintf("x265enc name=encoder %s bitrate=%d key-int-max=%d option-string=\"bframes=0:open-gop=0\"",
			x265, e.bitrate, e.keyInt)
	case codecMJPEG:
		return fmt.Sprintf("jpegenc name=encoder quality=%d", e.quality)
	}
	return fmt.Sprintf("x264enc name=encoder %s bitrate=%d key-int-max=%d", x264, e.bitrate, e.keyInt)
}

const (
	audioEncode  = "audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=[1,2] ! avenc_aac bitrate=128000 ! " + audioParse
	audioParse   = "aacparse ! audio/mpeg,mpegversion=4,stream-format=raw"
	audioPayload = "appsrc name=audio ! rtpmp4gpay name=pay1 pt=97 perfect-rtptime=false"
)

// served is the launch line of a media whose video is ready made.
func served(c codec, audio bool) string {
	return withAudio("appsrc name=video ! "+c.pay(), audio)
}

// painted is the launch line of a media whose pictures come raw.
func painted(e encoding, audio bool) string {
	line := "appsrc name=video ! " + e.encode(true)
	if e.codec != codecMJPEG {
		line += " ! " + e.codec.parse()
	}
	return withAudio(line+" ! "+e.codec.pay(), audio)
}

func withAudio(line string, audio bool) string {
	if audio {
		return line + " " + audioPayload
	}
	return line
}
