package awserr

import (
	"net/http"
	"strings"
)

// kind is the entry of a code in the table: class, party and which remedy.
type kind struct {
	class  Class
	party  Party
	remedy remedy
}

// kindOf is the table of AWS's error codes, as documented for Data Streams, STS
// and the signature, and as met in per-record codes. ok is false for a code that
// is not in the table.
func kindOf(code string) (k kind, ok bool) {
	switch code {
	case "ProvisionedThroughputExceededException":
		return kind{Throttled, Caller, remedyThroughput}, true
	case "KMSThrottlingException":
		return kind{Throttled, Service, remedyKMSThrottle}, true
	case "LimitExceededException", "Throttling", "ThrottlingException", "ThrottledException",
		"RequestThrottled", "RequestThrottledException", "RequestLimitExceeded", "TooManyRequestsException",
		"SlowDown", "BandwidthLimitExceeded", "PriorRequestNotComplete",
		"ClientLimitExceededException", "AccountStreamLimitExceededException":
		return kind{Throttled, Caller, remedyThrottle}, true
	case "ConnectionLimitExceededException":
		return kind{Throttled, Caller, remedyConnections}, true
	case "InternalFailure", "InternalFailureException", "InternalServerError", "InternalServerException",
		"InternalServiceError", "InternalError", "InternalServiceException", "ServiceUnavailable",
		"ServiceUnavailableException", "RequestTimeout", "RequestTimeoutException", "RequestAbortedException", "503", "500":
		return kind{Transient, Service, remedyService}, true
	case "ResourceInUseException":
		return kind{Transient, Service, remedyInUse}, true
	case "RequestEntityTooLarge", "RequestEntityTooLargeException", "RequestTooLarge":
		return kind{RecordFault, Record, remedySize}, true
	default:
		return lastingKindOf(code)
	}
}

func lastingKindOf(code string) (k kind, ok bool) {
	switch code {
	case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidAccessKeyIdException":
		return kind{Permanent, Caller, remedyAccessKey}, true
	case "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "IncompleteSignatureException":
		return kind{Permanent, Caller, remedySecret}, true
	case "MissingAuthenticationToken", "MissingAuthenticationTokenException":
		return kind{Permanent, Caller, remedyNoCredentials}, true
	case "AccessDeniedException", "AccessDenied", "NotAuthorizedException", "UnauthorizedOperation",
		"UnauthorizedException", "NotAuthorized", "ForbiddenException":
		return kind{Permanent, Caller, remedyAccess}, true
	case "OptInRequired", "SubscriptionRequiredException":
		return kind{Permanent, Caller, remedyOptIn}, true
	case "ResourceNotFoundException", "ResourceNotFound":
		return kind{Permanent, Caller, remedyStream}, true
	case "ValidationException", "ValidationError", "InvalidArgumentException", "InvalidParameterException",
		"InvalidParameterValue", "InvalidParameterCombination", "SerializationException", "MissingParameter",
		"InvalidEndpointException", "InvalidDeviceException", "DeviceStreamLimitExceededException":
		return kind{Permanent, Caller, remedyArgument}, true
	case "NoDataRetentionException":
		return kind{Permanent, Caller, remedyRetention}, true
	case "UnsupportedStreamMediaTypeException", "MissingCodecPrivateDataException", "InvalidCodecPrivateDataException", "InvalidMediaFrameException":
		return kind{Permanent, Caller, remedyClip}, true
	case "UnknownOperationException", "InvalidAction", "MissingAction", "MalformedQueryString", "UnknownOperation":
		return kind{Permanent, Caller, remedyOperation}, true
	case "KMSAccessDeniedException", "KMSDisabledException", "KMSInvalidStateException",
		"KMSNotFoundException", "KMSOptInRequired":
		return kind{Permanent, Caller, remedyKMS}, true
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
		return kind{Expired, Caller, remedyExpired}, true
	case "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture":
		return kind{ClockSkew, Caller, remedyClock}, true
	default:
		return kind{}, false
	}
}

// kindOfStatus is what an answer's status says when its code is not in the table.
func kindOfStatus(status int) kind {
	switch {
	case status >= 500:
		return kind{Transient, Service, remedyService}
	case status == http.StatusTooManyRequests:
		return kind{Throttled, Caller, remedyThrottle}
	case status == http.StatusRequestTimeout:
		return kind{Transient, Network, remedyService}
	case status == http.StatusRequestEntityTooLarge:
		return kind{RecordFault, Record, remedySize}
	case status == http.StatusProxyAuthRequired:
		return kind{Permanent, Network, remedyProxy}
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return kind{Permanent, Caller, remedyAccess}
	case status >= 300:
		return kind{Permanent, Caller, remedyEndpoint}
	default:
		return kind{Transient, Unknown, remedyNone}
	}
}

// refine looks into the message where a code alone does not tell enough.
func refine(k kind, code, message string) kind {
	switch k.remedy {
	case remedySecret:
		// The signature's time is checked before the signature is.
		if strings.Contains(message, "Signature expired") || strings.Contains(message, "Signature not yet current") ||
			strings.Contains(message, "is now earlier than") || strings.Contains(message, "is still later than") {
			return kind{ClockSkew, Caller, remedyClock}
		}
	case remedyArgument:
		if code != "SerializationException" && namesRecord(message) {
			return kind{RecordFault, Record, remedyRecord}
		}
	}
	return k
}

// namesRecord reports whether a validation message blames a record and not the
// request as a whole: "Value '…' at 'records.3.member.partitionKey' failed to
// satisfy constraint", "… at 'explicitHashKey' …", "ExplicitHashKey … is not valid".
func namesRecord(message string) bool {
	m := strings.ToLower(message)
	for _, mark := range [...]string{
		"records.", "'partitionkey'", "'data'", "explicithashkey", "partition key", "record size", "size of the record", "record is too large",
	} {
		if strings.Contains(m, mark) {
			return true
		}
	}
	return false
}
