// Package media reads from Amazon Kinesis Video Streams: what is being recorded (GetMedia), what is stored (ListFragments,
// GetMediaForFragmentList) and clips of it (GetClip).
//
// # Protocol
//
// Sources: API reference and developer guide of Kinesis Video Streams, archived media and media.
//
// Each call is a POST of JSON to a path of an endpoint that GetDataEndpoint names for that call and that stream. Requests are signed
// by AWS Signature 4 for the service kinesisvideo. Times in JSON are seconds since 1970 with a fraction.
//
//	/getMedia                 Matroska without an end: GET_MEDIA; 3 connections a stream, 25 MB/s
//	/listFragments            JSON in pages of up to 1000: LIST_FRAGMENTS
//	/getMediaForFragmentList  Matroska of up to 1000 fragments: GET_MEDIA_FOR_FRAGMENT_LIST
//	/getClip                  MP4 of up to 200 fragments, 100 MB, 24 hours: GET_CLIP
//
// A range of time counts a fragment by its start alone, and includes both of its ends. The end of one range is therefore the start of
// the next less a millisecond.
//
// Matroska comes as documents of a fragment each, or of several. Before a cluster stand tags: the user's own, the fragment's number,
// and its times by the server's and the producer's clock, in seconds since 1970. After a cluster of GetMedia stand how many
// milliseconds it is behind now, and a token to go on with. Errors after the answer's beginning are tags too.
//
// # Repeats
//
// A producer that loses an acknowledgement sends a fragment again, and the service stores both under two numbers with one producer
// timestamp. A [Reader] gives the first and counts the others, as GetClip does on the service's side, unless [Settings.Repeats] is set.
package media
