package video

import (
	"strconv"
	"time"

	"gst-kinesis/internal/local/videostreams"
)

// Types of acknowledgements. Source: API reference, PutMedia, Acknowledgement.
const (
	AckBuffering = "BUFFERING" // the first bytes of a fragment came
	AckReceived  = "RECEIVED"  // all of it came
	AckPersisted = "PERSISTED" // it is stored, where the stream stores at all
	AckError     = "ERROR"     // and the session ends
	AckIdle      = "IDLE"      // nothing comes; of no fragment
)

// Ack is one acknowledgement.
type Ack struct {
	At       time.Time // by the injected clock, when it was written
	Type     string
	Timecode int64 // ms, as the cluster has it
	Number   videostreams.Number
	ErrorID  int // of AckError
}

// Ids of errors. Source: API reference, PutMedia; names as AWS's SDK for Java has them.
const (
	errRead         = 4000
	errSize         = 4001
	errDuration     = 4002
	errConnection   = 4003
	errTimecode     = 4004
	errMKV          = 4006
	errProducerTime = 4007
	errDeleted      = 4008
	errTags         = 4009
	errTrackNumber  = 4010
	errFramesMiss   = 4011
	errTracks       = 4012
	errArchival     = 5001
)

// errorCode names an error id.
func errorCode(id int) string {
	names := map[int]string{
		4000: "STREAM_READ_ERROR", 4001: "MAX_FRAGMENT_SIZE_REACHED", 4002: "MAX_FRAGMENT_DURATION_REACHED",
		4003: "MAX_CONNECTION_DURATION_REACHED", 4004: "FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS", 4005: "MORE_THAN_ALLOWED_TRACKS_FOUND",
		4006: "INVALID_MKV_DATA", 4007: "INVALID_PRODUCER_TIMESTAMP", 4008: "STREAM_NOT_ACTIVE", 4009: "FRAGMENT_METADATA_LIMIT_REACHED",
		4010: "TRACK_NUMBER_MISMATCH", 4011: "FRAMES_MISSING_FOR_TRACK", 4012: "MORE_THAN_ALLOWED_TRACKS_FOUND",
		4500: "KMS_KEY_ACCESS_DENIED", 4501: "KMS_KEY_DISABLED", 4502: "KMS_KEY_VALIDATION_ERROR", 4503: "KMS_KEY_UNAVAILABLE",
		4504: "KMS_KEY_INVALID_USAGE", 4505: "KMS_KEY_INVALID_STATE", 4506: "KMS_KEY_NOT_FOUND", 4507: "STREAM_DELETED",
		5000: "INTERNAL_ERROR", 5001: "ARCHIVAL_ERROR",
	}
	if name, known := names[id]; known {
		return name
	}
	return "ERROR_" + strconv.Itoa(id)
}

// append writes the line of an acknowledgement, its members in the order of the service.
func (a *Ack) append(dst []byte) []byte {
	dst = append(append(append(dst, `{"EventType":"`...), a.Type...), '"')
	if !a.Number.IsZero() {
		dst = strconv.AppendInt(append(dst, `,"FragmentTimecode":`...), a.Timecode, 10)
		dst = append(append(append(dst, `,"FragmentNumber":"`...), a.Number.String()...), '"')
	}
	if a.Type == AckError {
		dst = append(append(append(dst, `,"ErrorCode":"`...), errorCode(a.ErrorID)...), '"')
		dst = strconv.AppendInt(append(dst, `,"ErrorId":`...), int64(a.ErrorID), 10)
	}
	return append(dst, "}\n"...)
}
