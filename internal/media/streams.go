package media

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"

	"gst-kinesis/internal/awscall"
	"gst-kinesis/internal/awscfg"
)

// Stream is a video stream as it is shown.
type Stream struct {
	Name      string    `json:"name"`
	ARN       string    `json:"arn"`
	Status    string    `json:"status"`
	MediaType string    `json:"media_type,omitempty"`
	Device    string    `json:"device,omitempty"`
	Retention int       `json:"retention_hours"` // 0: it keeps nothing
	KMSKey    string    `json:"kms_key"`
	Version   string    `json:"version"`
	Created   time.Time `json:"created"`
}

// Streams lists the video streams of the account in the session's region; timeout bounds each call.
func Streams(ctx context.Context, session *awscfg.Session, timeout time.Duration) ([]Stream, error) {
	video := awscall.VideoControl(session)
	list := []Stream{}
	pages := kinesisvideo.NewListStreamsPaginator(video, &kinesisvideo.ListStreamsInput{})
	for pages.HasMorePages() {
		page, err := bounded(ctx, timeout, func(ctx context.Context) (*kinesisvideo.ListStreamsOutput, error) { return pages.NextPage(ctx) })
		if err != nil {
			return nil, fmt.Errorf("listing video streams: %w", err)
		}
		for i := range page.StreamInfoList {
			list = append(list, streamOf(&page.StreamInfoList[i]))
		}
	}
	return list, nil
}

// Describe describes the stream.
func (c *Client) Describe(ctx context.Context) (Stream, error) {
	in := &kinesisvideo.DescribeStreamInput{}
	if s := c.stream(); s.StreamARN != "" {
		in.StreamARN = aws.String(s.StreamARN)
	} else {
		in.StreamName = aws.String(s.StreamName)
	}
	out, err := bounded(ctx, c.set.RequestTimeout, func(ctx context.Context) (*kinesisvideo.DescribeStreamOutput, error) {
		return c.video.DescribeStream(ctx, in)
	})
	switch {
	case err != nil:
		return Stream{}, fmt.Errorf("describing the video stream: %w", err)
	case out.StreamInfo == nil:
		return Stream{}, errors.New("describing the video stream: the answer says nothing about it")
	}
	return streamOf(out.StreamInfo), nil
}

func bounded[T any](ctx context.Context, timeout time.Duration, do func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return do(ctx)
}

func streamOf(i *types.StreamInfo) Stream {
	return Stream{
		Name: aws.ToString(i.StreamName), ARN: aws.ToString(i.StreamARN), Status: string(i.Status), MediaType: aws.ToString(i.MediaType),
		Device: aws.ToString(i.DeviceName), Retention: int(aws.ToInt32(i.DataRetentionInHours)), KMSKey: aws.ToString(i.KmsKeyId),
		Version: aws.ToString(i.Version), Created: aws.ToTime(i.CreationTime),
	}
}
