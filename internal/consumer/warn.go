package consumer

import (
	"log/slog"
	"sync"
	"time"

	"gst-kinesis/internal/awserr"
)

// warner says that something failed, at most once a second for all shards
// together; what it keeps to itself it counts. Safe for concurrent use.
type warner struct {
	log *slog.Logger
	now func() time.Time

	mu        sync.Mutex
	last      time.Time
	silent    int
	discards  int       // not told yet
	discarded time.Time // told last
	open      string    // what the last warning was about, until it works again
}

func (w *warner) say(doing string, f awserr.Fault, wait time.Duration) {
	w.mu.Lock()
	now := w.now()
	if !w.last.IsZero() && now.Sub(w.last) < warnEvery {
		w.silent++
		w.mu.Unlock()
		return
	}
	silent := w.silent
	w.last, w.silent, w.open = now, 0, doing
	w.mu.Unlock()

	attrs := []any{"class", f.Class, "code", f.Code, "message", f.Message, "retry-in", wait.Round(time.Millisecond)}
	if silent > 0 {
		attrs = append(attrs, "more-since-last", silent)
	}
	if f.Remedy != "" {
		attrs = append(attrs, "remedy", f.Remedy)
	}
	w.log.Warn(doing+" failed, trying again", attrs...)
}

// discard tells of a record that cannot be read, at most once a second.
func (w *warner) discard(err error, shardID, sequence string) {
	w.mu.Lock()
	now := w.now()
	w.discards++
	if !w.discarded.IsZero() && now.Sub(w.discarded) < warnEvery {
		w.mu.Unlock()
		return
	}
	n := w.discards
	w.discards, w.discarded = 0, now
	w.mu.Unlock()
	w.log.Warn("discarding records that cannot be read", "records", n, "shard", shardID, "sequence-number", sequence, "error", err)
}

// recovered tells, once, that what was warned about last works again.
func (w *warner) recovered(doing string) {
	w.mu.Lock()
	told := w.open == doing
	if told {
		w.open = ""
	}
	w.mu.Unlock()
	if told {
		w.log.Info(doing + " works again")
	}
}
