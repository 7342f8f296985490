package mp4

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// File is the plan of an MP4 whose tables come first. Add all samples, write Header, then the samples' bytes in the same order.
type File struct{ tables tables }

// NewFile begins a plan. Its errors wrap ErrConfig.
func NewFile(tracks []Track) (*File, error) {
	t, err := newTables(tracks)
	return &File{tables: t}, err
}

// Add adds a sample of a track, by its place in NewFile's list.
func (f *File) Add(track int, s Sample) error { return f.tables.add(track, s) }

// Size is that of all samples so far, in bytes.
func (f *File) Size() int64 { return f.tables.size }

// Header is all of the file before the samples' bytes. It fails if there is no sample.
func (f *File) Header() ([]byte, error) {
	head := ftyp()
	mdat := mdatHead(f.tables.size)
	plain, err := f.tables.moov(0, false)
	if err != nil {
		return nil, err
	}
	wide := int64(len(head)+len(plain)+len(mdat))+f.tables.size > math.MaxUint32
	if wide {
		if plain, err = f.tables.moov(0, true); err != nil {
			return nil, err
		}
	}
	// The size does not depend on the offsets: so the second time they are right.
	moov, err := f.tables.moov(int64(len(head)+len(plain)+len(mdat)), wide)
	if err != nil {
		return nil, err
	}
	return append(append(head, moov...), mdat...), nil
}

// mdatHead begins the box of the samples.
func mdatHead(size int64) []byte {
	if size+8 <= math.MaxUint32 {
		return append(binary.BigEndian.AppendUint32(nil, uint32(size+8)), "mdat"...)
	}
	return binary.BigEndian.AppendUint64([]byte("\x00\x00\x00\x01mdat"), uint64(size+16))
}

// Writer writes an MP4 whose tables come last, as samples come. Without Close it cannot be read.
type Writer struct {
	w      io.WriteSeeker
	tables tables
	mdat   int64 // where its box begins
	err    error
}

// NewWriter begins a file at w's place. Its errors wrap ErrConfig, or are those of w.
func NewWriter(w io.WriteSeeker, tracks []Track) (*Writer, error) {
	t, err := newTables(tracks)
	if err != nil {
		return nil, err
	}
	start, err := w.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = w.Write(append(ftyp(), "\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x00"...))
	}
	if err != nil {
		return nil, fmt.Errorf("beginning an MP4: %w", err)
	}
	return &Writer{w: w, tables: t, mdat: start + int64(len(ftyp()))}, nil
}

// Write writes a sample; its Size is that of data. After an error only Close is of use.
func (w *Writer) Write(track int, s Sample, data []byte) error {
	if w.err != nil {
		return w.err
	}
	s.Size = len(data)
	if w.err = w.tables.add(track, s); w.err != nil {
		return w.err
	}
	if _, err := w.w.Write(data); err != nil {
		w.err = fmt.Errorf("writing a sample of an MP4: %w", err)
	}
	return w.err
}

// Close writes the tables. It does not close the file below. A file without samples cannot be one: that is an error.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	base := w.mdat + 16
	moov, err := w.tables.moov(base, base+w.tables.size > math.MaxUint32)
	if err == nil {
		_, err = w.w.Write(moov)
	}
	if err == nil {
		_, err = w.w.Seek(w.mdat+8, io.SeekStart)
	}
	if err == nil {
		_, err = w.w.Write(binary.BigEndian.AppendUint64(nil, uint64(w.tables.size+16)))
	}
	if err == nil {
		_, err = w.w.Seek(0, io.SeekEnd)
	}
	w.err = errors.New("writing an MP4: it was closed")
	if err != nil {
		return fmt.Errorf("ending an MP4: %w", err)
	}
	return nil
}
