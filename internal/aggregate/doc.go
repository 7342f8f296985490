// Package aggregate puts several records into one, and gets them out again: in
// the format of the Kinesis Producer Library (KPL), which KCL, Lambda's helpers
// and Firehose read, and as plain lines, which S3 and everything after it read.
//
// # Specification of an aggregated record
//
// Source: aggregation-format.md of awslabs/amazon-kinesis-producer.
//
//	offset  bytes  what
//	0       4      the magic number F3 89 9A C2
//	4       n      a protobuf (proto2) message AggregatedRecord, n > 0
//	4+n     16     the MD5 sum of those n bytes
//
//	message AggregatedRecord {
//	  repeated string partition_key_table     = 1;
//	  repeated string explicit_hash_key_table = 2;
//	  repeated Record records                 = 3;
//	}
//	message Record {
//	  required uint64 partition_key_index     = 1;  // into the table, from 0
//	  optional uint64 explicit_hash_key_index = 2;  // into the table, from 0
//	  required bytes  data                    = 3;
//	  repeated Tag    tags                    = 4;  // not used by anyone: skipped, never written
//	}
//
// A user record's subsequence number is its place in records, from 0. [Writer]
// stores each key once and writes the fields in the order above, as KPL does;
// [Reader] takes them in any order and skips what it does not know.
//
// # What KCL does with hash keys, and why aggregates are built per shard
//
// A user record's hash key is its explicit hash key, or else the MD5 sum of its
// partition key. KCL (AggregatorUtil.deaggregate) compares each with the range of
// the shard that it reads. At the first one outside the range it throws away the
// whole aggregate, the user records before it included, without an error. So an
// aggregate may hold only records of one shard, and its own key has to lead to
// that shard; after a reshard an aggregate built by the old ranges is one that KCL
// may throw away. [Reader] itself drops nothing: who has to know what KCL would do
// asks [Reader.Within].
//
// # What is not an aggregate
//
// A record without the magic number, with a wrong MD5 sum or with a message that
// is not protobuf or lacks a required field is an ordinary record whose bytes
// happen to begin like that: KCL passes it on as it is, and so does who asks [Is].
// An index outside its table makes KCL lose that user record and those after it,
// with a line in its log; here such a record is no aggregate either, so that
// nothing is lost. The same holds for a key table of more than a million entries,
// which bounds what a hostile record can make a reader allocate. An aggregate of
// no records is one, and yields none.
//
// # Lines
//
// Firehose joins the records of a stream to objects in S3 with nothing between
// them, and Athena, Glue and everyone's scripts read those objects line by line.
// [LineWriter] therefore ends each payload with one '\n', unless it ends with one
// already, and writes them one after another; the keys are not kept. It refuses no
// payload: one with a '\n' inside (a binary one, indented JSON) is read as several,
// and choosing this format for such payloads is the user's mistake to avoid. An
// empty payload is an empty line.
//
// No type here is safe for concurrent use; nothing starts goroutines.
package aggregate

import (
	"crypto/md5" //nolint:gosec // the format demands MD5
)

const (
	magic = "\xf3\x89\x9a\xc2"
	// frameBytes is what the magic number and the MD5 sum take.
	frameBytes = len(magic) + md5.Size
)

// MaxFirehoseRecords is the most user records that Firehose takes out of one
// aggregate. Source: Firehose developer guide, quotas.
const MaxFirehoseRecords = 500
