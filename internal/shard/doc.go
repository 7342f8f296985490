// Package shard knows how Kinesis Data Streams places records: the service's
// limits as constants, the 128-bit space of hash keys and its ranges, and the
// ways a producer may choose partition keys.
//
// Nothing here touches the network. Values are plain data; a Keyer is the only
// type with state and says itself how it may be shared.
package shard
