// Package awserr is the one classification of errors around AWS: given an error
// of the SDK, of its transport or a per-record error code it says what kind of
// failure that is, whose fault, under which code, and what to do about it.
//
// All functions are pure and safe for concurrent use.
package awserr

import (
	"cmp"
	"fmt"
	"strconv"
)

// Class says how a failure is to be treated.
type Class int

// The classes.
const (
	// Transient failures pass by themselves: refused, DNS, timeout, cut, 5xx.
	Transient Class = iota
	// Throttled requests come too fast, for a shard, an account or a KMS key.
	Throttled
	// Permanent failures stay until somebody changes something: credentials,
	// permissions, stream, arguments, trust in a certificate.
	Permanent
	// Expired credentials are permanent unless refreshed ones are to be had.
	Expired
	// ClockSkew is permanent unless the SDK's correction, which it learns from
	// the failed answer, helps at the next try.
	ClockSkew
	// RecordFault is the fault of a record (too large, bad key), not of the
	// stream: other records are not concerned.
	RecordFault
	// Canceled is our own doing: the context of the call was canceled.
	Canceled
)

// String returns the class in words as used in logs.
func (c Class) String() string {
	switch c {
	case Transient:
		return "transient"
	case Throttled:
		return "throttled"
	case Permanent:
		return "permanent"
	case Expired:
		return "expired credentials"
	case ClockSkew:
		return "clock skew"
	case RecordFault:
		return "record fault"
	case Canceled:
		return "canceled"
	default:
		return "Class(" + strconv.Itoa(int(c)) + ")"
	}
}

// Lasting reports whether trying again does not help unless something else
// changes: Permanent, Expired and ClockSkew.
func (c Class) Lasting() bool { return c == Permanent || c == Expired || c == ClockSkew }

// Party says whose fault a failure is.
type Party int

// The parties.
const (
	// Unknown is nobody in particular.
	Unknown Party = iota
	// Caller is our side: credentials, permissions, settings, clock.
	Caller
	// Service is AWS or the endpoint in its place.
	Service
	// Network is what lies between.
	Network
	// Record is one record.
	Record
)

// String returns the party in words.
func (p Party) String() string {
	switch p {
	case Caller:
		return "caller"
	case Service:
		return "service"
	case Network:
		return "network"
	case Record:
		return "record"
	default:
		return "unknown"
	}
}

// Fault is a failure, classified.
type Fault struct {
	Class Class
	Party Party
	// Code is AWS's error code; where the failure has none it is one of the
	// codes of this package, such as CodeRefused.
	Code string
	// HTTPStatus is the answer's status; 0 when there was no answer.
	HTTPStatus int
	// RequestID is AWS's id of the request; empty when there was no answer.
	RequestID string
	// Message is what the service or the operating system said, in one line,
	// without anything secret.
	Message string
	// Remedy is a sentence that tells what to do.
	Remedy string
}

// Codes for failures that AWS has no code for.
const (
	CodeRefused       = "ConnectionRefused"
	CodeReset         = "ConnectionReset"
	CodeUnreachable   = "NetworkUnreachable"
	CodeDNS           = "HostNotFound"
	CodeTimeout       = "Timeout"
	CodeCut           = "ConnectionCut"
	CodeNetwork       = "NetworkError"
	CodeProxy         = "ProxyRefused"
	CodeUntrusted     = "CertificateNotTrusted"
	CodeWrongHost     = "CertificateForOtherHost"
	CodeBadCert       = "CertificateInvalid"
	CodeTLS           = "TLSError"
	CodeNotTLS        = "NotTLS"
	CodeNoCredentials = "NoCredentials"
	CodeNoRegion      = "NoRegion"
	CodeEndpoint      = "BadEndpoint"
	CodeBadAnswer     = "BadAnswer"
	CodeBadRequest    = "BadRequest"
	CodeCanceled      = "Canceled"
	CodeUnknown       = "UnknownError"
)

// AnswerError is an answer of the service that does not fit the request: it tells
// of another number of records than were sent.
type AnswerError struct{ Got, Want int }

// Error says so.
func (e *AnswerError) Error() string {
	return fmt.Sprintf("the answer tells of %d records where %d were sent", e.Got, e.Want)
}

// Subject is what a failure is about; it makes remedies concrete. Empty fields
// are left out of the sentences.
type Subject struct {
	// Stream is the stream's name.
	Stream string
	// Region is the AWS region.
	Region string
	// Endpoint is the endpoint's URL when it is not AWS's own.
	Endpoint string
	// Actions are the IAM actions needed, as words: "kinesis:PutRecord and
	// kinesis:PutRecords" for a producer.
	Actions string
	// Create is the command that creates the stream.
	Create string
	// Video says that it is a video stream.
	Video bool
	// Read says that the stream is read.
	Read bool
}

// PutSubject returns the subject of a producer to a data stream.
func PutSubject(stream, region, endpoint string) Subject {
	return Subject{
		Stream:   stream,
		Region:   region,
		Endpoint: endpoint,
		Actions:  "kinesis:PutRecord and kinesis:PutRecords",
		Create:   "gst-kinesis stream create " + cmp.Or(stream, "NAME") + " --shards 1",
	}
}

// VideoSubject returns the subject of a producer to a video stream.
func VideoSubject(stream, region, endpoint string) Subject {
	return Subject{
		Stream:   stream,
		Region:   region,
		Endpoint: endpoint,
		Actions:  "kinesisvideo:DescribeStream, GetDataEndpoint and PutMedia (with allow-create-stream also CreateStream, with stream-tags TagStream)",
		Create:   "aws kinesisvideo create-stream --stream-name " + cmp.Or(stream, "NAME") + " --data-retention-in-hours 24, or set allow-create-stream",
		Video:    true,
	}
}

// VideoReadSubject returns the subject of a reader of a video stream.
func VideoReadSubject(stream, region, endpoint string) Subject {
	return Subject{
		Stream:   stream,
		Region:   region,
		Endpoint: endpoint,
		Actions:  "kinesisvideo:ListStreams, DescribeStream, GetDataEndpoint, GetMedia, ListFragments, GetMediaForFragmentList and GetClip",
		Create:   "aws kinesisvideo create-stream --stream-name " + cmp.Or(stream, "NAME") + " --data-retention-in-hours 24",
		Video:    true,
		Read:     true,
	}
}
