package local

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"gst-kinesis/internal/local/video"
	"gst-kinesis/internal/local/videofiles"
	"gst-kinesis/internal/local/videostreams"
	"gst-kinesis/internal/mkv"
)

// openVideo makes the store of video streams, reads the data directory back into it, and prepares streams.
func (s *Server) openVideo(region string) error {
	model := videostreams.Settings{
		Account: s.set.Account, Region: region, Now: s.set.Now, Limits: s.set.Limits == LimitsAWS, MaxBytes: s.set.VideoMemory, MaxDisk: s.set.VideoDisk,
		StateDelay: s.set.StateDelay, Logger: s.set.Logger,
	}
	var files *videofiles.Files
	if s.set.DataDir != "" {
		files = videofiles.New(s.set.DataDir, videofiles.Options{Sync: s.set.Sync, Logger: s.set.Logger})
		model.Files = files
		s.closers = append([]func() error{files.Close}, s.closers...)
	}
	s.footage = videostreams.NewStore(model)
	if files != nil {
		if err := files.Load(s.footage); err != nil {
			return err
		}
	}
	s.video = video.New(video.Settings{Store: s.footage, URL: s.URL, Now: s.set.Now, Times: s.set.VideoTimes, Logger: s.set.Logger})
	for _, spec := range s.set.VideoCreate {
		if _, err := s.footage.Describe(videostreams.Ref{Name: spec.Name}); err == nil {
			continue
		}
		if err := s.CreateVideoStream(spec); err != nil {
			return fmt.Errorf("creating video stream %s: %w", spec.Name, err)
		}
	}
	return nil
}

// CreateVideoStream makes a video stream.
func (s *Server) CreateVideoStream(spec VideoStreamSpec) error {
	if err := checkVideoName(spec.Name); err != nil {
		return err
	}
	_, err := s.footage.Create(spec)
	return err
}

// DeleteVideoStream removes a video stream and its fragments; who writes to it or reads from it is told.
func (s *Server) DeleteVideoStream(name string) error {
	return s.footage.Delete(videostreams.Ref{Name: name}, "")
}

// VideoFragment is one stored fragment.
type VideoFragment struct {
	Number            string
	ProducerTimestamp time.Time
	ServerTimestamp   time.Time
	Timecode          int64         // ms, as it was sent
	Length            time.Duration // from its first frame to its last
	Tracks            []mkv.Track
	Frames            []VideoFrame // in the order they were sent
	Tags              []mkv.Tag    // the producer's own
}

// VideoFrame is one frame; its Timestamp is in ms, of the same zero as the fragment's timecode.
type VideoFrame = videostreams.Frame

// Fragments returns what a video stream holds now, by fragment number: the books of what was really stored.
func (s *Server) Fragments(stream string) ([]VideoFragment, error) {
	list, _, err := s.footage.Fragments(videostreams.Ref{Name: stream})
	if err != nil {
		return nil, err
	}
	out := make([]VideoFragment, len(list))
	for i, f := range list {
		frames, err := f.Frames()
		if err != nil {
			return nil, fmt.Errorf("reading stream %s: %w", stream, err)
		}
		out[i] = VideoFragment{Number: f.Number.String(), ProducerTimestamp: f.Producer, ServerTimestamp: f.Server,
			Timecode: f.Header.Milliseconds(f.Timecode), Length: f.Length, Tracks: f.Header.Tracks, Frames: frames, Tags: f.Tags}
	}
	return out, nil
}

// PutMediaSessions returns the last 64 sessions of PutMedia on a video stream, oldest first; those that go on have no Ended.
func (s *Server) PutMediaSessions(stream string) []PutMediaSession { return s.video.Sessions(stream) }

// defaultVideoRetention is that of a stream whose spec does not tell.
const defaultVideoRetention = 24 * time.Hour

// ParseVideoStreamSpec reads NAME or NAME:RETENTION; a retention is a whole number of hours, such as 24h or 7d, or 0.
func ParseVideoStreamSpec(text string) (VideoStreamSpec, error) {
	name, retention, found := strings.Cut(text, ":")
	spec := VideoStreamSpec{Name: name, Retention: defaultVideoRetention}
	if found {
		unit := time.Hour
		digits := strings.TrimSuffix(retention, "h")
		if d, days := strings.CutSuffix(retention, "d"); days {
			digits, unit = d, 24*time.Hour
		}
		n, err := strconv.ParseUint(digits, 10, 24)
		if err != nil || time.Duration(n)*unit > videostreams.MaxRetention*time.Hour {
			return spec, fmt.Errorf("creating %q: the retention in NAME:RETENTION is 0, or hours or days up to 10 years, such as 24h or 7d", text)
		}
		spec.Retention = time.Duration(n) * unit
	}
	return spec, checkVideoName(name)
}

// checkVideoName applies the service's rule for names of video streams.
func checkVideoName(name string) error {
	const chars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
	if name == "" || len(name) > 256 || strings.Trim(name, chars) != "" {
		return fmt.Errorf("%q is no name of a video stream: use 1 to 256 of a-z, A-Z, 0-9, _ . and -", name)
	}
	return nil
}
