package deadletter

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]Target{
		"file:/var/dead":                       {Kind: Files, Directory: "/var/dead"},
		"file:dead letters?":                   {Kind: Files, Directory: "dead letters?"},
		"file:///var/dead%20letters":           {Kind: Files, Directory: "/var/dead letters"},
		`file:C:\dead`:                         {Kind: Files, Directory: `C:\dead`},
		"FILE:x":                               {Kind: Files, Directory: "x"},
		"kinesis://eu-central-1/dead-letters":  {Kind: Stream, Region: "eu-central-1", Stream: "dead-letters"},
		"s3://my-bucket/a/b/":                  {Kind: Bucket, Bucket: "my-bucket", Prefix: "a/b"},
		"s3://my-bucket":                       {Kind: Bucket, Bucket: "my-bucket"},
		"s3://b.c/p?region=eu-west-1":          {Kind: Bucket, Bucket: "b.c", Prefix: "p", Region: "eu-west-1"},
		"s3://abc/p?endpoint-uri=http://h:900": {Kind: Bucket, Bucket: "abc", Prefix: "p", Endpoint: "http://h:900"},
		"kinesis://r/s?endpoint-uri=http%3A%2F%2F127.0.0.1%3A4567": {Kind: Stream, Region: "r", Stream: "s", Endpoint: "http://127.0.0.1:4567"},
	} {
		got, err := Parse(uri)
		require.NoError(t, err, uri)
		require.Equal(t, want, got, uri)
		again, err := Parse(got.String())
		require.NoError(t, err, got.String())
		require.Equal(t, want, again)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"":                                   "write file:DIR, kinesis://REGION/STREAM or s3://BUCKET/PREFIX",
		"/var/dead":                          "write file:DIR, kinesis://REGION/STREAM or s3://BUCKET/PREFIX",
		"sqs://queue":                        "write file:DIR, kinesis://REGION/STREAM or s3://BUCKET/PREFIX",
		"file:":                              "write file:DIR",
		"file://var/dead":                    "write file:var/dead, or file:///",
		"file:a\x00":                         "no zero byte",
		"kinesis://eu-central-1":             "write kinesis://REGION/STREAM",
		"kinesis:///dead":                    "write kinesis://REGION/STREAM",
		"kinesis:dead":                       "write kinesis://REGION/STREAM",
		"kinesis://r/a b":                    "a name consists of",
		"kinesis://user:secret@r/dead":       "write kinesis://REGION/STREAM",
		"kinesis://r/s?region=r":             `"region" may not stand in it, only endpoint-uri`,
		"kinesis://r/s?endpoint-uri=ftp://x": "http://",
		"s3://":                              "write s3://BUCKET/PREFIX",
		"s3://My_Bucket/p":                   "3 to 63 of a-z",
		"s3://abc/p?secret-access-key=x":     `"secret-access-key" may not stand in it, only endpoint-uri and region`,
	} {
		_, err := Parse(uri)
		require.ErrorContains(t, err, want, uri)
		require.ErrorContains(t, err, "reading the dead-letter place", uri)
	}
	require.Empty(t, Target{}.String())
	_, err := Open(context.Background(), Target{}, Settings{})
	require.ErrorContains(t, err, Forms)
}

// TestConnect: whose endpoint and region it is.
func TestConnect(t *testing.T) {
	t.Parallel()
	aws := awscfg.Settings{Region: "eu-west-1", EndpointURI: "http://127.0.0.1:1", AccessKey: "a", SecretAccessKey: "s"}
	for uri, want := range map[string][2]string{
		"kinesis://eu-west-1/s":                                 {"eu-west-1", "http://127.0.0.1:1"},
		"kinesis://us-east-1/s":                                 {"us-east-1", ""},
		"kinesis://us-east-1/s?endpoint-uri=http://127.0.0.1:2": {"us-east-1", "http://127.0.0.1:2"},
		"s3://bucket/p":                                         {"eu-west-1", ""},
		"s3://bucket/p?region=us-east-1&endpoint-uri=http://h":  {"us-east-1", "http://h"},
	} {
		target, err := Parse(uri)
		require.NoError(t, err)
		session, err := connect(context.Background(), target, &Settings{AWS: aws})
		require.NoError(t, err)
		require.Equal(t, want, [2]string{session.Region(), session.Endpoint()}, uri)
		session.Close()
	}
	own, err := Parse("kinesis://eu-west-1/cams")
	require.NoError(t, err)
	_, err = Open(context.Background(), own, Settings{Stream: "cams", Region: "eu-west-1", AWS: aws})
	require.ErrorContains(t, err, "the stream itself")
	place, err := Open(context.Background(), own, Settings{Stream: "cams", Region: "us-east-1", AWS: aws})
	require.NoError(t, err)
	require.NoError(t, place.Close())
}
