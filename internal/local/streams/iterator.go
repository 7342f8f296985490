package streams

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// A token is what iterators and page tokens look like to clients: opaque base64. It holds
//
//	8 bytes  1, as AWS's iterators start
//	1 byte   kind
//	8 bytes  unix milliseconds of issue
//	8 bytes  unix milliseconds of the stream's creation
//	8 bytes  position
//	4 bytes  shard index
//	n bytes  stream name
//	16 bytes HMAC-SHA-256 of all before, cut
//
// The key is no secret: the HMAC only tells our tokens from garbage, and tokens outlive a restart.
type token struct {
	kind     byte
	issued   time.Time
	created  time.Time
	position uint64
	shard    int
	stream   string
}

const (
	tokenVersion  = 1
	tokenIterator = 'i'
	tokenShards   = 's'
	tokenStreams  = 'l'

	tokenHead = 8 + 1 + 8 + 8 + 8 + 4
	tokenSum  = 16
)

func tokenMAC(b []byte) []byte {
	mac := hmac.New(sha256.New, []byte("gst-kinesis local token"))
	mac.Write(b)
	return mac.Sum(nil)[:tokenSum]
}

func (t token) String() string {
	b := make([]byte, 0, tokenHead+len(t.stream)+tokenSum)
	b = binary.BigEndian.AppendUint64(b, tokenVersion)
	b = append(b, t.kind)
	b = binary.BigEndian.AppendUint64(b, uint64(t.issued.UnixMilli()))
	b = binary.BigEndian.AppendUint64(b, uint64(t.created.UnixMilli()))
	b = binary.BigEndian.AppendUint64(b, t.position)
	b = binary.BigEndian.AppendUint32(b, uint32(t.shard))
	b = append(b, t.stream...)
	return base64.StdEncoding.EncodeToString(append(b, tokenMAC(b)...))
}

// parseToken returns ok false for what this endpoint never made.
func parseToken(text string, kind byte) (t token, ok bool) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) < tokenHead+tokenSum {
		return token{}, false
	}
	body, sum := b[:len(b)-tokenSum], b[len(b)-tokenSum:]
	if !hmac.Equal(sum, tokenMAC(body)) || binary.BigEndian.Uint64(body) != tokenVersion || body[8] != kind {
		return token{}, false
	}
	return token{
		kind:     kind,
		issued:   time.UnixMilli(int64(binary.BigEndian.Uint64(body[9:]))).UTC(),
		created:  time.UnixMilli(int64(binary.BigEndian.Uint64(body[17:]))).UTC(),
		position: binary.BigEndian.Uint64(body[25:]),
		shard:    int(binary.BigEndian.Uint32(body[33:])),
		stream:   string(body[tokenHead:]),
	}, true
}
