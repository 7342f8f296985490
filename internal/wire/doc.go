// Package wire is how PutRecords and PutRecord travel: in CBOR, as AWS's SDK for Java
// sends them, or in JSON, encoded to the exact size into buffers that are used again. It
// is a protocol of the SDK's client (kinesis.Options.Protocol), so that credentials,
// endpoints, signing, retries and middleware stay the SDK's; all other operations go
// through the SDK's own protocol untouched.
//
//	protocol := wire.New(wire.Settings{Mode: wire.Auto, Endpoint: endpointURI, Log: log})
//	client := kinesis.NewFromConfig(cfg, setEndpoint, protocol.Install)
//
// # Which format
//
// CBOR saves a quarter of the bytes and most of the work. Auto speaks it to AWS's own
// hosts; to any other endpoint it speaks JSON, because some stand-ins take CBOR and store
// garbage, until an answer bears Header, which our own endpoint sends. A client whose
// CBOR is refused speaks JSON for the rest of its life, says so once, and sends the
// refused request again in JSON. That makes no duplicates: a refusal is an answer with a
// status of 4xx that says the body was not understood, so nothing of it was stored. Any
// other failure is returned as it is, and whether to send again is the caller's choice.
//
// # Whose memory
//
// The records of a request are only read while the call lasts. Large ones are not copied:
// they go from the caller's memory to the transport. Whoever reads a request's body does
// so through a lock that the end of the call closes, so a transport that still holds the
// body then reads an error, never somebody else's bytes. A buffer is used again when the
// last try's answer was read whole and its body too; otherwise it is left to the garbage
// collector. The strings of one answer share one piece of memory: who keeps one of them
// for long should clone it.
package wire
