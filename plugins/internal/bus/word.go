package bus

import (
	"context"
	"sync"
	"time"
)

// Word says that the reason for which a stream cannot go on is on the bus. Upstream hears of that end by a flow error, and posts an error of its own,
// which says nothing: whoever answers so waits for the word. Safe from any thread.
type Word struct {
	once  sync.Once
	given chan struct{}
}

// wordWithin bounds how long Await waits.
const wordWithin = time.Second

// NewWord gives one that is not given yet.
func NewWord() *Word { return &Word{given: make(chan struct{})} }

// Give gives the word.
func (w *Word) Give() { w.once.Do(func() { close(w.given) }) }

// Await waits for the word, a second at most, or until ctx is done.
func (w *Word) Await(ctx context.Context) {
	t := time.NewTimer(wordWithin)
	defer t.Stop()
	select {
	case <-w.given:
	case <-ctx.Done():
	case <-t.C:
	}
}
