// Package frame is the record of one frame or one piece of a byte stream:
// a map with a fixed order of keys, as msgpack (use_bin_type) or as JSON with
// standard base64.
//
// # Specification
//
// The map is the one that the msight_core toolkit's classes serialise to
// (BSD-3-Clause; dataclass field order, data_type first). Only the format is
// shared, no code.
//
//	key                 msgpack          JSON             ImageData  BytesData
//	data_type           str              string           yes        yes
//	sensor_name         str              string           yes        yes
//	capture_timestamp   float 64         number           yes        yes    seconds since 1970
//	creation_timestamp  float 64         number           yes        yes    seconds since 1970
//	frame_id            int              number           yes        yes    snowflake, see [Snowflake]
//	device_name         str              string           yes        yes
//	image               bin              base64 string    yes        -      the payload
//	is_encoded          bool             true, false      yes        -      false: raw rows, tightly packed
//	detection_results   nil or any       null or any      yes        -
//	size                array 3 int      array            yes        -      [height, width, channels], nil when unknown
//	data                bin              base64 string    -          yes    the payload
//	codec               str              string           if set     yes    addition of this project
//	caps                str              string           if set     yes    addition of this project
//	key_frame           bool             true, false      -          yes    addition of this project
//	…                   any              any              extra      extra  in the order given
//
// Readers ignore keys they do not know. Integers take the shortest msgpack
// form, as Python's msgpack writes them, so a frame_id of today is a uint 64
// (0xcf), which every reader takes for the int64 it fits in.
//
// # Text
//
// Strings are UTF-8. Each byte that is not part of valid UTF-8 is written as
// U+FFFD, in msgpack and in JSON alike, because readers refuse a whole record
// for one bad byte in a name.
//
// # Numbers in JSON
//
// A float is the shortest decimal that reads back as the same float64, without
// an exponent and always with a point ("1700000000.0"), so that Python reads a
// float. JSON has no NaN and no infinity: they are written as null. frame_id
// is a plain integer above 2^53: readers that know only float64 lose its low
// bits.
//
// All functions are safe for concurrent use on different arguments; nothing
// here keeps state except [Snowflake] and [Snowflakes].
package frame
