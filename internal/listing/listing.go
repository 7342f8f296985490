// Package listing shows records to people and programs: a line for each, JSON,
// or everything that a record holds.
package listing

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gst-kinesis/internal/frame"
)

// Record is what is shown of a record of a stream.
type Record struct {
	SequenceNumber string
	ShardID        string
	PartitionKey   string
	Arrived        time.Time
	Data           []byte
}

// AppendLine appends the one-line form and a line feed:
//
//	SequenceNumber=… ShardId=… PartitionKey=… Bytes=…
//
// A value with spaces, quotes or control characters is quoted as Go does it.
func AppendLine(dst []byte, r Record) []byte {
	return AppendHead(dst, r.SequenceNumber, r.ShardID, r.PartitionKey, len(r.Data))
}

// AppendHead appends the one-line form of a record whose data is elsewhere.
func AppendHead(dst []byte, sequence, shard, key string, size int) []byte {
	dst = appendPair(dst, "SequenceNumber", sequence)
	dst = appendPair(append(dst, ' '), "ShardId", shard)
	dst = appendPair(append(dst, ' '), "PartitionKey", key)
	dst = strconv.AppendInt(append(dst, " Bytes="...), int64(size), 10)
	return append(dst, '\n')
}

func appendPair(dst []byte, name, value string) []byte {
	dst = append(append(dst, name...), '=')
	if !utf8.ValidString(value) || strings.ContainsFunc(value, func(c rune) bool { return c == '"' || c == ' ' || !strconv.IsGraphic(c) }) {
		return strconv.AppendQuote(dst, value)
	}
	return append(dst, value...)
}

// Indent is the indentation of the pretty form.
const Indent = "    "

// AppendJSON appends a record as JSON and a line feed: data that is JSON as it
// is, a msgpack frame as the same map with base64, and anything else as an
// object that says where the record came from, with its data in base64. Pretty
// puts each value on a line of its own, else all is on one.
func AppendJSON(dst []byte, r Record, pretty bool) []byte {
	buf := bytes.NewBuffer(dst)
	var err error
	if data := asJSON(r); pretty {
		err = json.Indent(buf, data, "", Indent)
	} else {
		err = json.Compact(buf, data)
	}
	if err != nil { // asJSON returns valid JSON only
		panic("listing: " + err.Error())
	}
	return append(buf.Bytes(), '\n')
}

func asJSON(r Record) []byte {
	if trimmed := bytes.TrimSpace(r.Data); json.Valid(trimmed) {
		return trimmed
	}
	if rec, err := frame.Decode(r.Data); err == nil {
		return frame.AppendJSON(nil, &rec.Meta, rec.Payload, false)
	}
	data, err := json.Marshal(map[string]string{
		"SequenceNumber": r.SequenceNumber,
		"ShardId":        r.ShardID,
		"PartitionKey":   r.PartitionKey,
		"Data":           base64.StdEncoding.EncodeToString(r.Data),
	})
	if err != nil { // strings always marshal
		panic("listing: " + err.Error())
	}
	return data
}
