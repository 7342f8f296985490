package video

import (
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/front"
	"gst-kinesis/internal/local/videostreams"
	"gst-kinesis/internal/mkv"
)

// What GetMedia sends, as its readers see it from AWS: each fragment is a document of its own,
//
//	EBML Segment Info Tracks · Tags (the user's) · Tags (fragment number, server and producer time) · Cluster ·
//	Tags (how far behind, continuation token) · EBML …
//
// The token is the fragment's number: reading goes on with the one after it. Source of the names: API reference, GetMedia, and the
// state machine of AWS's parser library (FragmentMetadataVisitor).
const mediaType = "video/webm" // what the service calls its Matroska

// Ids of errors in GetMedia's tags.
const getMediaNoFragment = "4000"

type getMediaInput struct {
	StreamName    *string        `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=256"`
	StreamARN     *string        `v:"pattern=arn:[a-z\\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+ min=1 max=1024"`
	StartSelector *startSelector `v:"required"`
}

type startSelector struct {
	StartSelectorType   *string `v:"required enum=FRAGMENT_NUMBER|SERVER_TIMESTAMP|PRODUCER_TIMESTAMP|NOW|EARLIEST|CONTINUATION_TOKEN"`
	AfterFragmentNumber *string `v:"pattern=[0-9]+ min=1 max=128"`
	StartTimestamp      *time.Time
	ContinuationToken   *string `v:"pattern=[a-zA-Z0-9_\\.\\-]+ min=1 max=128"`
}

func (in *getMediaInput) ref() videostreams.Ref { return refOf(in.StreamName, in.StreamARN) }

// start reads the selector.
func (sel *startSelector) start() (videostreams.Start, error) {
	start := videostreams.Start{Selector: videostreams.Selector(*sel.StartSelectorType)}
	after := sel.AfterFragmentNumber
	switch *sel.StartSelectorType {
	case "SERVER_TIMESTAMP", "PRODUCER_TIMESTAMP":
		if sel.StartTimestamp == nil {
			return start, apierr.New(apierr.InvalidArgument, "StartTimestamp is needed with %s.", *sel.StartSelectorType)
		}
		start.At = *sel.StartTimestamp
		return start, nil
	case "CONTINUATION_TOKEN":
		start.Selector, after = videostreams.AfterFragment, sel.ContinuationToken
	case "FRAGMENT_NUMBER":
	default:
		return start, nil
	}
	if after == nil {
		return start, apierr.New(apierr.InvalidArgument, "AfterFragmentNumber or ContinuationToken is needed with %s.", *sel.StartSelectorType)
	}
	var err error
	if start.After, err = videostreams.ParseNumber(*after); err != nil {
		return start, apierr.New(apierr.InvalidArgument, "%.130q is no fragment number.", *after)
	}
	return start, nil
}

// getMedia begins a session; its answer goes on until the client, the stream or the endpoint ends.
func (s *Service) getMedia(_ *front.Call, in *getMediaInput) (answer, error) {
	start, err := in.StartSelector.start()
	if err != nil {
		return answer{}, err
	}
	r, err := s.store.Read(in.ref(), start)
	if err != nil {
		return answer{}, err
	}
	return answer{contentType: mediaType, release: r.Close, stream: func(c *front.Call, plan fault.Plan) {
		s.follow(c, plan, r)
	}}, nil
}

// follow sends fragments as they are there.
func (s *Service) follow(c *front.Call, plan fault.Plan, r *videostreams.Reader) {
	out := newSender(c, plan, s.store.Limited(), mediaType)
	why := endBody
	for why == endBody {
		f, behind, more := r.Next()
		if f == nil {
			select {
			case <-more:
				continue
			case <-r.Ended():
				out.settle("")
				return // the server ends the answer as it should be
			case <-c.R.Context().Done():
				why = endLost
			case <-c.Stopped():
				why = endStopped
			}
			break
		}
		why = s.sendChunk(out, f, behind)
	}
	out.settle(why)
	c.Drop()
}

// sendChunk sends one fragment with the tags around it; it returns endBody if more may follow.
func (s *Service) sendChunk(out *sender, f *videostreams.Fragment, behind time.Duration) (why string) {
	number := f.Number.String()
	doc, err := f.Append(out.buf[:0], f.Tags, []mkv.Tag{{Name: mkv.TagFragmentNumber, Value: number},
		{Name: mkv.TagServerTimestamp, Value: seconds(f.Server)}, {Name: mkv.TagProducerTimestamp, Value: seconds(f.Producer)}})
	if errors.Is(err, fs.ErrNotExist) {
		return endBody // it was dropped meanwhile: so it is for any reader who comes later
	}
	if err != nil {
		s.set.Logger.Error("reading a fragment for GetMedia", "stream", out.call.Stream, "error", err)
		out.send(mkv.AppendTags([]byte(plainEBML+unknownSegment), []mkv.Tag{{Name: mkv.TagErrorCode, Value: "INTERNAL_ERROR"}, {Name: mkv.TagErrorID, Value: "5000"}}))
		return endLost
	}
	doc = mkv.AppendTags(doc, []mkv.Tag{{Name: mkv.TagMillisBehind, Value: strconv.FormatInt(behind.Milliseconds(), 10)},
		{Name: mkv.TagContinuation, Value: number}})
	out.keep(doc)
	out.call.Moved.Records++
	out.call.Moved.Bytes += int64(len(doc))
	if why := out.send(doc); why != endBody {
		return why
	}
	return out.fragment()
}

// seconds writes a time as the service's tags have it.
func seconds(t time.Time) string {
	ms := t.UnixMilli()
	return strconv.FormatInt(ms/1000, 10) + "." + strconv.FormatInt(1000+ms%1000, 10)[1:]
}

// flushed sends what was written.
func flushed(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() }
