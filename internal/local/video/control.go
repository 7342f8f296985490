package video

import (
	"encoding/base64"
	"errors"
	"net/url"
	"regexp"
	"time"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/local/codec"
	"gst-kinesis/internal/local/front"
	"gst-kinesis/internal/local/videostreams"
)

// Names of operations that are asked for by name.
const (
	opCreate        = "VideoCreateStream"
	opList          = "VideoListStreams"
	opPutMedia      = "PutMedia"
	opGetMedia      = "GetMedia"
	opListFragments = "ListFragments"
	opFragmentList  = "GetMediaForFragmentList"
	opClip          = "GetClip"
)

// operations returns the table of the API, by path.
func operations() map[string]operation {
	return map[string]operation{
		"createStream":        define(opCreate, (*Service).createStream, none[createInput]),
		"describeStream":      define("VideoDescribeStream", (*Service).describeStream, (*streamInput).ref),
		"listStreams":         define(opList, (*Service).listStreams, none[listInput]),
		"deleteStream":        define("VideoDeleteStream", (*Service).deleteStream, (*deleteInput).ref),
		"updateDataRetention": define("UpdateDataRetention", (*Service).updateRetention, (*retentionInput).ref),
		"updateStream":        define("UpdateStream", (*Service).updateStream, (*updateInput).ref),
		"tagStream":           define("TagStream", (*Service).tagStream, (*tagInput).ref),
		"untagStream":         define("UntagStream", (*Service).untagStream, (*untagInput).ref),
		"listTagsForStream":   define("VideoListTagsForStream", (*Service).listTags, (*tagsInput).ref),
		"getDataEndpoint":     stream("GetDataEndpoint", (*Service).getDataEndpoint, (*endpointInput).ref),

		"putMedia":                {name: opPutMedia},
		"getMedia":                stream(opGetMedia, (*Service).getMedia, (*getMediaInput).ref),
		"listFragments":           define(opListFragments, (*Service).listFragments, (*listFragmentsInput).ref),
		"getMediaForFragmentList": stream(opFragmentList, (*Service).getFragmentList, (*fragmentListInput).ref),
		"getClip":                 stream(opClip, (*Service).getClip, (*clipInput).ref),
	}
}

// define makes an operation of a function from one JSON object to another.
func define[I, O any](name string, run func(s *Service, in *I) (*O, error), ref func(in *I) videostreams.Ref) operation {
	out := codec.ShapeOf[O]()
	return stream(name, func(s *Service, _ *front.Call, in *I) (answer, error) {
		got, err := run(s, in)
		if err != nil {
			return answer{}, err
		}
		w := codec.JSON.NewWriter(nil)
		out.Encode(w, got)
		return answer{contentType: jsonType, body: w.Bytes()}, nil
	}, ref)
}

// stream makes an operation that writes its answer itself.
func stream[I any](name string, run func(s *Service, c *front.Call, in *I) (answer, error), ref func(in *I) videostreams.Ref) operation {
	shape := codec.ShapeOf[I]()
	decode := func(body []byte) (*I, error) {
		in := new(I)
		if len(body) == 0 {
			body = []byte("{}")
		}
		err := shape.Decode(codec.JSON.NewReader(body), in)
		return in, err
	}
	return operation{
		name: name,
		subject: func(_ *Service, _ *front.Call, body []byte) videostreams.Ref {
			in, err := decode(body)
			if err != nil {
				return videostreams.Ref{}
			}
			return ref(in)
		},
		run: func(s *Service, c *front.Call, body []byte) (answer, error) {
			in, err := decode(body)
			if err == nil {
				err = invalid(shape.Validate(in))
			}
			if err != nil {
				return answer{}, err
			}
			return run(s, c, in)
		},
	}
}

// invalid gives a failed constraint the code that this service's model has for it.
func invalid(err error) error {
	var e *apierr.Error
	if errors.As(err, &e) && e.Code == apierr.Validation {
		return apierr.New(apierr.InvalidArgument, "%s", e.Message)
	}
	return err
}

func none[I any](*I) videostreams.Ref { return videostreams.Ref{} }

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func (s *Service) createStream(in *createInput) (*createOutput, error) {
	arn, err := s.store.Create(videostreams.CreateSpec{
		Name: *in.StreamName, Retention: time.Duration(value(in.DataRetentionInHours)) * time.Hour, Device: value(in.DeviceName),
		MediaType: value(in.MediaType), KMSKey: value(in.KmsKeyId), Tags: in.Tags,
	})
	return &createOutput{StreamARN: arn}, err
}

func describe(i videostreams.Info) streamInfo {
	out := streamInfo{StreamName: i.Name, StreamARN: i.ARN, KmsKeyId: i.KMSKey, Version: i.Version, Status: string(i.Status),
		CreationTime: i.Created, DataRetentionInHours: int32(i.Retention)}
	if i.Device != "" {
		out.DeviceName = &i.Device
	}
	if i.MediaType != "" {
		out.MediaType = &i.MediaType
	}
	return out
}

func (s *Service) describeStream(in *streamInput) (*describeOutput, error) {
	info, err := s.store.Describe(in.ref())
	if err != nil {
		return nil, err
	}
	out := describe(info)
	return &describeOutput{StreamInfo: &out}, nil
}

// listStreams lists by name. The token is the last name that was listed.
func (s *Service) listStreams(in *listInput) (*listOutput, error) {
	after, err := base64.StdEncoding.DecodeString(value(in.NextToken))
	if err != nil {
		return nil, apierr.New(apierr.InvalidArgument, "NextToken is not one that ListStreams gave.")
	}
	prefix := ""
	if in.StreamNameCondition != nil {
		prefix = value(in.StreamNameCondition.ComparisonValue)
	}
	most := int(value(in.MaxResults))
	if most == 0 {
		most = 10000
	}
	list, more := s.store.List(prefix, string(after), most)
	out := &listOutput{StreamInfoList: []streamInfo{}}
	for _, i := range list {
		out.StreamInfoList = append(out.StreamInfoList, describe(i))
	}
	if more {
		token := base64.StdEncoding.EncodeToString([]byte(list[len(list)-1].Name))
		out.NextToken = &token
	}
	return out, nil
}

func (s *Service) deleteStream(in *deleteInput) (*empty, error) {
	return &empty{}, s.store.Delete(in.ref(), value(in.CurrentVersion))
}

func (s *Service) updateRetention(in *retentionInput) (*empty, error) {
	hours := int(*in.DataRetentionChangeInHours)
	if *in.Operation == "DECREASE_DATA_RETENTION" {
		hours = -hours
	}
	return &empty{}, s.store.UpdateRetention(in.ref(), *in.CurrentVersion, hours)
}

func (s *Service) updateStream(in *updateInput) (*empty, error) {
	return &empty{}, s.store.Update(in.ref(), *in.CurrentVersion, in.DeviceName, in.MediaType)
}

func (s *Service) tagStream(in *tagInput) (*empty, error) {
	return &empty{}, s.store.Tag(in.ref(), in.Tags)
}

func (s *Service) untagStream(in *untagInput) (*empty, error) {
	return &empty{}, s.store.Untag(in.ref(), in.TagKeyList)
}

// listTags answers with all tags at once: a stream cannot have more than an answer holds.
func (s *Service) listTags(in *tagsInput) (*tagsOutput, error) {
	tags, err := s.store.Tags(in.ref())
	return &tagsOutput{Tags: tags}, err
}

// getDataEndpoint answers with this endpoint, under the name that the client knows it by: one in another container does not reach
// it at the address that it listens on. AWS's producer leaves the port out of Host.
func (s *Service) getDataEndpoint(c *front.Call, in *endpointInput) (answer, error) {
	if _, err := s.store.Describe(in.ref()); err != nil {
		return answer{}, err
	}
	at, err := url.Parse(s.set.URL())
	if err != nil {
		return answer{}, err
	}
	host := c.R.Host
	if known := regexp.MustCompile(`^([a-zA-Z0-9._-]+|\[[0-9a-fA-F:.]+\])(:[0-9]+)?$`).FindStringSubmatch(host); known != nil {
		if known[2] == "" {
			host += ":" + at.Port()
		}
		at.Host = host
	}
	w := codec.JSON.NewWriter(nil)
	codec.ShapeOf[endpointOutput]().Encode(w, &endpointOutput{DataEndpoint: at.String()})
	return answer{contentType: jsonType, body: w.Bytes()}, nil
}
