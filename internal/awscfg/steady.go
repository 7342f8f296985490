package awscfg

import (
	"io"
	"net/http"
)

// Doer sends a request, as *http.Client does.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// Steady gives a client that works around a race in smithy-go (seen in v1.28.8). The SDK closes a request's body as soon as it has the header
// of the answer. Go's transport, which wants to see the end of the body after the last byte was sent, then asks the closed
// body's WriteTo, gets io.EOF as an error instead of nil, and drops the connection under the answer that is being read: an accepted request
// looks failed, and its retry makes duplicates. On loopback it is about one of a thousand calls. A body without WriteTo ends as it should.
func Steady(client Doer) Doer { return steady{client} }

type steady struct{ client Doer }

// Do implements Doer.
func (s steady) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return s.client.Do(r)
	}
	plain := r.WithContext(r.Context()) // a copy: a request must not be changed
	plain.Body = struct{ io.ReadCloser }{r.Body}
	return s.client.Do(plain)
}
