package kvsproducer

import "fmt"

// Status is a status of the SDK; 0 is success.
type Status uint32

// Some that programs ask for.
const (
	StatusTimedOut      Status = 0x0000000f
	StatusNotAuthorized Status = 0x52000010
	StatusNotFound      Status = 0x52000017
	StatusOutOfStorage  Status = 0x5200002e
	StatusStopped       Status = 0x52000052
)

// names are of the headers Include.h (client, mkvgen, cproducer, common) and CommonDefs.h of the SDK, version 1.6.
var names = map[Status]string{
	0x00000001: "null argument", 0x00000002: "invalid argument", 0x00000004: "not enough memory", 0x0000000d: "invalid operation",
	0x0000000f: "timed out",
	0x15000005: "invalid version of the stream's callbacks", 0x1500000c: "invalid JSON in an answer", 0x1500000d: "curl cannot be started",
	0x15000020: "invalid path of the CA certificates", 0x15000026: "the stream is being shut down", 0x15000027: "the client is being shut down",
	0x15000028: "the retry could not reset the stream", 0x16000001: "curl's transfer failed",
	0x32000001: "invalid frame", 0x32000002: "invalid time of a frame", 0x3200000b: "a frame is too far from its fragment's start",
	0x3200000c: "the time of a frame is too large", 0x32000011: "presentation and decoding time must be the same here",
	0x32000012: "invalid private data of H.264 or H.265", 0x32000020: "invalid length of a tag's name", 0x32000021: "invalid length of a tag's value",
	0x32000026: "no such track",
	0x52000006: "invalid fingerprint length", 0x52000009: "invalid length of the stream's name", 0x5200000a: "invalid storage size",
	0x52000010: "not authorized", 0x52000011: "DescribeStream failed", 0x52000013: "the stream is being deleted", 0x52000014: "invalid argument of a call",
	0x52000017: "stream not found", 0x52000019: "CreateStream failed", 0x5200002a: "no streaming token", 0x5200002b: "GetDataEndpoint failed",
	0x5200002d: "PutMedia failed", 0x5200002e: "the store is full", 0x52000031: "unknown error of a call", 0x52000032: "resource in use",
	0x52000033: "limit of the client reached", 0x52000035: "limit of streams reached", 0x52000036: "the stream was deleted", 0x52000037: "a call timed out",
	0x5200003b: "invalid length of a tag's name", 0x5200003c: "invalid length of a tag's value", 0x52000047: "acknowledgement of what is no longer kept",
	0x52000049: "the credentials' expiry is invalid", 0x5200004b: "a stream of this name is open already", 0x5200004c: "invalid retention",
	0x52000052: "the stream is stopped", 0x52000058: "the stream is not ready",
	0x5200005c: "ERROR 4000: cannot be read", 0x5200005d: "ERROR 4001: fragment too large", 0x5200005e: "ERROR 4002: fragment too long",
	0x5200005f: "ERROR 4003: connection too long", 0x52000060: "ERROR 4004: times are not monotonic", 0x52000061: "ERROR 4005: more than one track",
	0x52000062: "ERROR 4006: invalid Matroska", 0x52000063: "ERROR 4007: invalid producer timestamp", 0x52000064: "ERROR 4008: the stream is not active",
	0x52000065: "ERROR 4500: KMS denies", 0x52000066: "ERROR 4501: KMS key disabled", 0x52000067: "ERROR 4502: KMS key invalid",
	0x52000068: "ERROR 4503: KMS key unavailable", 0x52000069: "ERROR 4504: KMS key of another usage", 0x5200006a: "ERROR 4505: KMS key in another state",
	0x5200006b: "ERROR 4506: KMS key not found", 0x5200006c: "ERROR 4507: the stream was deleted", 0x5200006d: "ERROR 5000: the service failed",
	0x5200006e: "ERROR 5001: the fragment could not be stored", 0x5200006f: "unknown ERROR",
	0x52000073: "the last PERSISTED did not come in time", 0x52000074: "too many tags in a fragment", 0x52000075: "ERROR 4009: too many tags",
	0x52000076: "Put was interrupted, the stream ends", 0x52000077: "invalid tag name: AWS at the front is the service's own",
	0x52000078: "nothing to end a fragment of", 0x5200007c: "ERROR 4010: unknown track", 0x5200007d: "ERROR 4011: no frame for a track",
	0x5200007e: "ERROR 4012: too many tracks", 0x52000084: "a key frame where only the end of a fragment may begin one",
	0x52000085: "the tracks are too far apart", 0x52000086: "the stream is being shut down", 0x52000087: "the client is being shut down",
	0x52000088: "the last PERSISTED did not come", 0x5200008a: "the fragment is ended already", 0x5200008b: "two events of one type in a fragment",
	0x5200008c: "no frame came yet", 0x5200008d: "the image prefix is too long", 0x5200008e: "a name of the event is too long",
	0x5200008f: "a value of the event is too long",
}

// remedies say what to do.
var remedies = map[Status]string{
	0x0000000f: "see whether the endpoint can be reached, and what the log and the events say",
	0x15000020: "give the path of a file that has the name's ending .pem",
	0x52000010: "check the keys, the session token's age, the clock, and the policy (DescribeStream, CreateStream, GetDataEndpoint, PutMedia)",
	0x52000017: "create the stream, or let it be created",
	0x5200002e: "give more storage-size, or a faster uplink",
	0x5200004b: "open a stream once only",
	0x32000002: "give frames in the order of decoding, with times that grow",
}

// String gives the code in hexadecimal, and the name of those that are met.
func (s Status) String() string {
	if name := names[s]; name != "" {
		return fmt.Sprintf("0x%08x (%s)", uint32(s), name)
	}
	return fmt.Sprintf("0x%08x", uint32(s))
}

// Error is a call of the SDK that failed.
type Error struct {
	Doing  string // gerund, with the stream's name
	Call   string // the SDK's function
	Status Status
	Last   Status // the last error that an event told before, 0 for none: the reason of a time-out
	Line   string // the last line of the SDK's log that warned, of an opening that failed
}

// Error names the call, the code, the reason, and what to do.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: AWS's SDK: %s: %s", e.Doing, e.Call, e.Status)
	remedy := remedies[e.Status]
	if e.Last != 0 {
		text += fmt.Sprintf("; reported before: %s", e.Last)
		if r := remedies[e.Last]; r != "" {
			remedy = r
		}
	}
	if e.Line != "" {
		text += fmt.Sprintf("; its log: %s", e.Line)
	}
	if remedy != "" {
		text += ": " + remedy
	}
	return text
}
