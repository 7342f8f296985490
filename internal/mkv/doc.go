// Package mkv writes and reads Matroska as a live stream: as Amazon Kinesis Video
// Streams takes it in PutMedia, and gives it in GetMedia.
//
// # Specification
//
// Sources: RFC 8794 (EBML), RFC 9559 (Matroska; what it calls Timestamp is called
// timecode here, as the service does), the Kinesis Video Streams developer guide
// and API reference (limits, tags), and the bytes that AWS's own producer sends.
//
// An element is an id, a size and that many bytes. Id and size are integers of
// variable length: the number of leading zero bits of the first byte, plus 1, is
// the length in bytes. An id keeps its length bits, and has at most 4 bytes; of a
// size they are taken off, and it has at most 8. A size of all ones is unknown.
// Numbers are big-endian.
//
//	1A45DFA3 EBML         size 1 byte
//	  4286 EBMLVersion 1, 42F7 EBMLReadVersion 1, 42F2 EBMLMaxIDLength 4, 42F3 EBMLMaxSizeLength 8,
//	  4282 DocType "matroska", 4287 DocTypeVersion 2, 4285 DocTypeReadVersion 2
//	18538067 Segment      size FF: unknown
//	  1549A966 Info       size 2 bytes
//	    73A4 SegmentUID 16 bytes, 2AD7B1 TimecodeScale 8 bytes (ns a tick), 7BA9 Title, 4D80 MuxingApp, 5741 WritingApp
//	  1654AE6B Tracks     size 4 bytes
//	    AE TrackEntry     size 4 bytes
//	      D7 TrackNumber, 73C5 TrackUID 8 bytes, 83 TrackType 1 byte,
//	      [23E383 DefaultDuration, 56AA CodecDelay, 56BB SeekPreRoll: ns, 8 bytes each, only if set]
//	      536E Name, 86 CodecID
//	      E0 Video size 4 bytes: B0 PixelWidth 2 bytes, BA PixelHeight 2 bytes
//	      E1 Audio size 4 bytes: B5 SamplingFrequency 8 bytes (a float), 9F Channels 1 byte, [6264 BitDepth 1 byte]
//	      63A2 CodecPrivate
//	  [1254C367 Tags]     of the cluster that follows; all sizes 8 bytes
//	    7373 Tag > 67C8 SimpleTag > 45A3 TagName, 4487 TagString
//	  1F43B675 Cluster    size FF: unknown; one a fragment
//	    E7 Timecode 8 bytes (ticks; since 1970 where timecodes are absolute), A7 Position 1 byte: 0, as in all live streams
//	    A3 SimpleBlock    size 8 bytes: track number (variable length), int16 ticks after the cluster's timecode, flags, payload
//	  … [Tags] Cluster …
//	  1254C367 Tags       with the one tag AWS_KINESISVIDEO_END_OF_FRAGMENT: it ends a fragment without beginning another
//
// A cluster is ended by whatever cannot lie in one: the next Tags, the next
// Cluster, a further EBML header, the end of the stream (RFC 8794, 6.2).
//
// # What GetMedia sends
//
// A document a fragment or for several, as above, with the service's tags: in one
// Tags element before the Cluster the fragment's number and its two timestamps, in
// another after it how far behind it is and the token to go on with. The user's own
// tags have been seen before the Cluster and after it: who wants a fragment's tags
// takes all those between the Segment's beginning, or the last continuation token,
// and the next one.
//
// # What the service stores
//
// PutMedia is not documented to look into payloads: it stores what comes. H.264 is V_MPEG4/ISO/AVC
// with an avcC record as private data and frames of length-prefixed NAL units,
// H.265 is V_MPEGH/ISO/HEVC with an hvcC record, AAC is A_AAC with an
// AudioSpecificConfig, G.711 is A_MS/ACM with a WAVEFORMATEX. Those it also plays:
// video and AAC in HLS, DASH and clips, G.711 in DASH and clips. Other codecs,
// A_OPUS among them, are on none of those lists: they come back by GetMedia alone.
//
// No type here is safe for concurrent use; nothing starts goroutines.
package mkv
