//go:build unix

package metrics

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A pipe that nobody reads is refused; one whose reader is slow holds nobody up for long.
func TestPipes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	f := file{path: path}
	require.ErrorContains(t, f.check(), "name a file")
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer reader.Close()
	require.NoError(t, f.check())
	require.NoError(t, f.write([]byte("line\n")))
	began := time.Now()
	require.ErrorContains(t, f.write(make([]byte, 1<<20)), "timeout")
	require.Less(t, time.Since(began), 2*writeLimit)
}
