package video

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"gst-kinesis/internal/local/videostreams"
	"gst-kinesis/internal/mkv"
)

// The service's rules for what comes, as they are held here. Source: API reference, PutMedia, constraints and error codes;
// developer guide, service quotas.
//
//	4001 a fragment of more than 50 MB                4006 no Matroska; a second header, Segment or Tracks
//	4002 one whose frames span more than 20 s         4007 a producer timestamp that is no time
//	4004 a cluster or frame that is not later than    4009 more than 10 tags before a cluster, or one that is too long,
//	     all frames of the fragment before                 or has no name, or one that begins with AWS
//	4010 a frame of a track that is not announced     4011 no frame of a track that is
//	4012 more than three tracks
//
// The quotas also name a shortest fragment, 1 s, and an acknowledgement MIN_FRAGMENT_DURATION_REACHED; the API reference gives
// it no id, and AWS's own producer ends its streams with shorter fragments: so those are taken. That a fragment begins with a
// key frame is no rule of PutMedia: it is one of those who play it.
const (
	maxDuration    = 20000 // ms
	maxYear        = 9999
	ownPrefix      = "AWS" // of tags
	unknownSegment = "\x18\x53\x80\x67\xFF"
	// plainEBML stands in for a header that allows shorter sizes than GetMedia writes.
	plainEBML = "\x1A\x45\xDF\xA3\xA3\x42\x86\x81\x01\x42\xF7\x81\x01\x42\xF2\x81\x04\x42\xF3\x81\x08\x42\x82\x88matroska\x42\x87\x81\x02\x42\x85\x81\x02"
)

// problem is why a session ends with an error.
type problem struct {
	id     int
	detail string
}

func problemOf(id int, format string, args ...any) *problem {
	return &problem{id, fmt.Sprintf(format, args...)}
}

// ingest makes fragments of the events of one session, and holds them to the rules. It knows neither connection nor store.
type ingest struct {
	relative time.Time                               // what timecodes count from; zero: 1970
	begin    func() (videostreams.Number, time.Time) // gives a fragment its number and time
	ebml     []byte
	info     []byte
	scale    uint64
	segments int
	header   *videostreams.Header
	tags     []mkv.Tag // of the cluster to come
	current  *videostreams.Fragment
	counts   []int // frames of the current fragment, by track
	earliest int64 // ms, of the current fragment
	latest   int64 // ms
	before   int64 // ms: latest of the fragment before, -1 without one
	usual    int   // bytes of the fragment before: what the next one is likely to need
}

func newIngest(relative time.Time, begin func() (videostreams.Number, time.Time)) *ingest {
	return &ingest{relative: relative, begin: begin, scale: mkv.DefaultTimecodeScale, before: -1}
}

// take takes the reader's last event. done is a fragment that this event ends; a current fragment that was not there before has
// begun. A problem is about the current fragment, if there is one.
func (g *ingest) take(r *mkv.Reader, event mkv.Event) (done *videostreams.Fragment, p *problem) {
	switch e := event.(type) {
	case *mkv.EBMLHeader:
		if g.segments > 0 {
			return nil, problemOf(errMKV, "a second EBML header: a session is one Segment")
		}
		g.ebml = bytes.Clone(r.Raw())
		if e.MaxSizeLength < 8 {
			g.ebml = []byte(plainEBML)
		}
	case *mkv.SegmentStart:
		if g.segments++; g.segments > 1 {
			return nil, problemOf(errMKV, "a second Segment")
		}
	case *mkv.Info:
		g.info, g.scale = bytes.Clone(r.Raw()), e.TimecodeScale
	case *mkv.Tracks:
		return nil, g.announce(r, e)
	case *mkv.Tags:
		return nil, g.tag(e)
	case *mkv.ClusterStart:
		return nil, g.cluster(e)
	case *mkv.Block:
		return nil, g.block(r, e)
	case *mkv.ClusterEnd:
		return g.end()
	}
	return nil, nil
}

func (g *ingest) announce(r *mkv.Reader, e *mkv.Tracks) *problem {
	switch {
	case g.header != nil:
		return problemOf(errMKV, "a second Tracks element")
	case len(e.Tracks) == 0:
		return problemOf(errMKV, "no track at all")
	case len(e.Tracks) > mkv.MaxTracks:
		return problemOf(errTracks, "%d tracks, at most %d are allowed", len(e.Tracks), mkv.MaxTracks)
	}
	raw := append(append(bytes.Clone(g.ebml), unknownSegment...), g.info...)
	g.header = &videostreams.Header{Raw: append(raw, r.Raw()...), Scale: g.scale, Tracks: e.Tracks}
	g.counts = make([]int, len(e.Tracks))
	return nil
}

// reserved tells whether a tag whose name begins with AWS is one that producers may send.
func reserved(name string) bool {
	switch name {
	case mkv.TagEndOfFragment, mkv.TagImageGeneration, mkv.TagImagePrefix, mkv.TagNotification:
		return true
	}
	return false
}

// tag collects the tags of the cluster to come.
func (g *ingest) tag(e *mkv.Tags) *problem {
	for _, t := range e.Tags {
		switch {
		case t.Name == mkv.TagEndOfFragment:
			continue
		case t.Name == "" || len(t.Name) > mkv.MaxTagName || len(t.Value) > mkv.MaxTagValue:
			return problemOf(errTags, "the tag %.40q: a name has 1 to %d bytes, a value at most %d", t.Name, mkv.MaxTagName, mkv.MaxTagValue)
		case strings.HasPrefix(t.Name, ownPrefix) && !reserved(t.Name):
			return problemOf(errTags, "the tag %.40q: names that begin with AWS are the service's own", t.Name)
		}
		if g.tags = append(g.tags, t); len(g.tags) > mkv.MaxTags {
			return problemOf(errTags, "more than %d tags before a cluster", mkv.MaxTags)
		}
	}
	return nil
}

func (g *ingest) cluster(e *mkv.ClusterStart) *problem {
	if g.header == nil {
		return problemOf(errMKV, "a Cluster before Tracks")
	}
	f := &videostreams.Fragment{Timecode: e.Timecode, Header: g.header, Tags: g.tags, Media: make([]byte, 0, g.usual+g.usual/16)}
	f.Number, f.Server = g.begin()
	g.tags, g.current = nil, f
	clear(g.counts)
	ms := g.header.Milliseconds(e.Timecode)
	g.earliest, g.latest = math.MaxInt64, math.MinInt64
	base := g.relative.UnixMilli()
	if g.relative.IsZero() {
		base = 0
	}
	if ms > math.MaxInt64/4 || time.UnixMilli(base+ms).UTC().Year() > maxYear {
		return problemOf(errProducerTime, "timecode %d ms is no time", ms)
	}
	f.Producer = time.UnixMilli(base + ms).UTC()
	if ms <= g.before {
		return problemOf(errTimecode, "timecode %d ms, and the fragment before has a frame at %d ms", ms, g.before)
	}
	return nil
}

func (g *ingest) block(r *mkv.Reader, b *mkv.Block) *problem {
	f := g.current
	place := -1
	for i := range g.header.Tracks {
		if g.header.Tracks[i].Number == b.Track {
			place = i
		}
	}
	if place < 0 {
		return problemOf(errTrackNumber, "a frame of track %d, which Tracks does not announce", b.Track)
	}
	g.counts[place]++
	if b.Frame > 0 {
		return nil // its block was kept with its first frame
	}
	if f.Media = append(f.Media, r.Raw()...); len(f.Media) > mkv.MaxFragment {
		return problemOf(errSize, "more than %d bytes", mkv.MaxFragment)
	}
	ms := g.header.Milliseconds(uint64(max(b.Timecode, 0)))
	g.earliest, g.latest = min(g.earliest, ms), max(g.latest, ms)
	switch {
	case ms <= g.before:
		return problemOf(errTimecode, "a frame at %d ms, and the fragment before has one at %d ms", ms, g.before)
	case g.latest-g.earliest > maxDuration:
		return problemOf(errDuration, "frames from %d to %d ms, at most %d ms are allowed", g.earliest, g.latest, maxDuration)
	}
	return nil
}

// end ends the current fragment.
func (g *ingest) end() (*videostreams.Fragment, *problem) {
	for i, n := range g.counts {
		if n == 0 {
			return nil, problemOf(errFramesMiss, "no frame of track %d", g.header.Tracks[i].Number)
		}
	}
	f := g.current
	f.Length = time.Duration(g.latest-g.earliest) * time.Millisecond
	g.current, g.before, g.usual = nil, g.latest, len(f.Media)
	return f, nil
}

// broken judges the error of the reader; nil where the stream merely ended.
func (g *ingest) broken(err error) *problem {
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.Is(err, mkv.ErrLimit) && g.current != nil:
		return problemOf(errSize, "%v", err)
	}
	return problemOf(errMKV, "%v", err)
}
