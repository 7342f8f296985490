package streams

import (
	"time"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/shard"
)

// Types of iterators.
const (
	AtSequenceNumber    = "AT_SEQUENCE_NUMBER"
	AfterSequenceNumber = "AFTER_SEQUENCE_NUMBER"
	TrimHorizon         = "TRIM_HORIZON"
	Latest              = "LATEST"
	AtTimestamp         = "AT_TIMESTAMP"
)

// IteratorSpec says where an iterator starts.
type IteratorSpec struct {
	Shard    string
	Type     string
	Sequence *string
	At       *time.Time
}

// Iterator makes a shard iterator, good for five minutes.
func (s *Store) Iterator(name string, spec IteratorSpec) (string, error) {
	index, ok := parseShardID(spec.Shard)
	if !ok {
		return "", apierr.New(apierr.ResourceNotFound, "Could not find shard %s in stream %s under account %s.",
			spec.Shard, name, s.set.Account)
	}
	st, err := s.usable(name)
	if err != nil {
		return "", s.noShard(name, index)
	}
	defer st.mu.Unlock()
	now := s.now()
	if index >= len(st.shards) || st.past(st.shards[index], now) {
		return "", s.noShard(name, index)
	}
	sh := st.shards[index]
	s.expire(st, sh, now)
	position, err := s.position(st, sh, spec, now)
	if err != nil {
		return "", err
	}
	return token{kind: tokenIterator, issued: now, created: st.created, position: position, shard: index, stream: name}.String(), nil
}

func (s *Store) noShard(name string, index int) error {
	return apierr.New(apierr.ResourceNotFound, "Shard %s in stream %s under account %s does not exist",
		ShardID(index), name, s.set.Account)
}

// past tells whether a closed shard is older than the retention, so that nothing of it is left.
func (st *stream) past(sh *shardState, now time.Time) bool {
	return !sh.open() && sh.closedAt.Add(st.retention).Before(now)
}

// position returns the index of the first record that an iterator yields.
func (s *Store) position(st *stream, sh *shardState, spec IteratorSpec, now time.Time) (uint64, error) {
	needs := spec.Type == AtSequenceNumber || spec.Type == AfterSequenceNumber
	if needs != (spec.Sequence != nil) && spec.Type != AtTimestamp {
		has := "no"
		if spec.Sequence != nil {
			has = "also a"
		}
		return 0, apierr.New(apierr.InvalidArgument, "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and "+
			"StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified %s and %s "+
			"StartingSequenceNumber.", spec.Type, has)
	}
	switch spec.Type {
	case TrimHorizon:
		return 0, nil
	case Latest:
		return sh.next, nil
	case AtTimestamp:
		return timePosition(sh, spec.At, now)
	}
	seq, err := s.startingSequence(st, sh, *spec.Sequence)
	if err != nil {
		return 0, err
	}
	if spec.Type == AfterSequenceNumber {
		return seq.Index + 1, nil
	}
	return seq.Index, nil
}

func (s *Store) startingSequence(st *stream, sh *shardState, text string) (Sequence, error) {
	seq, err := ParseSequence(text)
	if err != nil {
		return seq, apierr.New(apierr.InvalidArgument, "StartingSequenceNumber %s used in GetShardIterator on shard %s in "+
			"stream %s under account %s is invalid.", text, sh.id(), st.name, s.set.Account)
	}
	if int(seq.Shard) != sh.index {
		return seq, apierr.New(apierr.InvalidArgument, "Invalid StartingSequenceNumber. It encodes %s, while it was used in a "+
			"call to a shard with %s", ShardID(int(seq.Shard)), sh.id())
	}
	if seq.Created != sh.created {
		return seq, apierr.New(apierr.InvalidArgument, "StartingSequenceNumber %s used in GetShardIterator on shard %s in "+
			"stream %s under account %s is invalid because it did not come from this stream.", text, sh.id(), st.name, s.set.Account)
	}
	return seq, nil
}

func timePosition(sh *shardState, at *time.Time, now time.Time) (uint64, error) {
	if at == nil {
		return 0, apierr.New(apierr.InvalidArgument, "Must specify timestampInMillis parameter for iterator of type "+
			"AT_TIMESTAMP. Current request has no timestamp parameter.")
	}
	if at.After(now) {
		return 0, apierr.New(apierr.InvalidArgument, "The timestampInMillis parameter cannot be greater than the "+
			"currentTimestampInMillis. timestampInMillis: %d, currentTimestampInMillis: %d", at.UnixMilli(), now.UnixMilli())
	}
	if index, ok := sh.records.since(at.UnixMilli()); ok {
		return index, nil
	}
	return sh.next, nil
}

// Batch is the answer to one GetRecords.
type Batch struct {
	Stream       string
	Shard        string
	Records      []Record
	Sequences    []string // of the records, in their order
	Next         string   // empty at the end of a closed shard
	MillisBehind int64
	Children     []ShardInfo // only at the end of a closed shard
}

// Locate returns the stream and shard that an iterator points into, without using it.
func (s *Store) Locate(iterator string) (stream, shardID string, err error) {
	t, ok := parseToken(iterator, tokenIterator)
	if !ok {
		return "", "", apierr.New(apierr.InvalidArgument, "Invalid ShardIterator.")
	}
	return t.stream, ShardID(t.shard), nil
}

// CheckIterator fails if Get would fail for another reason than a limit.
func (s *Store) CheckIterator(iterator string) error {
	st, _, _, err := s.follow(iterator, s.now())
	if err != nil {
		return err
	}
	st.mu.Unlock()
	return nil
}

// follow returns what an iterator points to; the stream comes locked.
func (s *Store) follow(iterator string, now time.Time) (*stream, *shardState, token, error) {
	t, ok := parseToken(iterator, tokenIterator)
	if !ok {
		return nil, nil, t, apierr.New(apierr.InvalidArgument, "Invalid ShardIterator.")
	}
	if now.Sub(t.issued) > shard.IteratorLife {
		return nil, nil, t, apierr.New(apierr.ExpiredIterator, "Iterator expired. The iterator was created at time %s while right "+
			"now it is %s which is further in the future than the tolerated delay of %d milliseconds.",
			javaDate(t.issued), javaDate(now), shard.IteratorLife.Milliseconds())
	}
	st, err := s.usable(t.stream)
	if err != nil {
		return nil, nil, t, s.noShard(t.stream, t.shard)
	}
	if !st.created.Equal(t.created) || t.shard >= len(st.shards) {
		st.mu.Unlock()
		return nil, nil, t, s.noShard(t.stream, t.shard)
	}
	return st, st.shards[t.shard], t, nil
}

// javaDate prints a time as Java's Date does in AWS's messages.
func javaDate(t time.Time) string { return t.UTC().Format("Mon Jan 02 15:04:05 UTC 2006") }

// Get reads up to limit records at an iterator (0: the service's largest answer).
func (s *Store) Get(iterator string, limit int) (Batch, error) {
	now := s.now()
	st, sh, t, err := s.follow(iterator, now)
	if err != nil {
		return Batch{}, err
	}
	defer st.mu.Unlock()
	if s.set.Limits && !sh.readable(now) {
		return Batch{}, s.Throttled(st.name, sh.id())
	}
	s.expire(st, sh, now)
	b := Batch{Stream: st.name, Shard: sh.id()}
	rest := sh.records.from(t.position)
	n, size := span(rest, limit)
	b.Records = append([]Record(nil), rest[:n]...)
	b.Sequences = make([]string, n)
	for i := range b.Records {
		b.Sequences[i] = sh.sequence(b.Records[i].Index, b.Records[i].Arrival).String()
	}
	if s.set.Limits {
		sh.readBytes.owe(float64(size))
	}
	b.MillisBehind = behind(rest, n, now)
	if n == 0 && !sh.open() {
		b.Children = st.childrenOf(sh)
		return b, nil
	}
	if n > 0 {
		t.position = rest[n-1].Index + 1
	}
	t.issued = now
	b.Next = t.String()
	return b, nil
}

// span tells how many records fit one answer, and their size.
func span(rest []Record, limit int) (n, size int) {
	if limit <= 0 || limit > shard.MaxGetRecordsRecords {
		limit = shard.MaxGetRecordsRecords
	}
	for n < len(rest) && n < limit {
		next := rest[n].size()
		if n > 0 && size+next > shard.MaxGetRecordsBytes {
			break
		}
		size += next
		n++
	}
	return n, size
}

// behind is how far an answer of the first n of rest is from the newest record.
func behind(rest []Record, n int, now time.Time) int64 {
	if n == len(rest) {
		return 0
	}
	return max(0, now.UnixMilli()-rest[max(0, n-1)].Arrival)
}
