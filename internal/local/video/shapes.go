package video

import (
	"time"

	"gst-kinesis/internal/local/videostreams"
)

// The bodies of the control plane, by their names in the API.

type streamInput struct {
	StreamName *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=256"`
	StreamARN  *string `v:"pattern=arn:[a-z\\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+ min=1 max=1024"`
}

type createInput struct {
	StreamName           *string           `v:"required pattern=[a-zA-Z0-9_.-]+ min=1 max=256"`
	DeviceName           *string           `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	MediaType            *string           `v:"pattern=[\\w\\-\\.\\+]+/[\\w\\-\\.\\+]+(,[\\w\\-\\.\\+]+/[\\w\\-\\.\\+]+)* min=1 max=128"`
	KmsKeyId             *string           `v:"min=1 max=2048"`
	DataRetentionInHours *int32            `v:"min=0"`
	Tags                 map[string]string `v:"min=1 max=50 keys=1-128 values=0-256"`
}

type createOutput struct{ StreamARN string }

type streamInfo struct {
	DeviceName, MediaType                            *string
	StreamName, StreamARN, KmsKeyId, Version, Status string
	CreationTime                                     time.Time
	DataRetentionInHours                             int32
}

type describeOutput struct{ StreamInfo *streamInfo }

type listInput struct {
	MaxResults          *int32  `v:"min=1 max=10000"`
	NextToken           *string `v:"pattern=[a-zA-Z0-9+/=]* max=1024"`
	StreamNameCondition *nameCondition
}

type nameCondition struct {
	ComparisonOperator *string `v:"enum=BEGINS_WITH"`
	ComparisonValue    *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=256"`
}

type listOutput struct {
	StreamInfoList []streamInfo
	NextToken      *string
}

type deleteInput struct {
	StreamARN      *string `v:"required pattern=arn:[a-z\\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+ min=1 max=1024"`
	CurrentVersion *string `v:"pattern=[a-zA-Z0-9]+ min=1 max=64"`
}

type retentionInput struct {
	StreamName                 *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=256"`
	StreamARN                  *string `v:"pattern=arn:[a-z\\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+ min=1 max=1024"`
	CurrentVersion             *string `v:"required pattern=[a-zA-Z0-9]+ min=1 max=64"`
	Operation                  *string `v:"required enum=INCREASE_DATA_RETENTION|DECREASE_DATA_RETENTION"`
	DataRetentionChangeInHours *int32  `v:"required min=1 max=87600"`
}

type updateInput struct {
	StreamName     *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=256"`
	StreamARN      *string `v:"pattern=arn:[a-z\\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+ min=1 max=1024"`
	CurrentVersion *string `v:"required pattern=[a-zA-Z0-9]+ min=1 max=64"`
	DeviceName     *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	MediaType      *string `v:"pattern=[\\w\\-\\.\\+]+/[\\w\\-\\.\\+]+(,[\\w\\-\\.\\+]+/[\\w\\-\\.\\+]+)* min=1 max=128"`
}

type tagInput struct {
	StreamName *string           `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=256"`
	StreamARN  *string           `v:"pattern=arn:[a-z\\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+ min=1 max=1024"`
	Tags       map[string]string `v:"required min=1 max=50 keys=1-128 values=0-256"`
}

type untagInput struct {
	StreamName *string  `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=256"`
	StreamARN  *string  `v:"pattern=arn:[a-z\\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+ min=1 max=1024"`
	TagKeyList []string `v:"required min=1 max=50 items=1-128"`
}

type tagsInput struct {
	StreamName *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=256"`
	StreamARN  *string `v:"pattern=arn:[a-z\\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+ min=1 max=1024"`
	NextToken  *string `v:"pattern=[a-zA-Z0-9+/=]* max=1024"`
}

type tagsOutput struct{ Tags map[string]string }

type endpointInput struct {
	StreamName *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=256"`
	StreamARN  *string `v:"pattern=arn:[a-z\\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+ min=1 max=1024"`
	APIName    *string `v:"required enum=PUT_MEDIA|GET_MEDIA|LIST_FRAGMENTS|GET_MEDIA_FOR_FRAGMENT_LIST|GET_HLS_STREAMING_SESSION_URL|GET_DASH_STREAMING_SESSION_URL|GET_CLIP|GET_IMAGES"`
}

type endpointOutput struct{ DataEndpoint string }

type empty struct{}

func refOf(name, arn *string) videostreams.Ref {
	return videostreams.Ref{Name: value(name), ARN: value(arn)}
}

func (in *streamInput) ref() videostreams.Ref    { return refOf(in.StreamName, in.StreamARN) }
func (in *deleteInput) ref() videostreams.Ref    { return refOf(nil, in.StreamARN) }
func (in *retentionInput) ref() videostreams.Ref { return refOf(in.StreamName, in.StreamARN) }
func (in *updateInput) ref() videostreams.Ref    { return refOf(in.StreamName, in.StreamARN) }
func (in *tagInput) ref() videostreams.Ref       { return refOf(in.StreamName, in.StreamARN) }
func (in *untagInput) ref() videostreams.Ref     { return refOf(in.StreamName, in.StreamARN) }
func (in *tagsInput) ref() videostreams.Ref      { return refOf(in.StreamName, in.StreamARN) }
func (in *endpointInput) ref() videostreams.Ref  { return refOf(in.StreamName, in.StreamARN) }
