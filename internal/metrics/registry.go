package metrics

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// DefaultInterval is the time between lines of a file.
const DefaultInterval = time.Minute

// LeastInterval is as often as lines may come.
const LeastInterval = 100 * time.Millisecond

// Registry owns the listeners and files of a process. The zero value is ready for use; all methods are safe for
// concurrent use.
type Registry struct {
	// Out is where lines go for the file "-"; nil where there is no such thing, as in somebody else's process. It is
	// set before the first Join.
	Out io.Writer

	mu      sync.Mutex // not held while a source is asked or anything is written
	servers map[string]*server
	files   map[string]*file
}

// Options say where figures are shown; without an Address and an Embedded path nowhere.
type Options struct {
	// Address is where Prometheus may ask: HOST:PORT, the host an IP address, localhost, or empty for all addresses; port 0
	// takes a free one, shared by all who ask for that.
	Address string
	// Embedded is the path of a file that lines are appended to, "-" is Registry.Out.
	Embedded string
	// Interval is the time between its lines; 0 is DefaultInterval.
	Interval time.Duration
	// AddressName and EmbeddedName are what the user knows these by, for errors.
	AddressName, EmbeddedName string
	// Warn hears that lines cannot be written, once until one can be again. It is called from a goroutine of its own; nil hears nothing.
	Warn func(error)
}

// Join makes ready what the options ask for: it listens, and sees that the file can be written. The error says which of
// them is wrong, and what to do. It does not look at any network but this machine's.
func (r *Registry) Join(o Options) (*Member, error) {
	m := &Member{registry: r, options: o}
	if m.options.Interval == 0 {
		m.options.Interval = DefaultInterval
	}
	m.options.Interval = max(m.options.Interval, LeastInterval)
	r.mu.Lock()
	defer r.mu.Unlock()
	if o.Embedded != "" {
		f, err := r.file(o.Embedded)
		if err != nil {
			return nil, fmt.Errorf("opening %s for metrics (%s): %w", o.Embedded, o.EmbeddedName, err)
		}
		m.file = f
	}
	if o.Address != "" {
		s, err := r.server(o.Address)
		if err != nil {
			r.dropFile(m.file)
			return nil, fmt.Errorf("listening for metrics on %s (%s): %w", o.Address, o.AddressName, err)
		}
		m.server = s
	}
	return m, nil
}

// server returns the one that listens on an address.
func (r *Registry) server(address string) (*server, error) {
	s := r.servers[address]
	if s == nil {
		var err error
		if s, err = listen(address); err != nil {
			return nil, err
		}
		if r.servers == nil {
			r.servers = make(map[string]*server)
		}
		s.name = address
		r.servers[address] = s
	}
	s.users++
	return s, nil
}

func (r *Registry) file(path string) (*file, error) {
	f := r.files[path]
	if f == nil {
		f = &file{path: path}
		if path == "-" {
			f.out = r.Out
		}
		if err := f.check(); err != nil {
			return nil, err
		}
		if r.files == nil {
			r.files = make(map[string]*file)
		}
		r.files[path] = f
	}
	f.users++
	return f, nil
}

func (r *Registry) dropFile(f *file) {
	if f == nil {
		return
	}
	if f.users--; f.users == 0 {
		delete(r.files, f.path)
	}
}

// Member is one who shows figures. All methods are safe for concurrent use.
type Member struct {
	registry *Registry
	options  Options
	server   *server // nil: none
	file     *file   // nil: none
	leave    sync.Once

	mu       sync.Mutex
	withdraw []*func()
}

// URL is where Prometheus may ask; empty where nothing listens.
func (m *Member) URL() string {
	if m.server == nil {
		return ""
	}
	return m.server.url()
}

// Publish shows a source until withdraw is called, or Leave. withdraw writes the last lines of the source; it may be called again.
func (m *Member) Publish(s Source) (withdraw func()) {
	var hide func()
	if m.server != nil {
		hide = m.server.sources.add(s)
	}
	var e *emitter
	if m.file != nil {
		e = startEmitter(s, m.file, m.options.Interval, m.options.Warn)
	}
	var once sync.Once
	end := func() {
		once.Do(func() {
			if e != nil {
				e.stop()
			}
			if hide != nil {
				hide()
			}
		})
	}
	own := &end
	m.mu.Lock()
	m.withdraw = append(m.withdraw, own)
	m.mu.Unlock()
	return func() {
		end()
		m.mu.Lock()
		defer m.mu.Unlock()
		m.withdraw = slices.DeleteFunc(m.withdraw, func(f *func()) bool { return f == own })
	}
}

// Leave withdraws all sources. The last one to leave an address closes it; its goroutines have ended when Leave returns,
// but for answers on their way to somebody who does not take them.
func (m *Member) Leave() {
	m.leave.Do(func() {
		m.mu.Lock()
		all := m.withdraw
		m.withdraw = nil
		m.mu.Unlock()
		for _, end := range all {
			(*end)()
		}
		r, closing := m.registry, (*server)(nil)
		r.mu.Lock()
		r.dropFile(m.file)
		if s := m.server; s != nil {
			if s.users--; s.users == 0 {
				delete(r.servers, s.name)
				s.listener.Close() // before anybody may listen again
				closing = s
			}
		}
		r.mu.Unlock()
		if closing != nil {
			closing.close()
		}
	})
}
