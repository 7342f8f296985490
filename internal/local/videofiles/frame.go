package videofiles

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"gst-kinesis/internal/local/videostreams"
	"gst-kinesis/internal/mkv"
)

const (
	magic          = "GKLVID1\n"
	headBytes      = 16
	maxDescription = 1 << 20
	maxMedia       = 64 << 20

	kindHeader   = "header"
	kindFragment = "fragment"
)

var errFrame = errors.New("reading a frame: torn or broken")

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // the table is made once, inside crc32

// description is what stands before media.
type description struct {
	Kind   string
	Header int // its number within the segment

	Number   *videostreams.Number `json:",omitempty"`
	Producer int64                `json:",omitempty"` // ms since 1970
	Server   int64                `json:",omitempty"`
	Timecode uint64               `json:",omitempty"`
	Length   int64                `json:",omitempty"` // ms
	Tags     []mkv.Tag            `json:",omitempty"`
}

// head is the fixed part of a frame, read.
type head struct {
	description int
	media       int64
	check       uint32 // of the description
	mediaCheck  uint32
}

// appendHead appends all of a frame but its media.
func appendHead(dst []byte, d description, media []byte) ([]byte, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return dst, err
	}
	if len(text) > maxDescription || len(media) > maxMedia {
		return dst, fmt.Errorf("a description of %d bytes and media of %d are too large", len(text), len(media))
	}
	start := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(text)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(media)))
	check := crc32.Update(crc32.Checksum(dst[start:], castagnoli()), castagnoli(), text)
	dst = binary.LittleEndian.AppendUint32(dst, check)
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(media, castagnoli()))
	return append(dst, text...), nil
}

// readHead reads the frame at an offset, without its media. io.EOF is the end of the file at a frame's start.
func readHead(file io.ReaderAt, offset int64) (head, description, error) {
	var fixed [headBytes]byte
	n, err := file.ReadAt(fixed[:], offset)
	if n == 0 && errors.Is(err, io.EOF) {
		return head{}, description{}, io.EOF
	}
	h := head{description: int(binary.LittleEndian.Uint32(fixed[:])), media: int64(binary.LittleEndian.Uint32(fixed[4:])),
		check: binary.LittleEndian.Uint32(fixed[8:]), mediaCheck: binary.LittleEndian.Uint32(fixed[12:])}
	if n < headBytes || h.description == 0 || h.description > maxDescription || h.media > maxMedia {
		return h, description{}, errFrame
	}
	text := make([]byte, h.description)
	if n, _ := file.ReadAt(text, offset+headBytes); n < len(text) {
		return h, description{}, errFrame
	}
	if crc32.Update(crc32.Checksum(fixed[:8], castagnoli()), castagnoli(), text) != h.check {
		return h, description{}, errFrame
	}
	var d description
	if err := json.Unmarshal(text, &d); err != nil {
		return h, d, errFrame
	}
	return h, d, nil
}

// readMedia reads and checks media.
func readMedia(file io.ReaderAt, offset, size int64, check uint32) ([]byte, error) {
	b := make([]byte, size)
	if n, err := file.ReadAt(b, offset); int64(n) < size {
		return nil, errors.Join(errFrame, err)
	}
	if crc32.Checksum(b, castagnoli()) != check {
		return nil, errFrame
	}
	return b, nil
}

// describe makes the description of a fragment.
func describe(f *videostreams.Fragment, header int) description {
	return description{Kind: kindFragment, Header: header, Number: &f.Number, Producer: f.Producer.UnixMilli(), Server: f.Server.UnixMilli(),
		Timecode: f.Timecode, Length: f.Length.Milliseconds(), Tags: f.Tags}
}

// fragment makes a fragment of its description.
func (d *description) fragment(h *videostreams.Header, media int64) (*videostreams.Fragment, error) {
	if d.Number == nil || h == nil {
		return nil, errFrame
	}
	return &videostreams.Fragment{Number: *d.Number, Producer: time.UnixMilli(d.Producer).UTC(), Server: time.UnixMilli(d.Server).UTC(),
		Timecode: d.Timecode, Length: time.Duration(d.Length) * time.Millisecond, Tags: d.Tags, Header: h, Bytes: media}, nil
}
