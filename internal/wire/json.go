package wire

import (
	"encoding/base64"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// AWS's JSON 1.1 protocol is smithy's aws.protocols#awsJson1_1
// (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html): one object, members by
// their names, blobs in standard base64. Strings are escaped as smithy-go does it, which
// is encoding/json without HTML's characters, but with DEL.

// What stands around the members of a record.
const (
	jsonData         = `"Data":"`
	jsonExplicitHash = `"ExplicitHashKey":`
	jsonPartitionKey = `"PartitionKey":`
	jsonRecords      = `"Records":[`
	jsonTrue         = `"DryRun":true`
	jsonFalse        = `"DryRun":false`
)

// joint counts the commas of one object.
type joint struct{ members int }

// size is 1 for each member but the first.
func (j *joint) size() int {
	j.members++
	if j.members == 1 {
		return 0
	}
	return 1
}

func (j *joint) append(buf []byte) []byte {
	if j.size() == 0 {
		return buf
	}
	return append(buf, ',')
}

// jsonSize returns the size of a message.
func jsonSize(m *message) int {
	var j joint
	n := len("{}")
	if m.data != nil {
		n += j.size() + jsonBlob(m.data)
	}
	if m.dryRun != nil {
		n += j.size() + len(jsonFalse)
		if *m.dryRun {
			n += len(jsonTrue) - len(jsonFalse)
		}
	}
	if m.records != nil {
		n += j.size() + len(jsonRecords) + len("]") + max(len(m.records)-1, 0)
		for i := range m.records {
			n += jsonRecordSize(&m.records[i])
		}
	}
	for _, t := range m.texts {
		if t.value != nil {
			n += j.size() + jsonText(t.name) + len(":") + jsonText(*t.value)
		}
	}
	return n
}

func jsonRecordSize(r *types.PutRecordsRequestEntry) int {
	var j joint
	n := len("{}")
	if r.Data != nil {
		n += j.size() + jsonBlob(r.Data)
	}
	if r.ExplicitHashKey != nil {
		n += j.size() + len(jsonExplicitHash) + jsonText(*r.ExplicitHashKey)
	}
	if r.PartitionKey != nil {
		n += j.size() + len(jsonPartitionKey) + jsonText(*r.PartitionKey)
	}
	return n
}

func jsonBlob(data []byte) int {
	return len(jsonData) + base64.StdEncoding.EncodedLen(len(data)) + len(`"`)
}

// appendJSON writes a message.
func (p *packed) appendJSON(m *message) {
	var j joint
	buf := append(p.buf, '{')
	if m.data != nil {
		buf = appendJSONBlob(j.append(buf), m.data)
	}
	if m.dryRun != nil {
		if buf = j.append(buf); *m.dryRun {
			buf = append(buf, jsonTrue...)
		} else {
			buf = append(buf, jsonFalse...)
		}
	}
	if m.records != nil {
		buf = append(j.append(buf), jsonRecords...)
		var items joint
		for i := range m.records {
			buf = appendJSONRecord(items.append(buf), &m.records[i])
		}
		buf = append(buf, ']')
	}
	for _, t := range m.texts {
		if t.value != nil {
			buf = append(appendJSONText(j.append(buf), t.name), ':')
			buf = appendJSONText(buf, *t.value)
		}
	}
	p.buf = append(buf, '}')
}

func appendJSONRecord(buf []byte, r *types.PutRecordsRequestEntry) []byte {
	var j joint
	buf = append(buf, '{')
	if r.Data != nil {
		buf = appendJSONBlob(j.append(buf), r.Data)
	}
	if r.ExplicitHashKey != nil {
		buf = appendJSONText(append(j.append(buf), jsonExplicitHash...), *r.ExplicitHashKey)
	}
	if r.PartitionKey != nil {
		buf = appendJSONText(append(j.append(buf), jsonPartitionKey...), *r.PartitionKey)
	}
	return append(buf, '}')
}

// appendJSONBlob encodes straight into the buffer, which has the room.
func appendJSONBlob(buf, data []byte) []byte {
	buf = append(buf, jsonData...)
	from := len(buf)
	to := from + base64.StdEncoding.EncodedLen(len(data))
	buf = buf[:to]
	encodeBase64(buf[from:to], data)
	return append(buf, '"')
}

// jsonText is the size of a text with its quotes.
func jsonText(s string) int {
	n := len(s) + len(`""`)
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			n += escapeSize(c) - 1
			i++
			continue
		}
		r, width := utf8.DecodeRuneInString(s[i:])
		i += width
		switch {
		case r == utf8.RuneError && width == 1:
			n += len("\ufffd") - 1
		case r == '\u2028' || r == '\u2029':
			n += len(`\u2028`) - width
		}
	}
	return n
}

// escapeSize is the size of an ASCII character inside a text.
func escapeSize(c byte) int {
	switch {
	case c == '"', c == '\\', c == '\n', c == '\r', c == '\t':
		return 2
	case c < ' ', c == 0x7f:
		return len(`\u0000`)
	default:
		return 1
	}
}

// appendJSONText writes a text in quotes.
func appendJSONText(buf []byte, s string) []byte {
	buf = append(buf, '"')
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			buf = appendEscaped(buf, c)
			i++
			continue
		}
		r, width := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && width == 1:
			buf = append(buf, "\ufffd"...)
		case r == '\u2028' || r == '\u2029':
			buf = append(buf, '\\', 'u', '2', '0', '2', '0'+byte(r&0xf))
		default:
			buf = append(buf, s[i:i+width]...)
		}
		i += width
	}
	return append(buf, '"')
}

func appendEscaped(buf []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	switch escapeSize(c) {
	case 1:
		return append(buf, c)
	case 2:
		switch c {
		case '\n':
			c = 'n'
		case '\r':
			c = 'r'
		case '\t':
			c = 't'
		}
		return append(buf, '\\', c)
	default:
		return append(buf, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xf])
	}
}
