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
// Records wait in lanes: ranges of hash keys, so that all records of a key share
// a lane and a lane lies within few shards. A lane has at most one request in
// flight and a record that must be retried goes back to its lane's front, so
// the records of a key keep their order except where the service refuses one
// record of a request and takes a later one. A lane whose shard is throttled
// backs off alone; the others go on.
//
// # Books
//
// accepted = delivered + dropped by reason + dead-lettered + spooled + in
// flight, in records and bytes, in every snapshot that Books returns.
//
// # Goroutines
//
// One dispatcher forms requests, max-in-flight senders perform them, and one
// reporter tells the observer about troubles. All start in New and have ended
// when Close returns.
package producer
