// Package videostreams is the model of Kinesis Video Streams: streams with their settings, fragments with their times and
// numbers, retention, limits, and who reads and writes. It knows neither HTTP nor files, and looks at no clock but the one it
// is given.
//
// Sources: API reference of Kinesis Video Streams (2017-09-30) with the model in AWS's SDKs, and the developer guide,
// "service quotas".
package videostreams
