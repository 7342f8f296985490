package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gst-kinesis/cgo/gstrtsp"
)

// aacSamples are the samples in a frame of AAC-LC.
const aacSamples = 1024

// The tone for what has no audio of its own: a tick a second, 16 s = 750 frames of AAC long, so that it repeats exactly.
const (
	tonePeriod = 16 * time.Second
	toneRate   = 48000
	toneFrames = 750
)

// loadSound takes the file's audio: as it is if it is AAC-LC, else encoded; a tone where the file has none.
func (l *loader) loadSound(ctx context.Context, path string, info gstrtsp.Info, f *film) (*sound, error) {
	if info.Audio == "" {
		l.log.Info("the clip has no audio: a tone is sent", "missing", info.Missing)
		return makeTone(ctx, l.set.maxClip)
	}
	if strings.HasPrefix(info.Audio, "audio/mpeg, mpegversion=(int)4") {
		s, err := l.collectSound(ctx, path, "parsebin name=p p. ! audio/mpeg,mpegversion=4 ! "+audioParse, f)
		if s != nil || err != nil {
			return s, err
		}
	}
	s, err := l.collectSound(ctx, path, "decodebin name=d d. ! audio/x-raw ! "+audioEncode, f)
	if s == nil && err == nil {
		err = fmt.Errorf("the audio (%s) does not become AAC", info.Audio)
	}
	return s, err
}

// collectSound returns nil if what comes is not plain AAC-LC.
func (l *loader) collectSound(ctx context.Context, path, line string, f *film) (*sound, error) {
	reel, err := gstrtsp.Collect(ctx, "filesrc name=file ! "+line+" ! appsink name=audio", path, l.set.maxClip)
	if err != nil {
		return nil, err
	}
	s := newSound(reel.Audio)
	if s == nil {
		reel.Unref()
		return nil, nil
	}
	s.start -= f.start
	s.period = f.period
	return s, nil
}

// newSound makes a sound of a track, or returns nil for one that is not made of AAC-LC frames one after the other.
func newSound(track gstrtsp.Track) *sound {
	rate, err := strconv.ParseInt(capsField(track.Caps, "rate=(int)"), 10, 64)
	if err != nil || len(track.Units) == 0 || track.CapsChanged || track.Units[0].PTS == gstrtsp.NoTime {
		return nil
	}
	s := &sound{caps: track.Caps, samples: aacSamples, rate: rate, start: track.Units[0].PTS}
	last := track.Units[len(track.Units)-1].PTS
	drift := last - s.start - s.time(int64(len(track.Units)-1))
	if drift.Abs() > s.length() {
		return nil // gaps, or frames of another length
	}
	for _, u := range track.Units {
		s.frames = append(s.frames, u.Buffer)
	}
	s.silence = silentFrame(capsField(track.Caps, "channels=(int)"))
	return s
}

// capsField is the text of a field in caps, up to the next comma.
func capsField(caps, field string) string {
	_, rest, _ := strings.Cut(caps, field)
	value, _, _ := strings.Cut(rest, ",")
	return value
}

// silentFrame is a frame of AAC-LC without sound; nil for other than one or two channels.
//
// ISO/IEC 14496-3, raw_data_block: a single_channel_element (or channel_pair_element with a common window) of
// one window group with max_sfb 0, so without a single coefficient, and the end.
func silentFrame(channels string) *gstrtsp.Buffer {
	frames := map[string]string{"1": "00000007", "2": "21000000001c"}
	b, err := hex.DecodeString(frames[channels])
	if err != nil || len(b) == 0 {
		return nil
	}
	return gstrtsp.BufferFrom(b)
}

// makeTone encodes the tone.
func makeTone(ctx context.Context, maxBytes int64) (*sound, error) {
	line := fmt.Sprintf("audiotestsrc wave=ticks num-buffers=%d samplesperbuffer=%d ! audio/x-raw,rate=%d,channels=1 ! %s ! appsink name=audio",
		toneFrames, aacSamples, toneRate, audioEncode)
	reel, err := gstrtsp.Collect(ctx, line, "", maxBytes)
	if err != nil {
		return nil, fmt.Errorf("making the tone: %w", remedy(err))
	}
	s := newSound(reel.Audio)
	if s == nil {
		reel.Unref()
		return nil, fmt.Errorf("making the tone: %d frames came", len(reel.Audio.Units))
	}
	s.start, s.period = 0, tonePeriod
	return s, nil
}
