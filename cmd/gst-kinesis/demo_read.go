//go:build cgo

package main

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"io"
	"sync"

	"gst-kinesis/cmd/gst-kinesis/internal/pipeline"
	"gst-kinesis/cmd/gst-kinesis/internal/status"
	"gst-kinesis/internal/consumer"
	"gst-kinesis/internal/frame"
	"gst-kinesis/internal/listing"
)

// readBack takes what comes back of the stream.
type readBack struct {
	out   io.Writer
	quiet bool

	mu      sync.Mutex // guards the rest; held while printing, which keeps lines whole
	records pipeline.Count
	frames  uint64 // records that hold a picture which can be read
	shards  map[string]bool
	newest  int64  // frame id
	last    []byte // its picture
	buf     []byte
}

// take is the consumer's handler.
func (b *readBack) take(_ context.Context, batch consumer.Batch) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf = b.buf[:0]
	for i := range batch.Records {
		r := &batch.Records[i]
		b.records.Records++
		b.records.Bytes += uint64(len(r.Data))
		b.shards[batch.ShardID] = true
		b.frame(r.Data)
		b.buf = append(b.buf, "read "...)
		b.buf = listing.AppendHead(b.buf, r.SequenceNumber, batch.ShardID, r.PartitionKey, len(r.Data))
	}
	if b.quiet || len(b.buf) == 0 {
		return nil
	}
	_, err := b.out.Write(b.buf)
	return err
}

// frame keeps the picture of the newest frame. Shards come one after the other, so the last that was read need not be it.
func (b *readBack) frame(data []byte) {
	rec, err := frame.Decode(data)
	if err != nil || rec.Meta.Kind != frame.Image {
		return
	}
	if _, err := jpeg.DecodeConfig(bytes.NewReader(rec.Payload)); err != nil {
		return
	}
	b.frames++
	if b.last == nil || rec.Meta.FrameID > b.newest {
		b.newest = rec.Meta.FrameID
		b.last = bytes.Clone(rec.Payload)
	}
}

func (b *readBack) count() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.records.Records
}

// result gives what was read, and the newest picture.
func (b *readBack) result() (pipeline.Count, []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.records, b.last
}

func describeJPEG(data []byte) string {
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return "not readable"
	}
	return fmt.Sprintf("%dx%d, %s", c.Width, c.Height, status.Size(float64(len(data))))
}
