package mp4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// avcConfig is a record without parameter sets, for lengths of four bytes.
func avcConfig() []byte { return []byte{1, 0x42, 0xC0, 0x1E, 0xFF, 0xE0, 0} }

func someTracks() []Track {
	return []Track{
		{Codec: AVC, Config: avcConfig(), Timescale: 1000, Width: 640, Height: 360},
		{Codec: AAC, Config: []byte{0x11, 0x90}, Timescale: 48000, SampleRate: 48000, Channels: 2},
	}
}

// memory is a file in memory.
type memory struct {
	b  []byte
	at int64
}

func (m *memory) Write(p []byte) (int, error) {
	if end := m.at + int64(len(p)); end > int64(len(m.b)) {
		m.b = append(m.b, make([]byte, end-int64(len(m.b)))...)
	}
	m.at += int64(copy(m.b[m.at:], p))
	return len(p), nil
}

func (m *memory) Seek(offset int64, whence int) (int64, error) {
	m.at = map[int]int64{io.SeekStart: 0, io.SeekCurrent: m.at, io.SeekEnd: int64(len(m.b))}[whence] + offset
	return m.at, nil
}

// boxes lists the paths of all boxes with their contents.
func boxes(t testing.TB, b []byte, path string, into map[string][][]byte) {
	t.Helper()
	for len(b) > 0 {
		require.GreaterOrEqual(t, len(b), 8, path)
		size, head := int(binary.BigEndian.Uint32(b)), 8
		if size == 1 {
			size, head = int(binary.BigEndian.Uint64(b[8:])), 16
		}
		require.LessOrEqual(t, size, len(b), path)
		name := path + "/" + string(b[4:8])
		content := b[head:size]
		into[name] = append(into[name], content)
		switch string(b[4:8]) {
		case "moov", "trak", "mdia", "minf", "stbl", "edts", "dinf":
			boxes(t, content, name, into)
		}
		b = b[size:]
	}
}

// table32 reads n columns of a full box that begins with a count.
func table32(b []byte, columns int) (rows [][]uint32) {
	n := int(binary.BigEndian.Uint32(b[4:]))
	for i := range n {
		row := make([]uint32, columns)
		for k := range row {
			row[k] = binary.BigEndian.Uint32(b[8+4*(i*columns+k):])
		}
		rows = append(rows, row)
	}
	return rows
}

// placed reads the samples of a track back by its tables alone.
func placed(file []byte, trak int, all map[string][][]byte) (list [][]byte) {
	const stbl = "/moov/trak/mdia/minf/stbl/"
	sizes := table32(append([]byte{0, 0, 0, 0}, all[stbl+"stsz"][trak][8:]...), 1)
	chunks, offsets := table32(all[stbl+"stsc"][trak], 3), table32(all[stbl+"stco"][trak], 1)
	next := 0
	for i, o := range offsets {
		count := 0
		for _, c := range chunks {
			if int(c[0]) <= i+1 {
				count = int(c[1])
			}
		}
		at := o[0]
		for range count {
			n := sizes[next][0]
			list = append(list, file[at:at+n])
			at += n
			next++
		}
	}
	return list
}

// footage makes samples of two tracks, of random sizes, video with B-frames.
func footage(rng *rand.Rand) (order []int, samples []Sample, data [][]byte) {
	shown := []int64{0, 100, 33, 66, 200, 133, 166, 300, 233, 266}
	for i, at := range shown {
		for track := range 2 {
			b := make([]byte, 1+rng.IntN(300))
			for k := range b {
				b[k] = byte(rng.Uint32())
			}
			s := Sample{Size: len(b), Time: 5000 + at, Key: i == 0, Duration: 33}
			if track == 1 {
				s = Sample{Size: len(b), Time: 5100*48 + int64(i)*1024, Key: true, Duration: 1024}
			}
			order, samples, data = append(order, track), append(samples, s), append(data, b)
		}
	}
	return order, samples, data
}

// TestFilesAreWhatWasAdded: with tables first and last, samples lie where the tables say, and are shown when they should be.
func TestFilesAreWhatWasAdded(t *testing.T) {
	t.Parallel()
	order, samples, data := footage(rand.New(rand.NewPCG(1, 1)))
	f, err := NewFile(someTracks())
	require.NoError(t, err)
	last := &memory{b: []byte("before"), at: 6}
	w, err := NewWriter(last, someTracks())
	require.NoError(t, err)
	for i := range order {
		require.NoError(t, f.Add(order[i], samples[i]))
		require.NoError(t, w.Write(order[i], samples[i], data[i]))
	}
	first, err := f.Header()
	require.NoError(t, err)
	for _, d := range data {
		first = append(first, d...)
	}
	require.NoError(t, w.Close())
	require.Error(t, w.Write(0, samples[0], data[0]))
	for name, file := range map[string][]byte{"tables first": first, "tables last": last.b} {
		all := map[string][][]byte{}
		start := bytes.Index(file, []byte("ftyp")) - 4
		boxes(t, file[start:], "", all)
		require.Len(t, all["/mdat"], 1)
		for track := range 2 {
			var want [][]byte
			for i := range order {
				if order[i] == track {
					want = append(want, data[i])
				}
			}
			require.Equal(t, want, placed(file, track, all), name)
		}
		requireTimes(t, all)
	}
}

func requireTimes(t *testing.T, all map[string][][]byte) {
	t.Helper()
	const stbl = "/moov/trak/mdia/minf/stbl/"
	require.Len(t, all[stbl+"ctts"], 1, "of video alone")
	require.Equal(t, [][]uint32{{1}}, table32(all[stbl+"stss"][0], 1))
	require.Equal(t, [][]uint32{{10, 1024}}, table32(all[stbl+"stts"][1], 2))
	var decode int64
	var shown []int64
	var offsets []uint32
	for _, run := range table32(all[stbl+"ctts"][0], 2) {
		offsets = append(offsets, slices.Repeat([]uint32{run[1]}, int(run[0]))...)
	}
	for _, run := range table32(all[stbl+"stts"][0], 2) {
		for range run[0] {
			shown = append(shown, decode+int64(offsets[len(shown)]))
			decode += int64(run[1])
		}
	}
	elst := all["/moov/trak/edts/elst"]
	require.Len(t, elst, 2)
	delay := int64(binary.BigEndian.Uint64(elst[0][16:]))
	for i, at := range []int64{0, 100, 33, 66, 200, 133, 166, 300, 233, 266} {
		require.Equal(t, at+delay, shown[i])
	}
	require.EqualValues(t, 2, binary.BigEndian.Uint32(elst[1][4:]), "sound begins later")
	require.EqualValues(t, 100, binary.BigEndian.Uint64(elst[1][8:]))
}

// TestDecodeTimes: whatever the order, decode times grow, none is later than its presentation, and the delay is the least.
func TestDecodeTimes(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		l := table{track: Track{Timescale: 1000}}
		at := int64(rng.IntN(1000)) - 500
		for range 1 + rng.IntN(40) {
			at += int64(rng.IntN(50))
			l.times = append(l.times, at)
		}
		for range rng.IntN(20) {
			i, j := rng.IntN(len(l.times)), rng.IntN(len(l.times))
			l.times[i], l.times[j] = l.times[j], l.times[i]
		}
		got, err := l.timing()
		require.NoError(t, err)
		decode, tight := int64(0), false
		for i, shown := range l.times {
			offset := int64(0)
			if got.offsets != nil {
				offset = int64(got.offsets[i])
			}
			require.Equal(t, shown-got.start+got.delay, decode+offset)
			tight = tight || offset == 0
			if i < len(l.times)-1 {
				require.Positive(t, got.deltas[i])
			}
			decode += int64(got.deltas[i])
		}
		require.True(t, tight)
		require.Equal(t, decode, got.duration)
	}
}

func TestLargeFiles(t *testing.T) {
	t.Parallel()
	f, err := NewFile(someTracks()[:1])
	require.NoError(t, err)
	for i := range 100 {
		require.NoError(t, f.Add(0, Sample{Size: 50 << 20, Time: int64(i) * 1000, Key: true}))
	}
	b, err := f.Header()
	require.NoError(t, err)
	require.Contains(t, string(b), "co64")
	require.EqualValues(t, f.Size()+16, binary.BigEndian.Uint64(b[len(b)-8:]))
	at := bytes.Index(b, []byte("co64"))
	require.EqualValues(t, len(b), binary.BigEndian.Uint64(b[at+12:]))
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, tracks := range map[string][]Track{
		"none": nil, "a codec": {{Codec: 99, Timescale: 1}}, "a timescale": {{Codec: AVC, Config: avcConfig()}}, "no config": {{Codec: AVC, Timescale: 1}},
		"a short one": {{Codec: HEVC, Config: avcConfig(), Timescale: 1}}, "start codes": {{Codec: AVC, Config: []byte{0, 0, 0, 1, 0x67, 1, 2, 3}, Timescale: 1}},
		"no channels": {{Codec: MuLaw, Timescale: 8000, SampleRate: 8000}}, "a wide picture": {{Codec: AVC, Config: avcConfig(), Timescale: 1, Width: 1 << 17}},
		"no asc": {{Codec: AAC, Timescale: 1, SampleRate: 1, Channels: 1}},
	} {
		_, err := NewFile(tracks)
		require.ErrorIs(t, err, ErrConfig, name)
	}
	f, err := NewFile(someTracks())
	require.NoError(t, err)
	_, err = f.Header()
	require.ErrorContains(t, err, "no sample")
	require.Error(t, f.Add(2, Sample{}))
	require.Error(t, f.Add(0, Sample{Size: -1}))
	full := errors.New("no room")
	_, err = NewWriter(failing{full}, someTracks())
	require.ErrorIs(t, err, full)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error)      { return 0, f.err }
func (f failing) Seek(int64, int) (int64, error) { return 0, nil }

func TestCheckSample(t *testing.T) {
	t.Parallel()
	avc, sound := someTracks()[0], someTracks()[1]
	require.NoError(t, avc.CheckSample([]byte{0, 0, 0, 1, 9, 0, 0, 0, 2, 5, 5}))
	require.NoError(t, sound.CheckSample([]byte{1}))
	for _, bad := range [][]byte{nil, {0, 0}, {0, 0, 0, 2, 9}, {0, 0, 0, 1, 0x65, 1, 2, 3}, {0, 0, 0, 0, 1}} {
		require.Error(t, avc.CheckSample(bad), "%v", bad)
	}
}

// FuzzCheckSample: what is accepted ends with the last NAL unit.
func FuzzCheckSample(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 9}, byte(3))
	f.Add([]byte{1, 9, 1, 8}, byte(0))
	f.Fuzz(func(t *testing.T, b []byte, size byte) {
		config := avcConfig()
		config[4] = size
		track := Track{Codec: AVC, Config: config, Timescale: 1}
		if track.CheckSample(b) != nil {
			return
		}
		n, total := int(size&3)+1, 0
		for total < len(b) {
			length := 0
			for _, c := range b[total : total+n] {
				length = length<<8 | int(c)
			}
			total += n + length
		}
		require.Equal(t, len(b), total)
	})
}
