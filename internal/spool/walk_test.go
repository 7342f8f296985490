package spool

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// walked gives what Walk visits.
func walked(t *testing.T, dir string) (ids []ID, records []Record) {
	t.Helper()
	require.NoError(t, Walk(t.Context(), dir, func(id ID, r Record) error {
		r.Data = append([]byte(nil), r.Data...)
		ids, records = append(ids, id), append(records, r)
		return nil
	}))
	return ids, records
}

// Walk sees what a Reader sees, while somebody owns the directory and after the end, and changes nothing.
func TestWalk(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	ids := s.fill(100, 500)
	require.NoError(t, s.Done(ids[10:50]))
	compare := func() {
		t.Helper()
		r := s.Reader(0)
		defer r.Close()
		got, seen := walked(t, s.set.Directory)
		for i := range got {
			record, id, err := r.Next(nil)
			require.NoError(t, err)
			require.Equal(t, id, got[i])
			require.True(t, record.Accepted.Equal(seen[i].Accepted))
			record.Accepted = seen[i].Accepted
			require.Equal(t, record, seen[i])
		}
		_, _, err := r.Next(nil)
		require.ErrorIs(t, err, io.EOF)
	}
	compare()
	require.NoError(t, s.Close())
	before := s.files()
	again, _ := walked(t, s.set.Directory)
	require.Len(t, again, 60)
	require.Equal(t, before, s.files())
	s.open()
	compare()

	enough := errors.New("enough")
	require.ErrorIs(t, Walk(t.Context(), s.set.Directory, func(ID, Record) error { return enough }), enough)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, Walk(ended, s.set.Directory, nil), context.Canceled)
	require.ErrorContains(t, Walk(t.Context(), filepath.Join(s.set.Directory, "none"), nil), "reading the spool in")
}

// What is damaged is passed over.
func TestWalkPastDamage(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.fill(20, 100)
	require.NoError(t, s.Close())
	list, err := filepath.Glob(filepath.Join(s.set.Directory, "*.seg"))
	require.NoError(t, err)
	b, err := os.ReadFile(list[0])
	require.NoError(t, err)
	b[headerSize+frameHead+20] ^= 1 // of the first record's key or data
	require.NoError(t, os.WriteFile(list[0], b, 0o600))
	ids, _ := walked(t, s.set.Directory)
	require.Len(t, ids, 19)
}

func TestExists(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	is, err := Exists(s.set.Directory)
	require.NoError(t, err)
	require.True(t, is)
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		is, err = Exists(dir)
		require.NoError(t, err)
		require.False(t, is)
	}
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	_, err = Exists(path)
	require.ErrorContains(t, err, "looking for the spool in "+path)
}

// Who looks into a spool, which shares its lock for a moment, does not keep it from being opened.
func TestInspectDisturbsNobody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		look, err := osFS{}.Lock(filepath.Join(dir, lockName))
		require.NoError(t, err)
		time.AfterFunc(30*time.Millisecond, func() { _ = look.Close() })
		s, err := Open(Settings{Directory: dir})
		require.NoError(t, err)
		_, err = Open(Settings{Directory: dir})
		require.ErrorAs(t, err, new(*InUseError))
		require.NoError(t, s.Close())
	})
}
