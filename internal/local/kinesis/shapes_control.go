package kinesis

type splitShardInput struct {
	NewStartingHashKey *string `v:"required pattern=0|([1-9]\\d{0,38})"`
	ShardToSplit       *string `v:"required pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamName         *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamARN          *string `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
}

type mergeShardsInput struct {
	ShardToMerge         *string `v:"required pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	AdjacentShardToMerge *string `v:"required pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamName           *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamARN            *string `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
}

type updateShardCountInput struct {
	ScalingType      *string `v:"required enum=UNIFORM_SCALING"`
	TargetShardCount *int32  `v:"required min=1"`
	StreamName       *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamARN        *string `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
}

type updateShardCountOutput struct {
	CurrentShardCount int32
	StreamARN         string
	StreamName        string
	TargetShardCount  int32
}

type retentionInput struct {
	RetentionPeriodHours *int32  `v:"required"`
	StreamName           *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamARN            *string `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
}

type addTagsInput struct {
	Tags       map[string]string `v:"required min=1 max=200 keys=1-128 values=0-256"`
	StreamName *string           `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamARN  *string           `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
}

type removeTagsInput struct {
	TagKeys    []string `v:"required min=1 max=50 items=1-128"`
	StreamName *string  `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamARN  *string  `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
}

type listTagsInput struct {
	Limit                *int32  `v:"min=1 max=50"`
	ExclusiveStartTagKey *string `v:"min=1 max=128"`
	StreamName           *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamARN            *string `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
}

type listTagsOutput struct {
	HasMoreTags bool
	Tags        []tag
}

type tag struct{ Key, Value string }

type tagResourceInput struct {
	Tags        map[string]string `v:"required min=1 max=200 keys=1-128 values=0-256"`
	ResourceARN *string           `v:"required pattern=arn:aws.*:kinesis:.*:\\d{12}:.*stream/\\S+ min=1 max=2048"`
}

type untagResourceInput struct {
	TagKeys     []string `v:"required min=1 max=50 items=1-128"`
	ResourceARN *string  `v:"required pattern=arn:aws.*:kinesis:.*:\\d{12}:.*stream/\\S+ min=1 max=2048"`
}

type listResourceTagsInput struct {
	ResourceARN *string `v:"required pattern=arn:aws.*:kinesis:.*:\\d{12}:.*stream/\\S+ min=1 max=2048"`
}

type listResourceTagsOutput struct{ Tags []tag }

type maxRecordInput struct {
	MaxRecordSizeInKiB *int32  `v:"required min=1024 max=10240"`
	StreamARN          *string `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
}

type streamModeInput struct {
	StreamARN         *string            `v:"required pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
	StreamModeDetails *streamModeDetails `v:"required"`
}

type encryptionInput struct {
	EncryptionType *string `v:"required enum=NONE|KMS"`
	KeyId          *string `v:"required min=1 max=2048"`
	StreamName     *string `v:"pattern=[a-zA-Z0-9_.-]+ min=1 max=128"`
	StreamARN      *string `v:"pattern=arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+ min=1 max=2048"`
}

type empty struct{}

type describeLimitsOutput struct {
	OnDemandStreamCount      int32
	OnDemandStreamCountLimit int32
	OpenShardCount           int32
	ShardLimit               int32
}
