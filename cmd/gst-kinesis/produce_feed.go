package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/intake"
	"gst-kinesis/internal/producer"
)

// maxKept bounds what is kept of an input that can be read only once and is to be read again.
const maxKept = 64 << 20

// feed is what is read, how often and how fast.
type feed struct {
	sources []*source
	passes  int // 0: without end
	intake  intake.Settings
	pace    *pacer // nil: as fast as it goes
	total   int64  // bytes in all passes; 0: not known, or without end

	read    atomic.Int64 // bytes of the input that records were made of so far
	records int64        // so far
}

// source is one input.
type source struct {
	name   string
	path   string
	in     io.Reader // standard input; nil: a file
	stream bool      // it can be read only once, and reading may wait for ever
	kept   []byte    // all of it, where a stream is read several times
}

// newFeed reads the flags about the input and looks whether all files are there before anything is sent.
func (p *program) newFeed(c *cli.Context, files []string) (*feed, error) {
	f := &feed{intake: intake.Settings{KeepNewline: c.Bool("keep-newline"), LittleEndian: c.Bool("little-endian")}}
	var err error
	if f.intake.Format, err = intake.ParseFormat(c.String("format")); err != nil {
		return nil, usageError("produce: --format: %v", err)
	}
	switch format := f.intake.Format; {
	case f.intake.LittleEndian && format != intake.LengthPrefixed:
		return nil, usageError("produce: --little-endian goes with --format length-prefixed, not %s", format)
	case f.intake.KeepNewline && format > intake.NDJSON:
		return nil, usageError("produce: --keep-newline goes with --format lines or ndjson, not %s", format)
	}
	if f.passes, err = parseRepeat(c.String("repeat")); err != nil {
		return nil, err
	}
	if text := c.String("rate"); text != "" {
		rate, err := parseRate(text)
		if err != nil {
			return nil, usageError("produce: --rate: %v", err)
		}
		f.pace = &pacer{rate: rate, now: p.now, sleep: sleep}
	}
	if len(files) == 0 {
		files = []string{"-"}
	}
	return f, f.addAll(p.in, files)
}

func parseRepeat(text string) (int, error) {
	if text == "forever" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, usageError("produce: --repeat %q is neither a number nor forever", text)
	}
	return n, nil
}

// addAll adds the files; the sum of their sizes is the total, where all have one.
func (f *feed) addAll(stdin io.Reader, files []string) error {
	sum, sized, withStdin := int64(0), true, false
	for _, name := range files {
		if name == "-" {
			if withStdin {
				return usageError("produce: standard input can be read only once")
			}
			f.sources = append(f.sources, &source{name: "standard input", in: stdin, stream: true})
			withStdin, sized = true, false
			continue
		}
		info, err := os.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("produce: %s: there is no such file; nothing was sent", name)
		case err != nil:
			return fmt.Errorf("produce: %w; nothing was sent", err)
		case info.IsDir():
			return fmt.Errorf("produce: %s is a directory; give its files, such as %s/*; nothing was sent", name, name)
		}
		regular := info.Mode().IsRegular()
		sum, sized = sum+info.Size(), sized && regular
		f.sources = append(f.sources, &source{name: name, path: name, stream: !regular})
	}
	if sized {
		f.total = sum * int64(f.passes)
	}
	return nil
}

// typed says whether somebody types the input.
func (f *feed) typed() bool {
	for _, s := range f.sources {
		if w, ok := s.in.(io.Writer); ok && isTerminal(w) {
			return true
		}
	}
	return false
}

// taker takes records one after another; data is only valid during the call.
type taker interface {
	take(ctx context.Context, data []byte) error
}

// run reads all passes. When ctx is done it returns its cause.
func (f *feed) run(ctx context.Context, to taker) error {
	reader := intake.NewReader("", nil, f.intake)
	for pass := 0; f.passes == 0 || pass < f.passes; pass++ {
		before := f.records
		for _, s := range f.sources {
			if err := f.pass(ctx, s, reader, to); err != nil {
				return err
			}
		}
		if f.records == before {
			return nil // there is nothing in it, however often it is read
		}
	}
	return nil
}

// pass reads one input once.
func (f *feed) pass(ctx context.Context, s *source, reader *intake.Reader, to taker) error {
	in, err := s.open(ctx, f.passes != 1)
	if err != nil {
		return orCause(ctx, err)
	}
	defer in.Close()
	reader.Reset(s.name, in)
	before := f.read.Load()
	for ctx.Err() == nil {
		data, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && f.pace != nil {
			err = f.pace.wait(ctx, len(data))
		}
		if err != nil {
			return orCause(ctx, err)
		}
		if err := to.take(ctx, data); err != nil {
			return orCause(ctx, s.explain(err))
		}
		f.records++
		f.read.Store(before + reader.Offset())
	}
	return context.Cause(ctx)
}

// orCause is an error, or why there is no more to be read where that is the reason for it.
func orCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// explain says what to do about a record that was refused.
func (s *source) explain(err error) error {
	if !errors.Is(err, producer.ErrOversize) {
		return err
	}
	return fmt.Errorf("sending %s: %w; raise --max-record if the stream takes larger ones, or set --oversize to drop or split", s.name, err)
}

// open opens an input for one pass; again says that there may be more passes.
func (s *source) open(ctx context.Context, again bool) (io.ReadCloser, error) {
	if s.kept != nil {
		return io.NopCloser(bytes.NewReader(s.kept)), nil
	}
	if !s.stream {
		return s.openFile()
	}
	in := newPump(ctx, s.openFile)
	if !again {
		return io.NopCloser(in), nil
	}
	all, err := io.ReadAll(io.LimitReader(in, maxKept+1))
	if err == nil && len(all) > maxKept {
		err = fmt.Errorf("reading %s: more than 64 MiB cannot be kept for --repeat; write it to a file and give that", s.name)
	}
	if err != nil {
		return nil, err
	}
	s.kept = append(make([]byte, 0, len(all)), all...)
	return io.NopCloser(bytes.NewReader(s.kept)), nil
}

func (s *source) openFile() (io.ReadCloser, error) {
	if s.in != nil {
		return io.NopCloser(s.in), nil
	}
	return os.Open(s.path)
}

// sender puts records into a producer.
type sender struct {
	producer *producer.Producer
	keys     *recordKeys
}

func (s *sender) take(ctx context.Context, data []byte) error {
	r := s.producer.Reserve(len(data))
	copy(r.Data, data)
	key, err := s.keys.next(r.Data)
	r.PartitionKey, r.ExplicitHashKey, r.KeyError = key.Partition, key.Hash, err
	return s.producer.Put(ctx, r)
}
