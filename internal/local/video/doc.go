// Package video puts the operations of Kinesis Video Streams over the model in package videostreams: the control plane, PutMedia
// with its acknowledgements, GetMedia, and archived media.
//
// Sources: API reference of Kinesis Video Streams, its Media and Archived Media (2017-09-30) with the model in AWS's SDKs; what
// AWS's own producer sends and understands. The control plane and ListFragments are one JSON object in, one out. Errors are a
// JSON object with a Message, named by the header x-amzn-ErrorType.
//
// Five operations have the names of others in Kinesis Data Streams; in fault rules, logs and counters they are VideoCreateStream,
// VideoDescribeStream, VideoListStreams, VideoDeleteStream and VideoListTagsForStream.
package video
