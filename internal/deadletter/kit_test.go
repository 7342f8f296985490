package deadletter

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"
)

func putRecord(t *testing.T, client *kinesis.Client, stream, key string, data []byte) {
	t.Helper()
	_, err := client.PutRecord(context.Background(), &kinesis.PutRecordInput{StreamName: aws.String(stream), PartitionKey: aws.String(key), Data: data})
	require.NoError(t, err)
}
