package filesys

import (
	"os"
	"path/filepath"
)

// Replace writes a file as a whole, so that it is either the old or the new one whatever happens, a loss of power included. It
// uses the file beside it that has the same name and .new.
func Replace(path string, b []byte, mode os.FileMode) error {
	temp := path + ".new"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err == nil {
		err = SyncDir(filepath.Dir(path))
	}
	return err
}
