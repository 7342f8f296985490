package kinesisvideosink

import (
	"time"

	"gst-kinesis/internal/mkv"
)

// layout decides which tracks the engine is told of, in the order in which frames go to it. As new tracks mean a new session, which begins
// with a key frame, they change at a key frame of the video, and audio that is new or other than before waits for that.
type layout struct {
	video, audio *description // as the engine has them; nil: none
	videoPad     *pad         // whose stream goes on
	audioPad     *pad
	coming       *description // audio's, from the next key frame on
	videoEnd     int64        // DTS of the last frame of video
	floor        int64        // PTS of its last key frame: where the fragment begins
}

// arrange gives the number of the track of a frame, having told the engine of the tracks where they change; 0: the frame cannot be
// decoded, as it comes before the key frame that its track waits for.
func (l *layout) arrange(it item, setTracks func([]mkv.Track) error) (uint64, error) {
	if it.track.Type == mkv.Video {
		return l.arrangeVideo(it, setTracks)
	}
	return l.arrangeAudio(it, setTracks)
}

func (l *layout) arrangeVideo(it item, setTracks func([]mkv.Track) error) (uint64, error) {
	l.videoPad, l.videoEnd = it.pad, it.frame.DTS
	switch {
	case !it.frame.Key && (it.track != l.video || l.video == nil):
		return 0, nil
	case it.frame.Key:
		l.floor = it.frame.PTS
		audio := l.nextAudio(it.pad.s)
		if it.track != l.video || audio != l.audio {
			return 1, l.tell(it.track, audio, setTracks)
		}
	}
	return 1, nil
}

// nextAudio is the audio to go with a key frame: that which waits for it, else the one there is, else that of a pad whose first frame is on its way.
func (l *layout) nextAudio(s *element) *description {
	switch {
	case l.coming != nil:
		return l.coming
	case l.audioPad != nil:
		return l.audio
	}
	return s.comingOf(mkv.Audio)
}

func (l *layout) arrangeAudio(it item, setTracks func([]mkv.Track) error) (uint64, error) {
	l.audioPad = it.pad
	if l.videoPad == nil && it.pad.s.comingOf(mkv.Video) == nil && !(l.video != nil && it.track == l.audio && it.frame.DTS-l.videoEnd < tail) {
		if it.track != l.audio || l.video != nil {
			return 1, l.tell(nil, it.track, setTracks)
		}
		return 1, nil
	}
	if l.video != nil && it.track == l.audio {
		// The service refuses a whole fragment for one frame that is not later than those of the fragment before.
		it.frame.PTS = max(it.frame.PTS, l.floor)
		return 2, nil
	}
	l.coming = it.track
	return 0, nil
}

// tail is how much audio after the end of the video goes with its last fragment; it is not worth a session.
const tail = int64(3 * time.Second)

// end says that a pad's stream has ended: its track goes at the next key frame, or with the next frame where there is no video any more.
func (l *layout) end(p *pad) {
	p.latest.Store(nil)
	if p == l.videoPad {
		l.videoPad = nil
	}
	if p == l.audioPad {
		l.audioPad, l.coming = nil, nil
	}
}

func (l *layout) tell(video, audio *description, setTracks func([]mkv.Track) error) error {
	var tracks []mkv.Track
	if video != nil {
		tracks = append(tracks, video.numbered(1))
	}
	if audio != nil {
		tracks = append(tracks, audio.numbered(uint64(len(tracks)+1)))
	}
	l.video, l.audio, l.coming = video, audio, nil
	return setTracks(tracks)
}
