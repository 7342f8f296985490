package video

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/front"
	"gst-kinesis/internal/local/videostreams"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/mp4"
)

// The bounds of a clip. Source: developer guide, service quotas; API reference, ClipTimestampRange.
const (
	maxClipFragments = 200
	maxClipBytes     = 100e6
	maxClipRange     = 24 * time.Hour
)

// Codes of errors that only GetClip has.
const (
	codeNoRetention   = "NoDataRetentionException"
	codeUnsupported   = "UnsupportedStreamMediaTypeException"
	codeMissingConfig = "MissingCodecPrivateDataException"
	codeInvalidConfig = "InvalidCodecPrivateDataException"
	codeInvalidFrame  = "InvalidMediaFrameException"
)

type clipInput struct {
	StreamName           *string           `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=256"`
	StreamARN            *string           `v:"pattern=arn:[a-z\\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+ min=1 max=1024"`
	ClipFragmentSelector *fragmentSelector `v:"required"`
}

func (in *clipInput) ref() videostreams.Ref { return refOf(in.StreamName, in.StreamARN) }

// getClip makes an MP4 of the fragments that begin in a range.
func (s *Service) getClip(_ *front.Call, in *clipInput) (answer, error) {
	within, err := in.ClipFragmentSelector.times()
	if err != nil {
		return answer{}, err
	}
	now := s.set.Now()
	switch {
	case !within.to.After(within.from):
		return answer{}, apierr.New(apierr.InvalidArgument, "EndTimestamp must be later than StartTimestamp.")
	case within.to.Sub(within.from) > maxClipRange:
		return answer{}, apierr.New(apierr.InvalidArgument, "EndTimestamp must be within 24 hours of StartTimestamp.")
	case !within.producer && within.to.After(now):
		return answer{}, apierr.New(apierr.InvalidArgument, "EndTimestamp must be in the past with SERVER_TIMESTAMP.")
	}
	list, retention, err := s.store.Fragments(in.ref())
	switch {
	case err != nil:
		return answer{}, err
	case retention == 0:
		return answer{}, apierr.New(codeNoRetention, "The stream does not retain data: its DataRetentionInHours is 0.")
	}
	list, err = chosen(list, within)
	if err == nil {
		err = s.store.Points(in.ref(), len(list), len(list))
	}
	if err != nil {
		return answer{}, err
	}
	c, err := planClip(list)
	if err != nil {
		return answer{}, err
	}
	return answer{contentType: "video/mp4", stream: func(call *front.Call, plan fault.Plan) { s.sendClip(call, plan, c) }}, nil
}

// chosen takes the fragments of a range. Of those with one producer timestamp only the one that came first is taken: the others
// are repetitions of it.
func chosen(list []*videostreams.Fragment, within rangeOf) ([]*videostreams.Fragment, error) {
	seen := map[int64]bool{}
	var out []*videostreams.Fragment
	for _, f := range list { // by number, the order of ingestion
		at := f.Producer.UnixMilli()
		if within.holds(f) && !seen[at] {
			seen[at] = true
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b *videostreams.Fragment) int { return a.Producer.Compare(b.Producer) })
	switch {
	case len(out) == 0:
		e := apierr.New(apierr.ResourceNotFound, "There are no fragments that begin within the timestamp range.")
		e.Status = 404
		return nil, e
	case len(out) > maxClipFragments:
		return nil, apierr.New(apierr.InvalidArgument, "The range holds %d fragments; a clip can have %d.", len(out), maxClipFragments)
	}
	return out, nil
}

// clip is an MP4 that is planned: its samples are read again when it is sent.
type clip struct {
	header    []byte
	size      int64
	fragments []*videostreams.Fragment
}

// planClip reads all fragments once.
func planClip(list []*videostreams.Fragment) (*clip, error) {
	tracks, err := clipTracks(list[0].Header)
	if err != nil {
		return nil, err
	}
	file, err := mp4.NewFile(tracks)
	if err != nil {
		return nil, apierr.New(codeInvalidConfig, "The codec private data cannot be used: %v.", err)
	}
	p := planner{file: file, tracks: tracks, ends: make([]int64, len(tracks)), zero: list[0].Producer.UnixMilli()}
	for _, f := range list {
		if err := sameTracks(list[0].Header, f.Header); err != nil {
			return nil, err
		}
		if err := p.add(f); err != nil {
			return nil, err
		}
	}
	header, err := file.Header()
	if err != nil {
		return nil, apierr.New(codeInvalidFrame, "%v.", err)
	}
	size := int64(len(header)) + file.Size()
	if size > maxClipBytes {
		return nil, apierr.New(apierr.InvalidArgument, "The clip would have %d bytes; it can have %d.", size, int64(maxClipBytes))
	}
	return &clip{header: header, size: size, fragments: list}, nil
}

// sameTracks holds fragments to one set of tracks: the service does not change them within a clip.
func sameTracks(a, b *videostreams.Header) error {
	if a == b {
		return nil
	}
	same := slices.EqualFunc(a.Tracks, b.Tracks, func(x, y mkv.Track) bool {
		return x.Number == y.Number && x.CodecID == y.CodecID && slices.Equal(x.CodecPrivate, y.CodecPrivate)
	})
	if !same {
		return apierr.New(codeInvalidConfig, "Tracks and codec private data must be the same in all fragments of a clip.")
	}
	return nil
}

// clipTracks finds out how the tracks are to be described.
func clipTracks(h *videostreams.Header) ([]mp4.Track, error) {
	out := make([]mp4.Track, len(h.Tracks))
	for i := range h.Tracks {
		t := &h.Tracks[i]
		out[i] = mp4.Track{Timescale: 1000, Config: t.CodecPrivate, Width: t.Width, Height: t.Height, SampleRate: int(t.SamplingFrequency),
			Channels: t.Channels}
		switch t.CodecID {
		case mkv.CodecAVC:
			out[i].Codec = mp4.AVC
		case mkv.CodecHEVC:
			out[i].Codec = mp4.HEVC
		case mkv.CodecAAC:
			out[i].Codec = mp4.AAC
			out[i].Timescale = uint32(max(t.SamplingFrequency, 1))
		case mkv.CodecACM:
			if err := waveTrack(&out[i], t.CodecPrivate); err != nil {
				return nil, err
			}
		default:
			return nil, apierr.New(codeUnsupported, "Track %d is of %.40q: a clip can have H.264 or H.265, and AAC or G.711.", t.Number, t.CodecID)
		}
		if len(t.CodecPrivate) == 0 {
			return nil, apierr.New(codeMissingConfig, "Track %d has no codec private data.", t.Number)
		}
	}
	return out, nil
}

// waveTrack describes G.711.
func waveTrack(out *mp4.Track, config []byte) error {
	if len(config) == 0 {
		return apierr.New(codeMissingConfig, "An audio track has no codec private data.")
	}
	w, err := mkv.ParseWaveFormat(config)
	switch {
	case err != nil:
		return apierr.New(codeInvalidConfig, "%v.", err)
	case w.Tag == mkv.WaveALaw:
		out.Codec = mp4.ALaw
	case w.Tag == mkv.WaveMuLaw:
		out.Codec = mp4.MuLaw
	default:
		return apierr.New(codeUnsupported, "Audio of the wave format %d: a clip can have AAC or G.711.", w.Tag)
	}
	out.Config, out.SampleRate, out.Channels = nil, w.SampleRate, w.Channels
	out.Timescale = uint32(max(w.SampleRate, 1))
	return nil
}

// planner adds samples.
type planner struct {
	file   *mp4.File
	tracks []mp4.Track
	ends   []int64 // of audio: when the sample before ended, in ticks
	zero   int64   // ms: producer timestamp of the first fragment
	begun  [mkv.MaxTracks]bool
}

// add adds a fragment's frames, at the times of its producer.
func (p *planner) add(f *videostreams.Fragment) error {
	frames, err := f.Frames()
	if err != nil {
		return err
	}
	start := f.Header.Milliseconds(f.Timecode)
	for _, frame := range frames {
		track := slices.IndexFunc(f.Header.Tracks, func(t mkv.Track) bool { return t.Number == frame.Track })
		if err := p.tracks[track].CheckSample(frame.Data); err != nil {
			return apierr.New(codeInvalidFrame, "A frame of track %d in fragment %s: %v.", frame.Track, f.Number, err)
		}
		ms := f.Producer.UnixMilli() - p.zero + frame.Timestamp - start
		sample := p.sample(track, ms, frame)
		if err := p.file.Add(track, sample); err != nil {
			return errors.Join(errors.New("planning a clip"), err)
		}
		if p.file.Size() > maxClipBytes {
			return apierr.New(apierr.InvalidArgument, "The clip would have more than %d bytes.", int64(maxClipBytes))
		}
	}
	return nil
}

// jitter is how far a time in milliseconds may be from the end of the sample before to be taken for it, in ms: times were rounded.
const jitter = 2

// aacFrame is how many samples an AAC frame has.
const aacFrame = 1024

// sample gives audio times to the sample, which Matroska rounded to milliseconds.
func (p *planner) sample(track int, ms int64, frame videostreams.Frame) mp4.Sample {
	t := &p.tracks[track]
	s := mp4.Sample{Size: len(frame.Data), Time: ms, Key: frame.Key}
	var length int64
	switch t.Codec {
	case mp4.AAC:
		length = aacFrame
	case mp4.ALaw, mp4.MuLaw:
		length = int64(len(frame.Data) / max(t.Channels, 1))
	default:
		return s
	}
	rate := int64(t.Timescale)
	s.Time = (ms*rate + 500) / 1000
	if off := s.Time - p.ends[track]; p.begun[track] && off <= jitter*rate/1000 && off >= -jitter*rate/1000 {
		s.Time = p.ends[track]
	}
	p.begun[track], p.ends[track] = true, s.Time+length
	s.Duration = uint32(length)
	return s
}

// sendClip sends the tables and then the samples, fragment by fragment.
func (s *Service) sendClip(c *front.Call, plan fault.Plan, clip *clip) {
	c.W.Header().Set("Content-Length", strconv.FormatInt(clip.size, 10))
	out := newSender(c, plan, s.store.Limited(), "video/mp4")
	why := out.send(clip.header)
	for _, f := range clip.fragments {
		if why != endBody {
			break
		}
		frames, err := f.Frames()
		if err != nil {
			s.set.Logger.Error("reading a fragment for GetClip", "stream", c.Stream, "error", err)
			why = endLost
			break
		}
		for i := range frames {
			if why = out.send(frames[i].Data); why != endBody {
				break
			}
		}
		c.Moved.Records++
	}
	c.Moved.Bytes = out.sent
	if why == endBody {
		out.settle("")
		return
	}
	out.settle(why)
	c.Drop()
}
