package kinesis

import (
	"time"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/local/streams"
	"gst-kinesis/internal/shard"
)

func (s *Service) createStream(in *createStreamInput) (*empty, error) {
	spec := streams.CreateSpec{Name: *in.StreamName, Shards: or(in.ShardCount, 0), Tags: in.Tags,
		MaxRecord: or(in.MaxRecordSizeInKiB, 0) * shard.KiB}
	if in.StreamModeDetails != nil {
		spec.Mode = *in.StreamModeDetails.StreamMode
	}
	switch {
	case spec.Mode == streams.OnDemand && in.ShardCount != nil:
		return nil, apierr.New(apierr.InvalidArgument, "ShardCount must not be specified for on-demand streams.")
	case spec.Mode != streams.OnDemand && in.ShardCount == nil:
		return nil, apierr.New(apierr.InvalidArgument, "ShardCount must be specified for provisioned streams.")
	}
	if err := streams.CheckTags(in.Tags); err != nil {
		return nil, err
	}
	return nil, s.store.Create(spec)
}

func (s *Service) deleteStream(in *streamInput) (*empty, error) {
	name, err := s.store.Resolve(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	return nil, s.store.Delete(name)
}

func (s *Service) describeStream(in *describeStreamInput) (*describeStreamOutput, error) {
	name, err := s.store.Resolve(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	info, shards, more, err := s.store.DescribeShards(name, in.ExclusiveStartShardId, or(in.Limit, shard.DescribeStreamPage))
	if err != nil {
		return nil, err
	}
	return &describeStreamOutput{streamDescription{
		EncryptionType: info.Encryption, EnhancedMonitoring: noMetrics(), HasMoreShards: more, KeyId: filled(info.KeyID),
		RetentionPeriodHours: hours(info.Retention), Shards: shardOutputs(shards), StreamARN: info.ARN,
		StreamCreationTimestamp: info.Created, StreamModeDetails: streamModeDetails{&info.Mode}, StreamName: info.Name,
		StreamStatus: string(info.Status),
	}}, nil
}

func (s *Service) describeStreamSummary(in *streamInput) (*describeStreamSummaryOutput, error) {
	name, err := s.store.Resolve(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	info, err := s.store.Describe(name)
	if err != nil {
		return nil, err
	}
	return &describeStreamSummaryOutput{streamDescriptionSummary{
		EncryptionType: info.Encryption, EnhancedMonitoring: noMetrics(), KeyId: filled(info.KeyID),
		MaxRecordSizeInKiB: int32(info.MaxRecord / shard.KiB), OpenShardCount: int32(info.OpenShards),
		RetentionPeriodHours: hours(info.Retention), StreamARN: info.ARN, StreamCreationTimestamp: info.Created,
		StreamModeDetails: streamModeDetails{&info.Mode}, StreamName: info.Name, StreamStatus: string(info.Status),
	}}, nil
}

func noMetrics() []enhancedMetrics { return []enhancedMetrics{{ShardLevelMetrics: []string{}}} }

func hours(d time.Duration) int32 { return int32(d / time.Hour) }

func shardOutputs(list []streams.ShardInfo) []shardOutput {
	out := make([]shardOutput, len(list))
	for i, sh := range list {
		out[i] = shardOutput{
			AdjacentParentShardId: filled(sh.AdjacentParent),
			HashKeyRange:          hashKeyRange{StartingHashKey: sh.Start, EndingHashKey: sh.End},
			ParentShardId:         filled(sh.Parent),
			SequenceNumberRange:   sequenceNumberRange{StartingSequenceNumber: sh.First, EndingSequenceNumber: filled(sh.Last)},
			ShardId:               sh.ID,
		}
	}
	return out
}

// onDemandLimit is how many on-demand streams an account may have.
const onDemandLimit = 50

func (s *Service) describeLimits(*empty) (*describeLimitsOutput, error) {
	l := s.store.Limits()
	return &describeLimitsOutput{OnDemandStreamCount: int32(l.OnDemandStreams), OnDemandStreamCountLimit: onDemandLimit,
		OpenShardCount: int32(l.OpenShards), ShardLimit: int32(l.ShardLimit)}, nil
}

func (s *Service) listStreams(in *listStreamsInput) (*listStreamsOutput, error) {
	after := ""
	if in.ExclusiveStartStreamName != nil {
		after = *in.ExclusiveStartStreamName
	}
	if in.NextToken != nil {
		var err error
		if after, err = s.store.ParseStreamsToken(*in.NextToken); err != nil {
			return nil, err
		}
	}
	list, more := s.store.ListStreams(after, or(in.Limit, shard.ListStreamsPage))
	out := &listStreamsOutput{HasMoreStreams: more, StreamNames: []string{}, StreamSummaries: []streamSummary{}}
	for _, info := range list {
		mode := info.Mode
		out.StreamNames = append(out.StreamNames, info.Name)
		out.StreamSummaries = append(out.StreamSummaries, streamSummary{StreamARN: info.ARN, StreamCreationTimestamp: info.Created,
			StreamModeDetails: streamModeDetails{&mode}, StreamName: info.Name, StreamStatus: string(info.Status)})
	}
	if more {
		out.NextToken = filled(s.store.StreamsToken(list[len(list)-1].Name))
	}
	return out, nil
}

func (s *Service) listShards(in *listShardsInput) (*listShardsOutput, error) {
	limit := or(in.MaxResults, shard.ListShardsPage)
	if in.NextToken != nil {
		if in.StreamName != nil || in.StreamARN != nil {
			return nil, apierr.New(apierr.InvalidArgument, "NextToken and StreamName cannot be provided together.")
		}
		shards, next, err := s.store.NextShards(*in.NextToken, limit)
		return &listShardsOutput{Shards: shardOutputs(shards), NextToken: filled(next)}, err
	}
	if in.StreamName == nil && in.StreamARN == nil {
		return nil, apierr.New(apierr.InvalidArgument, "Either NextToken or StreamName should be provided.")
	}
	name, err := s.store.Resolve(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	filter, err := filterOf(in.ShardFilter)
	if err != nil {
		return nil, err
	}
	shards, next, err := s.store.ListShards(name, filter, in.ExclusiveStartShardId, limit)
	return &listShardsOutput{Shards: shardOutputs(shards), NextToken: filled(next)}, err
}

// filterOf checks that a filter has what its type wants.
func filterOf(in *shardFilter) (streams.ShardFilter, error) {
	if in == nil {
		return streams.ShardFilter{}, nil
	}
	f := streams.ShardFilter{Type: *in.Type, Shard: in.ShardId, At: in.Timestamp}
	timed := f.Type == streams.FilterAtTimestamp || f.Type == streams.FilterFromTimestamp
	switch {
	case timed && f.At == nil:
		return f, apierr.New(apierr.InvalidArgument, "Timestamp must be provided for ShardFilter type %s.", f.Type)
	case f.Type == streams.FilterAfterShardID && f.Shard == nil:
		return f, apierr.New(apierr.InvalidArgument, "ShardId must be provided for ShardFilter type %s.", f.Type)
	}
	return f, nil
}
