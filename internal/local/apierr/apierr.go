// Package apierr holds the one error type that every layer of the embedded endpoint answers with: a code and a message
// as AWS words them, and the HTTP status they travel under.
package apierr

import (
	"fmt"
	"net/http"
)

// Codes that more than one layer uses. AWS spells some with "Exception" and some without.
const (
	AccessDenied         = "AccessDeniedException"
	DryRun               = "DryRunOperationException"
	ExpiredIterator      = "ExpiredIteratorException"
	ExpiredToken         = "ExpiredTokenException"
	ExpiredNextToken     = "ExpiredNextTokenException"
	IncompleteSignature  = "IncompleteSignatureException"
	InternalFailure      = "InternalFailure"
	InvalidArgument      = "InvalidArgumentException"
	InvalidSignature     = "InvalidSignatureException"
	LimitExceeded        = "LimitExceededException"
	MissingAuthToken     = "MissingAuthenticationTokenException"
	ResourceInUse        = "ResourceInUseException"
	ResourceNotFound     = "ResourceNotFoundException"
	Serialization        = "SerializationException"
	ThroughputExceeded   = "ProvisionedThroughputExceededException"
	UnknownOperation     = "UnknownOperationException"
	UnrecognizedClient   = "UnrecognizedClientException"
	Validation           = "ValidationException"
	internalServiceWords = "Internal service failure."
)

// Error is an answer that is not a success. It is immutable once made and safe for concurrent use.
type Error struct {
	Code    string // the value of __type
	Message string // may be empty: then the answer has no message member
	Status  int    // HTTP status
}

// Error implements error.
func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Code + ": " + e.Message
}

// New makes an error of the caller's fault (HTTP 400).
func New(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

// Bare makes an error of HTTP 400 that carries no message, as AWS sends for bodies that are no JSON at all.
func Bare(code string) *Error {
	return &Error{Code: code, Status: http.StatusBadRequest}
}

// Internal makes the answer for a fault of the endpoint itself (HTTP 500).
func Internal() *Error {
	return &Error{Code: InternalFailure, Message: internalServiceWords, Status: http.StatusInternalServerError}
}
