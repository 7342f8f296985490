package aggregate

import (
	"crypto/md5" //nolint:gosec // the format demands MD5
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// The field numbers. All tags take one byte.
const (
	fieldKeys    = 1
	fieldHashes  = 2
	fieldRecords = 3

	fieldKeyIndex  = 1
	fieldHashIndex = 2
	fieldData      = 3

	tagBytes = 1
)

// none stands for "no explicit hash key".
const none = -1

// Writer builds one aggregate after another. It copies the payloads when the
// aggregate is written and not before, so they stay the caller's and must not
// change until then. In the steady state nothing is allocated. The zero value is
// an empty aggregate, ready for use.
type Writer struct {
	keys    table
	hashes  table
	records []userRecord
	message int // bytes of the protobuf message so far
}

// userRecord is one record and where its keys stand; hash may be none.
type userRecord struct {
	data      []byte
	key, hash int32
}

// Reset empties the aggregate and lets go of the payloads and keys.
func (w *Writer) Reset() {
	w.keys.reset()
	w.hashes.reset()
	clear(w.records)
	w.records = w.records[:0]
	w.message = 0
}

// Len is the number of records in the aggregate.
func (w *Writer) Len() int { return len(w.records) }

// Size is the exact number of bytes that [Writer.AppendTo] appends, magic number
// and MD5 sum included; 0 while there is no record.
func (w *Writer) Size() int {
	if len(w.records) == 0 {
		return 0
	}
	return frameBytes + w.message
}

// SizeWith is what Size would be after Add with these keys and a payload of
// dataLen bytes. The aggregate's own partition key, which counts towards the
// service's limits, comes on top.
func (w *Writer) SizeWith(key, explicitHash string, dataLen int) int {
	n := frameBytes + w.message
	keyIndex, hashIndex := w.keys.find(key), int32(none)
	if keyIndex == w.keys.len() {
		n += entryBytes(key)
	}
	if explicitHash != "" {
		if hashIndex = w.hashes.find(explicitHash); hashIndex == w.hashes.len() {
			n += entryBytes(explicitHash)
		}
	}
	return n + tagBytes + protowire.SizeBytes(recordBytes(keyIndex, hashIndex, dataLen))
}

// Add adds a record; explicitHash is the decimal form of its explicit hash key, or
// "" for none. Neither key is checked (see package shard). The data is kept, not
// copied, until Reset.
func (w *Writer) Add(key, explicitHash string, data []byte) {
	r := userRecord{data: data, key: w.keys.find(key), hash: none}
	if r.key == w.keys.len() {
		w.message += entryBytes(key)
		w.keys.add(key)
	}
	if explicitHash != "" {
		if r.hash = w.hashes.find(explicitHash); r.hash == w.hashes.len() {
			w.message += entryBytes(explicitHash)
			w.hashes.add(explicitHash)
		}
	}
	w.message += tagBytes + protowire.SizeBytes(recordBytes(r.key, r.hash, len(data)))
	w.records = append(w.records, r)
}

// AppendTo appends the aggregate to dst and leaves the Writer as it is. It does
// not allocate if dst has room for Size bytes. Of no records it appends nothing,
// because that would be no aggregate to readers.
func (w *Writer) AppendTo(dst []byte) []byte {
	if len(w.records) == 0 {
		return dst
	}
	dst = append(slices.Grow(dst, w.Size()), magic...)
	start := len(dst)
	dst = w.keys.appendTo(dst, fieldKeys)
	dst = w.hashes.appendTo(dst, fieldHashes)
	for i := range w.records {
		r := &w.records[i]
		dst = protowire.AppendTag(dst, fieldRecords, protowire.BytesType)
		dst = protowire.AppendVarint(dst, uint64(recordBytes(r.key, r.hash, len(r.data))))
		dst = protowire.AppendTag(dst, fieldKeyIndex, protowire.VarintType)
		dst = protowire.AppendVarint(dst, uint64(r.key))
		if r.hash != none {
			dst = protowire.AppendTag(dst, fieldHashIndex, protowire.VarintType)
			dst = protowire.AppendVarint(dst, uint64(r.hash))
		}
		dst = protowire.AppendTag(dst, fieldData, protowire.BytesType)
		dst = protowire.AppendBytes(dst, r.data)
	}
	sum := md5.Sum(dst[start:]) //nolint:gosec // see above
	return append(dst, sum[:]...)
}

// entryBytes is what a new entry of a key table takes.
func entryBytes(s string) int { return tagBytes + protowire.SizeBytes(len(s)) }

// recordBytes is the length of a Record message.
func recordBytes(key, hash int32, dataLen int) int {
	n := tagBytes + protowire.SizeVarint(uint64(key)) + tagBytes + protowire.SizeBytes(dataLen)
	if hash != none {
		n += tagBytes + protowire.SizeVarint(uint64(hash))
	}
	return n
}

// table holds different strings in the order in which they came.
type table struct {
	list  []string
	index map[string]int32
	last  int32 // the entry that was found last: records of one sensor come in runs
}

func (t *table) len() int32 { return int32(len(t.list)) }

// find gives the place of s, or the table's length if s is not in it.
func (t *table) find(s string) int32 {
	if int(t.last) < len(t.list) && t.list[t.last] == s {
		return t.last
	}
	i, ok := t.index[s]
	if !ok {
		return t.len()
	}
	t.last = i
	return i
}

// add appends s, which is not in the table.
func (t *table) add(s string) {
	if t.index == nil {
		t.index = make(map[string]int32)
	}
	t.last = t.len()
	t.index[s] = t.last
	t.list = append(t.list, s)
}

func (t *table) reset() {
	clear(t.index)
	clear(t.list)
	t.list, t.last = t.list[:0], 0
}

func (t *table) appendTo(dst []byte, field protowire.Number) []byte {
	for _, s := range t.list {
		dst = protowire.AppendTag(dst, field, protowire.BytesType)
		dst = protowire.AppendString(dst, s)
	}
	return dst
}
