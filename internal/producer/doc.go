// Package producer writes records to a Kinesis data stream: it accepts them,
// gathers them into PutRecords requests, sends, retries what failed, and accounts
// for every one.
//
//	p, err := producer.New(client, settings, observer)
//	r := p.Reserve(len(payload))
//	copy(r.Data, payload)
//	r.PartitionKey = "camera0"
//	err = p.Put(ctx, r)      // the record is the producer's from here on
//	err = p.Flush(ctx)       // everything accepted so far is accounted for
//	p.Close()
//
// # Order
//
// Records wait in lanes, one for each shard of the stream, so that all records of a
// key share a lane. A lane has at most one request in flight and a record that must
// be retried goes back to its place in the lane, so the records of a key keep
// their order except where the service refuses one record of a request and takes a
// later one. A lane whose shard is throttled backs off alone; the others go on.
//
// With strict order each key is a lane of its own with one record in flight, so
// that their order is kept always; requests gather records of many keys.
//
// # Shards
//
// The shards are listed when the first record comes, and again when an answer names
// another shard than expected: after a reshard the lanes are laid anew. Until they
// are known, or where they may not be listed, ranges of hash keys stand in for
// them. Each shard's limits, shared with the other producers of the stream in the
// process, decide when its lane may send.
//
// # Books
//
// accepted = delivered + dropped by reason + dead-lettered + spooled + in
// flight, in records and bytes, in every snapshot that Books returns.
//
// # Goroutines
//
// One dispatcher forms requests, max-in-flight senders perform them, one
// reporter tells the observer about troubles, and one surveyor lists the shards. All
// start in New and have ended when Close returns.
package producer
