package wire

import (
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Size is what a record or a request amounts to.
type Size struct {
	// Payload is data and partition keys in bytes, which is what the service bounds (at
	// 10 MiB a request) and bills.
	Payload int
	// Wire is the encoded body in bytes, exactly.
	Wire int
}

// Record returns the size of one record in a format. A request is its records and what
// stands around them; in JSON there is also a comma before each record but the first.
func (f Format) Record(r *types.PutRecordsRequestEntry) Size {
	if f == CBOR {
		return Size{payloadOf(r), cborRecordSize(r)}
	}
	return Size{payloadOf(r), jsonRecordSize(r)}
}

// Request returns the size of a request in a format.
func (f Format) Request(in *kinesis.PutRecordsInput) Size {
	m := putRecords(in)
	if f == CBOR {
		size, _ := cborSize(&m)
		return Size{m.payload(), size}
	}
	return Size{m.payload(), jsonSize(&m)}
}
