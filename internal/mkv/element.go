package mkv

import "fmt"

// The ids of elements, with their length bits. Source: RFC 8794, 11.2.4 and 11.3; RFC 9559, 5.1.
const (
	idEBML               = 0x1A45DFA3
	idEBMLVersion        = 0x4286
	idEBMLReadVersion    = 0x42F7
	idEBMLMaxIDLength    = 0x42F2
	idEBMLMaxSizeLength  = 0x42F3
	idDocType            = 0x4282
	idDocTypeVersion     = 0x4287
	idDocTypeReadVersion = 0x4285
	idVoid               = 0xEC
	idCRC32              = 0xBF

	idSegment     = 0x18538067
	idSeekHead    = 0x114D9B74
	idCues        = 0x1C53BB6B
	idChapters    = 0x1043A770
	idAttachments = 0x1941A469

	idInfo          = 0x1549A966
	idSegmentUID    = 0x73A4
	idTimecodeScale = 0x2AD7B1
	idDuration      = 0x4489
	idTitle         = 0x7BA9
	idMuxingApp     = 0x4D80
	idWritingApp    = 0x5741

	idTracks            = 0x1654AE6B
	idTrackEntry        = 0xAE
	idTrackNumber       = 0xD7
	idTrackUID          = 0x73C5
	idTrackType         = 0x83
	idDefaultDuration   = 0x23E383
	idCodecDelay        = 0x56AA
	idSeekPreRoll       = 0x56BB
	idName              = 0x536E
	idCodecID           = 0x86
	idCodecPrivate      = 0x63A2
	idContentEncodings  = 0x6D80
	idVideo             = 0xE0
	idPixelWidth        = 0xB0
	idPixelHeight       = 0xBA
	idAudio             = 0xE1
	idSamplingFrequency = 0xB5
	idChannels          = 0x9F
	idBitDepth          = 0x6264

	idTags      = 0x1254C367
	idTag       = 0x7373
	idSimpleTag = 0x67C8
	idTagName   = 0x45A3
	idTagString = 0x4487

	idCluster        = 0x1F43B675
	idTimecode       = 0xE7
	idSilentTracks   = 0x5854
	idPosition       = 0xA7
	idPrevSize       = 0xAB
	idSimpleBlock    = 0xA3
	idBlockGroup     = 0xA0
	idBlock          = 0xA1
	idBlockDuration  = 0x9B
	idReferenceBlock = 0xFB
	idEncryptedBlock = 0xAF
)

// Where an element may stand: how many elements lie around it.
const (
	atTop       = 0
	inSegment   = 1
	inCluster   = 2
	anywhere    = -1
	nobodyKnows = -2
)

// place tells where an element belongs, of those that stand at a level at which the reader looks at elements one by one.
func place(id uint32) int {
	switch id {
	case idSimpleBlock, idBlockGroup, idTimecode, idPosition, idPrevSize, idSilentTracks, idEncryptedBlock:
		return inCluster
	case idCluster, idTags, idInfo, idTracks, idSeekHead, idCues, idChapters, idAttachments:
		return inSegment
	case idEBML, idSegment:
		return atTop
	case idVoid, idCRC32:
		return anywhere
	}
	return nobodyKnows
}

// elementName is an element's name for messages.
func elementName(id uint32) string {
	switch id {
	case idEBML:
		return "EBML header"
	case idVoid:
		return "Void"
	case idCRC32:
		return "CRC-32"
	case idSegment:
		return "Segment"
	case idSeekHead:
		return "SeekHead"
	case idCues:
		return "Cues"
	case idChapters:
		return "Chapters"
	case idAttachments:
		return "Attachments"
	case idInfo:
		return "Info"
	case idTracks:
		return "Tracks"
	case idTags:
		return "Tags"
	case idCluster:
		return "Cluster"
	}
	if name := clusterName(id); name != "" {
		return name
	}
	if name := innerName(id); name != "" {
		return name
	}
	return fmt.Sprintf("element %X", id)
}

func clusterName(id uint32) string {
	switch id {
	case idTimecode:
		return "Timecode"
	case idSilentTracks:
		return "SilentTracks"
	case idPosition:
		return "Position"
	case idPrevSize:
		return "PrevSize"
	case idSimpleBlock:
		return "SimpleBlock"
	case idBlockGroup:
		return "BlockGroup"
	case idBlock:
		return "Block"
	case idBlockDuration:
		return "BlockDuration"
	case idReferenceBlock:
		return "ReferenceBlock"
	case idEncryptedBlock:
		return "EncryptedBlock"
	}
	return ""
}

func innerName(id uint32) string {
	names := [...]struct {
		id   uint32
		name string
	}{
		{idEBMLVersion, "EBMLVersion"}, {idEBMLReadVersion, "EBMLReadVersion"}, {idEBMLMaxIDLength, "EBMLMaxIDLength"},
		{idEBMLMaxSizeLength, "EBMLMaxSizeLength"}, {idDocType, "DocType"}, {idDocTypeVersion, "DocTypeVersion"},
		{idDocTypeReadVersion, "DocTypeReadVersion"},
		{idSegmentUID, "SegmentUID"}, {idTimecodeScale, "TimecodeScale"}, {idDuration, "Duration"}, {idTitle, "Title"},
		{idMuxingApp, "MuxingApp"}, {idWritingApp, "WritingApp"},
		{idTrackEntry, "TrackEntry"}, {idTrackNumber, "TrackNumber"}, {idTrackUID, "TrackUID"}, {idTrackType, "TrackType"},
		{idDefaultDuration, "DefaultDuration"}, {idCodecDelay, "CodecDelay"}, {idSeekPreRoll, "SeekPreRoll"}, {idName, "Name"},
		{idCodecID, "CodecID"}, {idCodecPrivate, "CodecPrivate"}, {idContentEncodings, "ContentEncodings"}, {idVideo, "Video"},
		{idPixelWidth, "PixelWidth"}, {idPixelHeight, "PixelHeight"}, {idAudio, "Audio"}, {idSamplingFrequency, "SamplingFrequency"},
		{idChannels, "Channels"}, {idBitDepth, "BitDepth"},
		{idTag, "Tag"}, {idSimpleTag, "SimpleTag"}, {idTagName, "TagName"}, {idTagString, "TagString"},
	}
	for _, n := range names {
		if n.id == id {
			return n.name
		}
	}
	return ""
}
