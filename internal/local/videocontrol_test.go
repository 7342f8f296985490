package local_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
)

// videoClient is AWS's own client.
func videoClient(srv *local.Server, creds local.Credentials) *kinesisvideo.Client {
	return kinesisvideo.New(kinesisvideo.Options{Region: local.DefaultRegion, BaseEndpoint: aws.String(srv.URL()), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, "")})
}

// refused checks an error's code.
func refused(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	require.True(t, errors.As(err, &api), "%v", err)
	require.Equal(t, code, api.ErrorCode())
}

func TestVideoControlPlane(t *testing.T) {
	t.Parallel()
	creds := local.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}
	srv := localtest.Start(t, local.Settings{Limits: local.LimitsNone, Credentials: []local.Credentials{creds}})
	c, ctx := videoClient(srv, creds), context.Background()

	created, err := c.CreateStream(ctx, &kinesisvideo.CreateStreamInput{StreamName: aws.String("cam"), DataRetentionInHours: aws.Int32(2), MediaType: aws.String("video/h264"),
		DeviceName: aws.String("door"), Tags: map[string]string{"a": "1"}})
	require.NoError(t, err)
	require.Regexp(t, `^arn:aws:kinesisvideo:us-east-1:000000000000:stream/cam/\d{13}$`, *created.StreamARN)
	_, err = c.CreateStream(ctx, &kinesisvideo.CreateStreamInput{StreamName: aws.String("cam")})
	refused(t, err, "ResourceInUseException")

	d, err := c.DescribeStream(ctx, &kinesisvideo.DescribeStreamInput{StreamARN: created.StreamARN})
	require.NoError(t, err)
	info := d.StreamInfo
	require.Equal(t, types.StatusActive, info.Status)
	require.Equal(t, "cam door video/h264", *info.StreamName+" "+*info.DeviceName+" "+*info.MediaType)
	require.EqualValues(t, 2, *info.DataRetentionInHours)
	require.Len(t, *info.Version, 20)
	require.WithinDuration(t, time.Now(), *info.CreationTime, time.Minute)
	require.Contains(t, *info.KmsKeyId, "alias/aws/kinesisvideo")
	_, err = c.DescribeStream(ctx, &kinesisvideo.DescribeStreamInput{StreamName: aws.String("none")})
	var missing *types.ResourceNotFoundException
	require.ErrorAs(t, err, &missing)
	require.Contains(t, *missing.Message, "not found")
	_, err = c.DescribeStream(ctx, &kinesisvideo.DescribeStreamInput{})
	refused(t, err, "InvalidArgumentException")

	end, err := c.GetDataEndpoint(ctx, &kinesisvideo.GetDataEndpointInput{StreamName: aws.String("cam"), APIName: types.APINamePutMedia})
	require.NoError(t, err)
	require.Equal(t, srv.URL(), *end.DataEndpoint)

	change := &kinesisvideo.UpdateDataRetentionInput{StreamName: aws.String("cam"), CurrentVersion: info.Version,
		Operation: types.UpdateDataRetentionOperationIncreaseDataRetention, DataRetentionChangeInHours: aws.Int32(22)}
	_, err = c.UpdateDataRetention(ctx, change)
	require.NoError(t, err)
	_, err = c.UpdateDataRetention(ctx, change)
	refused(t, err, "VersionMismatchException")
	version := func() *string {
		d, err := c.DescribeStream(ctx, &kinesisvideo.DescribeStreamInput{StreamName: aws.String("cam")})
		require.NoError(t, err)
		return d.StreamInfo.Version
	}
	change.CurrentVersion, change.Operation, change.DataRetentionChangeInHours = version(), types.UpdateDataRetentionOperationDecreaseDataRetention, aws.Int32(25)
	_, err = c.UpdateDataRetention(ctx, change)
	refused(t, err, "InvalidArgumentException")
	_, err = c.UpdateStream(ctx, &kinesisvideo.UpdateStreamInput{StreamName: aws.String("cam"), CurrentVersion: version(), DeviceName: aws.String("gate")})
	require.NoError(t, err)

	_, err = c.TagStream(ctx, &kinesisvideo.TagStreamInput{StreamName: aws.String("cam"), Tags: map[string]string{"b": "2", "a": "3"}})
	require.NoError(t, err)
	_, err = c.UntagStream(ctx, &kinesisvideo.UntagStreamInput{StreamARN: created.StreamARN, TagKeyList: []string{"b"}})
	require.NoError(t, err)
	tags, err := c.ListTagsForStream(ctx, &kinesisvideo.ListTagsForStreamInput{StreamName: aws.String("cam")})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a": "3"}, tags.Tags)

	for _, name := range []string{"cam2", "cam3", "other"} {
		_, err = c.CreateStream(ctx, &kinesisvideo.CreateStreamInput{StreamName: aws.String(name)})
		require.NoError(t, err)
	}
	var names []string
	pages := kinesisvideo.NewListStreamsPaginator(c, &kinesisvideo.ListStreamsInput{MaxResults: aws.Int32(2),
		StreamNameCondition: &types.StreamNameCondition{ComparisonOperator: types.ComparisonOperatorBeginsWith, ComparisonValue: aws.String("cam")}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		require.NoError(t, err)
		for _, i := range page.StreamInfoList {
			names = append(names, *i.StreamName)
		}
	}
	require.Equal(t, []string{"cam", "cam2", "cam3"}, names)

	_, err = c.DeleteStream(ctx, &kinesisvideo.DeleteStreamInput{StreamARN: created.StreamARN, CurrentVersion: aws.String("wrong")})
	refused(t, err, "VersionMismatchException")
	_, err = c.DeleteStream(ctx, &kinesisvideo.DeleteStreamInput{StreamARN: created.StreamARN, CurrentVersion: version()})
	require.NoError(t, err)
	_, err = c.DescribeStream(ctx, &kinesisvideo.DescribeStreamInput{StreamARN: created.StreamARN})
	refused(t, err, "ResourceNotFoundException")
	_, err = videoClient(srv, local.Credentials{AccessKeyID: "AKID", SecretAccessKey: "wrong"}).ListStreams(ctx, &kinesisvideo.ListStreamsInput{})
	refused(t, err, "InvalidSignatureException")
	require.Positive(t, srv.Stats().Count("VideoDescribeStream", ""))
	require.Zero(t, srv.Stats().Count("DescribeStream", ""))
}

func TestVideoStatesTakeTheirTime(t *testing.T) {
	t.Parallel()
	clock := newClock()
	srv := localtest.Start(t, local.Settings{Now: clock.now, StateDelay: time.Minute, VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}})
	c, ctx := videoClient(srv, localtest.AnyCredentials()), context.Background()
	state := func() types.Status {
		d, err := c.DescribeStream(ctx, &kinesisvideo.DescribeStreamInput{StreamName: aws.String("cam")})
		require.NoError(t, err)
		return d.StreamInfo.Status
	}
	require.Equal(t, types.StatusCreating, state())
	require.Equal(t, 404, startPut(t, srv, "cam").resp.StatusCode, "not active yet")
	clock.add(time.Minute)
	require.Equal(t, types.StatusActive, state())
	require.NoError(t, srv.DeleteVideoStream("cam"))
	require.Equal(t, types.StatusDeleting, state())
	clock.add(time.Minute)
	_, err := c.DescribeStream(ctx, &kinesisvideo.DescribeStreamInput{StreamName: aws.String("cam")})
	refused(t, err, "ResourceNotFoundException")
}

// TestVideoCallsAreLimited: five calls of an operation a second and stream.
func TestVideoCallsAreLimited(t *testing.T) {
	t.Parallel()
	clock := newClock()
	srv := localtest.Start(t, local.Settings{Now: clock.now, VideoCreate: []local.VideoStreamSpec{{Name: "cam"}}})
	c, ctx := videoClient(srv, localtest.AnyCredentials()), context.Background()
	in := &kinesisvideo.GetDataEndpointInput{StreamName: aws.String("cam"), APIName: types.APINameGetMedia}
	for range 5 {
		_, err := c.GetDataEndpoint(ctx, in)
		require.NoError(t, err)
	}
	_, err := c.GetDataEndpoint(ctx, in)
	refused(t, err, "ClientLimitExceededException")
	_, err = c.DescribeStream(ctx, &kinesisvideo.DescribeStreamInput{StreamName: aws.String("cam")})
	require.NoError(t, err, "each operation for itself")
	clock.add(200 * time.Millisecond)
	_, err = c.GetDataEndpoint(ctx, in)
	require.NoError(t, err)
}
