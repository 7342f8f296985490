package spool

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// dataOf reads everything back, in order and whatever is lost between.
func (s *site) dataOf() map[string]bool {
	s.t.Helper()
	got := map[string]bool{}
	r := s.Reader(0)
	defer r.Close()
	for last := ID(0); ; {
		record, id, err := r.Next(nil)
		var loss *LossError
		switch {
		case errors.Is(err, io.EOF):
			return got
		case errors.As(err, &loss):
		default:
			require.NoError(s.t, err)
			require.Greater(s.t, id, last)
			last = id
			got[string(record.Data)] = true
		}
	}
}

// TestTornAnywhere cuts the newest segment at each byte, with and without garbage behind: what was whole
// comes back, and nothing else.
func TestTornAnywhere(t *testing.T) {
	t.Parallel()
	s, d := newFaulty(t, nil)
	s.fill(4, 20)
	files := s.copies()
	name := s.ending(segmentSuffix)[0]
	whole := files[name]
	frame := (len(whole) - headerSize) / 4
	s.end()
	d.kill()
	for cut := range len(whole) {
		for _, garbage := range []string{"", strings.Repeat("\x00", 100), frameMark + "garbage"} {
			s.restore(files)
			s.write(name, append(whole[:cut:cut], garbage...))
			s.open()
			want := max(0, (cut-headerSize)/frame)
			ids, losses := s.all()
			require.Len(t, ids, want, "cut at %d", cut)
			require.Empty(t, losses)
			next, err := s.Append(Record{Data: []byte("next")})
			require.NoError(t, err)
			require.Greater(t, next, ID(4))
			s.reopen()
			ids, _ = s.all()
			require.Len(t, ids, want+1, "cut at %d", cut)
			require.NoError(t, s.Close())
		}
	}
}

// TestBrokenAnywhere changes each byte of a segment in the middle, ended as it should be or not: no
// more than the one record there is lost, the others come back, and the file is kept.
func TestBrokenAnywhere(t *testing.T) {
	t.Parallel()
	for _, indexed := range []bool{true, false} {
		t.Run(fmt.Sprint(indexed), func(t *testing.T) {
			t.Parallel()
			s, _ := newFaulty(t, nil)
			s.fill(12, 500)
			require.NoError(t, s.Close())
			name := s.ending(segmentSuffix)[0]
			whole := s.read(name)
			torn := len(whole)
			if !indexed {
				o, _ := parseName(name)
				at, ok := parseTrailer(whole[len(whole)-trailerSize:], o.seed())
				require.True(t, ok)
				whole = whole[:at]
				torn = len(whole) - (frameHead + 4 + 502) // what is broken from here on is a torn end
			}
			files := s.copies()
			for at := range whole {
				s.restore(files)
				broken := slices.Clone(whole)
				broken[at] ^= 0x41
				s.write(name, broken)
				s.open()
				ids, losses := s.all()
				require.GreaterOrEqual(t, len(ids), 11, "byte %d", at)
				if len(losses) > 0 {
					require.Equal(t, []int{1, 500 + 2}, []int{losses[0].Records, int(losses[0].Bytes)})
				}
				st := s.Stats()
				require.NoError(t, s.Done(ids))
				if len(ids) == 11 && at < torn {
					require.NotZero(t, st.CorruptBytes)
					require.Equal(t, int64(1), st.LostRecords)
					require.Equal(t, []string{name + badSuffix}, s.ending(badSuffix), "the damaged segment is kept")
				}
				require.NoError(t, s.Close())
			}
		})
	}
}

// TestHoles overwrites stretches at random, as dying flash does.
func TestHoles(t *testing.T) {
	t.Parallel()
	s, d := newFaulty(t, func(set *Settings) { set.SegmentBytes = 64 << 10 })
	s.fill(300, 300)
	require.NoError(t, s.Close())
	files := s.copies()
	want := map[string]bool{}
	for i := range 300 {
		want[string(numbered(i, 300))] = true
	}
	for range 200 {
		s.restore(files)
		names := s.ending(segmentSuffix)
		name := names[d.rng.IntN(len(names))]
		b := slices.Clone(files[name])
		from := d.rng.IntN(len(b))
		hole := b[from:min(len(b), from+d.rng.IntN(6000))]
		for i := range hole {
			hole[i] = byte(d.rng.Uint32())
		}
		s.write(name, b)
		s.open()
		got := s.dataOf()
		for data := range got {
			require.True(t, want[data])
		}
		require.GreaterOrEqual(t, len(got), 300-len(hole)/300-2)
		s.fill(1, 1)
		require.NoError(t, s.Close())
	}
}

// TestForeignFrames: a payload that is itself a segment is not mistaken for records.
func TestForeignFrames(t *testing.T) {
	t.Parallel()
	s, _ := newFaulty(t, func(set *Settings) { set.SegmentBytes = 1 << 20 })
	s.fill(20, 50)
	inner := s.read(s.ending(segmentSuffix)[0])
	other, _ := newFaulty(t, func(set *Settings) { set.SegmentBytes = 1 << 20 })
	id, err := other.Append(Record{Data: inner})
	require.NoError(t, err)
	last := other.fill(1, 1)
	name := other.ending(segmentSuffix)[0]
	b := other.read(name)
	b[headerSize+5] ^= 0xff // the head around them
	f, err := other.fsys().Edit(other.path(name))
	require.NoError(t, err)
	_, err = f.WriteAt(b, 0)
	require.NoError(t, err)
	ids, losses := other.all()
	require.Equal(t, last, ids)
	require.Len(t, losses, 1)
	require.Equal(t, []ID{id, id}, []ID{losses[0].First, losses[0].Last})
	require.Equal(t, int64(len(inner)), losses[0].Bytes)
	require.Equal(t, int64(1), other.Stats().Records)
}

func TestBadSegmentsAreBounded(t *testing.T) {
	t.Parallel()
	s, _ := newFaulty(t, func(set *Settings) { set.MaxBytes = 1 << 18 })
	for range 2 * maxBad {
		s.fill(10, 100)
		f, err := s.fsys().Edit(s.active.path)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte("broken"), headerSize+frameHead+10)
		require.NoError(t, err)
		ids, losses := s.all()
		require.Len(t, losses, 1)
		require.NoError(t, s.Done(ids))
		s.advance(idleAfter)
		s.tend()
	}
	require.Len(t, s.ending(badSuffix), maxBad)
	s.reopen()
	require.Len(t, s.ending(badSuffix), maxBad)
	require.Greater(t, s.Stats().DiskBytes, int64(maxBad*1000))
	for len(s.ending(badSuffix)) > 0 {
		s.fill(1, 1000) // live records outrank them: it is not full before they are gone
	}
	require.LessOrEqual(t, s.Stats().DiskBytes, s.set.MaxBytes)
}

// TestBrokenAcks: records come back, at worst, and no ID is used twice.
func TestBrokenAcks(t *testing.T) {
	t.Parallel()
	s, d := newFaulty(t, nil)
	ids := s.fill(100, 100)
	for _, i := range []int{2, 50, 30, 77} {
		require.NoError(t, s.Done(ids[i:i+3]))
	}
	files := s.copies()
	s.end()
	d.kill()
	for at := range files[acksName] {
		s.restore(files)
		b := slices.Clone(files[acksName])
		b[at] ^= 0x10
		s.write(acksName, b)
		s.open()
		got, _ := s.all()
		require.Subset(t, ids, got)
		require.GreaterOrEqual(t, len(got), 100-12)
		if at >= acksHeader {
			require.LessOrEqual(t, len(got), 100-9, "one entry is lost, not all")
		}
		require.Greater(t, s.fill(1, 1)[0], ids[99])
		require.NoError(t, s.Close())
	}
	s.restore(files)
	require.NoError(t, s.fsys().Remove(s.path(acksName)))
	s.open()
	got, _ := s.all()
	require.Equal(t, ids, got)
	require.Contains(t, s.log.String(), "records that were delivered come back")
}

func TestNewerVersion(t *testing.T) {
	t.Parallel()
	s, _ := newFaulty(t, nil)
	s.fill(1, 1)
	require.NoError(t, s.Close())
	files := s.copies()
	o := origin{first: 1, nonce: 2}
	for name, b := range map[string][]byte{acksName: acksHead{next: 2}.append(nil), o.name(): o.appendHeader(nil, 0)} {
		b[8] = segmentVersion + 1
		s.write(name, resum(b))
		_, err := Open(s.set)
		require.ErrorContains(t, err, "newer version")
		require.ErrorContains(t, err, s.set.Directory)
		s.restore(files)
	}
	s.open()
}
