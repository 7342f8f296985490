package trouble

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
)

// listener notes what it hears and when.
type listener struct {
	began time.Time
	heard []string
}

func (l *listener) note(format string, args ...any) {
	l.heard = append(l.heard, time.Since(l.began).String()+" "+fmt.Sprintf(format, args...))
}

func (l *listener) Trouble(t Trouble)    { l.note("trouble %s %d", t.Code, t.Count) }
func (l *listener) Recovered(r Recovery) { l.note("recovered") }
func (l *listener) Failed(t Trouble)     { l.note("failed %s", t.Code) }

// A trouble is told at once and then once a second with its count, losses that are asked for at once, and the failure at the end.
func TestAReporter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		ledger, l := NewLedger(), &listener{began: time.Now()}
		failure, told := (*Trouble)(nil), 0
		now := func() time.Duration { return time.Since(l.began) + time.Second } // the ledger takes 0 for never
		r := NewReporter(Owner{
			Lock: &mu, Ledger: &ledger, Now: now, Told: func() { told++ },
			Situation: func() Situation { return Situation{Failure: failure} },
			AfterFunc: func(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) },
		}, l)
		quit, done := make(chan struct{}), make(chan struct{})
		go func() { r.Run(quit); close(done) }()
		note := func(code string) {
			mu.Lock()
			defer mu.Unlock()
			if ledger.Note(Trouble{Fault: awserr.Fault{Class: awserr.Transient, Code: code}, Count: 1}, now()) {
				r.Wake()
			}
		}
		note("X")
		time.Sleep(200 * time.Millisecond)
		note("X")
		note("X")
		time.Sleep(2 * time.Second)
		mu.Lock()
		ledger.NoteDrop("full", now(), func() Trouble { return Trouble{Fault: awserr.Fault{Class: awserr.RecordFault, Code: "full"}} })
		ledger.Hurry()
		mu.Unlock()
		r.Wake()
		synctest.Wait()
		require.Equal(t, 1, told)
		mu.Lock()
		failure = &Trouble{Fault: awserr.Fault{Code: "Y"}}
		mu.Unlock()
		close(quit)
		<-done
		require.Equal(t, []string{"0s trouble X 1", "1s trouble X 2", "2.2s trouble full 1", "2.2s failed Y"}, l.heard)
	})
}
