package producer

import (
	"sync"

	"gst-kinesis/internal/sizeclass"
)

// The pool's size classes: from 256 bytes to beyond the largest record.
const (
	minClassBits = 8
	maxClassBits = 24
	classCount   = (maxClassBits-minClassBits)*sizeclass.Steps + 1
	noClass      = sizeclass.None
)

func classes() sizeclass.Range { return sizeclass.Range{Least: minClassBits, Most: maxClassBits} }

// pool keeps records with their memory for use again. What it lends and what it
// keeps are together never more than its limit, except that lending itself has no
// limit: the producer's bounds see to that.
type pool struct {
	limit int64

	mu     sync.Mutex
	lent   int64
	kept   int64
	free   [classCount]list
	idlest [classCount]int // the least free[i].n since the last trim
}

// take returns a record whose Data has the given length.
func (p *pool) take(size int) *Record {
	class := classes().Of(size)
	if class == noClass {
		return &Record{Data: make([]byte, size), class: noClass, PTS: NoPTS}
	}
	p.mu.Lock()
	r := p.free[class].popFront()
	p.lent += int64(classes().Bytes(class) + recordOverhead)
	if r != nil {
		p.kept -= r.cost()
		p.idlest[class] = min(p.idlest[class], p.free[class].n)
	}
	p.mu.Unlock()
	if r == nil {
		r = &Record{buffer: make([]byte, classes().Bytes(class)), class: int8(class)} //nolint:gosec // classes are few
	}
	r.Data, r.PTS = r.buffer[:size], NoPTS
	return r
}

// give takes records back; the list is empty afterwards.
func (p *pool) give(l *list) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for r := l.popFront(); r != nil; r = l.popFront() {
		p.giveOne(r)
	}
}

func (p *pool) giveOne(r *Record) {
	if r.class == noClass {
		return
	}
	*r = Record{buffer: r.buffer, class: r.class}
	p.lent -= r.cost()
	if p.kept+p.lent+r.cost() > p.limit {
		return
	}
	p.kept += r.cost()
	p.free[r.class].pushFront(r)
}

// trim frees what lay idle ever since it was called last, and reports whether
// anything is kept still.
func (p *pool) trim() (keeps bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for class := range p.free {
		for range p.idlest[class] {
			if r := p.free[class].popFront(); r != nil {
				p.kept -= r.cost()
			}
		}
		p.idlest[class] = p.free[class].n
	}
	return p.kept > 0
}

// clear frees everything.
func (p *pool) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free, p.idlest, p.kept, p.limit = [classCount]list{}, [classCount]int{}, 0, 0
}

// levels returns the bytes lent and kept.
func (p *pool) levels() (lent, kept int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lent, p.kept
}
