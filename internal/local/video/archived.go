package video

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/front"
	"gst-kinesis/internal/local/videostreams"
	"gst-kinesis/internal/mkv"
)

type listFragmentsInput struct {
	StreamName       *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=256"`
	StreamARN        *string `v:"pattern=arn:[a-z\\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+ min=1 max=1024"`
	MaxResults       *int64  `v:"min=1 max=1000"`
	NextToken        *string `v:"pattern=[a-zA-Z0-9+/]+={0,2} min=1 max=4096"`
	FragmentSelector *fragmentSelector
}

type fragmentSelector struct {
	FragmentSelectorType *string         `v:"required enum=PRODUCER_TIMESTAMP|SERVER_TIMESTAMP"`
	TimestampRange       *timestampRange `v:"required"`
}

type timestampRange struct {
	StartTimestamp, EndTimestamp *time.Time `v:"required"`
}

type listFragmentsOutput struct {
	Fragments []fragmentInfo
	NextToken *string
}

type fragmentInfo struct {
	FragmentNumber               string
	FragmentSizeInBytes          int64
	ProducerTimestamp            time.Time
	ServerTimestamp              time.Time
	FragmentLengthInMilliseconds int64
}

func (in *listFragmentsInput) ref() videostreams.Ref { return refOf(in.StreamName, in.StreamARN) }

// rangeOf are the times between which fragments have to begin, both included.
type rangeOf struct {
	producer bool
	from, to time.Time
}

func (sel *fragmentSelector) times() (rangeOf, error) {
	r := rangeOf{producer: *sel.FragmentSelectorType == "PRODUCER_TIMESTAMP", from: *sel.TimestampRange.StartTimestamp, to: *sel.TimestampRange.EndTimestamp}
	if r.to.Before(r.from) {
		return r, apierr.New(apierr.InvalidArgument, "EndTimestamp must not be earlier than StartTimestamp.")
	}
	return r, nil
}

// start is the time of a fragment that the range is about.
func (r *rangeOf) start(f *videostreams.Fragment) time.Time {
	if r.producer {
		return f.Producer
	}
	return f.Server
}

func (r *rangeOf) holds(f *videostreams.Fragment) bool {
	at := r.start(f)
	return !at.Before(r.from) && !at.After(r.to)
}

// A token of ListFragments says how the first call chose, and the last number that was listed.
func (r *rangeOf) token(last videostreams.Number) string {
	text := strings.Join([]string{strconv.FormatBool(r.producer), strconv.FormatInt(r.from.UnixMilli(), 10),
		strconv.FormatInt(r.to.UnixMilli(), 10), last.String()}, "/")
	return base64.StdEncoding.EncodeToString([]byte(text))
}

func readToken(token string) (r rangeOf, last videostreams.Number, err error) {
	text, err := base64.StdEncoding.DecodeString(token)
	parts := strings.Split(string(text), "/")
	if err == nil && len(parts) == 4 {
		var errs [3]error
		var from, to int64
		r.producer = parts[0] == "true"
		from, errs[0] = strconv.ParseInt(parts[1], 10, 64)
		to, errs[1] = strconv.ParseInt(parts[2], 10, 64)
		last, errs[2] = videostreams.ParseNumber(parts[3])
		r.from, r.to = time.UnixMilli(from), time.UnixMilli(to)
		err = errors.Join(errs[:]...)
	}
	if err != nil || len(parts) != 4 {
		return r, last, apierr.New(apierr.InvalidArgument, "NextToken is not one that ListFragments gave.")
	}
	return r, last, nil
}

// listFragments lists by number. What is not persisted is not listed.
func (s *Service) listFragments(in *listFragmentsInput) (*listFragmentsOutput, error) {
	var within rangeOf
	var last videostreams.Number
	var err error
	switch {
	case in.NextToken != nil:
		within, last, err = readToken(*in.NextToken)
	case in.FragmentSelector != nil:
		within, err = in.FragmentSelector.times()
	default: // the API's model asks for neither: then all
		within = rangeOf{from: time.Unix(0, 0), to: time.Unix(1<<40, 0)}
	}
	if err != nil {
		return nil, err
	}
	most := 100
	if in.MaxResults != nil {
		most = int(*in.MaxResults)
	}
	if err = s.store.Points(in.ref(), most, 0); err != nil {
		return nil, err
	}
	list, retention, err := s.store.Fragments(in.ref())
	if err != nil {
		return nil, err
	}
	out := &listFragmentsOutput{Fragments: []fragmentInfo{}}
	for _, f := range list {
		if retention == 0 || f.Number.Compare(last) <= 0 || !within.holds(f) {
			continue
		}
		if len(out.Fragments) == most {
			token := within.token(last)
			out.NextToken = &token
			break
		}
		last = f.Number
		out.Fragments = append(out.Fragments, fragmentInfo{FragmentNumber: f.Number.String(), FragmentSizeInBytes: f.Size(),
			ProducerTimestamp: f.Producer, ServerTimestamp: f.Server, FragmentLengthInMilliseconds: f.Length.Milliseconds()})
	}
	return out, nil
}

type fragmentListInput struct {
	StreamName *string  `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=256"`
	StreamARN  *string  `v:"pattern=arn:[a-z\\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+ min=1 max=1024"`
	Fragments  []string `v:"required min=1 max=1000 items=1-128"`
}

func (in *fragmentListInput) ref() videostreams.Ref { return refOf(in.StreamName, in.StreamARN) }

// getFragmentList sends fragments in the order they are asked for. One that is not there ends the answer with the tags of an
// exception: the status has been sent by then.
func (s *Service) getFragmentList(_ *front.Call, in *fragmentListInput) (answer, error) {
	numbers := make([]videostreams.Number, len(in.Fragments))
	for i, text := range in.Fragments {
		var err error
		if numbers[i], err = videostreams.ParseNumber(text); err != nil {
			return answer{}, apierr.New(apierr.InvalidArgument, "%.130q is no fragment number.", text)
		}
	}
	done, err := s.store.Listing(in.ref())
	if err != nil {
		return answer{}, err
	}
	if err := s.store.Points(in.ref(), 0, len(numbers)); err != nil {
		done()
		return answer{}, err
	}
	return answer{contentType: mediaType, release: done, stream: func(c *front.Call, plan fault.Plan) {
		out := newSender(c, plan, s.store.Limited(), mediaType)
		for _, n := range numbers {
			if why := s.sendListed(out, in.ref(), n); why != endBody {
				out.settle(why)
				if why != endMissing {
					c.Drop()
				}
				return
			}
		}
		out.settle("")
	}}, nil
}

// endMissing is the end of an answer that a fragment is missing for.
const endMissing = "ResourceNotFoundException"

// sendListed sends one fragment.
func (s *Service) sendListed(out *sender, ref videostreams.Ref, n videostreams.Number) (why string) {
	f, err := s.store.Fragment(ref, n)
	var doc []byte
	if err == nil && f != nil {
		doc, err = f.Append(out.buf[:0], f.Tags, []mkv.Tag{{Name: mkv.TagFragmentNumber, Value: n.String()},
			{Name: mkv.TagServerSideTimestamp, Value: seconds(f.Server)}, {Name: mkv.TagProducerSideTimestamp, Value: seconds(f.Producer)}})
	}
	if f == nil || errors.Is(err, fs.ErrNotExist) {
		why := out.send(mkv.AppendTags([]byte(plainEBML+unknownSegment), []mkv.Tag{{Name: mkv.TagFragmentNumber, Value: n.String()},
			{Name: mkv.TagExceptionCode, Value: getMediaNoFragment}, {Name: mkv.TagExceptionMessage, Value: "The requested fragment is not found."}}))
		if why == endBody {
			why = endMissing
		}
		return why
	}
	if err != nil {
		s.set.Logger.Error("reading a fragment for GetMediaForFragmentList", "stream", out.call.Stream, "error", err)
		return endLost
	}
	out.keep(doc)
	out.call.Moved.Records++
	out.call.Moved.Bytes += int64(len(doc))
	return out.send(doc)
}
