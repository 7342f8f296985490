package mkv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// What the functions of a fragment append, in bytes.
const (
	ClusterSize       = 4 + 1 + 1 + 1 + 8 + 3
	EndOfFragmentSize = tagsBytes + tagBytes + simpleTagBytes + len(TagEndOfFragment)

	tagsBytes      = 4 + 8
	tagBytes       = 2 + 8
	simpleTagBytes = 2 + 8 + 2 + 8 + 2 + 8
)

// maxTrackNumber is what a variable integer of 8 bytes holds, less the one of all ones.
const maxTrackNumber = 1<<56 - 2

// AppendCluster begins a fragment: a Cluster of unknown size, which the next Tags, Cluster or the end of the stream ends.
// timecode is in ticks of the header's TimecodeScale.
func AppendCluster(dst []byte, timecode uint64) []byte {
	dst = append(dst, "\x1F\x43\xB6\x75\xFF\xE7\x88"...)
	dst = binary.BigEndian.AppendUint64(dst, timecode)
	return append(dst, 0xA7, 0x81, 0) // Position: 0 in a live stream
}

// BlockFlags are those of a SimpleBlock. No lacing is written.
type BlockFlags uint8

// The flags there are.
const (
	KeyFrame    BlockFlags = 0x80
	Invisible   BlockFlags = 0x08 // decoded, but not shown
	Discardable BlockFlags = 0x01 // no other frame needs it
)

// SimpleBlockHeaderSize is how many bytes [AppendSimpleBlockHeader] appends: 13 for tracks up to 126.
func SimpleBlockHeaderSize(track uint64) int { return 1 + 8 + sizeLength(track) + 2 + 1 }

// AppendSimpleBlockHeader appends all of a SimpleBlock but its payload, of payload bytes, which the caller appends.
// track is one of the header's numbers, relative the ticks after the cluster's timecode.
func AppendSimpleBlockHeader(dst []byte, track uint64, relative int16, flags BlockFlags, payload int) []byte {
	length := sizeLength(track)
	dst = append(dst, idSimpleBlock)
	dst = binary.BigEndian.AppendUint64(dst, uint64(length+3+payload)|1<<56)
	dst = appendSize(dst, track, length)
	return append(dst, byte(uint16(relative)>>8), byte(relative), byte(flags))
}

// Tag is a name and a value.
type Tag struct{ Name, Value string }

// Names of tags that the service or AWS's producer writes. Source: API reference of PutMedia, GetMedia and GetMediaForFragmentList;
// developer guide, image generation and notifications.
const (
	TagEndOfFragment     = "AWS_KINESISVIDEO_END_OF_FRAGMENT"
	TagFragmentNumber    = "AWS_KINESISVIDEO_FRAGMENT_NUMBER"
	TagServerTimestamp   = "AWS_KINESISVIDEO_SERVER_TIMESTAMP"   // seconds since 1970, with a fraction
	TagProducerTimestamp = "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP" // seconds since 1970, with a fraction
	// The same, as the API reference has them for GetMediaForFragmentList.
	TagServerSideTimestamp   = "AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP"
	TagProducerSideTimestamp = "AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP"
	TagContinuation          = "AWS_KINESISVIDEO_CONTINUATION_TOKEN"
	TagMillisBehind          = "AWS_KINESISVIDEO_MILLIS_BEHIND_NOW"
	TagErrorCode             = "AWS_KINESISVIDEO_ERROR_CODE"
	TagErrorID               = "AWS_KINESISVIDEO_ERROR_ID"
	TagExceptionCode         = "AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE"
	TagExceptionMessage      = "AWS_KINESISVIDEO_EXCEPTION_MESSAGE"
	TagImageGeneration       = "AWS_KINESISVIDEO_IMAGE_GENERATION"
	TagImagePrefix           = "AWS_KINESISVIDEO_IMAGE_PREFIX"
	TagNotification          = "AWS_KINESISVIDEO_NOTIFICATION"
)

// CheckTags holds a user's own tags of one fragment to the service's limits.
func CheckTags(tags []Tag) error {
	if len(tags) > MaxTags {
		return fmt.Errorf("checking a fragment's tags: %d tags, and the service takes at most %d a fragment", len(tags), MaxTags)
	}
	for _, t := range tags {
		if err := t.Check(); err != nil {
			return err
		}
	}
	return nil
}

// Check holds a user's own tag to the service's limits: a name of 1..128 bytes that does not begin with AWS, a value of at most 256.
func (t Tag) Check() error {
	switch {
	case t.Name == "":
		return errors.New("checking a tag: it has no name")
	case len(t.Name) > MaxTagName:
		return fmt.Errorf("checking the tag %.32q…: its name has %d bytes, and at most %d are allowed", t.Name, len(t.Name), MaxTagName)
	case strings.HasPrefix(t.Name, "AWS"):
		return fmt.Errorf("checking the tag %q: names that begin with AWS are the service's own", t.Name)
	case len(t.Value) > MaxTagValue:
		return fmt.Errorf("checking the tag %q: its value has %d bytes, and at most %d are allowed", t.Name, len(t.Value), MaxTagValue)
	case !utf8.ValidString(t.Name) || !utf8.ValidString(t.Value) || strings.ContainsRune(t.Name+t.Value, 0):
		return fmt.Errorf("checking the tag %q: Matroska's text is UTF-8 without zero bytes", t.Name)
	}
	return nil
}

// TagsSize is how many bytes [AppendTags] appends.
func TagsSize(tags []Tag) int {
	if len(tags) == 0 {
		return 0
	}
	return tagsBytes + tagBytes + simpleTagsSize(tags)
}

func simpleTagsSize(tags []Tag) int {
	n := 0
	for i := range tags {
		n += simpleTagBytes + len(tags[i].Name) + len(tags[i].Value)
	}
	return n
}

// AppendTags appends one Tags element with one Tag that holds them all, in order; nothing if there are none. Nothing is checked.
// AWS's producer makes an element of each: to do so, call this with one at a time. The service's GetMedia puts several into one.
// Tags stand before the cluster that they are about, and end the one before.
func AppendTags(dst []byte, tags []Tag) []byte {
	if len(tags) == 0 {
		return dst
	}
	inner := simpleTagsSize(tags)
	dst = appendSize(appendID(dst, idTags), uint64(tagBytes+inner), 8)
	dst = appendSize(appendID(dst, idTag), uint64(inner), 8)
	for i := range tags {
		name, value := tags[i].Name, tags[i].Value
		dst = appendSize(appendID(dst, idSimpleTag), uint64(2+8+len(name)+2+8+len(value)), 8)
		dst = append(appendSize(appendID(dst, idTagName), uint64(len(name)), 8), name...)
		dst = append(appendSize(appendID(dst, idTagString), uint64(len(value)), 8), value...)
	}
	return dst
}

// AppendEndOfFragment ends a fragment without beginning another, so that the service acknowledges it: for the last one before a pause.
func AppendEndOfFragment(dst []byte) []byte {
	return AppendTags(dst, []Tag{{Name: TagEndOfFragment}})
}
