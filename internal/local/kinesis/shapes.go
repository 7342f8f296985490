package kinesis

import "time"

// The inputs and outputs of the operations, field for field as the API has them. Constraints are those of the service's
// model; names and ARNs are optional because either will do.

type createStreamInput struct {
	StreamName         *string `v:"required pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	ShardCount         *int32  `v:"min=1"`
	StreamModeDetails  *streamModeDetails
	Tags               map[string]string `v:"min=1 max=200 keys=1-128 values=0-256"`
	MaxRecordSizeInKiB *int32            `v:"min=1024 max=10240"`
}

type streamModeDetails struct {
	StreamMode *string `v:"required enum=PROVISIONED|ON_DEMAND"`
}

// streamInput is the input of operations that want only a stream.
type streamInput struct {
	StreamName *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamARN  *string `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
}

type describeStreamInput struct {
	Limit                 *int32  `v:"min=1 max=10000"`
	ExclusiveStartShardId *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamName            *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamARN             *string `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
}

type describeStreamOutput struct{ StreamDescription streamDescription }

type streamDescription struct {
	EncryptionType          string
	EnhancedMonitoring      []enhancedMetrics
	HasMoreShards           bool
	KeyId                   *string
	RetentionPeriodHours    int32
	Shards                  []shardOutput
	StreamARN               string
	StreamCreationTimestamp time.Time
	StreamModeDetails       streamModeDetails
	StreamName              string
	StreamStatus            string
}

type enhancedMetrics struct{ ShardLevelMetrics []string }

type shardOutput struct {
	AdjacentParentShardId *string
	HashKeyRange          hashKeyRange
	ParentShardId         *string
	SequenceNumberRange   sequenceNumberRange
	ShardId               string
}

type hashKeyRange struct{ EndingHashKey, StartingHashKey string }

type sequenceNumberRange struct {
	EndingSequenceNumber   *string
	StartingSequenceNumber string
}

type describeStreamSummaryOutput struct{ StreamDescriptionSummary streamDescriptionSummary }

type streamDescriptionSummary struct {
	ConsumerCount           int32
	EncryptionType          string
	EnhancedMonitoring      []enhancedMetrics
	KeyId                   *string
	MaxRecordSizeInKiB      int32
	OpenShardCount          int32
	RetentionPeriodHours    int32
	StreamARN               string
	StreamCreationTimestamp time.Time
	StreamModeDetails       streamModeDetails
	StreamName              string
	StreamStatus            string
}

type listStreamsInput struct {
	ExclusiveStartStreamName *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	Limit                    *int32  `v:"min=1 max=10000"`
	NextToken                *string `v:"min=1 max=1048576"`
}

type listStreamsOutput struct {
	HasMoreStreams  bool
	NextToken       *string
	StreamNames     []string
	StreamSummaries []streamSummary
}

type streamSummary struct {
	StreamARN               string
	StreamCreationTimestamp time.Time
	StreamModeDetails       streamModeDetails
	StreamName              string
	StreamStatus            string
}

type listShardsInput struct {
	ExclusiveStartShardId   *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	MaxResults              *int32  `v:"min=1 max=10000"`
	NextToken               *string `v:"min=1 max=1048576"`
	ShardFilter             *shardFilter
	StreamCreationTimestamp *time.Time
	StreamName              *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamARN               *string `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
}

type shardFilter struct {
	Type      *string `v:"required enum=AFTER_SHARD_ID|AT_TRIM_HORIZON|FROM_TRIM_HORIZON|AT_LATEST|AT_TIMESTAMP|FROM_TIMESTAMP"`
	ShardId   *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	Timestamp *time.Time
}

type listShardsOutput struct {
	NextToken *string
	Shards    []shardOutput
}

type putRecordInput struct {
	SequenceNumberForOrdering *string `v:"pattern=0|([1-9]\\d{0,128})"`
	PartitionKey              *string `v:"required min=1 max=256"`
	ExplicitHashKey           *string `v:"pattern=0|([1-9]\\d{0,38})"`
	Data                      []byte  `v:"required max=10485760"`
	StreamName                *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamARN                 *string `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
	DryRun                    *bool
}

type putRecordOutput struct {
	EncryptionType *string
	SequenceNumber string
	ShardId        string
}

type putRecordsInput struct {
	Records    []putRecordsEntry `v:"required min=1 max=500 as=com.amazonaws.kinesis.v20131202.PutRecordsRequestEntry"`
	StreamName *string           `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamARN  *string           `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
	DryRun     *bool
}

type putRecordsEntry struct {
	PartitionKey    *string `v:"required min=1 max=256"`
	ExplicitHashKey *string `v:"pattern=0|([1-9]\\d{0,38})"`
	Data            []byte  `v:"required max=10485760"`
}

type putRecordsOutput struct {
	EncryptionType    *string
	FailedRecordCount int32
	Records           []putRecordsResult
}

type putRecordsResult struct{ ErrorCode, ErrorMessage, SequenceNumber, ShardId *string }

type getShardIteratorInput struct {
	ShardId                *string `v:"required pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	ShardIteratorType      *string `v:"required enum=AFTER_SEQUENCE_NUMBER|LATEST|AT_TIMESTAMP|AT_SEQUENCE_NUMBER|TRIM_HORIZON"`
	StartingSequenceNumber *string `v:"pattern=0|([1-9]\\d{0,128})"`
	StreamName             *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamARN              *string `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
	Timestamp              *time.Time
	DryRun                 *bool
}

type getShardIteratorOutput struct{ ShardIterator string }

type getRecordsInput struct {
	Limit         *int32  `v:"min=1 max=10000"`
	ShardIterator *string `v:"required min=1 max=512"`
	StreamARN     *string `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
	DryRun        *bool
}

type getRecordsOutput struct {
	ChildShards        []childShard
	MillisBehindLatest int64
	NextShardIterator  *string
	Records            []recordOutput
}

type childShard struct {
	HashKeyRange hashKeyRange
	ParentShards []string
	ShardId      string
}

type recordOutput struct {
	ApproximateArrivalTimestamp time.Time
	Data                        []byte
	EncryptionType              *string
	PartitionKey                string
	SequenceNumber              string
}
