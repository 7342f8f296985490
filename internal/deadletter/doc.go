// Package deadletter keeps records that can never be delivered, with why and what is
// known of them, in a place from where they can be sent again.
//
//	target, err := deadletter.Parse("file:/var/lib/gst-kinesis/dead")
//	place, err := deadletter.Open(ctx, target, deadletter.Settings{Stream: "cams", Region: "eu-central-1"})
//	p, err := producer.New(client, settings, observer, producer.WithDeadLetters(place))
//	…
//	p.Close()
//	err = place.Close()
//
// A [Source] reads them again:
//
//	source, err := deadletter.OpenSource(ctx, target, settings, true)
//	for {
//		bundle, err := source.Next(ctx)  // a file, an object, an answer of a stream; io.EOF at the end
//		letter, err := bundle.Next(ctx)  // io.EOF at its end, *DamageError for what is none
//		err = bundle.Settle(ctx, keep)   // takes out what was delivered
//	}
//
// # Places
//
//	file:DIR                  lines of JSON in files of a directory, which several processes may share
//	kinesis://REGION/STREAM   a record for each letter
//	s3://BUCKET/PREFIX        an object of lines for each Write
//
// Files and objects hold the same lines, so that objects copied into a directory are
// read from there. The format stands at the top of format.go.
//
// # What is promised
//
// What Write returned without an error is kept: files are synced to the disk, services
// have answered. After an error none of the letters is kept, with two exceptions,
// and the error says so where it knows: a stream keeps the records that it took before
// the rest failed, and a service may have carried a request out whose answer was lost.
//
// A letter is taken out only after it was delivered. Whatever ends in between leaves it
// there to be sent once more: delivery is at least once.
package deadletter
