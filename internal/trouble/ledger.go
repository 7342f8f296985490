package trouble

import (
	"math"
	"time"

	"gst-kinesis/internal/awserr"
)

const (
	// Interval is how often one kind of trouble is told at most, and how long nothing
	// must fail before a recovery is told.
	Interval = time.Second
	// mostKinds bounds how many kinds are kept apart; further ones are told as other.
	mostKinds = 64
	other     = "other"
	// Never is a moment that does not come.
	Never = time.Duration(math.MaxInt64)
)

// Ledger keeps what has to be told of troubles. It is guarded by its owner's lock; all
// moments are times since the owner's start. NewLedger makes one.
type Ledger struct {
	kinds       map[kindKey]*kind
	told        bool          // a failure was told and no recovery since
	began       time.Duration // when the first failure since the last recovery was met
	failedAt    time.Duration // when the latest was
	wellAt      time.Duration // when nothing failed any more
	failureTold bool
	urgent      bool
}

// kindKey tells kinds of trouble apart.
type kindKey struct{ code, reason string }

// kind is one kind of trouble and what of it has not been told.
type kind struct {
	latest  Trouble
	count   int
	records int
	toldAt  time.Duration
}

// NewLedger returns a ledger in which nothing is written.
func NewLedger() Ledger { return Ledger{kinds: make(map[kindKey]*kind)} }

// Note takes note of a trouble. It reports whether it is the first of its kind since
// that was told, so that somebody should ask for News.
func (l *Ledger) Note(t Trouble, now time.Duration) bool {
	if t.Class != awserr.RecordFault {
		if !l.told && l.isQuiet(now) {
			l.began = now
		}
		l.failedAt = now
	}
	k := l.kindFor(kindKey{t.Code, t.Reason}, now)
	k.latest = t
	k.count++
	k.records += t.Records
	return k.count == 1
}

// NoteDrop counts one that was dropped for a reason of our own; describe is only called
// when the kind is to be told anew, which is reported.
func (l *Ledger) NoteDrop(reason string, now time.Duration, describe func() Trouble) bool {
	k := l.kindFor(kindKey{reason, reason}, now)
	k.count++
	k.records++
	if k.count > 1 {
		return false
	}
	k.latest = describe()
	k.latest.Reason = reason
	return true
}

// Answered takes note that the service answers and knows us.
func (l *Ledger) Answered(now time.Duration) {
	if l.wellAt <= l.failedAt {
		l.wellAt = now
	}
}

// HasTold reports whether a failure was told and no recovery since.
func (l *Ledger) HasTold() bool { return l.told }

// Hurry lets the next News tell of all losses, whenever they were told last.
func (l *Ledger) Hurry() { l.urgent = true }

// Hurries reports whether what Hurry asked for is still to be told. Told ends that.
func (l *Ledger) Hurries() bool { return l.urgent }

// Told takes note that news were told.
func (l *Ledger) Told(n News) {
	if n.urgent {
		l.urgent = false
	}
}

// Kinds returns how many kinds of trouble are kept apart.
func (l *Ledger) Kinds() int { return len(l.kinds) }

// isQuiet reports whether nothing failed lately.
func (l *Ledger) isQuiet(now time.Duration) bool {
	return l.failedAt == 0 || now-l.failedAt >= Interval
}

// kindFor returns the entry of a kind, making it if there is room.
func (l *Ledger) kindFor(key kindKey, now time.Duration) *kind {
	k := l.kinds[key]
	if k != nil {
		return k
	}
	if len(l.kinds) >= mostKinds {
		for key, old := range l.kinds {
			if old.count == 0 && now-old.toldAt >= Interval {
				delete(l.kinds, key)
			}
		}
	}
	if len(l.kinds) >= mostKinds {
		key = kindKey{code: other}
		if k = l.kinds[key]; k != nil {
			return k
		}
	}
	k = &kind{toldAt: -Interval}
	l.kinds[key] = k
	return k
}

// News is what there is to tell.
type News struct {
	Troubles []Trouble
	Recovery *Recovery
	Failure  *Trouble
	urgent   bool // all losses are among it
}

// Situation is what the owner knows when news are collected.
type Situation struct {
	// Well says that nothing is failing now.
	Well bool
	// Last says that there will be no more news: everything is due.
	Last bool
	// Failure is why the stream cannot go on, nil while it can.
	Failure *Trouble
}

// News collects what is due and returns when there will be more.
func (l *Ledger) News(now time.Duration, s Situation) (n News, next time.Duration) {
	next, n.urgent = Never, l.urgent
	if s.Failure != nil && !l.failureTold {
		l.failureTold = true
		t := *s.Failure
		n.Failure = &t
	}
	if l.told && s.Well && s.Failure == nil {
		if s.Last || now-l.failedAt >= Interval {
			n.Recovery = l.recover(now)
		} else {
			next = l.failedAt + Interval
		}
	}
	for _, k := range l.kinds {
		switch due := k.toldAt + Interval; {
		case k.count == 0:
		case s.Last || now >= due || l.urgent && k.latest.Reason != "":
			n.Troubles = append(n.Troubles, k.tell(now))
			if k.latest.Class != awserr.RecordFault {
				l.told = true
			}
		default:
			next = min(next, due)
		}
	}
	return n, next
}

// tell takes what of a kind was not told.
func (k *kind) tell(now time.Duration) Trouble {
	t := k.latest
	t.Count, t.Records = k.count, k.records
	k.count, k.records, k.toldAt = 0, 0, now
	return t
}

// recover ends the troubles; those not told yet are summed up.
func (l *Ledger) recover(now time.Duration) *Recovery {
	r := &Recovery{Lasted: l.wellAt - l.began}
	if l.wellAt < l.began {
		r.Lasted = now - l.began
	}
	for _, k := range l.kinds {
		if k.latest.Class != awserr.RecordFault {
			r.Failures += k.count
			k.count, k.records = 0, 0
		}
	}
	l.told = false
	return r
}
