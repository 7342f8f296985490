package front

import (
	"net/http"
	"time"

	"gst-kinesis/internal/local/fault"
)

// Direct is a service that answers by itself, because its bodies are no single values: they are streams.
type Direct interface {
	// Match returns the operation that a request asks for; ok is false when the request is not the service's at all.
	Match(r *http.Request) (operation string, ok bool)
	// Serve answers. It must call one of Settle, Cut and Hang, once.
	Serve(c *Call)
}

// Call is a request of a Direct service, with what the front does for it: books, faults, the end of listening.
type Call struct {
	W         http.ResponseWriter
	R         *http.Request
	Operation string
	Stream    string // to be set as soon as it is known
	Moved     Books  // to be set before Settle

	x *exchange
}

// direct hands a request to the service that answers by itself, if it is one of its.
func (x *exchange) direct() bool {
	d := x.front.set.Direct
	if d == nil {
		return false
	}
	op, ok := d.Match(x.r)
	if !ok {
		return false
	}
	x.identify()
	x.seen.Operation = op
	if op != "" && x.front.set.Faults.CutBeforeBody(op) {
		x.cut("cut")
		return true
	}
	d.Serve(&Call{W: x.w, R: x.r, Operation: op, x: x})
	return true
}

// Settle enters the request into the books, before the client can know of the answer, or at the end of a stream.
func (c *Call) Settle(status int, code string) {
	c.note()
	c.x.settle(status, code)
}

// Cut closes the connection at once, without an answer or in its midst.
func (c *Call) Cut() {
	c.note()
	c.x.cut("cut")
}

// Drop closes the connection at once, after Settle.
func (c *Call) Drop() { c.x.drop() }

// Wait sleeps; false when the client or the endpoint went away first.
func (c *Call) Wait(d time.Duration) bool { return c.x.wait(d) }

// Hang keeps the connection without an answer for the time, 0 for ever, and closes it then.
func (c *Call) Hang(d time.Duration) {
	c.note()
	c.x.hang(d)
}

// Stopped is closed when the endpoint stops listening.
func (c *Call) Stopped() <-chan struct{} { return c.x.front.stop }

// RequestID is what the answer says in x-amzn-RequestId.
func (c *Call) RequestID() string { return c.x.seen.RequestID }

// Verify checks the signature of a request for a service. hash is the hex SHA-256 that stands for the body. Clients that leave
// the port out of the Host that they sign, as AWS's producer does, are understood too.
func (c *Call) Verify(service, hash string) error {
	v := c.x.front.set.Verifier()
	if v == nil {
		return nil
	}
	own := *v
	own.Service = service
	err := own.Verify(c.R, hash)
	if host := hostOnly(c.R.Host); err != nil && host != c.R.Host {
		bare := *c.R
		bare.Host = host
		if own.Verify(&bare, hash) == nil {
			return nil
		}
	}
	return err
}

// Plan returns what fault rules have for the request.
func (c *Call) Plan() fault.Plan {
	return c.x.front.set.Faults.Request(fault.Subject{Operation: c.Operation, Stream: c.Stream})
}

func (c *Call) note() { c.x.seen.Stream, c.x.seen.Books = c.Stream, c.Moved }
