//go:build unix

package filesys

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// What root makes belongs to the folder's owner; what others make is theirs.
func TestKeepOwner(t *testing.T) {
	t.Parallel()
	dir, want := t.TempDir(), os.Geteuid()
	if want == 0 {
		want = 1234
		require.NoError(t, os.Chown(dir, want, want))
	}
	f, err := os.Create(filepath.Join(dir, "f"))
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, KeepOwner(f))
	var stat unix.Stat_t
	require.NoError(t, unix.Fstat(int(f.Fd()), &stat))
	require.EqualValues(t, want, stat.Uid)
}
