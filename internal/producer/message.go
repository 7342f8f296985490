package producer

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"gst-kinesis/internal/envelope"
	"gst-kinesis/internal/shard"
)

// Oversize is what happens to a record that is larger than the stream takes.
type Oversize int32

const (
	// OversizeDrop drops it (oversize).
	OversizeDrop Oversize = iota
	// OversizeError refuses it: Put returns an error that wraps ErrOversize.
	OversizeError
	// OversizeSplit sends it in parts, which readers of this project put together
	// again and others cannot read; see package envelope.
	OversizeSplit
)

// String returns the nick of the value.
func (o Oversize) String() string {
	switch o {
	case OversizeDrop:
		return "drop"
	case OversizeError:
		return "error"
	case OversizeSplit:
		return "split"
	default:
		return "Oversize(" + strconv.Itoa(int(o)) + ")"
	}
}

// ParseOversize reads a nick.
func ParseOversize(s string) (Oversize, error) {
	for o := OversizeDrop; o <= OversizeSplit; o++ {
		if s == o.String() {
			return o, nil
		}
	}
	return 0, fmt.Errorf("reading what happens to large records: %q is none of drop, error, split", s)
}

// ErrOversize is the error of a record that is larger than the stream takes.
var ErrOversize = errors.New("the record is larger than max-record-size")

// message is what was put as one record and is sent as several, its parts. They
// follow each other in a lane. It is delivered when all of them are, and lost when
// the first one is; what is left of it then is thrown away.
type message struct {
	left   int  // parts that are neither delivered nor lost
	lost   bool // counted as that
	reason string
	kept   bool // for that the whole stays in the spool
}

// isHusk reports whether a record is what is left of a message that was lost.
func (r *Record) isHusk() bool { return r.message != nil && r.message.lost }

// shaper makes of a record what is sent: compressed, or in parts.
type shaper struct {
	mu      sync.Mutex // the encoder's; taken before the producer's mu is, never with it
	encoder *envelope.Encoder
}

func newShaper(s *Settings) (*shaper, error) {
	if s.Compression == envelope.None && s.Oversize != OversizeSplit {
		return nil, nil //nolint:nilnil // there is nothing to shape
	}
	encoder, err := envelope.NewEncoder(envelope.EncoderSettings{Codec: s.Compression})
	if err != nil {
		return nil, err
	}
	return &shaper{encoder: encoder}, nil
}

// recordFault is what is wrong with a record.
type recordFault struct {
	reason string
	err    error
}

// shape returns the record as it is sent, in parts if need be, or itself with what is
// wrong with it. Where it is not among the parts it is the caller's still.
func (p *Producer) shape(r *Record) (parts list, fault recordFault) {
	r.payload = len(r.Data)
	parts.pushBack(r)
	if fault = inspectKeys(r); fault.reason != "" {
		return parts, fault
	}
	if p.shaper != nil {
		return p.envelop(r)
	}
	if p.excess(r) > 0 {
		return parts, recordFault{ReasonOversize, ErrOversize}
	}
	return parts, recordFault{}
}

// envelop compresses a record, and splits it if it is too large and that is asked for.
func (p *Producer) envelop(r *Record) (parts list, fault recordFault) {
	s := p.shaper
	s.mu.Lock()
	defer s.mu.Unlock()
	body, smaller := s.encoder.Compress(r.Data)
	if !smaller && p.excess(r) <= 0 {
		parts.pushBack(r)
		return parts, recordFault{}
	}
	pieces, err := s.encoder.Split(body, p.largest()-len(r.PartitionKey))
	if err != nil || pieces.Len() > 1 && p.settings.Oversize != OversizeSplit {
		parts.pushBack(r)
		return parts, recordFault{ReasonOversize, ErrOversize}
	}
	var whole *message
	if pieces.Len() > 1 {
		whole = &message{left: pieces.Len()}
	}
	for i := range pieces.Len() {
		part := p.pool.take(pieces.Size(i))
		part.Data = pieces.AppendTo(part.Data[:0], i)
		part.PartitionKey, part.ExplicitHashKey, part.PTS, part.Token = r.PartitionKey, r.ExplicitHashKey, r.PTS, r.Token
		part.payload, part.message, part.spool = r.payload, whole, r.spool
		parts.pushBack(part)
	}
	return parts, recordFault{}
}

// excess is by how many bytes a record is too large.
func (p *Producer) excess(r *Record) int {
	size := r.size()
	if p.settings.Aggregation == AggregateNewline && !bytes.HasSuffix(r.Data, []byte{'\n'}) {
		size++
	}
	return size - p.largest()
}

func inspectKeys(r *Record) recordFault {
	if r.KeyError != nil {
		return recordFault{ReasonBadKey, r.KeyError}
	}
	if err := shard.ValidateKey(r.PartitionKey); err != nil {
		return recordFault{ReasonBadKey, err}
	}
	if r.ExplicitHashKey != "" {
		if _, err := shard.ParseHash(r.ExplicitHashKey); err != nil {
			return recordFault{ReasonBadKey, err}
		}
	}
	return recordFault{}
}

// arrive accounts for a record that the service took; it reports whether that
// delivers what was put.
func (p *Producer) arrive(r *Record) bool {
	p.leave(r)
	r.state = delivered
	if m := r.message; m != nil {
		if m.left--; m.left > 0 || m.lost {
			return false
		}
	}
	p.books.InFlight.sub(r.payload)
	p.books.Delivered.add(r.payload)
	p.finished(r)
	return true
}

// lose drops a record that is held, and with it what it is a part of.
func (p *Producer) lose(r *Record, reason string) {
	r.reason, r.state = reason, lost
	if m := r.message; m != nil {
		m.left--
		if r.untold = m.lost; !m.lost {
			m.lost, m.reason = true, reason
		}
	}
	if m := r.message; m != nil && m.kept || p.keeps(r, reason) {
		p.keep(r)
		return
	}
	if p.becomesLetter(reason) { // in flight until it is written
		return
	}
	p.leave(r)
	if !r.untold {
		p.finished(r)
		p.books.InFlight.sub(r.payload)
		p.books.drop(reason, r.payload)
	}
}

// keep gives a record up that stays in the spool.
func (p *Producer) keep(r *Record) {
	r.kept = true
	p.leave(r)
	if r.untold {
		return
	}
	if r.message != nil {
		r.message.kept = true
	}
	p.leaveSpooled(r)
}

// skipHusks throws away what is left of lost messages at the front of a lane, for the
// reason that the message was lost for; the dispatcher buries it.
func (p *Producer) skipHusks(l *lane) {
	for l.waiting.n > 0 && l.waiting.head.isHusk() {
		p.loseFirst(l, l.waiting.head.message.reason, &p.husks)
	}
}
