package gst

// #include "ggo.h"
import "C"

import "errors"

// Code is a GStreamer error domain and the code in it.
type Code uint32

const (
	domainCore     = 1 << 16
	domainLibrary  = 2 << 16
	domainResource = 3 << 16
	domainStream   = 4 << 16
)

// The codes, by GStreamer's names (gsterror.h).
const (
	CoreFailed        Code = domainCore | C.GST_CORE_ERROR_FAILED
	CoreNegotiation   Code = domainCore | C.GST_CORE_ERROR_NEGOTIATION
	CoreStateChange   Code = domainCore | C.GST_CORE_ERROR_STATE_CHANGE
	CoreMissingPlugin Code = domainCore | C.GST_CORE_ERROR_MISSING_PLUGIN
	CoreClock         Code = domainCore | C.GST_CORE_ERROR_CLOCK
	CorePad           Code = domainCore | C.GST_CORE_ERROR_PAD

	LibraryFailed   Code = domainLibrary | C.GST_LIBRARY_ERROR_FAILED
	LibraryInit     Code = domainLibrary | C.GST_LIBRARY_ERROR_INIT
	LibrarySettings Code = domainLibrary | C.GST_LIBRARY_ERROR_SETTINGS
	LibraryEncode   Code = domainLibrary | C.GST_LIBRARY_ERROR_ENCODE

	ResourceFailed        Code = domainResource | C.GST_RESOURCE_ERROR_FAILED
	ResourceNotFound      Code = domainResource | C.GST_RESOURCE_ERROR_NOT_FOUND
	ResourceBusy          Code = domainResource | C.GST_RESOURCE_ERROR_BUSY
	ResourceOpenRead      Code = domainResource | C.GST_RESOURCE_ERROR_OPEN_READ
	ResourceOpenWrite     Code = domainResource | C.GST_RESOURCE_ERROR_OPEN_WRITE
	ResourceRead          Code = domainResource | C.GST_RESOURCE_ERROR_READ
	ResourceWrite         Code = domainResource | C.GST_RESOURCE_ERROR_WRITE
	ResourceSettings      Code = domainResource | C.GST_RESOURCE_ERROR_SETTINGS
	ResourceNoSpaceLeft   Code = domainResource | C.GST_RESOURCE_ERROR_NO_SPACE_LEFT
	ResourceNotAuthorized Code = domainResource | C.GST_RESOURCE_ERROR_NOT_AUTHORIZED

	StreamFailed    Code = domainStream | C.GST_STREAM_ERROR_FAILED
	StreamWrongType Code = domainStream | C.GST_STREAM_ERROR_WRONG_TYPE
	StreamDecode    Code = domainStream | C.GST_STREAM_ERROR_DECODE
	StreamEncode    Code = domainStream | C.GST_STREAM_ERROR_ENCODE
	StreamDemux     Code = domainStream | C.GST_STREAM_ERROR_DEMUX
	StreamMux       Code = domainStream | C.GST_STREAM_ERROR_MUX
	StreamFormat    Code = domainStream | C.GST_STREAM_ERROR_FORMAT
)

func (c Code) domain() C.gint { return C.gint(c >> 16) }
func (c Code) code() C.gint   { return C.gint(c & 0xffff) }

// Error is an error, warning or info as it stands on the bus: what happened and what to do (Text), what a developer wants
// besides (Debug), and what a program reads (Details).
type Error struct {
	Code    Code
	Text    string
	Debug   string
	Details *Structure // may be nil
}

// Error gives the text.
func (e *Error) Error() string { return e.Text }

// asError gives any error a place on the bus: one that is or wraps an *Error that one's, another the fallback code.
func asError(err error, fallback Code) *Error {
	var e *Error
	if errors.As(err, &e) {
		return &Error{Code: e.Code, Text: err.Error(), Debug: e.Debug, Details: e.Details}
	}
	return &Error{Code: fallback, Text: err.Error()}
}
