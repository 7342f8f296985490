// Package supervise keeps a live source going for as long as the pipeline behind it lives: a camera that goes away, hangs or
// never was there is tried again and again, while everything downstream stays as it is.
//
//	         buffers flow                      end of stream, silence > stall, error
//	starting ────────────> playing ──────────────────────────────┐
//	   ^  └──── silence > start limit, error, refused start ────> lost: warn, stop (bounded),
//	   └───────────────────────────────────────────────────────── wait: back-off with jitter
//
// What a source is, the package does not know: a [Source] is filled in by whoever runs the pipeline. Each has a [Supervisor] of its own, with one
// goroutine. A source that does not come back from Stop or Start is left to itself: the supervisor goes on with its limits, and the
// source is started again only when it has come back.
package supervise
