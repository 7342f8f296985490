package intake

import (
	"fmt"
	"strconv"
	"strings"
)

// Format is a way of putting records one behind the other.
type Format int

// The formats; see the package's description.
const (
	Auto Format = iota
	Lines
	NDJSON
	Files
	LengthPrefixed
	Msgpack
	Bulk
)

// String returns the format's name.
func (f Format) String() string {
	switch f {
	case Auto:
		return "auto"
	case Lines:
		return "lines"
	case NDJSON:
		return "ndjson"
	case Files:
		return "files"
	case LengthPrefixed:
		return "length-prefixed"
	case Msgpack:
		return "msgpack"
	case Bulk:
		return "bulk"
	default:
		return "Format(" + strconv.Itoa(int(f)) + ")"
	}
}

// ParseFormat reads a format's name; an underscore does for a hyphen.
func ParseFormat(s string) (Format, error) {
	for f := Auto; f <= Bulk; f++ {
		if strings.ReplaceAll(s, "_", "-") == f.String() {
			return f, nil
		}
	}
	return 0, fmt.Errorf("reading a format: %q is none of auto, lines, ndjson, files, length-prefixed, msgpack, bulk", s)
}
