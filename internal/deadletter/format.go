package deadletter

// # Specification
//
// A letter is a JSON object (RFC 8259) in UTF-8 on one line:
//
//	v                    1, the version; a reader refuses later ones and passes over keys that it does not know
//	code                 the error code of the last try that failed, left out if none did
//	reason               why the record was given up: a reason of the books (docs/data-streams.md), or AWS's error code
//	tries                how often it was sent
//	accepted             when it was put, RFC 3339 in UTC with up to 9 digits of a second; left out where it is not known
//	written              when the letter was written, likewise
//	pts                  the timestamp of the buffer in nanoseconds; left out where there is none
//	stream, region       where the record was to go: a name or an ARN, and its region
//	partition_key        its partition key
//	explicit_hash_key    its explicit hash key; left out where there is none
//	size                 bytes of the data
//	crc32c               CRC-32C of the data, 8 hex digits
//	data                 the data in base64 (RFC 4648, padded)
//
// A text that is not UTF-8, which a bad key may be, stands in partition_key_base64 or
// explicit_hash_key_base64 instead. In a reason it is replaced by U+FFFD.
//
// In a file and in an object of S3 each letter ends with a line feed. A last line
// without one is what a failed write left; it was promised to nobody and is passed over,
// unless it is a whole letter.
//
// In a record of a stream base64 would make a third of the records too large for where
// they came from. There the object has no data; it ends with a line feed, and all that
// follows is the data as it is. A letter that does not fit a record even so comes in
// parts; package envelope says how, and package consumer puts them together.

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"time"
	"unicode/utf8"

	"gst-kinesis/internal/producer"
)

// version is the version of the format that is written.
const version = 1

// Letter is a letter as it lies in its place.
type Letter struct {
	producer.Letter
	// Written is when the letter was written.
	Written time.Time
	// Stream, a name or an ARN, and Region say where the record was to go.
	Stream, Region string
}

// header is a letter's JSON.
type header struct {
	Version         int       `json:"v"`
	Reason          string    `json:"reason"`
	Code            string    `json:"code,omitempty"`
	Tries           int       `json:"tries"`
	Accepted        time.Time `json:"accepted,omitzero"`
	Written         time.Time `json:"written,omitzero"`
	PTS             *uint64   `json:"pts,omitempty"`
	Stream          string    `json:"stream,omitempty"`
	Region          string    `json:"region,omitempty"`
	PartitionKey    string    `json:"partition_key"`
	RawPartitionKey []byte    `json:"partition_key_base64,omitempty"`
	ExplicitHashKey string    `json:"explicit_hash_key,omitempty"`
	RawHashKey      []byte    `json:"explicit_hash_key_base64,omitempty"`
	Size            int       `json:"size"`
	Sum             string    `json:"crc32c"`
	Data            []byte    `json:"data,omitempty"`
}

// The errors of what is no letter.
var (
	errNoLetter = errors.New("it is no letter: JSON with v, reason and size is expected")
	errSize     = errors.New("its data has not the size that it says: it is cut or damaged")
	errSum      = errors.New("its data does not match its checksum: it is damaged")
	errLater    = errors.New("it is of a later version: a newer gst-kinesis reads it")
	errTooLong  = errors.New("its line is longer than any letter")
)

func sumOf(data []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
}

// head returns a letter's JSON without the data and without the end of the line.
func (l *Letter) head() ([]byte, error) {
	h := header{
		Version: version, Reason: strings.ToValidUTF8(l.Reason, "\ufffd"), Code: strings.ToValidUTF8(l.Code, "\ufffd"), Tries: l.Tries, Accepted: l.Accepted.UTC(), Written: l.Written.UTC(),
		Stream: l.Stream, Region: l.Region, PartitionKey: l.PartitionKey, ExplicitHashKey: l.ExplicitHashKey, Size: len(l.Data), Sum: sumOf(l.Data),
	}
	if !utf8.ValidString(l.PartitionKey) {
		h.PartitionKey, h.RawPartitionKey = "", []byte(l.PartitionKey)
	}
	if !utf8.ValidString(l.ExplicitHashKey) {
		h.ExplicitHashKey, h.RawHashKey = "", []byte(l.ExplicitHashKey)
	}
	if l.PTS != producer.NoPTS {
		h.PTS = &l.PTS
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encoding a letter: %w", err)
	}
	return text, nil
}

const (
	dataBegins = `,"data":"`
	lineEnds   = "\"}\n"
)

// lineBytes is how long a letter's line is, given its head.
func (l *Letter) lineBytes(head []byte) int {
	return len(head) - 1 + len(dataBegins) + base64.StdEncoding.EncodedLen(len(l.Data)) + len(lineEnds)
}

// appendLine appends the letter as a line, given its head.
func (l *Letter) appendLine(dst, head []byte) []byte {
	dst = append(dst, head[:len(head)-1]...)
	dst = append(dst, dataBegins...)
	dst = base64.StdEncoding.AppendEncode(dst, l.Data)
	return append(dst, lineEnds...)
}

// record returns the letter as a record of a stream.
func (l *Letter) record() ([]byte, error) {
	head, err := l.head()
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(head)+1+len(l.Data))
	out = append(append(out, head...), '\n')
	return append(out, l.Data...), nil
}

// decode reads a letter in either form. The letter's data may be a part of it.
func decode(text []byte) (Letter, error) {
	line, rest, _ := bytes.Cut(text, []byte{'\n'})
	var h header
	if err := json.Unmarshal(line, &h); err != nil {
		return Letter{}, fmt.Errorf("%w (%w)", errNoLetter, err)
	}
	switch {
	case h.Version > version:
		return Letter{}, errLater
	case h.Version != version || h.Sum == "":
		return Letter{}, errNoLetter
	case h.Data == nil:
		h.Data = rest
	case len(rest) > 0:
		return Letter{}, errSize
	}
	switch {
	case len(h.Data) != h.Size:
		return Letter{}, errSize
	case sumOf(h.Data) != strings.ToLower(h.Sum):
		return Letter{}, errSum
	}
	l := Letter{Written: h.Written, Stream: h.Stream, Region: h.Region, Letter: producer.Letter{
		Reason: h.Reason, Code: h.Code, PartitionKey: h.PartitionKey, ExplicitHashKey: h.ExplicitHashKey, Data: h.Data, PTS: producer.NoPTS, Tries: h.Tries, Accepted: h.Accepted,
	}}
	if h.RawPartitionKey != nil {
		l.PartitionKey = string(h.RawPartitionKey)
	}
	if h.RawHashKey != nil {
		l.ExplicitHashKey = string(h.RawHashKey)
	}
	if h.PTS != nil {
		l.PTS = *h.PTS
	}
	return l, nil
}
