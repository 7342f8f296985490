package datadir

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// A segment takes what is appended, goes when nothing in it is held and nobody writes, and is found again by its number.
func TestSegments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var made []*Segment
	for _, n := range []int{2, 10, 1} {
		s, err := Create(dir, n, "MAGIC\n", quiet())
		require.NoError(t, err)
		require.NoError(t, s.Append(n == 2, []byte("one"), nil, []byte("two")))
		require.EqualValues(t, 12, s.Size)
		b, err := os.ReadFile(s.Path)
		require.NoError(t, err)
		require.Equal(t, "MAGIC\nonetwo", string(b))
		made = append(made, s)
	}
	_, err := Create(dir, 2, "MAGIC\n", quiet())
	require.ErrorIs(t, err, os.ErrExist)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "stream.json"), nil, FileMode))
	found, err := Find(dir, quiet())
	require.NoError(t, err)
	require.Len(t, found, 3)
	for i, n := range []int{1, 2, 10} {
		require.Equal(t, n, found[i].Number)
		require.False(t, found[i].IsOpen())
	}
	made[0].Live = 2
	made[0].Release()
	made[0].Seal()
	require.FileExists(t, made[0].Path, "one thing in it is held")
	made[0].Release()
	require.NoFileExists(t, made[0].Path)
	made[1].Seal()
	require.NoFileExists(t, made[1].Path, "nothing in it is")
	require.NoError(t, made[2].Close())
	require.NoError(t, made[2].Close())
	require.FileExists(t, made[2].Path, "it stays for the next run")
}

// A write that fails leaves the file as it was, or seals the segment.
func TestAFailedWriteSeals(t *testing.T) {
	t.Parallel()
	s, err := Create(t.TempDir(), 1, "MAGIC\n", quiet())
	require.NoError(t, err)
	s.Live = 1
	require.NoError(t, s.Append(false, []byte("one")))
	require.NoError(t, s.File.Close())
	require.ErrorContains(t, s.Append(false, []byte("two")), "appending to a segment")
	require.False(t, s.IsOpen())
	require.EqualValues(t, 9, s.Size)
	b, err := os.ReadFile(s.Path)
	require.NoError(t, err)
	require.Equal(t, "MAGIC\none", string(b))
}

// folder is a log that only has its folder.
type folder struct {
	dir    string
	closed bool
}

func (f *folder) Dir() string  { return f.dir }
func (f *folder) Close() error { f.closed = true; return nil }

// Streams have folders of their own, also later ones of the same name; two kinds share a directory, and what was being removed or made when the
// process died is cleared away.
func TestFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func(dir string) *folder { return &folder{dir: dir} }
	a, other := New(dir, "a-", "agone-", open), New(dir, "b-", "bgone-", open)
	first, second := time.UnixMilli(1000), time.UnixMilli(2000)
	for _, at := range []time.Time{first, second} {
		l, err := a.Log("s", at)
		require.NoError(t, err)
		again, err := a.Log("s", at)
		require.NoError(t, err)
		require.Same(t, l, again)
		require.NoError(t, WriteMeta(l.dir, at))
	}
	_, err := other.Log("s", first)
	require.NoError(t, err)
	require.NoError(t, a.Remove("s", first))
	require.NoError(t, a.Remove("s", first), "it is gone")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "agone-a-000007"), DirMode))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "a-000009"), DirMode)) // without its settings
	l, err := a.Log("s", second)
	require.NoError(t, err)
	require.NoError(t, a.Close())
	require.True(t, l.closed)
	_, err = a.Log("s", second)
	require.ErrorContains(t, err, "closed")

	a = New(dir, "a-", "agone-", open)
	require.NoError(t, a.Load(func(l *folder) error {
		var at time.Time
		there, err := ReadMeta(l.dir, &at)
		if there {
			a.Add("s", at, l)
		}
		return err
	}))
	again, err := a.Log("s", second)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "a-000002"), again.dir)
	l, err = a.Log("new", first)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "a-000010"), l.dir, "no number is used twice")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	require.Equal(t, []string{"a-000002", "a-000010", "b-000001"}, names)
}

// Settings that cannot be read are an error that names the file.
func TestBrokenSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "stream.json"), []byte("{"), FileMode))
	_, err := ReadMeta(dir, new(struct{}))
	require.ErrorContains(t, err, "reading stream.json")
}
