package main

import (
	"errors"
	"fmt"
	"strings"

	"gst-kinesis/cgo/gstrtsp"
)

// noSuchElement is GST_PARSE_ERROR_NO_SUCH_ELEMENT.
const noSuchElement = 1

// remedy adds to an error of GStreamer what to do about it, where that is known.
func remedy(err error) error {
	var e *gstrtsp.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Domain == "gst_parse_error" || e.Domain == "gst-parse-error-quark" || strings.Contains(e.Domain, "parse"):
		if e.Code != noSuchElement {
			return err
		}
		_, rest, _ := strings.Cut(e.Message, "\"")
		element, _, _ := strings.Cut(rest, "\"")
		return fmt.Errorf("%w: install it with `apt install %s`", err, packageOf(element))
	case e.Missing != "":
		return fmt.Errorf("%w: `apt install %s` brings most", err, packageFor(e.Missing))
	case e.AddressInUse():
		return fmt.Errorf("%w: choose another --port, or 0 for a free one", err)
	}
	return err
}

// packageOf is the Debian package that has an element.
func packageOf(element string) string {
	switch element {
	case "x264enc":
		return "gstreamer1.0-plugins-ugly"
	case "x265enc", "h264parse", "h265parse", "jpegparse":
		return "gstreamer1.0-plugins-bad"
	case "avenc_aac", "avdec_h264", "avdec_h265":
		return "gstreamer1.0-libav"
	case "appsrc", "appsink", "decodebin", "parsebin", "videoconvert", "videoscale", "videorate", "audioconvert",
		"audioresample", "audiotestsrc":
		return "gstreamer1.0-plugins-base"
	case "filesrc", "capsfilter":
		return "libgstreamer1.0-0"
	}
	return "gstreamer1.0-plugins-good"
}

// packageFor is the Debian package that most likely has what a pipeline missed.
func packageFor(missing string) string {
	if strings.Contains(missing, "demux") {
		return "gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
	}
	return "gstreamer1.0-libav"
}
