// Package mediacall is an HTTP/1.1 client for calls whose body is sent for as long as media come, a frame at a time, while the
// answer is read: PutMedia.
//
//	t := mediacall.New(session.Transport(), 10*time.Second)
//	caller := awscall.New(session, t, awscall.KinesisVideo())   // it is an http.RoundTripper
//
// What it does otherwise than net/http's own transport:
//
//   - A piece of the body is written by one call, with the framing of its chunk put into the room that its owner left around it
//     (see [Chunks.WriteWithin]): it is copied by nobody but the kernel and TLS.
//   - One goroutine writes, and whoever called reads. It may lend its writing to who has the next piece ([Chunks.Try]), so that no
//     goroutine is woken for it.
//   - The deadline of writing is moved on now and then, not with each piece.
//   - Every call has a connection of its own, which ends with it. Nothing is sent again. "Expect: 100-continue" is not sent.
//   - There is no HTTP/2.
//
// Names, proxies, trust and time-outs are those of the transport that it is made from, and so are its errors, as awserr knows them.
//
// # The wire
//
// Source: RFC 9112 (HTTP/1.1): section 3.2.2 for the absolute form that proxies take, 6.1 and 7.1 for chunks, 9.6 for how a
// connection ends; RFC 9110 section 9.3.6 for CONNECT.
package mediacall
