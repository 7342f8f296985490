package video

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/local/videostreams"
)

// putHeader is what the header of a request of PutMedia says.
type putHeader struct {
	ref      videostreams.Ref
	relative time.Time // what timecodes count from; zero: they are absolute
}

// Names of headers.
const (
	headerName     = "X-Amzn-Stream-Name"
	headerARN      = "X-Amzn-Stream-Arn"
	headerTimecode = "X-Amzn-Fragment-Timecode-Type"
	headerStart    = "X-Amzn-Producer-Start-Timestamp"
)

// readPutHeader reads and checks the header. The time of the producer's start is asked for only where timecodes are relative: it
// has no meaning otherwise.
func readPutHeader(h http.Header) (in putHeader, err error) {
	in.ref = videostreams.Ref{Name: h.Get(headerName), ARN: h.Get(headerARN)}
	names := regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,256}$`)
	switch {
	case in.ref.Name == "" && in.ref.ARN == "":
		return in, apierr.New(apierr.InvalidArgument, "Give the stream in x-amzn-stream-name or in x-amzn-stream-arn.")
	case in.ref.Name != "" && in.ref.ARN != "":
		return in, apierr.New(apierr.InvalidArgument, "Give x-amzn-stream-name or x-amzn-stream-arn, not both.")
	case in.ref.Name != "" && !names.MatchString(in.ref.Name):
		return in, apierr.New(apierr.InvalidArgument, "x-amzn-stream-name %.300q is no name of a stream.", in.ref.Name)
	}
	text := h.Get(headerStart)
	var start time.Time
	if text != "" {
		if start, err = readSeconds(text); err != nil {
			return in, err
		}
	}
	switch kind := h.Get(headerTimecode); kind {
	case "ABSOLUTE":
	case "RELATIVE":
		if text == "" {
			return in, apierr.New(apierr.InvalidArgument, "x-amzn-producer-start-timestamp is needed with RELATIVE timecodes.")
		}
		in.relative = start
	default:
		return in, apierr.New(apierr.InvalidArgument, "x-amzn-fragment-timecode-type must be ABSOLUTE or RELATIVE, not %.40q.", kind)
	}
	return in, nil
}

// readSeconds reads seconds since 1970 with a fraction, to the millisecond.
func readSeconds(text string) (time.Time, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	seconds, err := strconv.ParseUint(whole, 10, 38)
	digits := (fraction + "000")[:3]
	ms, fractionErr := strconv.ParseUint(digits, 10, 16)
	if strings.Trim(fraction, "0123456789") != "" || err != nil || fractionErr != nil || seconds == 0 {
		return time.Time{}, apierr.New(apierr.InvalidArgument, "x-amzn-producer-start-timestamp %.40q is not a number of seconds since 1970.", text)
	}
	return time.Unix(int64(seconds), int64(ms)*int64(time.Millisecond)).UTC(), nil
}
