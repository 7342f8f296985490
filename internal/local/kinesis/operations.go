package kinesis

// operations returns the table of the API.
func operations() map[string]operation {
	ops := map[string]operation{
		"CreateStream":          define((*Service).createStream, func(in *createStreamInput) (_, _ *string) { return in.StreamName, nil }),
		"DeleteStream":          define((*Service).deleteStream, (*streamInput).stream),
		"DescribeStream":        define((*Service).describeStream, (*describeStreamInput).stream),
		"DescribeStreamSummary": define((*Service).describeStreamSummary, (*streamInput).stream),
		"DescribeLimits":        define((*Service).describeLimits, none[empty]),
		"ListStreams":           define((*Service).listStreams, none[listStreamsInput]),
		"ListShards":            define((*Service).listShards, (*listShardsInput).stream),

		"SplitShard":       define((*Service).splitShard, (*splitShardInput).stream),
		"MergeShards":      define((*Service).mergeShards, (*mergeShardsInput).stream),
		"UpdateShardCount": define((*Service).updateShardCount, (*updateShardCountInput).stream),

		"IncreaseStreamRetentionPeriod": define((*Service).increaseRetention, (*retentionInput).stream),
		"DecreaseStreamRetentionPeriod": define((*Service).decreaseRetention, (*retentionInput).stream),
		"UpdateMaxRecordSize":           define((*Service).updateMaxRecordSize, func(in *maxRecordInput) (_, _ *string) { return nil, in.StreamARN }),
		"UpdateStreamMode":              define((*Service).updateStreamMode, func(in *streamModeInput) (_, _ *string) { return nil, in.StreamARN }),
		"StartStreamEncryption":         define((*Service).startEncryption, (*encryptionInput).stream),
		"StopStreamEncryption":          define((*Service).stopEncryption, (*encryptionInput).stream),

		"AddTagsToStream":      define((*Service).addTags, (*addTagsInput).stream),
		"RemoveTagsFromStream": define((*Service).removeTags, (*removeTagsInput).stream),
		"ListTagsForStream":    define((*Service).listTags, (*listTagsInput).stream),
		"TagResource":          define((*Service).tagResource, func(in *tagResourceInput) (_, _ *string) { return nil, in.ResourceARN }),
		"UntagResource":        define((*Service).untagResource, func(in *untagResourceInput) (_, _ *string) { return nil, in.ResourceARN }),
		"ListTagsForResource":  define((*Service).listResourceTags, func(in *listResourceTagsInput) (_, _ *string) { return nil, in.ResourceARN }),
	}
	addDataPlane(ops)
	return ops
}

func none[I any](*I) (_, _ *string) { return nil, nil }

func (in *streamInput) stream() (name, arn *string)           { return in.StreamName, in.StreamARN }
func (in *describeStreamInput) stream() (name, arn *string)   { return in.StreamName, in.StreamARN }
func (in *listShardsInput) stream() (name, arn *string)       { return in.StreamName, in.StreamARN }
func (in *splitShardInput) stream() (name, arn *string)       { return in.StreamName, in.StreamARN }
func (in *mergeShardsInput) stream() (name, arn *string)      { return in.StreamName, in.StreamARN }
func (in *updateShardCountInput) stream() (name, arn *string) { return in.StreamName, in.StreamARN }
func (in *retentionInput) stream() (name, arn *string)        { return in.StreamName, in.StreamARN }
func (in *encryptionInput) stream() (name, arn *string)       { return in.StreamName, in.StreamARN }
func (in *addTagsInput) stream() (name, arn *string)          { return in.StreamName, in.StreamARN }
func (in *removeTagsInput) stream() (name, arn *string)       { return in.StreamName, in.StreamARN }
func (in *listTagsInput) stream() (name, arn *string)         { return in.StreamName, in.StreamARN }
