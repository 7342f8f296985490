package awserr

import "cmp"

// remedy is an index into the sentences below.
type remedy int

const (
	remedyNone remedy = iota
	remedyThroughput
	remedyKMSThrottle
	remedyThrottle
	remedyConnections
	remedyService
	remedyInUse
	remedySize
	remedyRecord
	remedyAccessKey
	remedySecret
	remedyNoCredentials
	remedyAccess
	remedyOptIn
	remedyStream
	remedyArgument
	remedyOperation
	remedyKMS
	remedyExpired
	remedyClock
	remedyProxy
	remedyEndpoint
	remedyRegion
	remedyRefused
	remedyDNS
	remedyUnreachable
	remedyTimeout
	remedyCut
	remedyUntrusted
	remedyWrongHost
	remedyBadCert
	remedyNotTLS
	remedyTLS
	remedyAnswer
	remedyRole
	remedyRetention
	remedyClip
	remedyRecordCode
)

// sentence writes the remedy out for the subject.
func (r remedy) sentence(s Subject) string {
	if text := r.aboutAccess(s); text != "" {
		return text
	}
	if text := r.aboutNetwork(s); text != "" {
		return text
	}
	return r.aboutService(s)
}

// aboutAccess holds what concerns credentials and permissions.
func (r remedy) aboutAccess(s Subject) string {
	switch r {
	case remedyAccessKey:
		return "check access-key (AWS_ACCESS_KEY_ID), or profile: the service does not know this key; temporary keys also need session-token" + atEndpoint(s)
	case remedySecret:
		return "check secret-access-key (AWS_SECRET_ACCESS_KEY): it does not belong to the access key" + atEndpoint(s)
	case remedyNoCredentials:
		return "give credentials: access-key and secret-access-key, profile, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role of the machine"
	case remedyAccess:
		return "allow " + cmp.Or(s.Actions, "the action named in the message") + " on the stream's ARN to these credentials" + inRegion(s)
	case remedyRole:
		return "allow sts:AssumeRole on role-arn to these credentials, and let the role's trust policy name them (with external-id if it asks for one)"
	case remedyOptIn:
		return "enable the region or the service for this AWS account" + inRegion(s)
	case remedyKMS:
		if s.Read {
			return "let these credentials use the stream's KMS key (kms:Decrypt), and see that the key is enabled"
		}
		return "let these credentials use the stream's KMS key (kms:GenerateDataKey), and see that the key is enabled"
	case remedyExpired:
		return "renew the temporary credentials (session-token, AWS_SESSION_TOKEN, or aws sso login for a profile)"
	case remedyClock:
		return "set this machine's clock (for instance by NTP): requests are signed with the time, which must be right to 5 minutes"
	default:
		return ""
	}
}

// aboutNetwork holds what concerns the way to the service.
func (r remedy) aboutNetwork(s Subject) string {
	host := cmp.Or(s.Endpoint, "the endpoint of region "+cmp.Or(s.Region, "(none)"))
	switch r {
	case remedyProxy:
		return "check the proxy (property proxy, HTTPS_PROXY, NO_PROXY), its user and password, and that it lets " + host + " through"
	case remedyEndpoint:
		return "check endpoint-uri and region: " + host + " does not answer as Kinesis does"
	case remedyRegion:
		return "set the region: property region, AWS_REGION, or region in the profile"
	case remedyRefused:
		return "see that something listens at " + host + " (endpoint-uri) and that no firewall refuses the connection"
	case remedyDNS:
		return "check region and endpoint-uri for a typing error, and this machine's DNS"
	case remedyUnreachable:
		return "check this machine's network and route to " + host
	case remedyTimeout:
		return "check the network to " + host + "; on a slow uplink send less, or raise request-timeout"
	case remedyCut:
		return "check the network to " + host + " if this lasts"
	case remedyUntrusted:
		return "give the certificate authority that signed the endpoint's certificate as ca-file (or AWS_CA_BUNDLE)"
	case remedyWrongHost:
		return "use in endpoint-uri the host name that the endpoint's certificate is for"
	case remedyBadCert:
		return "renew the endpoint's certificate, or set this machine's clock if that is wrong"
	case remedyNotTLS:
		return "use http:// instead of https:// in endpoint-uri, or the port where the endpoint speaks TLS"
	case remedyTLS:
		return "check which TLS versions and client certificates " + host + " asks for"
	case remedyAnswer:
		return "check that " + host + " is a Kinesis endpoint and that no proxy changes its answers"
	default:
		return ""
	}
}

// aboutService holds what concerns the stream and its records.
func (r remedy) aboutService(s Subject) string {
	switch r {
	case remedyThroughput:
		return "send less or add shards (gst-kinesis stream describe shows them); spread the records over more partition keys if only some shards are hot"
	case remedyThrottle:
		return "send fewer requests, or ask for a higher limit of the account"
	case remedyConnections:
		if s.Read {
			return "see who else reads the stream, which takes three readers of GetMedia at a time and five of stored fragments"
		}
		return "see that nobody else sends to the stream, which takes one connection at a time; one that was lost is forgotten by the service after a while"
	case remedyKMSThrottle:
		return "ask for a higher request rate of the stream's KMS key, or send fewer requests"
	case remedyService:
		return "nothing: the service's side failed and the request is tried again"
	case remedyInUse:
		return "wait until the stream is ACTIVE"
	case remedySize:
		return "send smaller records, or raise the stream's largest record (UpdateMaxRecordSize) and max-record-size"
	case remedyRecord:
		return "check the record's partition key (1 to 256 characters), explicit hash key (below 2^128) and size"
	case remedyStream:
		return "create it: " + cmp.Or(s.Create, "gst-kinesis stream create NAME --shards 1") +
			", or check stream-name and region" + parenthesized(s)
	case remedyArgument:
		if s.Video {
			return "check stream-name (1 to 256 of a-z A-Z 0-9 _ . -), and what the message names"
		}
		return "check stream-name (1 to 128 of a-z A-Z 0-9 _ . -) or stream-arn, and what the message names"
	case remedyOperation:
		return "check endpoint-uri: what answers there does not know this operation of Kinesis " + s.service()
	case remedyRetention:
		return "let the stream keep media: aws kinesisvideo update-data-retention, or read what is being recorded (gst-kinesis video get without --from)"
	case remedyClip:
		return "get Matroska instead (a name that ends in .mkv): clips need one set of tracks, H.264 or H.265 and AAC or G.711, with their private data"
	case remedyRecordCode:
		return "see the message; the record is tried again"
	default:
		return "see the message"
	}
}

func atEndpoint(s Subject) string {
	if s.Endpoint == "" {
		return ""
	}
	return ", and that it is meant for " + s.Endpoint
}

func inRegion(s Subject) string {
	if s.Region == "" {
		return ""
	}
	return " in " + s.Region
}

func parenthesized(s Subject) string {
	switch {
	case s.Stream != "" && s.Region != "":
		return " (now " + s.Stream + " in " + s.Region + ")"
	case s.Stream != "":
		return " (now " + s.Stream + ")"
	default:
		return ""
	}
}

// service is the part of Kinesis that the subject belongs to.
func (s Subject) service() string {
	if s.Video {
		return "Video Streams"
	}
	return "Data Streams"
}
