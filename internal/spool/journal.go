package spool

import (
	"errors"
	"path/filepath"
)

const (
	acksName    = "acks"
	acksNewName = "acks.new"
	// acksKeep is what the journal may grow by before it is written anew.
	acksKeep = 64 << 10
)

// journal is the file of acks. It is guarded by Spool.acking.
type journal struct {
	fs   fileSystem
	dir  string
	head acksHead

	f        file  // nil if there is none to append to
	size     int64 // of the file
	base     int64 // what it had when it was written anew
	stale    bool  // memory knows of acks that the file lacks: it must be written anew
	unsynced bool
}

// append writes entries. After an error the journal is stale.
func (j *journal) append(entries []byte) error {
	if len(entries) == 0 {
		return nil
	}
	if j.stale || j.f == nil {
		j.stale = true
		return errStale
	}
	if _, err := j.f.WriteAt(entries, j.size); err != nil {
		j.stale = true
		return err
	}
	j.size += int64(len(entries))
	j.unsynced = true
	return nil
}

var errStale = errors.New("the journal of acks must be written anew first")

// isDue reports whether writing anew would save much.
func (j *journal) isDue() bool { return j.size > 2*j.base+acksKeep }

// takeUnsynced returns the file if it is to be synced, which is then up to the caller.
func (j *journal) takeUnsynced() file {
	if j.stale || !j.unsynced {
		return nil
	}
	j.unsynced = false
	return j.f
}

// replace writes the journal anew. Whatever happens, either the old file or the new one is
// there under its name.
func (j *journal) replace(h acksHead, entries []byte) error {
	j.stale = true
	fresh := filepath.Join(j.dir, acksNewName)
	if err := j.write(fresh, h.append(nil), entries); err != nil {
		_ = j.fs.Remove(fresh)
		return err
	}
	j.close() // Windows renames onto no open file
	path := filepath.Join(j.dir, acksName)
	if err := j.fs.Rename(fresh, path); err != nil {
		return err
	}
	f, err := j.fs.Edit(path)
	if err != nil {
		return err
	}
	j.f, j.head, j.size = f, h, int64(acksHeader+len(entries))
	j.base = j.size
	if err := j.fs.SyncDir(j.dir); err != nil {
		return err
	}
	j.stale, j.unsynced = false, false
	return nil
}

func (j *journal) write(path string, head, entries []byte) error {
	f, err := j.fs.Create(path)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(head, 0); err == nil && len(entries) > 0 {
		_, err = f.WriteAt(entries, int64(len(head)))
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (j *journal) close() {
	if j.f != nil {
		_ = j.f.Close() // it was synced, or will be written anew
		j.f = nil
	}
}
