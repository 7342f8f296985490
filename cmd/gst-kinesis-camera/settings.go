package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"gst-kinesis/cmd/gst-kinesis-camera/picture"
)

// settings are what the flags say, checked. Zero values of codec, size, rate, bitrate and keyInt mean: not asked for. With
// a file that is "as the file has it"; for the test picture the defaults below hold.
type settings struct {
	address        string
	port           int
	user, password string
	tcp, udp       bool
	mounts         []mount
	codec          codec
	width, height  int
	rate           fraction
	bitrate        int // kbit/s
	keyInt         int // frames
	quality        int // of JPEG
	audio          bool
	maxClip        int64 // bytes
}

// Defaults of the flags, and of the test picture.
const (
	defaultAddress = "127.0.0.1"
	defaultPort    = 8554
	defaultMount   = "/cam"
	defaultWidth   = 640
	defaultHeight  = 480
	defaultQuality = 85
	defaultMaxClip = 512 // MiB
	bitsPerPixel   = 0.1
)

// defaultRate is the test picture's, and that of elementary streams that tell none.
func defaultRate() fraction { return fraction{25, 1} }

// A mount is one path and what it shows; an empty file is the test picture.
type mount struct {
	path, file string
}

// A codec is a form of video that RTP carries.
type codec string

const (
	codecAny   codec = ""
	codecH264  codec = "h264"
	codecH265  codec = "h265"
	codecMJPEG codec = "mjpeg"
)

func parseCodec(s string) (codec, error) {
	switch c := codec(strings.ToLower(s)); c {
	case codecAny, codecH264, codecH265, codecMJPEG:
		return c, nil
	}
	return "", fmt.Errorf("--codec %q: want h264, h265 or mjpeg", s)
}

// parseMounts reads PATH, PATH=FILE and PATH= (the test picture whatever file says).
func parseMounts(args []string, file string) ([]mount, error) {
	if len(args) == 0 {
		args = []string{defaultMount}
	}
	seen := map[string]bool{}
	var mounts []mount
	for _, a := range args {
		path, f, given := strings.Cut(a, "=")
		if !given {
			f = file
		}
		if !strings.HasPrefix(path, "/") || path == "/" || strings.ContainsAny(path, " \t?#%") {
			return nil, fmt.Errorf("--mount %q: a path begins with / and has no blanks, such as /cam or /cam=clip.mp4", a)
		}
		if seen[path] {
			return nil, fmt.Errorf("--mount %s is given twice", path)
		}
		seen[path] = true
		mounts = append(mounts, mount{path: path, file: f})
	}
	return mounts, nil
}

func parseSize(s string) (w, h int, err error) {
	if s == "" {
		return 0, 0, nil
	}
	a, b, found := strings.Cut(strings.ToLower(s), "x")
	w, err1 := strconv.Atoi(a)
	h, err2 := strconv.Atoi(b)
	if !found || err1 != nil || err2 != nil || w < 16 || h < 16 || w > 8192 || h > 8192 || w%2 != 0 || h%2 != 0 {
		return 0, 0, fmt.Errorf("--size %q: want WIDTHxHEIGHT, both even, from 16 to 8192, such as 1280x720", s)
	}
	return w, h, nil
}

func parseTransport(s string) (tcp, udp bool, err error) {
	switch s {
	case "tcp":
		return true, false, nil
	case "udp":
		return false, true, nil
	case "both":
		return true, true, nil
	}
	return false, false, fmt.Errorf("--transport %q: want tcp, udp or both", s)
}

// check holds the rules that concern several settings.
func (s *settings) check() error {
	if (s.user == "") != (s.password == "") {
		return errors.New("--user and --password go together")
	}
	if s.port < 0 || s.port > 65535 {
		return fmt.Errorf("--port %d: want 0 (a free one) to 65535", s.port)
	}
	if s.codec == codecMJPEG {
		if s.bitrate > 0 || s.keyInt > 0 {
			return errors.New("--bitrate and --key-int do not apply to mjpeg, whose pictures stand alone: use --quality")
		}
		if err := checkJPEGSize(s.width, s.height); err != nil {
			return err
		}
	}
	for _, m := range s.mounts {
		w, h := s.pictureSize()
		if m.file == "" && (w < picture.MinWidth || h < picture.MinHeight) {
			return fmt.Errorf("--size %dx%d: the test picture needs at least %dx%d", w, h, picture.MinWidth, picture.MinHeight)
		}
	}
	return nil
}

// checkJPEGSize: RFC 2435 counts a picture's sides in units of 8 pixels, in one byte.
func checkJPEGSize(w, h int) error {
	if w%8 != 0 || h%8 != 0 || w > 2040 || h > 2040 {
		return fmt.Errorf("mjpeg over RTP takes sides that are multiples of 8, up to 2040, not %dx%d: choose another --size", w, h)
	}
	return nil
}

// The test picture's values, with the defaults put in.

func (s *settings) pictureSize() (w, h int) {
	if s.width == 0 {
		return defaultWidth, defaultHeight
	}
	return s.width, s.height
}

func (s *settings) pictureRate() fraction {
	if s.rate.n == 0 {
		return defaultRate()
	}
	return s.rate
}

func (s *settings) pictureCodec() codec {
	if s.codec == codecAny {
		return codecH264
	}
	return s.codec
}

// recodes tells whether something was asked for that a file can only have by being encoded anew.
func (s *settings) recodes(elementary bool) bool {
	rate := s.rate.n > 0 && !elementary // to an elementary stream the rate gives its times, no more
	return s.width > 0 || rate || s.bitrate > 0 || s.keyInt > 0
}

// bitrateFor is what was asked for, or what the picture's size and rate suggest, in kbit/s.
func (s *settings) bitrateFor(w, h int, rate fraction) int {
	if s.bitrate > 0 {
		return s.bitrate
	}
	return max(200, int(float64(w)*float64(h)*rate.perSecond()*bitsPerPixel/1000))
}

// keyIntFor is what was asked for, or one key frame a second.
func (s *settings) keyIntFor(rate fraction) int {
	if s.keyInt > 0 {
		return s.keyInt
	}
	return max(1, int(rate.perSecond()+0.5))
}
