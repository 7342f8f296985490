package media

import (
	"fmt"
	"io"
	"strconv"

	"gst-kinesis/internal/mkv"
)

// documents takes fragments out of Matroska.
type documents struct {
	in       *mkv.Reader
	trailing bool // tags come after a cluster too

	scale   uint64
	tracks  []mkv.Track
	before  []mkv.Tag // the next cluster's
	cluster struct {
		found    bool
		timecode uint64
	}
	f    Fragment
	held bool // f is whole, and may only lack the tags after it
}

// StreamError is an error that comes in the middle of an answer. Source: API reference, GetMedia and GetMediaForFragmentList.
type StreamError struct {
	ID             int // 3002, 4000, 4500 to 4506, 5000
	Code, Message  string
	FragmentNumber string // may be empty
}

// Error says what happened and what to do.
func (e *StreamError) Error() string {
	text := "the service broke off"
	if e.FragmentNumber != "" {
		text += " at the fragment " + e.FragmentNumber
	}
	text += fmt.Sprintf(": error %d %s", e.ID, e.Code)
	if e.Message != "" {
		text += ": " + e.Message
	}
	switch {
	case e.ID == 4000:
		text += "; the fragment is gone: list again, read sooner, or let the stream keep media for longer"
	case e.ID >= 4500 && e.ID < 4600:
		text += "; let these credentials use the stream's KMS key (kms:Decrypt), and see that the key is enabled"
	}
	return text
}

// Passes says whether reading on may help.
func (e *StreamError) Passes() bool { return e.ID < 4000 || e.ID >= 5000 }

func (d *documents) reset(body io.Reader, limits mkv.Limits) {
	if d.in == nil {
		d.in = mkv.NewReader(body, limits)
	} else {
		d.in.Reset(body)
	}
	d.scale, d.tracks, d.before, d.held, d.cluster.found = mkv.DefaultTimecodeScale, nil, d.before[:0], false, false
}

// next gives the next whole fragment, as soon as it is there.
func (d *documents) next() (*Fragment, error) {
	if d.cluster.found {
		if err := d.begin(); err != nil {
			return nil, err
		}
	}
	for {
		e, err := d.in.Next()
		if err != nil {
			if err == io.EOF && d.held {
				return d.give(), nil
			}
			return nil, err //nolint:wrapcheck // it says where
		}
		whole, err := d.take(e)
		if err != nil {
			return nil, err
		}
		if whole {
			return d.give(), nil
		}
	}
}

// give hands the fragment out.
func (d *documents) give() *Fragment {
	d.held = false
	d.f.end()
	return &d.f
}

// take takes an event; true if with it the fragment is whole.
func (d *documents) take(e mkv.Event) (whole bool, err error) {
	switch e := e.(type) {
	case *mkv.EBMLHeader:
		d.scale, d.tracks, d.before = mkv.DefaultTimecodeScale, nil, d.before[:0]
		return d.held, nil
	case *mkv.SegmentEnd:
		return d.held, nil
	case *mkv.Info:
		d.scale = e.TimecodeScale
	case *mkv.Tracks:
		d.tracks = e.Tracks
	case *mkv.Tags:
		return d.takeTags(e.Tags)
	case *mkv.ClusterStart:
		d.cluster.found, d.cluster.timecode = true, e.Timecode
		if d.held { // its buffers are somebody else's until the next call
			return true, nil
		}
		return false, d.begin()
	case *mkv.Block:
		return false, d.f.add(e)
	case *mkv.ClusterEnd:
		d.held = true
		return !d.trailing, nil
	}
	return false, nil
}

// begin begins the fragment whose cluster was found.
func (d *documents) begin() error {
	d.cluster.found = false
	d.f.begin(d.cluster.timecode, d.scale, d.tracks)
	for _, t := range d.before {
		if !d.f.learn(t) {
			d.f.Tags = append(d.f.Tags, t)
		}
	}
	d.before = d.before[:0]
	if d.tracks == nil {
		return fmt.Errorf("reading the fragment %s: %w: there are no Tracks before its Cluster", d.f.Number, mkv.ErrInvalid)
	}
	return nil
}

// takeTags gives tags to the fragment that they are about: those after a cluster to it, all others to the next.
func (d *documents) takeTags(tags []mkv.Tag) (whole bool, err error) {
	if err := streamError(tags); err != nil {
		return false, err
	}
	var after Fragment // of tags without a fragment, as an empty stream has
	f := &after
	if d.held {
		f = &d.f
	}
	next := false
	for _, t := range tags {
		if !f.learnAfter(t) {
			d.before = append(d.before, t)
			next = true
		}
	}
	return d.held && (next || d.f.ContinuationToken != "" && d.f.MillisBehind >= 0), nil
}

// streamError reads an error out of tags, nil if there is none.
func streamError(tags []mkv.Tag) error {
	var e StreamError
	found := false
	for _, t := range tags {
		switch t.Name {
		case mkv.TagErrorID, mkv.TagExceptionCode:
			e.ID, _ = strconv.Atoi(t.Value) // 0 if it is no number
			found = true
		case mkv.TagErrorCode:
			e.Code, found = t.Value, true
		case mkv.TagExceptionMessage:
			e.Message, found = t.Value, true
		case mkv.TagFragmentNumber:
			e.FragmentNumber = t.Value
		}
	}
	if !found {
		return nil
	}
	return &e
}
