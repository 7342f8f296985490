package wire

import (
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
)

// arena holds the strings that pointers of an answer point to, many in one allocation.
type arena struct{ free []string }

func (a *arena) keep(s string) *string {
	if len(a.free) == cap(a.free) {
		a.free = make([]string, 0, max(2*cap(a.free), 8)) // the full one lives on in its pointers
	}
	a.free = append(a.free, s)
	return &a.free[len(a.free)-1]
}

// answers reports whether an output is one that this package reads.
func answers(out smithy.Deserializable) bool {
	switch out.(type) {
	case *kinesis.PutRecordsOutput, *kinesis.PutRecordOutput:
		return true
	default:
		return false
	}
}

// readAnswer reads a successful answer into its output, which is left alone if the answer
// makes no sense. expected is how many records the request had.
func readAnswer(r reader, expected int, out smithy.Deserializable) error {
	switch out := out.(type) {
	case *kinesis.PutRecordsOutput:
		return readPutRecords(r, expected, out)
	case *kinesis.PutRecordOutput:
		return readPutRecord(r, out)
	default:
		return nil
	}
}

func readPutRecords(r reader, expected int, out *kinesis.PutRecordsOutput) error {
	var got kinesis.PutRecordsOutput
	err := eachMember(r, func(key string) (err error) {
		switch key {
		case "Records":
			got.Records, err = readResults(r, expected)
		case "FailedRecordCount":
			var wide int64
			var n int32
			if wide, err = r.integer(); err == nil {
				n, err = int32Of(wide)
			}
			got.FailedRecordCount = &n
		case "EncryptionType":
			err = readEnum(r, &got.EncryptionType)
		default:
			err = r.skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	out.Records, out.FailedRecordCount, out.EncryptionType = got.Records, got.FailedRecordCount, got.EncryptionType
	return nil
}

func readPutRecord(r reader, out *kinesis.PutRecordOutput) error {
	var got kinesis.PutRecordOutput
	var texts arena
	err := eachMember(r, func(key string) error {
		switch key {
		case "SequenceNumber":
			return readText(r, &texts, &got.SequenceNumber)
		case "ShardId":
			return readText(r, &texts, &got.ShardId)
		case "EncryptionType":
			return readEnum(r, &got.EncryptionType)
		default:
			return r.skip()
		}
	})
	if err != nil {
		return err
	}
	out.SequenceNumber, out.ShardId, out.EncryptionType = got.SequenceNumber, got.ShardId, got.EncryptionType
	return nil
}

// eachMember calls a function for each member of a map, when its value comes next; nulls
// are passed over.
func eachMember(r reader, do func(key string) error) error {
	if err := r.openMap(); err != nil {
		return err
	}
	for {
		key, ok, err := r.nextKey()
		if err != nil || !ok {
			return err
		}
		if r.null() {
			continue
		}
		if err := do(key); err != nil {
			return err
		}
	}
}

// readResults reads the list of what became of the records.
func readResults(r reader, expected int) ([]types.PutRecordsResultEntry, error) {
	if err := r.openList(); err != nil {
		return nil, err
	}
	results := make([]types.PutRecordsResultEntry, 0, expected)
	texts := arena{free: make([]string, 0, 2*expected)}
	for {
		ok, err := r.nextItem()
		if err != nil {
			return nil, err
		}
		if !ok {
			return results, nil
		}
		results = append(results, types.PutRecordsResultEntry{})
		if r.null() {
			continue
		}
		if err := readResult(r, &texts, &results[len(results)-1]); err != nil {
			return nil, err
		}
	}
}

func readResult(r reader, texts *arena, result *types.PutRecordsResultEntry) error {
	if err := r.openMap(); err != nil {
		return err
	}
	for {
		key, ok, err := r.nextKey()
		if err != nil || !ok {
			return err
		}
		if r.null() {
			continue
		}
		switch key {
		case "SequenceNumber":
			err = readText(r, texts, &result.SequenceNumber)
		case "ShardId":
			err = readText(r, texts, &result.ShardId)
		case "ErrorCode":
			err = readText(r, texts, &result.ErrorCode)
		case "ErrorMessage":
			err = readText(r, texts, &result.ErrorMessage)
		default:
			err = r.skip()
		}
		if err != nil {
			return err
		}
	}
}

func readText(r reader, texts *arena, into **string) error {
	s, err := r.text()
	if err != nil {
		return err
	}
	*into = texts.keep(s)
	return nil
}

func readEnum(r reader, into *types.EncryptionType) error {
	s, err := r.text()
	*into = types.EncryptionType(s)
	return err
}

// errorAsJSON turns an error's body from CBOR into JSON, so that the SDK's own protocol
// can make its error of it: the members that are texts, which is all that errors of
// Kinesis have.
func errorAsJSON(body []byte) ([]byte, error) {
	if len(body) == 0 {
		return nil, nil
	}
	r := newReader(CBOR, body)
	out := []byte("{")
	var j joint
	err := eachMember(r, func(key string) error {
		if !r.isText() {
			return r.skip()
		}
		value, err := r.text()
		out = appendJSONText(append(appendJSONText(j.append(out), key), ':'), value)
		return err
	})
	return append(out, '}'), err
}
