package metrics

import "time"

// emitter writes a source's lines, one interval after the other.
type emitter struct {
	encoder encoder
	file    *file
	warn    func(error)
	quit    chan struct{}
	done    chan struct{}
}

func startEmitter(s Source, f *file, interval time.Duration, warn func(error)) *emitter {
	if warn == nil {
		warn = func(error) {}
	}
	e := &emitter{encoder: newEncoder(s), file: f, warn: warn, quit: make(chan struct{}), done: make(chan struct{})}
	go e.run(interval)
	return e
}

// run says what happened in each interval, and in the rest of the last one. What could not be written is in the next line.
func (e *emitter) run(interval time.Duration) {
	defer close(e.done)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	failing := false
	for over := false; !over; {
		select {
		case <-ticker.C:
		case <-e.quit:
			over = true
		}
		lines := e.encoder.encode(time.Now())
		err := e.file.write(lines)
		switch {
		case err == nil:
			e.encoder.keep()
		case !failing:
			e.warn(err)
		}
		failing = err != nil
	}
}

// stop writes the last lines. It does not wait for ever where a disk hangs.
func (e *emitter) stop() {
	close(e.quit)
	late := time.NewTimer(writeLimit + time.Second)
	defer late.Stop()
	select {
	case <-e.done:
	case <-late.C:
	}
}
