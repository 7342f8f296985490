// Package consumer reads a whole data stream: every shard, parents before
// their children, also when the stream is resharded while it is read.
//
//	Start ──> coordinator: ListShards, lineage, decides which shard may be read
//	             │ one goroutine a shard
//	             └──> reader ──> source (polling: GetShardIterator, GetRecords) ──> Handler
//
// The rules, from the service's documentation:
//   - a shard is read when all its parents have been read to their end, so the
//     order of each partition key holds across a reshard;
//   - shards that appear while reading are read from their beginning (trim
//     horizon), whatever the position the consumer started from;
//   - a shard is asked at most 5 times a second and for 2 MiB a second, which
//     all who poll it share; whoever is throttled backs off with jitter;
//   - an iterator lives 5 minutes: an expired one is replaced by one after the
//     last record handed over, so nothing is lost or repeated.
//
// Failures that pass are waited out for ever, with a warning at most once a
// second; those that stay end the consumer with an [*Error] that says what to
// do.
package consumer
