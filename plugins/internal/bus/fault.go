// Package bus turns what the engines tell into what stands on GStreamer's bus, for all elements that speak to AWS: errors with the cause and the
// remedy, outcomes of delivery tokens. What it gives is made anew; its functions may be called from any thread.
package bus

import (
	"errors"
	"fmt"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/trouble"
)

// Sentence makes an error's text one: upper case, full stop.
func Sentence(err error) string {
	text := fmt.Sprint(err)
	if text == "" {
		return text
	}
	if c := text[0]; c >= 'a' && c <= 'z' {
		text = string(c-'a'+'A') + text[1:]
	}
	if text[len(text)-1] != '.' {
		text += "."
	}
	return text
}

// Settings is the error of settings that are wrong.
func Settings(err error) *gst.Error {
	return &gst.Error{Code: gst.ResourceSettings, Text: Sentence(err)}
}

// Trouble gives a trouble its place on the bus; unit names what its Records count ("records", "frames").
func Trouble(t trouble.Trouble, unit string) *gst.Error {
	text := t.Message
	if text == "" {
		text = t.Error()
	}
	text = Sentence(fmt.Errorf("writing to stream %s: %s", t.Stream, text))
	if t.Remedy != "" {
		text += " " + Sentence(errors.New(t.Remedy))
	}
	return &gst.Error{
		Code: Code(t.Fault), Text: text, Debug: t.Error(),
		Details: gst.NewStructure("details",
			gst.Field{Name: "aws-error-code", Value: t.Code},
			gst.Field{Name: "http-status-code", Value: uint32(t.HTTPStatus)},
			gst.Field{Name: "request-id", Value: t.RequestID},
			gst.Field{Name: "region", Value: t.Region},
			gst.Field{Name: "stream-name", Value: t.Stream},
			gst.Field{Name: "class", Value: t.Class.String()},
			gst.Field{Name: "reason", Value: t.Reason},
			gst.Field{Name: "remedy", Value: t.Remedy},
			gst.Field{Name: "count", Value: uint64(t.Count)},
			gst.Field{Name: unit, Value: uint64(t.Records)},
		),
	}
}

// Notice is what is worth knowing once.
func Notice(n trouble.Notice) *gst.Error {
	info := &gst.Error{Code: gst.ResourceWrite, Text: Sentence(errors.New(n.Text))}
	if n.Err != nil {
		info.Debug = n.Err.Error()
	}
	return info
}

// Code chooses GStreamer's word for a fault.
func Code(f awserr.Fault) gst.Code {
	switch f.Code {
	case "ResourceNotFoundException":
		return gst.ResourceNotFound
	case awserr.CodeNoRegion, awserr.CodeEndpoint, "ValidationException", "InvalidArgumentException":
		return gst.ResourceSettings
	case "ProvisionedThroughputExceededException", "LimitExceededException", "KMSThrottlingException",
		"ClientLimitExceededException", "ConnectionLimitExceededException":
		return gst.ResourceBusy
	case awserr.CodeRefused, awserr.CodeDNS, awserr.CodeUnreachable:
		return gst.ResourceOpenWrite
	}
	if f.Class.Lasting() && f.Party == awserr.Caller {
		return gst.ResourceNotAuthorized
	}
	return gst.ResourceWrite
}

// Complete says what became of the buffer that a delivery token came with, and gives the token back. nil is none.
func Complete(token any, o gst.Outcome) {
	if t, ok := token.(gst.Token); ok {
		t.Complete(o)
		t.Unref()
	}
}
