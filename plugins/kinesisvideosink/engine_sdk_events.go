package kinesisvideosink

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/kvsproducer"
	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/putmedia"
)

// The SDK's bounds of storage-size, in MiB. Source: MIN_STORAGE_ALLOCATION_SIZE and MAX_STORAGE_ALLOCATION_SIZE of its heap.
const (
	leastStorage = 10
	mostStorage  = 10 << 10
)

// checkSDKValues holds values to what AWS's SDK takes.
func (s *Settings) checkSDKValues() error {
	ca := cmp.Or(s.AWS.CAFile, caFromEnvironment())
	switch {
	case s.StorageSize < leastStorage || s.StorageSize > mostStorage:
		return fmt.Errorf("%w: storage-size=%d: AWS's SDK takes %d to %d MiB", errProperty, s.StorageSize, leastStorage, mostStorage)
	case s.Ignored.BufferDuration == 0:
		return fmt.Errorf("%w: buffer-duration=0: AWS's SDK must keep something; set 120", errProperty)
	case s.Ignored.ReplayDuration > s.Ignored.BufferDuration:
		return fmt.Errorf("%w: replay-duration=%d: AWS's SDK takes no more than buffer-duration, which is %d",
			errProperty, s.Ignored.ReplayDuration, s.Ignored.BufferDuration)
	case ca != "" && !strings.HasSuffix(ca, ".pem"):
		return fmt.Errorf("%w: ca-file=%s: AWS's SDK takes a file whose name ends in .pem; rename it", errProperty, ca)
	}
	return nil
}

// Codes of troubles that only this engine has.
const (
	codeSettings = "Settings"
	codeStale    = "ConnectionStale"
)

// codeOf names a status that AWS's service has no code for.
func codeOf(s kvsproducer.Status) string { return fmt.Sprintf("sdk-%08x", uint32(s)) }

// heard writes what the SDK says into the element's log. It comes from the SDK's goroutine.
func (r *reporter) heard(e kvsproducer.Event) {
	switch e.Kind {
	case kvsproducer.Log:
		level := gst.LevelInfo
		if e.Level >= kvsproducer.LogError {
			level = gst.LevelWarning
		}
		r.e.Log(level, "AWS's SDK: %s", e.Text)
	case kvsproducer.BufferPressure, kvsproducer.StoragePressure:
		r.e.Log(gst.LevelDebug, "AWS's SDK: %v: %v or %d bytes are left", e.Kind, e.Amount, e.Bytes)
	case kvsproducer.Ready, kvsproducer.Closed:
		r.e.Log(gst.LevelInfo, "AWS's SDK: the stream is %v", e.Kind)
	}
}

// reportOf gives an event as a Delegate takes it; false for what is no concern of its.
func reportOf(e kvsproducer.Event) (r putmedia.Report, ok bool) {
	switch e.Kind {
	case kvsproducer.Ack:
		return ackOf(e), true
	case kvsproducer.DroppedFrame, kvsproducer.DroppedFragment: // with both the time is a frame's
		return putmedia.Report{Kind: putmedia.ReportLost, DTS: e.Timecode}, true
	case kvsproducer.Failed:
		if isOfAck(e.Status) {
			return putmedia.Report{Kind: putmedia.ReportRefused, DTS: e.Timecode}, true
		}
		return troubleOf(faultOf(e.Status, "AWS's SDK reports: "+e.Status.String())), true
	case kvsproducer.Stale:
		return troubleOf(awserr.Fault{Class: awserr.Transient, Party: awserr.Service, Code: codeStale,
			Message: fmt.Sprintf("nothing was acknowledged for %v, AWS's SDK opens the connection anew", e.Amount.Round(time.Second))}), true
	}
	return r, false
}

func troubleOf(f awserr.Fault) putmedia.Report {
	return putmedia.Report{Kind: putmedia.ReportTrouble, Fault: f}
}

// ackOf gives an acknowledgement. The SDK counts connections from 0, a Delegate from 1.
func ackOf(e kvsproducer.Event) putmedia.Report {
	types := map[kvsproducer.AckType]putmedia.AckType{
		kvsproducer.Buffering: putmedia.Buffering, kvsproducer.Received: putmedia.Received, kvsproducer.Persisted: putmedia.Persisted,
		kvsproducer.AckError: putmedia.Failed,
	}
	kind, known := types[e.Ack]
	if !known {
		kind = putmedia.Idle
	}
	return putmedia.Report{
		Kind: putmedia.ReportAck, Upload: e.Upload + 1, Retried: !skips(e.Result), Ignored: e.Ignored,
		Ack: putmedia.Ack{Type: kind, Timecode: e.Timecode.Milliseconds(), HasTimecode: e.Timecode != 0, Number: e.Fragment, ErrorID: e.Result},
	}
}

// skips reports whether the SDK leaves a fragment out that was refused by an error. Source: serviceCallResultRetry of its client.
func skips(id int) bool {
	switch id {
	case 4000, 4003, 4503:
		return false
	}
	return id >= 4001 && id <= 4012 || id >= 4500 && id <= 4507
}

// isOfAck reports whether a status is that of an acknowledgement, which comes too. Source: client/Include.h, STATUS_ACK_ERR_.
func isOfAck(s kvsproducer.Status) bool {
	return s >= 0x5200005c && s <= 0x5200006f || s == 0x52000075 || s >= 0x5200007c && s <= 0x5200007e
}

// sdkError classifies an error of the SDK.
func sdkError(err error) error {
	var e *kvsproducer.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		status := e.Status
		if status == kvsproducer.StatusTimedOut && e.Last != 0 {
			status = e.Last // what it timed out over
		}
		return &awserr.Known{Fault: faultOf(status, err.Error()), Err: err}
	}
	return err
}

// faultOf classifies a status. Source: client/Include.h and mkvgen/Include.h of the SDK.
func faultOf(s kvsproducer.Status, message string) awserr.Fault {
	f := awserr.Fault{Class: awserr.Transient, Party: awserr.Unknown, Code: codeOf(s), Message: message}
	switch {
	case s == kvsproducer.StatusNotAuthorized:
		f.Class, f.Party, f.Code = awserr.Permanent, awserr.Caller, "AccessDeniedException"
		f.Remedy = "see that the keys are valid, the clock is right, and the policy allows kinesisvideo:DescribeStream, GetDataEndpoint and PutMedia"
	case s == kvsproducer.StatusNotFound, s == 0x52000036:
		f.Class, f.Party, f.Code, f.Remedy = awserr.Permanent, awserr.Caller, "ResourceNotFoundException", "create the stream, or set allow-create-stream"
	case s == kvsproducer.StatusOutOfStorage:
		f.Class, f.Party, f.Code, f.Remedy = awserr.RecordFault, awserr.Record, putmedia.ReasonStorage, "raise storage-size"
	case s>>24 == 0x32, s>>24 == 0x30: // of Matroska, and of the SDK's index: a frame's own
		f.Class, f.Party, f.Remedy = awserr.RecordFault, awserr.Record, "see that timestamps do not go back"
	case s == 0x15000020:
		f.Class, f.Party, f.Remedy = awserr.Permanent, awserr.Caller, "set ca-file to a file whose name ends in .pem"
	}
	return f
}
