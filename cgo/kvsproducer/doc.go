// Package kvsproducer is AWS's producer SDK for Kinesis Video Streams in C (libcproducer) behind a small Go API: what leaves is made, signed, sent,
// replayed and counted by AWS's own code.
//
// It is there when built with the tag kvsproducer and cgo, where pkg-config finds libcproducer, libkvsCommonCurl and libkvspic; see docs/engine-sdk.md.
// Without the tag the API is the same, Built is false, and Open says how to build it.
//
//	s, err := kvsproducer.Open(ctx, set, func(e kvsproducer.Event) { … })
//	err = s.Put(kvsproducer.Frame{Track: 1, PTS: pts, DTS: dts, Key: true, Data: unit})
//	err = s.Close(ctx)
//
// The SDK's manners:
//   - Opening and closing block, for as long as the service lets them. Both run on a thread of their own here: Open and Close return when their
//     context ends, and the rest goes on behind. Done says when all of it is over.
//   - Its callbacks come from its own threads, with the stream's lock held. Here they do no more than put an Event into a bounded queue; the function
//     given to Open is called from one goroutine, in order, and may use the Stream.
//   - It ignores SIGPIPE for the whole process from the first stream on.
//   - Its log is the process's: each open stream gets all lines as events, none goes to standard output.
//   - Credentials are fixed for the life of a Stream. When they change, open another one.
package kvsproducer
