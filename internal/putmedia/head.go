package putmedia

import (
	"encoding/json"
	"fmt"

	"gst-kinesis/internal/mkv"
)

// layout is the tracks of a session. Fragments of different layouts are sent in different
// sessions, as a session has its tracks at the beginning.
type layout struct {
	tracks []mkv.Track
	video  uint64 // the number of the video track; 0: there is none
	text   string // all of it, to compare by
}

func newLayout(tracks []mkv.Track) (*layout, error) {
	header := mkv.Header{Tracks: tracks}
	if err := header.Check(); err != nil {
		return nil, fmt.Errorf("checking the tracks: %w", err)
	}
	text, err := json.Marshal(tracks)
	if err != nil {
		return nil, fmt.Errorf("writing the tracks: %w", err)
	}
	l := &layout{tracks: tracks, text: string(text)}
	for _, t := range tracks {
		if t.Type == mkv.Video {
			l.video = t.Number
		}
	}
	return l, nil
}

func (l *layout) has(track uint64) bool {
	for _, t := range l.tracks {
		if t.Number == track {
			return true
		}
	}
	return false
}

// head is what the spool keeps of a fragment beside its frames: with the first of them,
// as JSON, so that each fragment can be sent by itself.
type head struct {
	Tracks json.RawMessage `json:"tracks"`
	Tags   []mkv.Tag       `json:"tags,omitempty"`
	Apart  bool            `json:"apart,omitempty"`
}

func (f *fragment) head() []byte {
	text, err := json.Marshal(head{Tracks: json.RawMessage(f.layout.text), Tags: f.tags, Apart: f.apart})
	if err != nil { // of strings and numbers
		panic(err)
	}
	return text
}

// readHead is the inverse of head. known is a layout that it probably is.
func readHead(text []byte, known *layout) (*fragment, error) {
	var h head
	if err := json.Unmarshal(text, &h); err != nil {
		return nil, fmt.Errorf("reading a fragment's head in the spool: %w", err)
	}
	f := &fragment{layout: known, tags: h.Tags, apart: h.Apart}
	if known == nil || known.text != string(h.Tracks) {
		var tracks []mkv.Track
		if err := json.Unmarshal(h.Tracks, &tracks); err != nil {
			return nil, fmt.Errorf("reading a fragment's tracks in the spool: %w", err)
		}
		var err error
		if f.layout, err = newLayout(tracks); err != nil {
			return nil, fmt.Errorf("reading a fragment's tracks in the spool: %w", err)
		}
	}
	return f, nil
}
