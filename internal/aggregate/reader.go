package aggregate

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the format demands MD5
	"iter"

	"google.golang.org/protobuf/encoding/protowire"

	"gst-kinesis/internal/shard"
)

// maxTable is the most entries of a key table that a Reader takes. An aggregate of
// 10 MiB with a key of its own for each record stays far below it.
const maxTable = 1 << 20

// Record is one user record of an aggregate.
type Record struct {
	// Index is the subsequence number, from 0.
	Index int
	// PartitionKey is as the producer gave it; it is not checked to be UTF-8.
	PartitionKey string
	// ExplicitHash is the explicit hash key in decimal, "" if there is none.
	ExplicitHash string
	// Data is a part of the aggregate's own bytes.
	Data []byte
}

// Hash is the hash key that decides on the record's shard. The error is that of an
// explicit hash key that is no number below 2^128.
func (r *Record) Hash() (shard.Hash, error) {
	if r.ExplicitHash != "" {
		return shard.ParseHash(r.ExplicitHash)
	}
	return shard.HashKey(r.PartitionKey), nil
}

// Is reports whether data is an aggregated record: magic number, MD5 sum and a
// message that can be read. It allocates nothing, and costs nothing for records
// without the magic number.
func Is(data []byte) bool {
	message, ok := open(data)
	if ok {
		_, ok = scan(message)
	}
	return ok
}

// Reader takes aggregates apart, one after another. It keeps its tables between
// aggregates, and the strings of keys that stay the same, so that in the steady
// state nothing is allocated. The zero value is ready for use.
type Reader struct {
	message []byte
	n       int
	keys    []string
	hashes  []string
}

// Open begins to read an aggregate and reports whether data is one, as [Is] does.
// If it is not, the Reader is empty. The data is referred to until the next Open,
// and must not change until then.
func (r *Reader) Open(data []byte) bool {
	r.message, r.n = nil, 0
	message, ok := open(data)
	if !ok {
		return false
	}
	s, ok := scan(message)
	if !ok {
		return false
	}
	r.keys = fill(r.keys, message, fieldKeys, s.usedKeys)
	r.hashes = fill(r.hashes, message, fieldHashes, s.usedHashes)
	r.message, r.n = message, s.records
	return true
}

// Len is the number of user records in the aggregate.
func (r *Reader) Len() int { return r.n }

// All yields the user records in their order. Their data are subslices of the
// aggregate, their keys strings of their own.
func (r *Reader) All() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		rest := r.message
		for i := 0; i < r.n; {
			f, _ := nextField(&rest) // scan has seen that all can be read
			if f.number != fieldRecords || f.kind != protowire.BytesType {
				continue
			}
			entry, _ := readRecord(f.bytes)
			record := Record{Index: i, PartitionKey: r.keys[entry.key], Data: entry.data}
			if entry.hasHash {
				record.ExplicitHash = r.hashes[entry.hash]
			}
			if !yield(record) {
				return
			}
			i++
		}
	}
}

// Within reports whether the hash keys of all user records lie in the range of a
// shard. Where one does not, KCL throws the whole aggregate away.
func (r *Reader) Within(shardRange shard.Range) bool {
	for record := range r.All() {
		hash, err := record.Hash()
		if err != nil || !shardRange.Contains(hash) {
			return false
		}
	}
	return true
}

// open gives the protobuf message of an aggregate whose MD5 sum is right. A message
// of no bytes does not count, as with KCL.
func open(data []byte) ([]byte, bool) {
	if len(data) <= frameBytes || string(data[:len(magic)]) != magic {
		return nil, false
	}
	message := data[len(magic) : len(data)-md5.Size]
	sum := md5.Sum(message) //nolint:gosec // see above
	return message, bytes.Equal(sum[:], data[len(data)-md5.Size:])
}

// shape is what a first pass learns of a message.
type shape struct {
	keys, hashes, records int
	usedKeys, usedHashes  int // how many entries of the tables the records need
}

// scan checks a whole message: after it nothing in the message can fail.
func scan(message []byte) (s shape, ok bool) {
	var topKey, topHash uint64 // one more than the greatest index
	for rest := message; len(rest) > 0; {
		f, ok := nextField(&rest)
		if !ok {
			return s, false
		}
		if f.kind != protowire.BytesType {
			continue // of an unknown field, or one that is not what it should be, which protobuf takes as unknown
		}
		switch f.number {
		case fieldKeys:
			s.keys++
		case fieldHashes:
			s.hashes++
		case fieldRecords:
			entry, ok := readRecord(f.bytes)
			if !ok || entry.key >= maxTable || entry.hash >= maxTable {
				return s, false
			}
			topKey = max(topKey, entry.key+1)
			if entry.hasHash {
				topHash = max(topHash, entry.hash+1)
			}
			s.records++
		}
	}
	s.usedKeys, s.usedHashes = int(topKey), int(topHash)
	return s, s.usedKeys <= s.keys && s.usedHashes <= s.hashes && s.keys <= maxTable && s.hashes <= maxTable
}

// fill reads the first n entries of a key table. A string that is the same as the
// one in its place before is kept instead of being made again.
func fill(table []string, message []byte, number protowire.Number, n int) []string {
	if n < len(table) {
		clear(table[n:])
		table = table[:n]
	}
	i := 0
	for rest := message; i < n; {
		f, _ := nextField(&rest)
		if f.number != number || f.kind != protowire.BytesType {
			continue
		}
		switch {
		case i == len(table):
			table = append(table, string(f.bytes))
		case table[i] != string(f.bytes):
			table[i] = string(f.bytes)
		}
		i++
	}
	return table
}

// entry is a Record message.
type entry struct {
	key, hash uint64
	hasHash   bool
	data      []byte
}

// readRecord reads a Record message, and fails if a required field is missing. Of a
// field that comes twice the last holds, as everywhere in protobuf.
func readRecord(message []byte) (e entry, ok bool) {
	hasKey, hasData := false, false
	for len(message) > 0 {
		f, ok := nextField(&message)
		if !ok {
			return e, false
		}
		switch {
		case f.number == fieldKeyIndex && f.kind == protowire.VarintType:
			e.key, hasKey = f.varint, true
		case f.number == fieldHashIndex && f.kind == protowire.VarintType:
			e.hash, e.hasHash = f.varint, true
		case f.number == fieldData && f.kind == protowire.BytesType:
			e.data, hasData = f.bytes, true
		}
	}
	return e, hasKey && hasData
}

// field is one field of a message: bytes or varint is set, as its kind says.
type field struct {
	number protowire.Number
	kind   protowire.Type
	varint uint64
	bytes  []byte
}

// nextField takes one field off a message that is not empty.
func nextField(message *[]byte) (f field, ok bool) {
	number, kind, n := protowire.ConsumeTag(*message)
	if n < 0 {
		return f, false
	}
	f.number, f.kind = number, kind
	rest := (*message)[n:]
	switch kind {
	case protowire.VarintType:
		f.varint, n = protowire.ConsumeVarint(rest)
	case protowire.BytesType:
		f.bytes, n = protowire.ConsumeBytes(rest)
		f.bytes = f.bytes[:len(f.bytes):len(f.bytes)] // appending must not write into the record
	default:
		n = protowire.ConsumeFieldValue(number, kind, rest)
	}
	if n < 0 {
		return f, false
	}
	*message = rest[n:]
	return f, true
}
