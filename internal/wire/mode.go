package wire

import (
	"fmt"
	"net/url"
	"strings"
)

// Mode says how the format is chosen.
type Mode int

// The modes.
const (
	// Auto is CBOR for AWS and for our own endpoint, JSON for any other.
	Auto Mode = iota
	// OnlyJSON is JSON always.
	OnlyJSON
	// PreferCBOR is CBOR to any endpoint, until one refuses it.
	PreferCBOR
)

// ParseMode reads "auto", "json" or "cbor".
func ParseMode(s string) (Mode, error) {
	switch s {
	case "auto":
		return Auto, nil
	case "json":
		return OnlyJSON, nil
	case "cbor":
		return PreferCBOR, nil
	default:
		return Auto, fmt.Errorf("reading the wire format %q: it must be auto, json or cbor", s)
	}
}

// String returns what ParseMode reads.
func (m Mode) String() string {
	switch m {
	case OnlyJSON:
		return "json"
	case PreferCBOR:
		return "cbor"
	default:
		return "auto"
	}
}

// Format is the encoding of one request.
type Format int

// The formats.
const (
	JSON Format = iota
	CBOR
)

// String returns "json" or "cbor".
func (f Format) String() string {
	if f == CBOR {
		return "cbor"
	}
	return "json"
}

// Content types of the two formats.
const (
	typeJSON = "application/x-amz-json-1.1"
	typeCBOR = "application/x-amz-cbor-1.1"
)

func (f Format) contentType() string {
	if f == CBOR {
		return typeCBOR
	}
	return typeJSON
}

// Header is the header by which an endpoint that is not AWS's tells, on any answer, that
// it takes PutRecords and PutRecord in CBOR: the list of its formats, as in "json, cbor".
const Header = "X-Gst-Kinesis-Wire"

func offersCBOR(header string) bool {
	for _, format := range strings.Split(header, ",") {
		if strings.EqualFold(strings.TrimSpace(format), "cbor") {
			return true
		}
	}
	return false
}

// The states of a client. It only ever goes down this list.
const (
	undecided   int32 = iota // JSON until the endpoint is known to take CBOR
	speaksCBOR               // CBOR until it is refused
	settledJSON              // JSON for the rest of its life
)

// begin returns the state of a client that has not heard of its endpoint yet.
func (m Mode) begin(endpoint string) int32 {
	switch {
	case m == OnlyJSON:
		return settledJSON
	case m == PreferCBOR, ownedByAWS(endpoint):
		return speaksCBOR
	default:
		return undecided
	}
}

// ownedByAWS reports whether an endpoint is AWS's: none at all, or a host below one of the
// domains of AWS's partitions, as an interface endpoint of a VPC has.
func ownedByAWS(endpoint string) bool {
	if endpoint == "" {
		return true
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	for _, domain := range [...]string{
		".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws", ".api.amazonwebservices.com.cn", ".api.amazonwebservices.eu",
	} {
		if strings.HasSuffix(host, domain) {
			return true
		}
	}
	return false
}
