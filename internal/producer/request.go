package producer

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// request is one PutRecords request with the records and lanes it holds. It is
// used again and again.
type request struct {
	records []*Record // by units; without aggregation in the order they were accepted
	units   []unit
	first   *Record // the one accepted first
	lanes   []*lane // held by it
	bytes   int     // data and partition keys
	sent    instant
	called  instant // when the call under way, or the last one, began
	silent  bool    // it was told that no answer comes

	// Guarded by the producer's mu, like all above while records are moved.
	cancel    context.CancelFunc // the call under way
	cutReason string             // the call was cut, for this reason
	cutUpTo   uint64             // and records up to here are given up

	// Of the sender that performs it.
	packer  packer
	packed  []byte
	input   kinesis.PutRecordsInput
	entries []types.PutRecordsRequestEntry
	answer  Answer
	stopped bool // after a failure the rest of a divided request is not tried
	barren  int  // calls without success since it was divided
}

// flight is the requests under way, and those to be used again.
type flight struct {
	requests []*request
	free     []*request
}

// begin returns an empty request that counts as under way.
func (f *flight) begin(now instant) *request {
	var q *request
	if n := len(f.free); n > 0 {
		q, f.free = f.free[n-1], f.free[:n-1]
	} else {
		q = new(request)
	}
	q.sent = now
	f.requests = append(f.requests, q)
	return q
}

// end takes a request that is done out of those under way and empties it.
func (f *flight) end(q *request) {
	for i, other := range f.requests {
		if other == q {
			last := len(f.requests) - 1
			f.requests[i] = f.requests[last]
			f.requests[last] = nil
			f.requests = f.requests[:last]
			break
		}
	}
	clear(q.records)
	clear(q.lanes)
	clear(q.entries[:cap(q.entries)])
	clear(q.answer.Records[:cap(q.answer.Records)])
	*q = request{
		records: q.records[:0], units: q.units[:0], lanes: q.lanes[:0], entries: q.entries[:0],
		packer: q.packer, packed: q.packed[:0],
		answer: Answer{Records: q.answer.Records[:0]},
	}
	f.free = append(f.free, q)
}

// oldest returns the oldest record under way, nil if there is none.
func (f *flight) oldest() *Record {
	var found *Record
	for _, q := range f.requests {
		if q.first != nil && (found == nil || q.first.seq < found.seq) {
			found = q.first
		}
	}
	return found
}

// isCut reports whether any call is being cut: what it holds may go back to the spool.
func (f *flight) isCut() bool {
	return slices.ContainsFunc(f.requests, func(q *request) bool { return q.cutReason != "" })
}

// holds reports whether a record up to a sequence number is under way.
func (f *flight) holds(upTo uint64) bool {
	r := f.oldest()
	return r != nil && r.seq <= upTo
}

// hold makes a lane wait for the end of the request.
func (q *request) hold(l *lane) {
	if !slices.Contains(q.lanes, l) {
		l.held++
		q.lanes = append(q.lanes, l)
	}
}

// cut ends the call of a request, whose records up to a sequence number are given
// up for a reason.
func (q *request) cut(reason string, upTo uint64) {
	q.cutReason, q.cutUpTo = reason, upTo
	if q.cancel != nil {
		q.cancel()
	}
}

// emptyData is the data of an empty record: the SDK takes nil for none at all.
var emptyData = []byte{} //nolint:gochecknoglobals // never written to

// address makes the input of the entries.
func (q *request) address(s *Settings) {
	q.input = kinesis.PutRecordsInput{Records: q.entries}
	if s.StreamARN != "" {
		q.input.StreamARN = aws.String(s.StreamARN)
	} else {
		q.input.StreamName = aws.String(s.Stream)
	}
}

// trim frees what requests that are not in use keep.
func (f *flight) trim() {
	for _, q := range f.free {
		q.packed = nil
	}
}
