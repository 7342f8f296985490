package kinesis

import (
	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/local/streams"
	"gst-kinesis/internal/shard"
)

func (s *Service) splitShard(in *splitShardInput) (*empty, error) {
	name, err := s.store.Resolve(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	at, err := shard.ParseHash(*in.NewStartingHashKey)
	if err != nil {
		return nil, apierr.New(apierr.InvalidArgument, "Invalid NewStartingHashKey. NewStartingHashKey must be in the range: "+
			"[0, 2^128-1]. Specified value was %s", *in.NewStartingHashKey)
	}
	return nil, s.store.SplitShard(name, *in.ShardToSplit, at)
}

func (s *Service) mergeShards(in *mergeShardsInput) (*empty, error) {
	name, err := s.store.Resolve(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	return nil, s.store.MergeShards(name, *in.ShardToMerge, *in.AdjacentShardToMerge)
}

func (s *Service) updateShardCount(in *updateShardCountInput) (*updateShardCountOutput, error) {
	name, err := s.store.Resolve(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	current, err := s.store.UpdateShardCount(name, int(*in.TargetShardCount))
	if err != nil {
		return nil, err
	}
	return &updateShardCountOutput{CurrentShardCount: int32(current), StreamARN: s.store.ARN(name), StreamName: name,
		TargetShardCount: *in.TargetShardCount}, nil
}

func (s *Service) increaseRetention(in *retentionInput) (*empty, error) { return s.retention(in, true) }

func (s *Service) decreaseRetention(in *retentionInput) (*empty, error) {
	return s.retention(in, false)
}

func (s *Service) retention(in *retentionInput, longer bool) (*empty, error) {
	name, err := s.store.Resolve(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	return nil, s.store.SetRetention(name, int(*in.RetentionPeriodHours), longer)
}

func (s *Service) updateMaxRecordSize(in *maxRecordInput) (*empty, error) {
	name, err := s.store.Resolve(nil, in.StreamARN)
	if err != nil {
		return nil, err
	}
	return nil, s.store.SetMaxRecord(name, int(*in.MaxRecordSizeInKiB)*shard.KiB)
}

func (s *Service) updateStreamMode(in *streamModeInput) (*empty, error) {
	name, err := s.store.Resolve(nil, in.StreamARN)
	if err != nil {
		return nil, err
	}
	return nil, s.store.SetMode(name, *in.StreamModeDetails.StreamMode)
}

func (s *Service) startEncryption(in *encryptionInput) (*empty, error) {
	name, err := s.store.Resolve(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	if *in.EncryptionType != streams.EncryptionKMS {
		return nil, apierr.New(apierr.InvalidArgument, "EncryptionType must be KMS to start stream encryption.")
	}
	return nil, s.store.SetEncryption(name, streams.EncryptionKMS, *in.KeyId)
}

func (s *Service) stopEncryption(in *encryptionInput) (*empty, error) {
	name, err := s.store.Resolve(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	return nil, s.store.SetEncryption(name, streams.EncryptionNone, "")
}

func (s *Service) addTags(in *addTagsInput) (*empty, error) {
	name, err := s.store.Resolve(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	return nil, s.store.AddTags(name, in.Tags)
}

func (s *Service) removeTags(in *removeTagsInput) (*empty, error) {
	name, err := s.store.Resolve(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	return nil, s.store.RemoveTags(name, in.TagKeys)
}

func (s *Service) listTags(in *listTagsInput) (*listTagsOutput, error) {
	name, err := s.store.Resolve(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	after := ""
	if in.ExclusiveStartTagKey != nil {
		after = *in.ExclusiveStartTagKey
	}
	tags, more, err := s.store.Tags(name, after, or(in.Limit, 0))
	if err != nil {
		return nil, err
	}
	return &listTagsOutput{HasMoreTags: more, Tags: tagOutputs(tags)}, nil
}

func tagOutputs(tags []streams.Tag) []tag {
	out := make([]tag, len(tags))
	for i, t := range tags {
		out[i] = tag(t)
	}
	return out
}

func (s *Service) tagResource(in *tagResourceInput) (*empty, error) {
	name, err := s.store.Resolve(nil, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return nil, s.store.AddTags(name, in.Tags)
}

func (s *Service) untagResource(in *untagResourceInput) (*empty, error) {
	name, err := s.store.Resolve(nil, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return nil, s.store.RemoveTags(name, in.TagKeys)
}

func (s *Service) listResourceTags(in *listResourceTagsInput) (*listResourceTagsOutput, error) {
	name, err := s.store.Resolve(nil, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	tags, _, err := s.store.Tags(name, "", 0)
	if err != nil {
		return nil, err
	}
	return &listResourceTagsOutput{Tags: tagOutputs(tags)}, nil
}
