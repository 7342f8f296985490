package spool

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// disk is a file system in memory that fails on request and that forgets, at a crash, what was not
// synced: of each file it keeps what was, and a piece of what was written since, perhaps garbled; of
// the directory's changes the first few, or some.
type disk struct {
	mu      sync.Mutex
	rng     *rand.Rand
	files   map[string]*inode
	stable  map[string]*inode
	changes []func(map[string]*inode)
	locked  bool
	room    int                   // bytes that may still be written; -1 is no bound
	fault   func(op string) error // asked before each operation that changes something
	reads   func(path string, off int64) error
	life    int // changes until the process dies, in the middle of the last; 0 is for ever
	dead    bool
}

type inode struct{ data, synced []byte }

func newDisk(seed uint64) *disk {
	return &disk{rng: rand.New(rand.NewPCG(seed, 1)), files: map[string]*inode{}, stable: map[string]*inode{}, room: -1}
}

var errDead = errors.New("the process is dead")

func (d *disk) fail(op string) error {
	if d.dead {
		return errDead
	}
	if d.life > 0 {
		if d.life--; d.life == 0 {
			d.dead = true
			return errDead
		}
	}
	if d.fault == nil {
		return nil
	}
	return d.fault(op)
}

func (d *disk) change(f func(map[string]*inode)) {
	f(d.files)
	d.changes = append(d.changes, f)
}

// kill ends the process: the lock goes, the files stay.
func (d *disk) kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.locked, d.dead, d.life = false, false, 0
}

// crash takes the power away.
func (d *disk) crash() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.locked, d.dead, d.life = false, false, 0
	some := d.rng.IntN(2) == 0 // not in order, then
	for _, f := range d.changes[:d.rng.IntN(len(d.changes)+1)] {
		if !some || d.rng.IntN(2) == 0 {
			f(d.stable)
		}
	}
	d.changes = nil
	d.files = d.stable
	for _, node := range d.files {
		node.data = d.remains(node)
		node.synced = slices.Clone(node.data)
	}
	d.stable = maps.Clone(d.files)
}

// remains is what a file holds after a crash.
func (d *disk) remains(node *inode) []byte {
	same := 0
	for same < len(node.synced) && same < len(node.data) && node.synced[same] == node.data[same] {
		same++
	}
	if same < len(node.synced) && d.rng.IntN(2) == 0 {
		return slices.Clone(node.synced)
	}
	tail := slices.Clone(node.data[same:])
	tail = tail[:d.rng.IntN(len(tail)+1)]
	if len(tail) > 0 {
		switch d.rng.IntN(4) {
		case 0: // a hole
			from := d.rng.IntN(len(tail))
			clear(tail[from : from+d.rng.IntN(len(tail)-from+1)])
		case 1: // garbage
			for range 1 + d.rng.IntN(8) {
				tail[d.rng.IntN(len(tail))] = byte(d.rng.Uint32())
			}
		}
	}
	return append(slices.Clone(node.data[:same]), tail...)
}

func (d *disk) MkdirAll(string) error { return nil }

func (d *disk) List(string) ([]listed, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []listed
	for path, node := range d.files {
		list = append(list, listed{name: filepath.Base(path), size: int64(len(node.data))})
	}
	return list, nil
}

func (d *disk) Create(path string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fail("create"); err != nil {
		return nil, err
	}
	node := &inode{}
	d.change(func(m map[string]*inode) { m[path] = node })
	return &handle{d: d, path: path, node: node}, nil
}

func (d *disk) Edit(path string) (file, error) {
	f, _, err := d.Open(path)
	return f, err
}

func (d *disk) Open(path string) (file, int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	node := d.files[path]
	if node == nil {
		return nil, 0, fs.ErrNotExist
	}
	return &handle{d: d, path: path, node: node}, int64(len(node.data)), nil
}

func (d *disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fail("rename"); err != nil {
		return err
	}
	node := d.files[from]
	if node == nil {
		return fs.ErrNotExist
	}
	d.change(func(m map[string]*inode) { delete(m, from); m[to] = node })
	return nil
}

func (d *disk) Remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fail("remove"); err != nil {
		return err
	}
	node := d.files[path]
	if node == nil {
		return fs.ErrNotExist
	}
	if d.room >= 0 {
		d.room += len(node.data)
	}
	d.change(func(m map[string]*inode) { delete(m, path) })
	return nil
}

func (d *disk) SyncDir(string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fail("syncdir"); err != nil {
		return err
	}
	d.stable, d.changes = maps.Clone(d.files), nil
	return nil
}

func (d *disk) Lock(string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locked {
		return nil, &InUseError{PID: 7}
	}
	d.locked = true
	return closer(d.kill), nil
}

type closer func()

func (c closer) Close() error { c(); return nil }

// handle is an open file.
type handle struct {
	d      *disk
	path   string
	node   *inode
	closed bool
}

func (h *handle) ReadAt(b []byte, off int64) (int, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if h.d.reads != nil {
		if err := h.d.reads(h.path, off); err != nil {
			return 0, err
		}
	}
	if off >= int64(len(h.node.data)) {
		return 0, io.EOF
	}
	n := copy(b, h.node.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (h *handle) WriteAt(b []byte, off int64) (int, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if h.d.dead {
		return 0, errDead
	}
	n, err := len(b), h.d.fail("write")
	if err != nil {
		n = h.d.rng.IntN(len(b) + 1) // a part of it may have been written
	}
	if grown := int(off) + n - len(h.node.data); h.d.room >= 0 && grown > h.d.room {
		n = max(0, n-(grown-h.d.room))
		err = syscall.ENOSPC
	}
	if end := int(off) + n; end > len(h.node.data) {
		if h.d.room >= 0 {
			h.d.room -= end - len(h.node.data)
		}
		h.node.data = append(h.node.data, make([]byte, end-len(h.node.data))...)
	}
	copy(h.node.data[off:], b[:n])
	return n, err
}

func (h *handle) Truncate(size int64) error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if err := h.d.fail("truncate"); err != nil {
		return err
	}
	if h.d.room >= 0 {
		h.d.room += max(0, len(h.node.data)-int(size))
	}
	h.node.data = slices.Clone(h.node.data[:min(int(size), len(h.node.data))])
	return nil
}

func (h *handle) Sync() error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if err := h.d.fail("sync"); err != nil {
		if !h.d.dead && h.d.rng.IntN(2) == 0 {
			h.node.synced = h.d.remains(h.node)
		}
		return err
	}
	h.node.synced = slices.Clone(h.node.data)
	return nil
}

func (h *handle) Close() error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if h.closed {
		return errors.New("closing a file twice")
	}
	h.closed = true
	return nil
}
