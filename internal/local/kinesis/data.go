package kinesis

import (
	"fmt"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/local/codec"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/front"
	"gst-kinesis/internal/local/streams"
	"gst-kinesis/internal/shard"
)

// addDataPlane adds the operations that carry records: they tell the books what they moved and the fault rules which
// shards they touch.
func addDataPlane(ops map[string]operation) {
	ops["PutRecord"] = operation{
		in: codec.ShapeOf[putRecordInput](), out: codec.ShapeOf[putRecordOutput](),
		input: func() any { return new(putRecordInput) },
		run:   func(s *Service, in any) (any, front.Books, error) { return s.putRecord(in.(*putRecordInput)) },
		subject: func(s *Service, in any) fault.Subject {
			p := in.(*putRecordInput)
			return s.putSubject(p.StreamName, p.StreamARN, []putRecordsEntry{{PartitionKey: p.PartitionKey, ExplicitHashKey: p.ExplicitHashKey}})
		},
	}
	ops["PutRecords"] = operation{
		in: codec.ShapeOf[putRecordsInput](), out: codec.ShapeOf[putRecordsOutput](),
		input: func() any { return new(putRecordsInput) },
		run:   func(s *Service, in any) (any, front.Books, error) { return s.putRecords(in.(*putRecordsInput)) },
		subject: func(s *Service, in any) fault.Subject {
			p := in.(*putRecordsInput)
			return s.putSubject(p.StreamName, p.StreamARN, p.Records)
		},
	}
	iterator := define((*Service).getShardIterator, func(in *getShardIteratorInput) (name, arn *string) { return in.StreamName, in.StreamARN })
	named := iterator.subject
	iterator.subject = func(s *Service, in any) fault.Subject {
		sub := named(s, in)
		id := *in.(*getShardIteratorInput).ShardId
		sub.Shards = func() []string { return []string{id} }
		return sub
	}
	ops["GetShardIterator"] = iterator
	ops["GetRecords"] = operation{
		carries: true,
		in:      codec.ShapeOf[getRecordsInput](), out: codec.ShapeOf[getRecordsOutput](),
		input: func() any { return new(getRecordsInput) },
		run:   func(s *Service, in any) (any, front.Books, error) { return s.getRecords(in.(*getRecordsInput)) },
		subject: func(s *Service, in any) fault.Subject {
			stream, id, err := s.store.Locate(*in.(*getRecordsInput).ShardIterator)
			if err != nil {
				return fault.Subject{}
			}
			return fault.Subject{Stream: stream, Shards: func() []string { return []string{id} }}
		},
	}
}

// putSubject says which shards a put goes to.
func (s *Service) putSubject(name, arn *string, entries []putRecordsEntry) fault.Subject {
	stream := s.named(name, arn)
	return fault.Subject{Stream: stream, Shards: func() []string {
		items, err := items(entries)
		if err != nil {
			return nil
		}
		return s.store.Owners(stream, items)
	}}
}

// items finds each record's hash key.
func items(entries []putRecordsEntry) ([]streams.Item, error) {
	list := make([]streams.Item, len(entries))
	for i := range entries {
		e := &entries[i]
		list[i] = streams.Item{Key: *e.PartitionKey, Data: e.Data}
		if e.ExplicitHashKey == nil {
			list[i].Hash = shard.HashKey(*e.PartitionKey)
			continue
		}
		var err error
		if list[i].Hash, err = shard.ParseHash(*e.ExplicitHashKey); err != nil {
			return nil, apierr.New(apierr.InvalidArgument, "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: "+
				"[0, 2^128-1]. Specified value was %s", *e.ExplicitHashKey)
		}
	}
	return list, nil
}

// put checks what a put must fulfil as a whole and stores the records.
func (s *Service) put(operation string, nameIn, arn *string, entries []putRecordsEntry, at func(i int) string, dry *bool) (streams.PutResult, error) {
	name, err := s.store.Resolve(nameIn, arn)
	if err != nil {
		return streams.PutResult{}, err
	}
	most, err := s.store.MaxRecord(name)
	if err != nil {
		return streams.PutResult{}, err
	}
	list, err := items(entries)
	if err != nil {
		return streams.PutResult{}, err
	}
	total := 0
	for i := range list {
		n := len(list[i].Data) + len(list[i].Key)
		if n > most {
			return streams.PutResult{}, tooLarge(at(i), len(list[i].Data), most)
		}
		total += n
	}
	if total > shard.MaxRequestBytes {
		return streams.PutResult{}, apierr.New(apierr.InvalidArgument, "Records size exceeds 10 MB limit")
	}
	if err := dryRun(dry); err != nil {
		return streams.PutResult{}, err
	}
	return s.store.Put(name, list, func(id string) *apierr.Error {
		return s.faults.Record(operation, name, id, func() *apierr.Error { return s.store.Throttled(name, id) })
	})
}

// tooLarge words a record beyond the stream's limit as AWS words one beyond the largest limit there is.
func tooLarge(at string, n, most int) error {
	return apierr.New(apierr.Validation, "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=%d cap=%d]' at '%s' "+
		"failed to satisfy constraint: Member must have length less than or equal to %d", n, n, at, most)
}

func (s *Service) putRecord(in *putRecordInput) (any, front.Books, error) {
	name, err := s.store.Resolve(in.StreamName, in.StreamARN)
	if err == nil && in.SequenceNumberForOrdering != nil {
		err = s.store.CheckOrdering(name, *in.SequenceNumberForOrdering)
	}
	if err != nil {
		return nil, front.Books{}, err
	}
	entry := putRecordsEntry{PartitionKey: in.PartitionKey, ExplicitHashKey: in.ExplicitHashKey, Data: in.Data}
	res, err := s.put("PutRecord", in.StreamName, in.StreamARN, []putRecordsEntry{entry}, func(int) string { return "data" }, in.DryRun)
	if err != nil {
		return nil, front.Books{}, err
	}
	if refused := res.Placed[0].Err; refused != nil {
		return nil, front.Books{Failed: 1}, refused
	}
	books := front.Books{Records: 1, Bytes: int64(len(in.Data) + len(*in.PartitionKey))}
	return &putRecordOutput{EncryptionType: encrypted(res.Encryption), SequenceNumber: res.Placed[0].Sequence,
		ShardId: res.Placed[0].Shard}, books, nil
}

func (s *Service) putRecords(in *putRecordsInput) (any, front.Books, error) {
	at := func(i int) string { return fmt.Sprintf("records.%d.member.data", i+1) }
	res, err := s.put("PutRecords", in.StreamName, in.StreamARN, in.Records, at, in.DryRun)
	if err != nil {
		return nil, front.Books{}, err
	}
	out := &putRecordsOutput{EncryptionType: encrypted(res.Encryption), Records: make([]putRecordsResult, len(res.Placed))}
	var books front.Books
	for i := range res.Placed {
		p := &res.Placed[i]
		if p.Err != nil {
			books.Failed++
			out.Records[i] = putRecordsResult{ErrorCode: &p.Err.Code, ErrorMessage: &p.Err.Message}
			continue
		}
		books.Records++
		books.Bytes += int64(len(in.Records[i].Data) + len(*in.Records[i].PartitionKey))
		out.Records[i] = putRecordsResult{SequenceNumber: &p.Sequence, ShardId: &p.Shard}
	}
	out.FailedRecordCount = int32(books.Failed)
	return out, books, nil
}

// encrypted returns the encryption for answers, which leave it out while there is none.
func encrypted(kind string) *string {
	if kind == streams.EncryptionNone {
		return nil
	}
	return &kind
}

func (s *Service) getShardIterator(in *getShardIteratorInput) (*getShardIteratorOutput, error) {
	name, err := s.store.Resolve(in.StreamName, in.StreamARN)
	if err != nil {
		return nil, err
	}
	it, err := s.store.Iterator(name, streams.IteratorSpec{Shard: *in.ShardId, Type: *in.ShardIteratorType,
		Sequence: in.StartingSequenceNumber, At: in.Timestamp})
	if err == nil {
		err = dryRun(in.DryRun)
	}
	if err != nil {
		return nil, err
	}
	return &getShardIteratorOutput{ShardIterator: it}, nil
}

func (s *Service) getRecords(in *getRecordsInput) (any, front.Books, error) {
	if in.DryRun != nil && *in.DryRun {
		if err := s.store.CheckIterator(*in.ShardIterator); err != nil {
			return nil, front.Books{}, err
		}
		return nil, front.Books{}, dryRun(in.DryRun)
	}
	batch, err := s.store.Get(*in.ShardIterator, or(in.Limit, 0))
	if err != nil {
		return nil, front.Books{}, err
	}
	out := &getRecordsOutput{MillisBehindLatest: batch.MillisBehind, NextShardIterator: filled(batch.Next),
		Records: make([]recordOutput, len(batch.Records))}
	books := front.Books{Records: len(batch.Records)}
	kms := streams.EncryptionKMS
	for i := range batch.Records {
		r := &batch.Records[i]
		out.Records[i] = recordOutput{ApproximateArrivalTimestamp: r.ArrivalTime(), Data: r.Data, PartitionKey: r.Key,
			SequenceNumber: batch.Sequences[i]}
		if r.Encrypted {
			out.Records[i].EncryptionType = &kms
		}
		books.Bytes += int64(len(r.Data) + len(r.Key))
	}
	for _, c := range batch.Children {
		out.ChildShards = append(out.ChildShards, childOutput(c))
	}
	return out, books, nil
}

func childOutput(c streams.ShardInfo) childShard {
	parents := []string{c.Parent}
	if c.AdjacentParent != "" {
		parents = append(parents, c.AdjacentParent)
	}
	return childShard{HashKeyRange: hashKeyRange{StartingHashKey: c.Start, EndingHashKey: c.End}, ParentShards: parents, ShardId: c.ID}
}
