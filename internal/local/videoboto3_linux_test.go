package local_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
)

// videoScript is what a Python user writes: the control plane, GetMedia, and archived media.
const videoScript = `
import datetime, json, sys, boto3, botocore.config, botocore.exceptions
url, key, secret, number = sys.argv[1:5]
def client(name, endpoint):
    return boto3.client(name, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret,
                        config=botocore.config.Config(retries={"max_attempts": 0}, proxies={}))
def code(f, **kw):
    try:
        f(**kw)
    except botocore.exceptions.ClientError as e:
        return [e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"], len(e.response["Error"]["Message"]) > 10]
c = client("kinesisvideo", url)
arn = c.create_stream(StreamName="py", DataRetentionInHours=1, Tags={"a": "b"})["StreamARN"]
info = c.describe_stream(StreamARN=arn)["StreamInfo"]
c.tag_stream(StreamName="py", Tags={"x": "y"})
c.update_data_retention(StreamName="py", CurrentVersion=info["Version"], Operation="INCREASE_DATA_RETENTION", DataRetentionChangeInHours=5)
end = c.get_data_endpoint(StreamName="cam", APIName="GET_MEDIA")["DataEndpoint"]
media = client("kinesis-video-media", end).get_media(StreamName="cam", StartSelector={"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": number})
archived = client("kinesis-video-archived-media", end)
start = datetime.datetime.fromtimestamp(1700000000, datetime.timezone.utc)
span = {"StartTimestamp": start, "EndTimestamp": start + datetime.timedelta(seconds=100)}
listed = []
for page in archived.get_paginator("list_fragments").paginate(StreamName="cam", FragmentSelector={"FragmentSelectorType": "PRODUCER_TIMESTAMP", "TimestampRange": span}, PaginationConfig={"PageSize": 2}):
    listed += page["Fragments"]
frames = archived.get_media_for_fragment_list(StreamName="cam", Fragments=[f["FragmentNumber"] for f in listed[:2]])
clip = archived.get_clip(StreamName="cam", ClipFragmentSelector={"FragmentSelectorType": "PRODUCER_TIMESTAMP", "TimestampRange": span})
body = clip["Payload"].read()
print(json.dumps({
    "name": info["StreamName"], "status": info["Status"], "hours": c.describe_stream(StreamName="py")["StreamInfo"]["DataRetentionInHours"],
    "tags": c.list_tags_for_stream(StreamName="py")["Tags"], "streams": [s["StreamName"] for s in c.list_streams()["StreamInfoList"]],
    "media": [media["ContentType"], media["Payload"].read(4).hex()], "listed": [[f["FragmentNumber"], f["ProducerTimestamp"].timestamp(), f["FragmentLengthInMilliseconds"], f["FragmentSizeInBytes"]] for f in listed],
    "frames": [frames["ContentType"], frames["Payload"].read().count(b"AWS_KINESISVIDEO_FRAGMENT_NUMBER")], "clip": [clip["ContentType"], body[4:8].decode(), len(body)],
    "missing": code(c.describe_stream, StreamName="none"), "twice": code(c.create_stream, StreamName="py"),
    "nothing": code(archived.get_clip, StreamName="cam", ClipFragmentSelector={"FragmentSelectorType": "PRODUCER_TIMESTAMP", "TimestampRange": {"StartTimestamp": start - datetime.timedelta(hours=2), "EndTimestamp": start - datetime.timedelta(hours=1)}}),
}))
`

func TestVideoBoto3(t *testing.T) {
	t.Parallel()
	creds := local.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}
	srv := video(t, func(s *local.Settings) { s.Limits = local.LimitsAWS })
	body := header(t, film(2))
	for i := range 5 {
		body = append(body, fragment(epoch+int64(i)*1000, 2)...)
	}
	require.Len(t, putAll(t, srv, "cam", bytes.NewReader(body)), 15)
	srv.SetCredentials(creds)
	books, err := srv.Fragments("cam")
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), python, "-c", videoScript, srv.URL(), creds.AccessKeyID, creds.SecretAccessKey, books[1].Number).Output()
	var exit *exec.ExitError
	if err != nil {
		if asExit(err, &exit) {
			t.Logf("%s", exit.Stderr)
		}
		t.Fatalf("running boto3 (Debian package python3-boto3): %v", err)
	}
	var got struct {
		Name, Status            string
		Hours                   int
		Tags                    map[string]string
		Streams                 []string
		Media, Frames, Clip     []any
		Listed                  [][]any
		Missing, Twice, Nothing []any
	}
	require.NoError(t, json.Unmarshal(out, &got))
	require.Equal(t, "py ACTIVE", got.Name+" "+got.Status)
	require.Equal(t, 6, got.Hours)
	require.Equal(t, map[string]string{"a": "b", "x": "y"}, got.Tags)
	require.Equal(t, []string{"cam", "py"}, got.Streams)
	require.Equal(t, []any{"video/webm", "1a45dfa3"}, got.Media)
	require.Len(t, got.Listed, 5)
	for i, f := range got.Listed {
		require.Equal(t, books[i].Number, f[0])
		require.InDelta(t, float64(books[i].ProducerTimestamp.UnixMilli())/1000, f[1], 0.0005)
		require.InDelta(t, 900, f[2], 0)
		require.Greater(t, f[3], 1000.0)
	}
	require.Equal(t, []any{"video/webm", 2.0}, got.Frames)
	require.Equal(t, "video/mp4", got.Clip[0])
	require.Equal(t, "ftyp", got.Clip[1])
	require.Equal(t, []any{"ResourceNotFoundException", 404.0, true}, got.Missing)
	require.Equal(t, []any{"ResourceInUseException", 400.0, true}, got.Twice)
	require.Equal(t, []any{"ResourceNotFoundException", 404.0, true}, got.Nothing)
	require.WithinDuration(t, time.Now(), books[0].ServerTimestamp, time.Minute)
}
