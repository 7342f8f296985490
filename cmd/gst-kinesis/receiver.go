package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"gst-kinesis/internal/consumer"
	"gst-kinesis/internal/listing"
	"gst-kinesis/internal/saving"
)

// errEnough ends the reading when all records asked for are there.
var errEnough = errors.New("all records asked for were read")

// receiver prints and saves what the shards' readers bring, one batch at a
// time.
type receiver struct {
	out                 io.Writer
	folder              *saving.Folder // nil: nothing is saved
	limit               int            // 0: none
	quiet, json, pretty bool
	came                chan struct{} // told of records, never waited for

	mu                    sync.Mutex // held while printing, which keeps lines whole
	records, files, total int
	buf                   []byte
}

// take is the consumer's handler.
func (r *receiver) take(_ context.Context, b consumer.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.limit > 0 {
		b.Records = b.Records[:min(len(b.Records), r.limit-r.records)]
	}
	if err := r.print(b); err != nil {
		return err
	}
	for i := range b.Records {
		if err := r.save(b.ShardID, &b.Records[i]); err != nil {
			return err
		}
		r.records++
		r.total += len(b.Records[i].Data)
	}
	if len(b.Records) > 0 {
		select {
		case r.came <- struct{}{}:
		default:
		}
	}
	if r.limit > 0 && r.records >= r.limit {
		return errEnough
	}
	return nil
}

func (r *receiver) print(b consumer.Batch) error {
	if r.quiet {
		return nil
	}
	r.buf = r.buf[:0]
	for i := range b.Records {
		rec := &b.Records[i]
		l := listing.Record{
			SequenceNumber: rec.SequenceNumber, ShardID: b.ShardID, PartitionKey: rec.PartitionKey, Arrived: rec.Arrived, Data: rec.Data,
		}
		if r.json || r.pretty {
			r.buf = listing.AppendJSON(r.buf, l, r.pretty)
		} else {
			r.buf = listing.AppendLine(r.buf, l)
		}
	}
	if _, err := r.out.Write(r.buf); err != nil {
		return fmt.Errorf("printing records: %w", err)
	}
	return nil
}

func (r *receiver) save(shardID string, rec *consumer.Record) error {
	if r.folder == nil {
		return nil
	}
	_, err := r.folder.Save(saving.Record{ShardID: shardID, SequenceNumber: rec.SequenceNumber, Data: rec.Data})
	if err == nil {
		r.files++
	}
	return err
}

func (r *receiver) count() int { return r.number(&r.records) }
func (r *receiver) bytes() int { return r.number(&r.total) }
func (r *receiver) saved() int { return r.number(&r.files) }

func (r *receiver) number(of *int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return *of
}
