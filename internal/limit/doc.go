// Package limit keeps producers within what the shards of a stream take, so that
// records wait here and are not refused there.
//
// A shard takes 1000 records and 1 MiB a second; what is not used of the bytes is
// saved, up to 10 MiB (developer guide, quotas and limits, large records). Each is
// a tank that refills steadily. That is the open loop. The closed loop is the
// throttles that come back all the same, because others write to the stream too:
// each lowers the shard's rate, and quiet raises it again.
//
// The producers of one stream in a process share its tanks through a Registry.
// All methods are safe for concurrent use; none blocks or looks at a clock.
package limit
