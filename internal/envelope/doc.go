// Package envelope is the one wrapping that this project puts around data of
// records: around the parts of a message that is too large for one record
// (oversize=split), and around a compressed message (compression=gzip or zstd).
// Unless one of the two is set nothing is wrapped.
//
// Foreign readers cannot read envelopes. Who reads the stream with other programs
// (Firehose, Lambda, KCL) leaves both settings alone, or unwraps by the following.
//
// # Specification
//
// A record is a header of 44 bytes and a body. Numbers are big-endian.
//
//	offset  bytes  what
//	0       4      magic C1 67 6B 65 ("\xc1gke")
//	4       1      version, 1
//	5       1      codec: 0 none, 1 gzip (RFC 1952, one member), 2 zstd (RFC 8878, one frame)
//	6       2      flags, 0; a reader refuses a record with a flag that it does not know
//	8       16     message id
//	24      2      index of this part, from 0
//	26      2      count of parts, 1..65535
//	28      4      size: bytes of all bodies of the message together, below 2^31
//	32      4      original: bytes of the message when decompressed, below 2^31; size if the codec is none
//	36      4      sum: CRC-32C of all bodies joined, the same in each part
//	40      4      CRC-32C of bytes 0..39 and the body
//	44      n      body
//
// A message is compressed first, as a whole, and split then. All bodies have
// ceil(size/count) bytes, the last one what is left, which is at least one byte
// where there are several: so each part says where it belongs, and parts can
// neither overlap nor leave a hole. A compressed message that fits one record is a
// message of one part.
//
// # The magic number
//
// 0xC1 is the one byte that msgpack never uses, and it is never part of UTF-8, so
// that neither a msgpack record nor JSON nor any text begins like an envelope. KPL
// aggregates begin with F3, JPEG with FF, gzip with 1F, zstd with 28, Matroska with
// 1A, Annex-B and MP4 with 00, MPEG-TS with 47. Raw video may begin with anything,
// and with these four bytes once in four thousand million records: the CRC tells.
//
// # The message id
//
// 8 random bytes, drawn once by each [Encoder], and a counter of its messages. 64
// random bits keep any number of producers and restarts apart without asking
// anyone; the counter keeps a producer's messages apart without drawing for each,
// and tells them in order to who debugs. Two producers can still have the same ids,
// when a virtual machine is cloned while it runs: a message is therefore known by
// everything in its header that its parts share, the sum included, and parts of
// different messages never meet.
//
// # Compression that does not help
//
// A payload that does not get smaller by more than the header (JPEG, H.264) is sent
// as it is, without an envelope if it fits a record. Readers take records of both
// kinds from the same stream.
//
// # Order
//
// A message is complete with the last of its parts to be read, in whatever order
// they came, and takes that part's place among the records. Parts may be
// interleaved with anything, and repeated: retries of PutRecords repeat records.
// Records and messages of one part take their own place; they are not looked at for
// repetitions, so with them delivery is at least once as ever.
//
// # Parts and shards
//
// The parts of a message should have one partition key, which brings them to one
// shard in order. After a reshard the rest of a message comes from a child of that
// shard. An [Assembler] therefore serves all shards of a stream, and knows messages
// by their ids, not by shards; see [Assembler.Oldest] for checkpoints.
//
// Nothing here starts goroutines.
package envelope
