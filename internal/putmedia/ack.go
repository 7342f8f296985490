package putmedia

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"gst-kinesis/internal/awserr"
)

// AckType is what an acknowledgement says of a fragment.
type AckType string

// The types. Source: API reference of PutMedia.
const (
	Buffering AckType = "BUFFERING" // its first bytes have come
	Received  AckType = "RECEIVED"  // all of it has
	Persisted AckType = "PERSISTED" // it is stored
	Failed    AckType = "ERROR"     // it is refused, and the session ends
	Idle      AckType = "IDLE"      // nothing: the connection lives
)

// Ack is an acknowledgement of the service.
type Ack struct {
	Type AckType `json:"EventType"`
	// Timecode is the fragment's as it was sent, in ms; HasTimecode says that it was told.
	Timecode    int64 `json:"-"`
	HasTimecode bool  `json:"-"`
	// Number is the service's own of the fragment.
	Number string `json:"FragmentNumber"`
	// ErrorID and ErrorCode say why it was refused.
	ErrorID   int    `json:"ErrorId"`
	ErrorCode string `json:"ErrorCode"`

	// Latency is the time since the fragment was begun to be sent; 0 where it is not known.
	Latency time.Duration `json:"-"`
	// ProducerTime is the fragment's time in ms since 1970, whatever Timecode counts from.
	ProducerTime int64 `json:"-"`
}

// acks reads acknowledgements: JSON objects one after another, whatever white space lies
// between.
type acks struct {
	r    *bufio.Reader
	text []byte
}

// mostAckBytes bounds what an acknowledgement may take.
const mostAckBytes = 16 << 10

// errAcks is an answer in which there is something else.
var errAcks = errors.New("the answer holds something else than acknowledgements")

func newAcks(r io.Reader) *acks { return &acks{r: bufio.NewReaderSize(r, 4<<10)} }

// next blocks until there is one more, and returns it as soon as its last byte is there;
// io.EOF at the end of the answer.
func (a *acks) next() (Ack, error) {
	if err := a.object(); err != nil {
		return Ack{}, err
	}
	var raw struct {
		Ack
		Timecode *int64 `json:"FragmentTimecode"`
	}
	if err := json.Unmarshal(a.text, &raw); err != nil {
		return Ack{}, fmt.Errorf("reading acknowledgements: %w: %w", errAcks, err)
	}
	if raw.Timecode != nil {
		raw.Ack.Timecode, raw.HasTimecode = *raw.Timecode, true
	}
	return raw.Ack, nil
}

// object reads the text of one object.
func (a *acks) object() error {
	a.text = a.text[:0]
	depth, quoted, escaped := 0, false, false
	for {
		c, err := a.r.ReadByte()
		switch {
		case err != nil && len(a.text) > 0 && errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err //nolint:wrapcheck // of the connection, or the end
		case len(a.text) == 0 && (c == '\n' || c == '\r' || c == ' ' || c == '\t'):
			continue
		case len(a.text) == 0 && c != '{', len(a.text) >= mostAckBytes:
			return fmt.Errorf("reading acknowledgements: %w: %q", errAcks, append(a.text[:min(len(a.text), 100)], c))
		}
		a.text = append(a.text, c)
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return nil
			}
		}
	}
}

// AckError is an acknowledgement by which the service refuses a fragment.
type AckError struct{ Ack }

// Error names the service's word and number for it.
func (e *AckError) Error() string { return fmt.Sprintf("%s (%d)", e.code(), e.ErrorID) }

// code is the service's word, or the one that belongs to the number.
func (e *AckError) code() string {
	if e.ErrorCode != "" {
		return e.ErrorCode
	}
	if r, known := refusals[e.ErrorID]; known {
		return r.code
	}
	return "ERROR_" + strconv.Itoa(e.ErrorID)
}

// response is what is done about a refusal.
type response int8

const (
	resend response = iota // the fragment again, in the next session
	skip                   // the others, in the next session
	again                  // the fragment once more, in a session that begins with it; then skip
	bear                   // as with every error that stays until somebody mends it
)

// refusal is what is known of an error id.
type refusal struct {
	code     string
	response response
	remedy   string
}

const (
	remedyKey    = "see that the stream's KMS key is enabled and that its policy lets the stream use it"
	remedyTracks = "send one video and one audio track at most"
)

// refusals are the service's errors. Source: API reference of PutMedia, error codes; which
// of them pass by themselves as AWS's own producer has it.
var refusals = map[int]refusal{
	4000: {"STREAM_READ_ERROR", resend, ""},
	4001: {"MAX_FRAGMENT_SIZE_REACHED", skip, "lower the bitrate, or let key frames come more often: a fragment has at most 50 MB"},
	4002: {"MAX_FRAGMENT_DURATION_REACHED", skip, "let key frames come more often: a fragment lasts at most 20 s"},
	4003: {"MAX_CONNECTION_DURATION_REACHED", resend, ""},
	4004: {"FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS", again, "see that timestamps do not go back"},
	4005: {"MORE_THAN_ALLOWED_TRACKS_FOUND", bear, remedyTracks},
	4006: {"INVALID_MKV_DATA", skip, ""},
	4007: {"INVALID_PRODUCER_TIMESTAMP", bear, "set the machine's clock"},
	4008: {"STREAM_NOT_ACTIVE", bear, "wait until the stream is active, or see why it is not"},
	4009: {"FRAGMENT_METADATA_LIMIT_REACHED", skip, "add less metadata: a fragment takes 10 tags"},
	4010: {"TRACK_NUMBER_MISMATCH", bear, ""},
	4011: {"FRAMES_MISSING_FOR_TRACK", again, "see that audio and video both come, or leave out the one that does not"},
	4012: {"MORE_THAN_ALLOWED_TRACKS_FOUND", bear, remedyTracks},
	4500: {"KMS_KEY_ACCESS_DENIED", bear, remedyKey},
	4501: {"KMS_KEY_DISABLED", bear, remedyKey},
	4502: {"KMS_KEY_VALIDATION_ERROR", bear, remedyKey},
	4503: {"KMS_KEY_UNAVAILABLE", resend, remedyKey},
	4504: {"KMS_KEY_INVALID_USAGE", bear, remedyKey},
	4505: {"KMS_KEY_INVALID_STATE", bear, remedyKey},
	4506: {"KMS_KEY_NOT_FOUND", bear, remedyKey},
	4507: {"STREAM_DELETED", bear, "create the stream, or set allow-create-stream"},
	5000: {"INTERNAL_ERROR", resend, ""},
	5001: {"ARCHIVAL_ERROR", resend, ""},
}

// response is what to do; of ids that are not known it is to try again.
func (e *AckError) response() response { return refusals[e.ErrorID].response }

// fault classifies the refusal.
func (e *AckError) fault() awserr.Fault {
	f := awserr.Fault{
		Class: awserr.Transient, Party: awserr.Service, Code: e.code(),
		Message: fmt.Sprintf("the service answered %s (%d)", e.code(), e.ErrorID), Remedy: refusals[e.ErrorID].remedy,
	}
	switch e.response() {
	case skip:
		f.Class, f.Party = awserr.RecordFault, awserr.Record
	case bear:
		f.Class, f.Party = awserr.Permanent, awserr.Caller
	case resend, again:
	}
	return f
}
