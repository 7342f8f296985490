package videofiles

import (
	"fmt"
	"os"

	"gst-kinesis/internal/local/datadir"
)

// kept is a fragment's media. It implements videostreams.Kept.
type kept struct {
	seg    *datadir.Segment
	offset int64
	size   int64
	check  uint32
}

// Read implements videostreams.Kept.
func (k *kept) Read() ([]byte, error) {
	file, err := os.Open(k.seg.Path)
	if err != nil {
		return nil, fmt.Errorf("opening a segment: %w", err)
	}
	defer file.Close()
	b, err := readMedia(file, k.offset, k.size, k.check)
	if err != nil {
		return nil, fmt.Errorf("reading %s at byte %d: %w", k.seg.Path, k.offset, err)
	}
	return b, nil
}

// Release implements videostreams.Kept.
func (k *kept) Release() { k.seg.Release() }
