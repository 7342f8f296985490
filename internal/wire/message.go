package wire

import (
	"reflect"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
)

// message is a request as both formats write it: the members that are set, in the order
// in which the SDK writes them, so that the JSON is the SDK's byte for byte.
type message struct {
	target  string // the operation, as X-Amz-Target names it
	data    []byte // of PutRecord
	dryRun  *bool
	records []types.PutRecordsRequestEntry // of PutRecords
	texts   [6]text
}

// text is a member that is a string; without a value it is left out.
type text struct {
	name  string
	value *string
}

// targetPrefix stands before the operation's name in X-Amz-Target.
const targetPrefix = "Kinesis_20131202."

func putRecords(in *kinesis.PutRecordsInput) message {
	return message{
		target: targetPrefix + "PutRecords", dryRun: in.DryRun, records: in.Records,
		texts: [6]text{{"StreamARN", in.StreamARN}, {"StreamId", in.StreamId}, {"StreamName", in.StreamName}},
	}
}

func putRecord(in *kinesis.PutRecordInput) message {
	return message{
		target: targetPrefix + "PutRecord", data: in.Data, dryRun: in.DryRun,
		texts: [6]text{
			{"ExplicitHashKey", in.ExplicitHashKey}, {"PartitionKey", in.PartitionKey},
			{"SequenceNumberForOrdering", in.SequenceNumberForOrdering},
			{"StreamARN", in.StreamARN}, {"StreamId", in.StreamId}, {"StreamName", in.StreamName},
		},
	}
}

// messageOf returns the message of an input; ok is false for the other operations.
func messageOf(in smithy.Serializable) (m message, ok bool) {
	switch in := in.(type) {
	case *kinesis.PutRecordsInput:
		return putRecords(in), true
	case *kinesis.PutRecordInput:
		return putRecord(in), true
	default:
		return message{}, false
	}
}

// payload is what the service counts: data and partition keys, in bytes.
func (m *message) payload() int {
	n := len(m.data)
	for i := range m.records {
		n += payloadOf(&m.records[i])
	}
	for _, t := range m.texts {
		if t.name == "PartitionKey" && t.value != nil {
			n += len(*t.value)
		}
	}
	return n
}

func payloadOf(r *types.PutRecordsRequestEntry) int {
	n := len(r.Data)
	if r.PartitionKey != nil {
		n += len(*r.PartitionKey)
	}
	return n
}

// valid returns a text as both formats may carry it: what is not UTF-8 becomes U+FFFD,
// byte by byte, as in the SDK's JSON.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

// complete reports whether this package knows all members of the SDK's inputs. A newer
// SDK may have more, which must not be left out silently: its own protocol is used then.
func complete() bool {
	return hasFields[kinesis.PutRecordsInput]("DryRun", "Records", "StreamARN", "StreamId", "StreamName") &&
		hasFields[types.PutRecordsRequestEntry]("Data", "ExplicitHashKey", "PartitionKey") &&
		hasFields[kinesis.PutRecordInput]("Data", "DryRun", "ExplicitHashKey", "PartitionKey", "SequenceNumberForOrdering",
			"StreamARN", "StreamId", "StreamName") &&
		hasFields[kinesis.PutRecordsOutput]("EncryptionType", "FailedRecordCount", "Records", "ResultMetadata") &&
		hasFields[types.PutRecordsResultEntry]("ErrorCode", "ErrorMessage", "SequenceNumber", "ShardId") &&
		hasFields[kinesis.PutRecordOutput]("EncryptionType", "SequenceNumber", "ShardId", "ResultMetadata")
}

// hasFields reports whether the exported fields of a struct are these.
func hasFields[T any](names ...string) bool {
	structure := reflect.TypeFor[T]()
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[name] = true
	}
	exported := 0
	for i := range structure.NumField() {
		if field := structure.Field(i); field.IsExported() {
			if !known[field.Name] {
				return false
			}
			exported++
		}
	}
	return exported == len(names)
}
