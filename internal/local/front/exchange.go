package front

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/local/codec"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/sigv4"
)

// exchange is one request on its way.
type exchange struct {
	front   *Front
	w       http.ResponseWriter
	r       *http.Request
	started time.Time
	seen    Seen
	format  codec.Format
	buf     *[]byte
}

// serve takes the request through its stages: target, body, format, signature, meaning, faults, work, answer.
func (x *exchange) serve() {
	if x.direct() {
		return
	}
	x.identify()
	op, ours := x.front.set.Service.Match(x.r)
	x.seen.Operation = op
	if op != "" && x.front.set.Faults.CutBeforeBody(op) {
		x.cut("cut")
		return
	}
	body, err := x.read()
	defer x.recycle()
	if err != nil {
		x.unreadable(err)
		return
	}
	if !x.acceptable(ours) {
		return
	}
	work, err := x.understand(op, body)
	if err != nil {
		x.fail(err)
		return
	}
	x.carryOut(work)
}

// formats is the header by which the producer's side learns that CBOR is understood here; see wire.Header.
const formats = "X-Gst-Kinesis-Wire"

// identify puts AWS's two request ids on the answer, what this endpoint speaks, and its time: clients correct their clock by it.
func (x *exchange) identify() {
	x.seen.RequestID = uuid.NewString()
	var extended [72]byte
	_, _ = rand.Read(extended[:]) // never fails
	x.w.Header().Set("x-amzn-RequestId", x.seen.RequestID)
	x.w.Header().Set("Date", x.front.set.Now().UTC().Format(http.TimeFormat))
	x.w.Header().Set(formats, "json, cbor")
	x.w.Header().Set("x-amz-id-2", base64.StdEncoding.EncodeToString(extended[:]))
}

var errTooLarge = errors.New("reading a body: larger than any valid request")

// read takes the whole body into a pooled buffer.
func (x *exchange) read() ([]byte, error) {
	if x.r.ContentLength > maxBody {
		return nil, errTooLarge
	}
	buf, _ := x.front.buffers.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	x.buf = buf
	into := bytes.NewBuffer((*buf)[:0])
	if n := int(x.r.ContentLength); n > 0 {
		// ReadFrom wants this much spare room to see the end without growing.
		into.Grow(n + bytes.MinRead)
	}
	_, err := into.ReadFrom(io.LimitReader(x.r.Body, maxBody+1))
	*buf = into.Bytes()
	if err == nil && into.Len() > maxBody {
		err = errTooLarge
	}
	return *buf, err
}

// recycle gives the body's buffer back; nothing that outlives the request may point into it.
func (x *exchange) recycle() {
	if x.buf != nil {
		x.front.buffers.Put(x.buf)
	}
}

func (x *exchange) unreadable(err error) {
	if errors.Is(err, errTooLarge) {
		x.w.Header().Set("Connection", "close")
		x.write(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "", nil)
		return
	}
	x.settle(0, "aborted")
	panic(http.ErrAbortHandler)
}

// settle enters the request into the books, once and before the client can know of an answer, so that who got an answer
// finds it there.
func (x *exchange) settle(status int, code string) {
	x.seen.Status, x.seen.Code = status, code
	x.seen.Duration = time.Since(x.started)
	x.front.count(&x.seen)
	if x.front.set.Observe != nil {
		x.front.set.Observe(x.seen)
	}
}

// acceptable finds the format and answers requests that cannot be told to be for a service here, as AWS's front does:
// in XML.
func (x *exchange) acceptable(ours bool) bool {
	media, _, _ := strings.Cut(x.r.Header.Get("Content-Type"), ";")
	media = strings.TrimSpace(media)
	switch {
	case x.r.Method != http.MethodPost || !ours && (media != codec.JSONContentType && media != codec.CBORContentType):
		x.write(http.StatusForbidden, apierr.AccessDenied, "", []byte("<AccessDeniedException>\n  <Message>Unable to determine service/operation name to "+
			"be authorized</Message>\n</AccessDeniedException>\n"))
		return false
	case media == codec.CBORContentType:
		x.format = codec.CBOR
	case media != codec.JSONContentType:
		x.write(http.StatusNotFound, apierr.UnknownOperation, "", []byte("<UnknownOperationException/>\n"))
		return false
	}
	if x.seen.Operation == "" {
		x.fail(apierr.Bare(apierr.UnknownOperation))
		return false
	}
	return true
}

// understand checks the signature and reads the body.
func (x *exchange) understand(op string, body []byte) (Work, error) {
	if v := x.front.set.Verifier(); v != nil {
		if err := v.Verify(x.r, sigv4.HashBody(body)); err != nil {
			return nil, err
		}
	}
	return x.front.set.Service.Prepare(op, x.format, body)
}

// carryOut does the work, with whatever the fault rules have for it.
func (x *exchange) carryOut(work Work) {
	sub := work.Subject()
	x.seen.Stream = sub.Stream
	plan := x.front.set.Faults.Request(sub)
	switch {
	case plan.Latency > 0 && !x.wait(plan.Latency):
		x.cut("cut")
		return
	case plan.Hang:
		x.hang(plan.HangFor)
		return
	case plan.Cut == fault.CutAfterBody:
		x.cut("cut")
		return
	case plan.Error != nil:
		x.fail(plan.Error)
		return
	case plan.Throttle:
		x.fail(work.Throttled())
		return
	}
	body, books, err := work.Run(x.r.Context())
	x.seen.Books = books
	switch {
	case plan.Cut == fault.CutAfterProcessing:
		x.cut("cut")
	case plan.Cut == fault.CutMidAnswer:
		x.half(body, err)
	case plan.Garble:
		x.garble(len(body))
	case err != nil:
		x.fail(err)
	default:
		x.write(http.StatusOK, "", x.format.ContentType(), body)
	}
}

// wait sleeps; false when the client or the endpoint went away first.
func (x *exchange) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.r.Context().Done():
	case <-x.front.stop:
	}
	return false
}

// hang keeps the connection without an answer.
func (x *exchange) hang(d time.Duration) {
	if d > 0 {
		x.wait(d)
	} else {
		select {
		case <-x.r.Context().Done():
		case <-x.front.stop:
		}
	}
	x.cut("hung")
}

// fail answers with an error.
func (x *exchange) fail(err error) {
	var e *apierr.Error
	if !errors.As(err, &e) {
		e = apierr.Internal()
	}
	x.write(e.Status, e.Code, x.format.ContentType(), x.format.EncodeError(e))
}

// write sends an answer. What cannot be sent is the client's loss, as it is on any network.
func (x *exchange) write(status int, code, contentType string, body []byte) {
	x.settle(status, code)
	x.head(contentType, len(body))
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body)
}

func (x *exchange) head(contentType string, length int) {
	h := x.w.Header()
	if contentType != "" {
		h.Set("Content-Type", contentType)
	} else {
		h["Content-Type"] = nil
	}
	h.Set("Content-Length", strconv.Itoa(length))
}
