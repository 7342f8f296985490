package local_test

import (
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
)

// boto3Script is what a Python user writes: it reads all shards of a stream and checks errors. botocore holds every
// answer against its own model of the service.
const boto3Script = `
import json, sys, boto3, botocore.config, botocore.exceptions
url, key, secret = sys.argv[1:4]
def client(secret):
    return boto3.client("kinesis", endpoint_url=url, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret,
                        config=botocore.config.Config(retries={"max_attempts": 0}, proxies={}))
c = client(secret)
def code(f, **kw):
    try:
        f(**kw)
    except botocore.exceptions.ClientError as e:
        return [e.response["Error"]["Code"], e.response["Error"]["Message"]]
c.create_stream(StreamName="py", ShardCount=2)
c.get_waiter("stream_exists").wait(StreamName="py")
out = c.put_records(StreamName="py", Records=[{"PartitionKey": "key%d" % i, "Data": b"\x00\xff%d" % i} for i in range(20)])
got = []
for page in c.get_paginator("list_shards").paginate(StreamName="py"):
    for shard in page["Shards"]:
        it = c.get_shard_iterator(StreamName="py", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        answer = c.get_records(ShardIterator=it)
        for r in answer["Records"]:
            got.append([r["PartitionKey"], r["Data"].hex(), r["SequenceNumber"], r["ApproximateArrivalTimestamp"].timestamp()])
d = c.describe_stream(StreamName="py")["StreamDescription"]
print(json.dumps({
    "failed": out["FailedRecordCount"], "got": got, "status": d["StreamStatus"], "shards": len(d["Shards"]), "arn": d["StreamARN"],
    "missing": code(c.describe_stream, StreamName="none"), "twice": code(c.create_stream, StreamName="py", ShardCount=1),
    "secret": code(client("wrong").list_streams)[0], "streams": c.list_streams()["StreamNames"],
    "summary": c.describe_stream_summary(StreamName="py")["StreamDescriptionSummary"]["OpenShardCount"],
}))
`

// python is Debian's: another one that comes first on the PATH may not have boto3.
const python = "/usr/bin/python3"

func TestBoto3(t *testing.T) {
	t.Parallel()
	creds := local.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}
	srv := localtest.Start(t, local.Settings{Credentials: []local.Credentials{creds}})
	out, err := exec.CommandContext(t.Context(), python, "-c", boto3Script, srv.URL(), creds.AccessKeyID, creds.SecretAccessKey).Output()
	var exit *exec.ExitError
	if err != nil {
		if ok := asExit(err, &exit); ok {
			t.Logf("%s", exit.Stderr)
		}
		t.Fatalf("running boto3 (Debian package python3-boto3): %v", err)
	}
	var got struct {
		Failed, Shards, Summary int
		Got                     [][]any
		Status, Arn, Secret     string
		Missing, Twice, Streams []string
	}
	require.NoError(t, json.Unmarshal(out, &got))
	require.Zero(t, got.Failed)
	require.Len(t, got.Got, 20)
	require.Equal(t, "ACTIVE", got.Status)
	require.Equal(t, 2, got.Shards)
	require.Equal(t, 2, got.Summary)
	require.Equal(t, "arn:aws:kinesis:us-east-1:000000000000:stream/py", got.Arn)
	require.Equal(t, []string{"ResourceNotFoundException", "Stream none under account 000000000000 not found."}, got.Missing)
	require.Equal(t, []string{"ResourceInUseException", "Stream py under account 000000000000 already exists."}, got.Twice)
	require.Equal(t, "InvalidSignatureException", got.Secret)
	require.Equal(t, []string{"py"}, got.Streams)
	books, err := srv.Records("py")
	require.NoError(t, err)
	for i, r := range books {
		require.Equal(t, r.PartitionKey, got.Got[i][0])
		require.Equal(t, r.SequenceNumber, got.Got[i][2])
		require.InDelta(t, float64(r.Arrival.UnixMilli())/1000, got.Got[i][3], 0.0005)
	}
}

func asExit(err error, target **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*target = e
	return ok
}
