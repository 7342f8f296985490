package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Decoder decompresses messages. It is used by one goroutine at a time, and keeps
// its decompressors from message to message: some 200 KB, and with zstd a reference
// to the message that it made last.
type Decoder struct {
	limit int
	in    bytes.Reader
	more  [1]byte // what comes after a message: nothing
	gzip  *gzip.Reader
	zstd  *zstd.Decoder
}

// NewDecoder returns a Decoder that refuses messages of more than limit bytes,
// from 1 to MaxSize; 0 means DefaultMaxMessage.
func NewDecoder(limit int) (*Decoder, error) {
	if limit == 0 {
		limit = DefaultMaxMessage
	}
	if limit < 1 || limit > MaxSize {
		return nil, fmt.Errorf("preparing decompression: a limit of %d bytes is not within 1..%d", limit, MaxSize)
	}
	return &Decoder{limit: limit}, nil
}

// Append appends the message to dst: body is all bodies of the message joined, h
// the header of any of its parts. What a message claims to be is checked before
// memory is taken for it, and what is beyond the claim is never written. The error
// wraps [ErrTooLarge] or [ErrCorrupt], and dst is then returned as it was.
func (d *Decoder) Append(dst []byte, h Header, body []byte) ([]byte, error) {
	if h.Original < 0 || h.Original > d.limit {
		return dst, fmt.Errorf("decompressing a message: %w: %d bytes, limit %d", ErrTooLarge, h.Original, d.limit)
	}
	out := slices.Grow(dst, h.Original)
	out = out[: len(dst)+h.Original : len(dst)+h.Original]
	var err error
	switch h.Codec {
	case None:
		if len(body) != h.Original {
			err = errLength
		}
		copy(out[len(dst):], body)
	case Gzip:
		err = d.gunzip(out[len(dst):], body)
	case Zstd:
		err = d.unzstd(out[len(dst):], body)
	default:
		err = fmt.Errorf("there is no codec %d", h.Codec)
	}
	if err != nil {
		return dst, fmt.Errorf("decompressing a message: %w: %s: %w", ErrCorrupt, h.Codec, err)
	}
	return out, nil
}

var errLength = errors.New("the length is not what the header says")

// gunzip fills out, and fails if body does not make exactly that.
func (d *Decoder) gunzip(out, body []byte) (err error) {
	d.in.Reset(body)
	defer d.in.Reset(nil)
	if d.gzip == nil {
		d.gzip, err = gzip.NewReader(&d.in)
	} else {
		err = d.gzip.Reset(&d.in)
	}
	if err != nil {
		return err
	}
	d.gzip.Multistream(false)
	if _, err := io.ReadFull(d.gzip, out); err != nil {
		if errors.Is(err, io.EOF) {
			return errLength
		}
		return err
	}
	switch n, err := d.gzip.Read(d.more[:]); {
	case n > 0 || err == nil:
		return errLength
	case !errors.Is(err, io.EOF): // the checksum at the end is read with the end
		return err
	case d.in.Len() > 0:
		return errors.New("something follows the end")
	}
	return nil
}

// unzstd fills out, and fails if body does not make exactly that.
func (d *Decoder) unzstd(out, body []byte) (err error) {
	if d.zstd == nil {
		d.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1),
			zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderLowmem(true))
		if err != nil {
			return err
		}
	}
	made, err := d.zstd.DecodeAll(body, out[:0])
	if err == nil && len(made) != len(out) {
		err = errLength
	}
	return err
}
