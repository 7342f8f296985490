package envelope

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// windowBytes is how far back zstd looks for what it has seen. It bounds what an
// Encoder holds, and any reader of zstd takes a window of this size.
const windowBytes = 1 << 20

// EncoderSettings choose what an Encoder does.
type EncoderSettings struct {
	// Codec None compresses nothing: the Encoder only splits.
	Codec Codec
	// Level is 1 (fastest) to 9 for gzip and to 22 for zstd; 0 is the codec's default,
	// 6 and 3. Levels of zstd are grouped to four, below 3, 6, 10 and above.
	Level int
	// Random is where the first half of ids comes from; nil means crypto/rand.
	Random io.Reader
}

// Encoder compresses and splits messages. It is used by one goroutine at a time. It
// keeps a buffer as large as the largest compressed message so far and what the
// codec holds: 1.5 MB for gzip; 4 MB for zstd, 7 MB from level 6 on and 37 MB from
// level 10 on.
type Encoder struct {
	codec   Codec
	prefix  [8]byte
	counter uint64
	gzip    *gzip.Writer
	zstd    *zstd.Encoder
	out     buffer // what Compress wrote last
}

// NewEncoder checks the settings and returns an Encoder.
func NewEncoder(s EncoderSettings) (*Encoder, error) {
	e := &Encoder{codec: s.Codec}
	if s.Random == nil {
		s.Random = rand.Reader
	}
	if _, err := io.ReadFull(s.Random, e.prefix[:]); err != nil {
		return nil, fmt.Errorf("drawing the message ids' prefix: %w", err)
	}
	if err := e.open(s.Level); err != nil {
		return nil, fmt.Errorf("preparing compression %s: %w", s.Codec, err)
	}
	return e, nil
}

// open makes the compressor, which is used again for each message.
func (e *Encoder) open(level int) (err error) {
	most := map[Codec]int{None: 0, Gzip: 9, Zstd: 22}
	switch top, known := most[e.codec]; {
	case !known:
		return fmt.Errorf("there is no such codec")
	case level < 0 || level > top:
		return fmt.Errorf("level %d is not within 0..%d", level, top)
	}
	switch e.codec {
	case Gzip:
		if level == 0 {
			level = 6
		}
		e.gzip, err = gzip.NewWriterLevel(&e.out, level)
	case Zstd:
		if level == 0 {
			level = 3
		}
		e.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(windowBytes),
			zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)))
	}
	return err
}

// Body is a message ready to be split: as it was, or compressed as a whole.
type Body struct {
	Data     []byte
	Codec    Codec
	Original int // bytes of the message when decompressed
}

// Whole is a message as it is.
func Whole(payload []byte) Body { return Body{Data: payload, Codec: None, Original: len(payload)} }

// Compress compresses a message and reports whether that made it smaller by more
// than a header. If it did, Body.Data is the Encoder's and holds until the next
// Compress; if not, or if the codec is None, the Body is the payload itself: it is
// sent without an envelope if it fits a record, and split as it is if not. In the
// steady state nothing is allocated.
func (e *Encoder) Compress(payload []byte) (Body, bool) {
	if len(payload) <= Overhead || len(payload) > MaxSize {
		return Whole(payload), false
	}
	switch e.codec {
	case Gzip:
		e.out.data = e.out.data[:0]
		e.gzip.Reset(&e.out)
		_, _ = e.gzip.Write(payload) // writing to memory does not fail
		_ = e.gzip.Close()
	case Zstd:
		e.out.data = e.zstd.EncodeAll(payload, e.out.data[:0])
	default:
		return Whole(payload), false
	}
	if len(e.out.data)+Overhead >= len(payload) {
		return Whole(payload), false
	}
	return Body{Data: e.out.data, Codec: e.codec, Original: len(payload)}, true
}

// Split gives a message a new id and divides it into as few parts as go with
// records of at most maxRecord bytes, header included; what else counts towards the
// service's limit (the partition key) is the caller's to take off. The parts are
// equally long but for the last, and refer to the body, which is copied when they
// are written. A Body that fits becomes one part.
func (e *Encoder) Split(b Body, maxRecord int) (Parts, error) {
	room := maxRecord - Overhead
	switch {
	case room < 1:
		return Parts{}, fmt.Errorf("splitting a message: records of %d bytes leave no room beside the header of %d", maxRecord, Overhead)
	case len(b.Data) > MaxSize || b.Original > MaxSize:
		return Parts{}, fmt.Errorf("splitting a message: %d bytes: %w", max(len(b.Data), b.Original), ErrTooLarge)
	}
	count := countOf(len(b.Data), room)
	if count > MaxParts {
		return Parts{}, fmt.Errorf("splitting a message: it would take %d parts, more than %d: %w", count, MaxParts, ErrTooLarge)
	}
	h := Header{Codec: b.Codec, Count: count, Size: len(b.Data), Original: b.Original, Sum: sumOf(b.Data)}
	h.Count = countOf(h.Size, h.partBytes()) // parts of equal length may turn out to be fewer
	e.counter++
	copy(h.ID[:8], e.prefix[:])
	binary.BigEndian.PutUint64(h.ID[8:], e.counter)
	return Parts{header: h, body: b.Data}, nil
}

// Parts are the records of one message. They may be used by several goroutines.
type Parts struct {
	header Header
	body   []byte
}

// ID is the message's id.
func (p *Parts) ID() ID { return p.header.ID }

// Len is the number of parts, at least 1.
func (p *Parts) Len() int { return p.header.Count }

// Size is the exact number of bytes of part i, header included.
func (p *Parts) Size(i int) int {
	h := p.at(i)
	return Overhead + h.bodyBytes()
}

// AppendTo appends part i to dst. It does not allocate if dst has room for its Size.
func (p *Parts) AppendTo(dst []byte, i int) []byte {
	h := p.at(i)
	return h.append(dst, p.body[h.offset():h.offset()+h.bodyBytes()])
}

func (p *Parts) at(i int) Header {
	if i < 0 || i >= p.header.Count {
		panic(fmt.Sprintf("envelope: part %d of %d", i, p.header.Count))
	}
	h := p.header
	h.Index = i
	return h
}

// buffer is a writer to memory that is used again.
type buffer struct{ data []byte }

func (b *buffer) Write(p []byte) (int, error) {
	b.data = append(b.data, p...)
	return len(p), nil
}
