package kinesisvideosink

import (
	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/codec"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/putmedia"
)

// format turns buffers of a pad's caps into frames. It belongs to the pad's streaming thread.
type format struct {
	kind       mkv.TrackType
	track      *description // nil while parameter sets that come in band are not complete
	trackName  string
	codecID    string // in place of the codec's own
	h265       bool
	convert    bool // start codes into lengths
	raw        bool // AAC: no ADTS headers
	lengthSize int
	sets       *codec.Sets // nil: the caps have them
	scratch    []byte      // access units that lie in several memories
}

// frame copies a buffer into a frame of the engine's, and says whether decoding may begin with it. What cannot be read is an error.
func (f *format) frame(e engine, v *gst.View) (*putmedia.Frame, error) {
	if f.kind == mkv.Audio {
		frame := e.Reserve(v.Size())
		v.CopyTo(frame.Data)
		frame.Key = true
		if f.raw {
			if err := codec.CheckRaw(frame.Data); err != nil {
				e.Release(frame)
				return nil, err
			}
		}
		return frame, nil
	}
	frame, err := f.accessUnit(e, v)
	if err != nil {
		return nil, err
	}
	if err := f.learn(frame.Data); err != nil {
		e.Release(frame)
		return nil, err
	}
	frame.Key = f.isKey(v, frame.Data)
	frame.Discardable = v.Has(gst.BufferDroppable)
	frame.Invisible = v.Has(gst.BufferDecodeOnly)
	return frame, nil
}

// accessUnit copies an access unit, and converts it where it has start codes.
func (f *format) accessUnit(e engine, v *gst.View) (*putmedia.Frame, error) {
	if !f.convert {
		frame := e.Reserve(v.Size())
		v.CopyTo(frame.Data)
		return frame, nil
	}
	au := f.scratch
	if v.Memories() == 1 {
		au = v.Memory(0)
	} else {
		au = au[:0]
		for i := range v.Memories() {
			au = append(au, v.Memory(i)...)
		}
		f.scratch = au
	}
	size, err := codec.ConvertedSize(au)
	if err != nil {
		return nil, err
	}
	frame := e.Reserve(size)
	codec.Convert(frame.Data, au)
	return frame, nil
}

// learn takes parameter sets that come in band.
func (f *format) learn(au []byte) error {
	if f.sets == nil {
		return nil
	}
	change, err := f.sets.Update(codec.Prefixed(au, f.lengthSize))
	if err != nil {
		return err
	}
	if f.track != nil && change != codec.SequenceSets {
		return nil
	}
	if !f.sets.Ready() {
		return errNoSets
	}
	record, err := f.sets.Record()
	if err != nil {
		return err
	}
	if f.h265 {
		return f.describe(codec.H265(record))
	}
	return f.describe(codec.H264(record))
}

// isKey says whether decoding may begin: as the buffer's flag has it, but for a buffer that is marked so and refers to others, or is
// not marked and does not. Who flags nothing, as many programs with an appsrc, would else have a fragment begin anywhere.
func (f *format) isKey(v *gst.View, au []byte) bool {
	units := codec.Prefixed(au, f.lengthSize)
	var access codec.Access
	if f.h265 {
		access = codec.H265Access(units)
	} else {
		access = codec.H264Access(units)
	}
	if v.Has(gst.BufferDeltaUnit) {
		return access == codec.IDR
	}
	return access != codec.Delta
}
