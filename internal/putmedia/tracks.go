package putmedia

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"gst-kinesis/internal/mkv"
)

// The service refuses a fragment in which a track that the session announced has no frame (4011), and one with a frame of a
// track that it did not (4010). So a session announces the tracks that its fragments have frames of, and what a track that
// falls silent costs is a new session, not the fragment:
//
//   - A fragment goes on at key frames for mostSilence while a track has no frame in it, so that short pauses cost nothing.
//   - A fragment that ends without one is sent by a session without that track, and so are those that follow until the
//     track has a frame again.
//   - A session that is in the middle of such a fragment is cut, once what it sent before is stored: what the service has of
//     that fragment is not to be stored.

// mostSilence is how long a fragment is made longer for a track that may have paused. Sessions are replaced for a track that
// comes and goes no more often than twice in that time.
const mostSilence = 5 * time.Second

// tracks is a set of a layout's tracks, by their places in it.
type tracks uint8

// all are the tracks that were announced.
func (l *layout) all() tracks { return 1<<len(l.tracks) - 1 }

// one is the track with a number; nothing if there is none.
func (l *layout) one(number uint64) tracks {
	for i, t := range l.tracks {
		if t.Number == number {
			return 1 << i
		}
	}
	return 0
}

// of returns those of a set.
func (l *layout) of(set tracks) (list []mkv.Track) {
	for i, t := range l.tracks {
		if set&(1<<i) != 0 {
			list = append(list, t)
		}
	}
	return list
}

// quiet are the tracks that had no frame in the last fragment of a layout. It is written with putting and mu held.
type quiet struct {
	layout *layout
	tracks tracks
}

// of are those of a layout.
func (q *quiet) of(l *layout) tracks {
	if q.layout != l {
		return 0
	}
	return q.tracks
}

// learn looks at a fragment that has ended, and returns the tracks that fell silent in it. One that was ended early says
// nothing about what has no frame in it.
func (q *quiet) learn(f *fragment) (fell tracks) {
	before := q.of(f.layout)
	if !f.ended {
		fell = f.layout.all() &^ (f.has | before)
	}
	q.layout, q.tracks = f.layout, (before|fell)&^f.has
	return fell
}

// awaits reports whether a fragment goes on where it might end, as it lacks a frame of a track.
func (c *cutter) awaits(open *fragment, age time.Duration) bool {
	lacks := open.layout.all() &^ (open.has | c.quiet.of(open.layout))
	return lacks != 0 && age < mostSilence && open.count.Bytes < MaxFragmentBytes/2
}

// expects is what a session has to announce for a fragment. Of one that is still open it is a guess.
func (s *Stream) expects(f *fragment) tracks {
	if f.closed {
		return f.has
	}
	return f.has | f.layout.all()&^s.cutter.quiet.of(f.layout)
}

// announce returns what the session's body begins with.
func (n *session) announce() ([]byte, error) {
	h := *n.head
	n.head = nil
	f := n.s.following(n)
	if f == nil || f.layout != n.layout {
		f = n.first
	}
	n.first, n.tracks = nil, n.s.expects(f)
	h.Tracks = n.layout.of(n.tracks)
	return mkv.AppendHeader(nil, h) //nolint:wrapcheck // it says what it is about
}

// isWrong reports whether the fragment that is being sent has, or lacks, a track other than the session announced.
func (n *session) isWrong() bool {
	f := n.at
	return f.has&^n.tracks != 0 || f.closed && f.has != n.tracks
}

// errTracks is why a session is cut that has announced other tracks than its fragment has.
var errTracks = errors.New("the tracks change")

// abandon ends the session within a fragment, once what it sent before is stored.
func (n *session) abandon() {
	if !n.abandoned {
		n.abandoned = true
		n.leaveFor(errTracks.Error())
	}
	if n.s.settings.Acks && n.owes() && n.s.now() < n.leaveBy {
		n.await() // the supervisor wakes it when the time is over
		return
	}
	n.cut = true
	n.cancel(errTracks)
}

// noticeQuiet says that tracks fell silent, with putting held.
func (s *Stream) noticeQuiet(l *layout) {
	fell := s.cutter.fell
	s.cutter.fell = 0
	if fell == 0 {
		return
	}
	var names []string
	for _, t := range l.of(fell) {
		names = append(names, fmt.Sprintf("%d (%v)", t.Number, t.Type))
	}
	s.noteOnce(Notice{Code: "track-silent", Text: fmt.Sprintf("track %s has had no frame for %v: as the service takes no fragment that lacks a track, it is left out "+
		"until it has frames again; each change costs a new connection", strings.Join(names, ", "), mostSilence)})
}
