package consumer

import (
	"gst-kinesis/internal/aggregate"
	"gst-kinesis/internal/envelope"
)

// unpacker gives records as they were put: it takes aggregates apart (KPL's format),
// decompresses, and puts large records together again that came in parts. What it is
// not made of passes through as it is. One for each shard's reader.
type unpacker struct {
	c       *Consumer
	shardID string
	reader  aggregate.Reader
}

// unpack returns the records of an answer. Those whose parts have not all come are left
// out; they take the place of their last part.
func (u *unpacker) unpack(records []Record) []Record {
	if !isPacked(records) {
		return records
	}
	out := make([]Record, 0, len(records))
	for _, r := range records {
		if !u.reader.Open(r.Data) {
			out = u.whole(out, r)
			continue
		}
		for user := range u.reader.All() {
			r.PartitionKey, r.Data, r.Index = user.PartitionKey, user.Data, user.Index
			out = u.whole(out, r)
		}
	}
	return out
}

// isPacked reports whether any record is not as it was put.
func isPacked(records []Record) bool {
	for i := range records {
		if envelope.Is(records[i].Data) || aggregate.Is(records[i].Data) {
			return true
		}
	}
	return false
}

// whole appends a record if it is whole, or the last part that was missing of one.
func (u *unpacker) whole(out []Record, r Record) []Record {
	data, ok, err := u.c.parts.Add(envelope.Place{Source: u.shardID, Position: r.SequenceNumber}, r.Data)
	if err != nil {
		u.c.warn.discard(err, u.shardID, r.SequenceNumber)
	}
	if !ok {
		return out
	}
	r.Data = data
	return append(out, r)
}
