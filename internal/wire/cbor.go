package wire

import "github.com/aws/aws-sdk-go-v2/service/kinesis/types"

// AWS's CBOR protocol, application/x-amz-cbor-1.1, has no published specification. It is
// the JSON 1.1 protocol (X-Amz-Target, member names, __type in errors) with RFC 8949 for a
// body, as AWS's SDKs for Java, PHP and C++ have it: maps and lists of indefinite length,
// text for names and strings, byte strings for blobs, tag 1 with integer milliseconds for
// times (which requests and answers here have none of). The item forms were compared with
// captures of what the SDK for Java sends:
//
//	bf                              map
//	   67 Records 9f                list
//	      bf                        map
//	         64 Data  4d …          13 bytes
//	         6c PartitionKey 6c …   text of 12 bytes
//	      ff
//	   ff
//	   6a StreamName 64 test
//	ff

// Major types (RFC 8949, section 3.1), shifted into place.
const (
	majorUint  = 0 << 5
	majorNeg   = 1 << 5
	majorBytes = 2 << 5
	majorText  = 3 << 5
	majorList  = 4 << 5
	majorMap   = 5 << 5
	majorTag   = 6 << 5
	majorOther = 7 << 5

	indefinite = 31
	endOfItems = "\xff"
)

// What stands around the members of a record.
const (
	cborData         = "\x64Data"
	cborExplicitHash = "\x6fExplicitHashKey"
	cborPartitionKey = "\x6cPartitionKey"
	cborRecords      = "\x67Records\x9f"
	cborTrue         = "\x66DryRun\xf5"
	cborFalse        = "\x66DryRun\xf4"
)

// headSize is the size of an item's head with an argument.
func headSize(n int) int {
	switch {
	case n < 24:
		return 1
	case n < 1<<8:
		return 2
	case n < 1<<16:
		return 3
	default: // 4 GiB do not fit into a request
		return 5
	}
}

func appendHead(buf []byte, major byte, n int) []byte {
	switch {
	case n < 24:
		return append(buf, major|byte(n))
	case n < 1<<8:
		return append(buf, major|24, byte(n))
	case n < 1<<16:
		return append(buf, major|25, byte(n>>8), byte(n))
	default:
		return append(buf, major|26, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
}

func cborText(s string) int {
	s = valid(s)
	return headSize(len(s)) + len(s)
}

func appendCBORText(buf []byte, s string) []byte {
	s = valid(s)
	return append(appendHead(buf, majorText, len(s)), s...)
}

// cborSize returns the size of a message, and how much of it is data that is not copied.
func cborSize(m *message) (size, referred int) {
	size = len("\xbf") + len(endOfItems)
	if m.data != nil {
		size += len(cborData) + headSize(len(m.data)) + len(m.data)
		referred += referredOf(m.data)
	}
	if m.dryRun != nil {
		size += len(cborTrue)
	}
	if m.records != nil {
		size += len(cborRecords) + len(endOfItems)
		for i := range m.records {
			size += cborRecordSize(&m.records[i])
			referred += referredOf(m.records[i].Data)
		}
	}
	for _, t := range m.texts {
		if t.value != nil {
			size += cborText(t.name) + cborText(*t.value)
		}
	}
	return size, referred
}

func referredOf(data []byte) int {
	if len(data) < copyBelow {
		return 0
	}
	return len(data)
}

func cborRecordSize(r *types.PutRecordsRequestEntry) int {
	n := len("\xbf") + len(endOfItems)
	if r.Data != nil {
		n += len(cborData) + headSize(len(r.Data)) + len(r.Data)
	}
	if r.ExplicitHashKey != nil {
		n += len(cborExplicitHash) + cborText(*r.ExplicitHashKey)
	}
	if r.PartitionKey != nil {
		n += len(cborPartitionKey) + cborText(*r.PartitionKey)
	}
	return n
}

// appendCBOR writes a message.
func (p *packed) appendCBOR(m *message) {
	p.buf = append(p.buf, majorMap|indefinite)
	if m.data != nil {
		p.buf = append(p.buf, cborData...)
		p.appendBytes(m.data)
	}
	if m.dryRun != nil {
		if *m.dryRun {
			p.buf = append(p.buf, cborTrue...)
		} else {
			p.buf = append(p.buf, cborFalse...)
		}
	}
	if m.records != nil {
		p.buf = append(p.buf, cborRecords...)
		for i := range m.records {
			p.appendCBORRecord(&m.records[i])
		}
		p.buf = append(p.buf, endOfItems...)
	}
	for _, t := range m.texts {
		if t.value != nil {
			p.buf = appendCBORText(appendCBORText(p.buf, t.name), *t.value)
		}
	}
	p.buf = append(p.buf, endOfItems...)
}

func (p *packed) appendCBORRecord(r *types.PutRecordsRequestEntry) {
	p.buf = append(p.buf, majorMap|indefinite)
	if r.Data != nil {
		p.buf = append(p.buf, cborData...)
		p.appendBytes(r.Data)
	}
	if r.ExplicitHashKey != nil {
		p.buf = appendCBORText(append(p.buf, cborExplicitHash...), *r.ExplicitHashKey)
	}
	if r.PartitionKey != nil {
		p.buf = appendCBORText(append(p.buf, cborPartitionKey...), *r.PartitionKey)
	}
	p.buf = append(p.buf, endOfItems...)
}

// appendBytes writes a byte string; large ones are only referred to.
func (p *packed) appendBytes(data []byte) {
	p.buf = appendHead(p.buf, majorBytes, len(data))
	if referredOf(data) > 0 {
		p.cuts = append(p.cuts, cut{len(p.buf), data})
		return
	}
	p.buf = append(p.buf, data...)
}
