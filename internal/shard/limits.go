package shard

import "time"

// Sizes. The service documents most limits in MiB; where it says MB for a
// shard's rate, its own throttling works in MiB, so MiB is used throughout.
const (
	KiB = 1 << 10
	MiB = 1 << 20
)

// One PutRecords request.
// Source: API reference, PutRecords ("up to 500 records", "up to a limit of 10
// MiB for the entire request, including partition keys").
const (
	// MaxRequestRecords is the most records in one PutRecords request.
	MaxRequestRecords = 500
	// MaxRequestBytes is the most data and partition-key bytes in one PutRecords request.
	MaxRequestBytes = 10 * MiB
)

// One record: data and partition key together.
// Source: API reference, UpdateMaxRecordSize and CreateStream
// (MaxRecordSizeInKiB 1024..10240); developer guide, large records.
const (
	// DefaultMaxRecordBytes is what a stream takes unless it was told otherwise.
	DefaultMaxRecordBytes = 1 * MiB
	// MinMaxRecordBytes is the least a stream's largest record can be set to.
	MinMaxRecordBytes = 1024 * KiB
	// MaxMaxRecordBytes is the most a stream's largest record can be set to.
	MaxMaxRecordBytes = 10240 * KiB
	// MinDataBytes is the least data in a record: an empty blob is valid.
	MinDataBytes = 0
)

// Keys.
// Source: API reference, PutRecordsRequestEntry.
const (
	// MinPartitionKeyChars and MaxPartitionKeyChars bound a partition key, in
	// Unicode code points, not bytes.
	MinPartitionKeyChars = 1
	MaxPartitionKeyChars = 256
	// MaxHashKeyDigits bounds an explicit hash key: 0|([1-9]\d{0,38}), below 2^128.
	MaxHashKeyDigits = 39
)

// Writing to one shard.
// Source: developer guide, quotas and limits; large records (a tank of 10 MiB
// that refills at 1 MiB a second).
const (
	// WriteRecordsPerSecond is a shard's write rate in records.
	WriteRecordsPerSecond = 1000
	// WriteBytesPerSecond is a shard's write rate in bytes, data and partition keys.
	WriteBytesPerSecond = 1 * MiB
	// WriteBurstBytes is the size of the tank that refills at WriteBytesPerSecond.
	WriteBurstBytes = 10 * MiB
)

// Reading from one shard.
// Source: API reference, GetRecords, GetShardIterator and SubscribeToShard.
const (
	// ReadCallsPerSecond is how often one shard may be asked with GetRecords.
	ReadCallsPerSecond = 5
	// ReadBytesPerSecond is a shard's read rate, shared by all that poll it.
	ReadBytesPerSecond = 2 * MiB
	// MaxGetRecordsRecords is the most records in one GetRecords answer.
	MaxGetRecordsRecords = 10000
	// MaxGetRecordsBytes is the most bytes in one GetRecords answer.
	MaxGetRecordsBytes = 10 * MiB
	// IteratorLife is how long a shard iterator may be used after it was given.
	IteratorLife = 5 * time.Minute
	// SubscriptionLife is how long one SubscribeToShard lasts.
	SubscriptionLife = 5 * time.Minute
)

// Streams.
// Source: API reference, CreateStream, ListShards, ListStreams,
// IncreaseStreamRetentionPeriod, AddTagsToStream.
const (
	// MinStreamNameChars and MaxStreamNameChars bound a stream's name, which
	// consists of a-z, A-Z, 0-9, '_', '.' and '-'.
	MinStreamNameChars = 1
	MaxStreamNameChars = 128
	// MaxPageRequest is the greatest page size that ListShards, ListStreams and
	// DescribeStream accept in a request; what they answer is less.
	MaxPageRequest = 10000
	// ListShardsPage is the most, and the default, number of shards ListShards answers with.
	ListShardsPage = 1000
	// ListStreamsPage is the most, and the default, number of streams ListStreams answers with.
	ListStreamsPage = 100
	// DescribeStreamPage is the most, and the default, number of shards DescribeStream answers with.
	DescribeStreamPage = 100
	// NextTokenLife is how long a page's token may be used.
	NextTokenLife = 300 * time.Second
	// MinRetention (the default) and MaxRetention bound how long records stay.
	MinRetention = 24 * time.Hour
	MaxRetention = 8760 * time.Hour
	// MaxTags, MaxTagKeyChars and MaxTagValueChars bound a stream's tags.
	MaxTags          = 50
	MaxTagKeyChars   = 128
	MaxTagValueChars = 256
)

// PayloadUnitBytes is the unit in which puts to provisioned streams are priced.
// Source: pricing page (a record counts in chunks of 25 KB).
const PayloadUnitBytes = 25 * 1000
