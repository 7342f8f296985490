package wire

import "sync/atomic"

// Stats counts what a client's calls of PutRecords and PutRecord came to since it was
// made. A call counts once, however often the SDK tries it; one that was refused in CBOR
// and sent again in JSON counts in both.
type Stats struct {
	// JSON and CBOR are the numbers of requests encoded in each format.
	JSON, CBOR uint64
	// Payload is data and partition keys, in bytes.
	Payload uint64
	// Wire is the encoded bodies, in bytes, without HTTP's headers.
	Wire uint64
}

type counters struct{ json, cbor, payload, wire atomic.Uint64 }

func (c *counters) add(f Format, payload, wire int) {
	if f == CBOR {
		c.cbor.Add(1)
	} else {
		c.json.Add(1)
	}
	c.payload.Add(uint64(payload))
	c.wire.Add(uint64(wire))
}

// Stats returns the counters. Each is exact; they are not of one moment.
func (p *Protocol) Stats() Stats {
	return Stats{JSON: p.stats.json.Load(), CBOR: p.stats.cbor.Load(), Payload: p.stats.payload.Load(), Wire: p.stats.wire.Load()}
}
