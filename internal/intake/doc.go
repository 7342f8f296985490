// Package intake takes byte streams apart into records: lines, JSON lines, whole
// files, length-prefixed and msgpack streams, and the bulk payloads of devices.
//
//	r := intake.NewReader("events.ndjson", file, intake.Settings{Format: intake.NDJSON})
//	for {
//		record, err := r.Next() // io.EOF at the end
//		…
//	}
//
// # Formats
//
//	lines            a record a line, without its line feed (or CR LF); the last one needs none; an empty line is
//	                 an empty record
//	ndjson           a line is one JSON text; white space around it and empty lines are left out
//	files            the whole input is one record
//	length-prefixed  4 bytes with a length, big-endian unless told otherwise, then so many bytes; again and again
//	msgpack          objects of MessagePack one behind the other, each a record with its bytes as they are
//	                 (https://github.com/msgpack/msgpack/blob/master/spec.md)
//	bulk             the MessagePack string "1.0", then MessagePack byte arrays until the end; what is in each is a
//	                 record (MODE Kinesis Smart Module)
//	auto             lines, provided that the input begins as text does
//
// # Bounds
//
// A Reader holds at most one record, of Settings.MaxRecord bytes, and some read
// ahead. Memory grows with the bytes that have come, never by a length that is only
// claimed. Nesting costs nothing: msgpack is skipped by counting, without
// recursion.
//
// # Errors
//
// What is wrong with an input is an *Error, which names input, place and remedy.
// Reading ends with it: where one record is broken, the next one's beginning is a
// guess.
package intake
