package mkv

import "bytes"

func (r *Reader) readTracks(c children) (Event, error) {
	r.tracks = Tracks{}
	for c.next() {
		if c.child != idTrackEntry {
			continue
		}
		if len(r.tracks.Tracks) == r.limits.MaxTracks {
			return nil, beyond(idTracks, r.at, "tracks", int64(r.limits.MaxTracks)+1, int64(r.limits.MaxTracks))
		}
		t, err := r.readTrack(c.inner(), c.start)
		if err != nil {
			return nil, err
		}
		if r.tracks.Find(t.Number) != nil {
			return nil, invalid(idTrackEntry, c.start, "there is a track %d already", t.Number)
		}
		r.tracks.Tracks = append(r.tracks.Tracks, t)
	}
	return &r.tracks, c.err
}

func (r *Reader) readTrack(c children, at int64) (t Track, err error) {
	for c.next() {
		switch c.child {
		case idTrackNumber:
			t.Number = c.uint(0)
		case idTrackUID:
			t.UID = c.uint(0)
		case idTrackType:
			t.Type = c.trackType()
		case idDefaultDuration:
			t.DefaultDuration = c.uint(0)
		case idCodecDelay:
			t.CodecDelay = c.uint(0)
		case idSeekPreRoll:
			t.SeekPreRoll = c.uint(0)
		case idName:
			t.Name = c.text()
		case idCodecID:
			t.CodecID = c.text()
		case idCodecPrivate:
			if limit := r.limits.MaxCodecPrivate; len(c.value) > limit {
				return t, beyond(idCodecPrivate, c.start, "bytes", int64(len(c.value)), int64(limit))
			}
			t.CodecPrivate = bytes.Clone(c.value)
		case idContentEncodings:
			t.Encoded = true
		case idVideo, idAudio:
			if err := t.readFormat(c.inner()); err != nil {
				return t, err
			}
		}
	}
	switch {
	case c.err != nil:
		return t, c.err
	case t.Number == 0 || t.Number > maxTrackNumber:
		return t, invalid(idTrackEntry, at, "its TrackNumber %d is not within 1..%d", t.Number, uint64(maxTrackNumber))
	case t.Type == 0:
		return t, invalid(idTrackEntry, at, "track %d has no TrackType", t.Number)
	}
	return t, nil
}

func (c *children) trackType() TrackType {
	n := c.uint(0)
	if n > 254 {
		c.err = invalid(idTrackType, c.start, "there is no type %d", n)
	}
	return TrackType(n)
}

// readFormat reads what Video and Audio hold. An Audio that does not say so is of one channel of 8000 Hz.
func (t *Track) readFormat(c children) error {
	if c.id == idAudio {
		t.SamplingFrequency, t.Channels = 8000, 1
	}
	for c.next() {
		switch c.child {
		case idPixelWidth:
			t.Width = c.int()
		case idPixelHeight:
			t.Height = c.int()
		case idSamplingFrequency:
			t.SamplingFrequency = c.float(8000)
		case idChannels:
			t.Channels = c.int()
		case idBitDepth:
			t.BitDepth = c.int()
		}
	}
	return c.err
}

func (r *Reader) readTags(c children) (Event, error) {
	r.tags = Tags{}
	for c.next() {
		if c.child != idTag {
			continue
		}
		tag := c.inner()
		for tag.next() {
			if tag.child == idSimpleTag {
				if err := r.readSimpleTag(tag.inner(), 1); err != nil {
					return nil, err
				}
			}
		}
		if tag.err != nil {
			return nil, tag.err
		}
	}
	return &r.tags, c.err
}

func (r *Reader) readSimpleTag(c children, depth int) error {
	if depth > deepest {
		return beyond(idSimpleTag, c.at, "levels of tags in tags", int64(depth), deepest)
	}
	place := len(r.tags.Tags)
	r.tags.Tags = append(r.tags.Tags, Tag{})
	for c.next() {
		switch c.child {
		case idTagName:
			r.tags.Tags[place].Name = c.text()
		case idTagString:
			r.tags.Tags[place].Value = c.text()
		case idSimpleTag:
			if err := r.readSimpleTag(c.inner(), depth+1); err != nil {
				return err
			}
		}
	}
	return c.err
}
