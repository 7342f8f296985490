package deadletter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/producer"
)

// clock is a time that a test sets.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// plainLetters are letters of a producer, each with data of so many bytes.
func plainLetters(n, size int) (list []producer.Letter) {
	for i := range n {
		list = append(list, producer.Letter{
			Reason: "ttl", PartitionKey: fmt.Sprint("k", i), Data: bytes.Repeat([]byte{byte(i)}, size), PTS: producer.NoPTS, Tries: 1, Accepted: moment(0),
		})
	}
	return list
}

func openDir(t testing.TB, dir string, set Settings) *place {
	t.Helper()
	p, err := Open(context.Background(), Target{Kind: Files, Directory: dir}, set)
	require.NoError(t, err)
	return p.(*place)
}

func letterFiles(t testing.TB, dir string) (names []string) {
	t.Helper()
	list, err := listFiles(dir)
	require.NoError(t, err)
	for _, l := range list {
		names = append(names, l.path)
	}
	return names
}

// drain reads all letters of a target, and settles each bundle if keep is given.
func drain(t testing.TB, target Target, set Settings, keep func(l *Letter) bool) (list []Letter) {
	t.Helper()
	ctx := context.Background()
	source, err := OpenSource(ctx, target, set, time.Time{}, keep != nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, source.Close()) }()
	for {
		b, err := source.Next(ctx)
		if errors.Is(err, io.EOF) {
			return list
		}
		require.NoError(t, err)
		var these []Letter
		for {
			l, err := b.Next(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			these = append(these, l)
		}
		if keep != nil {
			require.NoError(t, b.Settle(ctx, func(n int) bool { return keep(&these[n]) }))
		}
		require.NotEmpty(t, b.Name())
		require.NoError(t, b.Close())
		list = append(list, these...)
	}
}

func drainDir(t testing.TB, dir string, keep func(l *Letter) bool) []Letter {
	t.Helper()
	return drain(t, Target{Kind: Files, Directory: dir}, Settings{}, keep)
}

func takeAll(*Letter) bool { return false }

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "dead letters")
	c := &clock{moment(0)}
	p := openDir(t, dir, Settings{Stream: "cams", Region: "eu-central-1", Now: c.now})
	require.Empty(t, letterFiles(t, dir), "nothing is made before there is a letter")
	require.NoError(t, p.Write(context.Background(), nil))
	letters := plainLetters(3, 100)
	require.NoError(t, p.Write(context.Background(), letters[:1]))
	require.NoError(t, p.Write(context.Background(), letters[1:]))
	names := letterFiles(t, dir)
	require.Len(t, names, 1)
	require.Equal(t, fmt.Sprintf("letters-20260921T141320.000000000Z-%d-000.jsonl", os.Getpid()), filepath.Base(names[0]))
	if runtime.GOOS != "windows" {
		for path, want := range map[string]os.FileMode{dir: 0o700, names[0]: 0o600} {
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.Equal(t, want, info.Mode().Perm())
		}
	}
	got := drainDir(t, dir, nil)
	require.Len(t, got, 3)
	for i, l := range got {
		require.Equal(t, Letter{Letter: letters[i], Written: c.at, Stream: "cams", Region: "eu-central-1"}, l)
	}
	require.NoError(t, p.Close())
}

// TestFilesRotate begins files by size and by day.
func TestFilesRotate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := &clock{time.Date(2026, 12, 31, 23, 59, 0, 0, time.UTC)}
	p := openDir(t, dir, Settings{FileBytes: 1000, Now: c.now})
	for range 6 { // about 400 bytes each
		require.NoError(t, p.Write(context.Background(), plainLetters(1, 200)))
	}
	require.Len(t, letterFiles(t, dir), 2, "the same moment: names are told apart")
	c.at = c.at.Add(time.Minute)
	for range 2 {
		require.NoError(t, p.Write(context.Background(), plainLetters(1, 10)))
	}
	require.Len(t, letterFiles(t, dir), 3, "another day")
	require.Len(t, drainDir(t, dir, takeAll), 8)
	require.Empty(t, letterFiles(t, dir))
}

func TestFilesBound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := openDir(t, dir, Settings{MaxBytes: 1000})
	other := openDir(t, dir, Settings{MaxBytes: -1})
	require.NoError(t, other.Write(context.Background(), plainLetters(1, 300)))
	require.NoError(t, p.Write(context.Background(), plainLetters(1, 100)))
	err := p.Write(context.Background(), plainLetters(1, 100))
	require.ErrorContains(t, err, "writing dead letters to file:"+dir+": "+dir+" holds ")
	require.ErrorContains(t, err, "gst-kinesis redrive file:"+dir)
	require.NoError(t, other.Write(context.Background(), plainLetters(1, 100)), "has no bound")
	require.Len(t, drainDir(t, dir, takeAll), 3)
	require.NoError(t, p.Write(context.Background(), plainLetters(1, 100)), "there is room again")
}

// TestFilesShared: several places write into a directory while letters are taken out: each is taken
// once.
func TestFilesShared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const writers, writes = 4, 40
	var writing sync.WaitGroup
	for w := range writers {
		p := openDir(t, dir, Settings{FileBytes: 2000})
		writing.Go(func() {
			for i := range writes {
				l := plainLetters(2, 50)
				for j := range l {
					l[j].PartitionKey = fmt.Sprint(w, " ", i, " ", j)
				}
				if err := p.Write(context.Background(), l); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	seen := map[string]int{}
	for over := false; !over; {
		select {
		case <-done:
			over = true
		default:
		}
		for _, l := range takeOut(t, dir) {
			seen[l.PartitionKey]++
		}
	}
	require.Len(t, seen, writers*writes*2)
	for key, n := range seen {
		require.Equal(t, 1, n, key)
	}
	require.Empty(t, letterFiles(t, dir))
}

// takeOut takes all letters out of the files that nobody writes to at the moment.
func takeOut(t *testing.T, dir string) (list []Letter) {
	source, err := OpenSource(context.Background(), Target{Kind: Files, Directory: dir}, Settings{}, time.Time{}, true)
	require.NoError(t, err)
	for {
		b, err := source.Next(context.Background())
		var busy *BusyError
		switch {
		case errors.Is(err, io.EOF):
			return list
		case errors.As(err, &busy):
			continue
		}
		require.NoError(t, err)
		for l, err := b.Next(context.Background()); err == nil; l, err = b.Next(context.Background()) {
			list = append(list, l)
		}
		require.NoError(t, b.Settle(context.Background(), func(int) bool { return false }))
		require.NoError(t, b.Close())
	}
}

// TestFilesInUse: letters are not sent by two at the same time, and a writer goes on elsewhere meanwhile.
func TestFilesInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := openDir(t, dir, Settings{})
	require.NoError(t, p.Write(context.Background(), plainLetters(1, 10)))
	one, err := openFolder(dir, true)
	require.NoError(t, err)
	b, err := one.Next(context.Background())
	require.NoError(t, err)
	two, err := openFolder(dir, true)
	require.NoError(t, err)
	two.tries = 3
	_, err = two.Next(context.Background())
	require.ErrorContains(t, err, "is in use")
	require.ErrorAs(t, err, new(*BusyError))
	require.Len(t, drainDir(t, dir, nil), 1, "looking is always possible")
	require.NoError(t, p.Write(context.Background(), plainLetters(1, 10)))
	require.Len(t, letterFiles(t, dir), 2)
	require.NoError(t, b.Close())
	require.Len(t, drainDir(t, dir, takeAll), 2)
}

// TestSettleKeeps: what is not taken stays, damaged lines too; a torn end goes.
func TestSettleKeeps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := openDir(t, dir, Settings{})
	require.NoError(t, p.Write(context.Background(), plainLetters(5, 10)))
	name := letterFiles(t, dir)[0]
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, append(append([]byte("nonsense\n"), text...), `{"v":1,`...), 0o600))
	source, err := openFolder(dir, true)
	require.NoError(t, err)
	b, err := source.Next(context.Background())
	require.NoError(t, err)
	_, err = b.Next(context.Background())
	require.ErrorContains(t, err, name+" line 1: it is no letter")
	for range 5 {
		_, err = b.Next(context.Background())
		require.NoError(t, err)
	}
	require.NoError(t, b.Settle(context.Background(), func(n int) bool { return n%2 == 1 }))
	require.NoError(t, b.Close())
	names := letterFiles(t, dir)
	require.Len(t, names, 1)
	rest, err := os.ReadFile(names[0])
	require.NoError(t, err)
	lines := strings.SplitAfter(string(text), "\n")
	require.Equal(t, "nonsense\n"+lines[1]+lines[3], string(rest))
	require.NoError(t, p.Write(context.Background(), plainLetters(1, 10)))
	require.Len(t, letterFiles(t, dir), 2, "the writer's own file is gone: it begins another")
}

// fullDisk takes so many bytes, then it is full.
type fullDisk struct {
	*os.File
	left    *int
	broken  error // of Truncate
	unsound error // of Sync
}

var errFull = errors.New("no space left on device")

func (d fullDisk) WriteAt(p []byte, off int64) (int, error) {
	n, err := d.File.WriteAt(p[:min(len(p), *d.left)], off)
	*d.left -= n
	if err == nil && n < len(p) {
		err = errFull
	}
	return n, err
}

func (d fullDisk) Truncate(size int64) error {
	if d.broken != nil {
		return d.broken
	}
	return d.File.Truncate(size)
}

func (d fullDisk) Sync() error { return d.unsound }

// TestDiskFull fills the disk at every byte of a Write: no letter of it is kept, those before are.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for _, before := range []int{0, 1} {
		for room := 0; ; room++ {
			dir := t.TempDir()
			p := openDir(t, dir, Settings{})
			require.NoError(t, p.Write(context.Background(), plainLetters(before, 10)))
			left := room
			p.keeper.(*files).disk = func(f *os.File) disk { return fullDisk{File: f, left: &left} }
			err := p.Write(context.Background(), plainLetters(2, 20))
			if err == nil {
				require.Len(t, drainDir(t, dir, nil), before+2)
				require.Greater(t, room, 200)
				break
			}
			require.ErrorIs(t, err, errFull)
			require.ErrorContains(t, err, "see that files can be written in "+dir)
			require.Len(t, drainDir(t, dir, nil), before)
			require.Len(t, letterFiles(t, dir), before, "no empty file is left")
			left = 1000
			require.NoError(t, p.Write(context.Background(), plainLetters(2, 20)))
			require.Len(t, drainDir(t, dir, nil), before+2)
			for _, name := range letterFiles(t, dir) {
				text, err := os.ReadFile(name)
				require.NoError(t, err)
				require.True(t, bytes.HasSuffix(text, []byte("}\n")))
			}
		}
	}
}

// TestTornByWriter: what could not be taken back at once is taken back before the next append.
func TestTornByWriter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := openDir(t, dir, Settings{})
	require.NoError(t, p.Write(context.Background(), plainLetters(1, 10)))
	left, stuck := 600, errors.New("stuck") // the first of two letters and a half
	d := fullDisk{left: &left, broken: stuck}
	p.keeper.(*files).disk = func(f *os.File) disk { d.File = f; return d }
	err := p.Write(context.Background(), plainLetters(4, 20))
	require.ErrorIs(t, err, errFull)
	require.ErrorIs(t, err, stuck)
	require.ErrorContains(t, err, "some of it may lie there")
	require.Greater(t, len(drainDir(t, dir, nil)), 1)
	d.broken, left = nil, 10_000
	require.NoError(t, p.Write(context.Background(), plainLetters(3, 30)))
	require.Len(t, drainDir(t, dir, nil), 4)
	require.Len(t, letterFiles(t, dir), 1)
}

// TestSyncFails: what is not on the disk is not kept, and the file is not used again.
func TestSyncFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := openDir(t, dir, Settings{})
	require.NoError(t, p.Write(context.Background(), plainLetters(1, 10)))
	left := 10_000
	p.keeper.(*files).disk = func(f *os.File) disk { return fullDisk{File: f, left: &left, unsound: errors.New("I/O error")} }
	require.ErrorContains(t, p.Write(context.Background(), plainLetters(1, 10)), "I/O error")
	require.Len(t, drainDir(t, dir, nil), 1)
	p.keeper.(*files).disk = func(f *os.File) disk { return f }
	require.NoError(t, p.Write(context.Background(), plainLetters(1, 10)))
	require.Len(t, letterFiles(t, dir), 2)
}

func TestFilesCanceled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := openDir(t, dir, Settings{})
	ctx, cancel := context.WithCancel(context.Background())
	p.keeper.(*files).disk = func(f *os.File) disk { cancel(); return f }
	require.ErrorIs(t, p.Write(ctx, plainLetters(3, 10)), context.Canceled)
	require.ErrorIs(t, p.Write(ctx, plainLetters(3, 10)), context.Canceled)
	require.Empty(t, letterFiles(t, dir))
}

func TestFilesElsewhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(context.Background(), Target{Kind: Files, Directory: filepath.Join(file, "dir")}, Settings{})
	require.ErrorContains(t, err, "name a directory that this user may make")
	_, err = OpenSource(context.Background(), Target{Kind: Files, Directory: filepath.Join(dir, "none")}, Settings{}, time.Time{}, true)
	require.ErrorContains(t, err, "opening the dead letters in file:")
	p := openDir(t, filepath.Join(dir, "dead"), Settings{})
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "dead")))
	require.ErrorContains(t, p.Write(context.Background(), plainLetters(1, 1)), "see that files can be written in "+filepath.Join(dir, "dead"))
}
