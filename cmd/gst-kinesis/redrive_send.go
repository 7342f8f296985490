package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"gst-kinesis/cmd/gst-kinesis/internal/status"
	"gst-kinesis/internal/deadletter"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
)

// settleTime bounds the taking out of letters after an interrupt.
const settleTime = 10 * time.Second

// letterSender sends letters. Its methods run on the command's goroutine; what is atomic is read by the
// one that shows the status.
type letterSender struct {
	*redriving
	view      *redriveView
	outlets   *outlets
	interrupt <-chan struct{}

	delivered, left int // chosen letters
	unkeyed         int // of those that are left: without a valid key
	taken           int
	unsettled       error         // delivered letters that could not be taken out
	total           atomic.Uint64 // chosen letters so far, for the status
}

// mark is what became of a letter that was put.
type mark struct{ delivered atomic.Bool }

// send sends the letters.
func (r *redriving) send(ctx context.Context) error {
	v := r.newRedriveView()
	shown, err := r.p.showMetrics(r.c)
	if err != nil {
		return err
	}
	defer shown.Leave()
	s := &letterSender{redriving: r, view: v, interrupt: ctx.Done(), outlets: newOutlets(r, v, shown)}
	var showing sync.WaitGroup
	ended := make(chan struct{})
	showing.Go(func() { v.show(ended, s) })
	err = r.walk(ctx, !r.keep, func(b deadletter.Bundle) error { return s.bundle(ctx, b) })
	s.outlets.close()
	close(ended)
	showing.Wait()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = &statusError{status: statusIncomplete, text: "redrive: interrupted; what was not delivered is still in " + r.target.String()}
	}
	s.conclude()
	return errors.Join(err, s.unsettled, s.verdict(err))
}

// bundle sends the letters of a bundle and takes out those that were delivered.
func (s *letterSender) bundle(ctx context.Context, b deadletter.Bundle) error {
	var marks []*mark // of all letters; nil for those that were not put
	err := s.each(ctx, b, func(l *deadletter.Letter, chosen bool) error {
		marks = append(marks, nil)
		if !chosen {
			return nil
		}
		s.total.Add(1)
		m, err := s.put(ctx, l)
		marks[len(marks)-1] = m
		return err
	})
	if err == nil {
		err = s.outlets.flush(ctx)
	}
	if err != nil {
		s.outlets.close() // what became of each letter is known then
	}
	put := 0
	for _, m := range marks {
		if m != nil && m.delivered.Load() {
			put++
		}
	}
	s.delivered += put
	if put > 0 && !s.keep {
		s.unsettled = errors.Join(s.unsettled, s.settle(ctx, b, marks, put))
	}
	return err
}

// settle takes delivered letters out, after an interrupt too. What was not read of the bundle stays.
func (s *letterSender) settle(ctx context.Context, b deadletter.Bundle, marks []*mark, put int) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime+s.settings.RequestTimeout)
	defer cancel()
	err := b.Settle(ctx, func(n int) bool { return n >= len(marks) || marks[n] == nil || !marks[n].delivered.Load() })
	if err != nil {
		return fmt.Errorf("%w; %d letters of it were delivered and would be sent once more", err, put)
	}
	s.taken += put
	return nil
}

// put gives a letter to the producer of its stream. Without a mark it stays where it is.
func (s *letterSender) put(ctx context.Context, l *deadletter.Letter) (*mark, error) {
	key, hash := l.PartitionKey, l.ExplicitHashKey
	if !isKey(key, hash) {
		if s.key == "" {
			s.unkeyed++
			return nil, nil //nolint:nilnil // said above
		}
		key, hash = s.key, ""
	}
	if s.pace != nil {
		if err := s.pace.wait(ctx, len(l.Data)); err != nil {
			return nil, err
		}
	}
	p, err := s.outlets.of(l)
	if err != nil || p == nil {
		return nil, err
	}
	m := new(mark)
	r := p.Reserve(len(l.Data))
	copy(r.Data, l.Data)
	r.PartitionKey, r.ExplicitHashKey, r.PTS, r.Token = key, hash, l.PTS, m
	if err := p.Put(ctx, r); err != nil && !errors.Is(err, producer.ErrFailed) {
		return nil, err
	}
	return m, nil
}

// isKey reports whether the service takes the keys of a record.
func isKey(key, hash string) bool {
	if hash != "" {
		if _, err := shard.ParseHash(hash); err != nil {
			return false
		}
	}
	return shard.ValidateKey(key) == nil
}

// conclude says how it ended, and prints the books.
func (s *letterSender) conclude() {
	s.left = s.seen.all.letters - s.delivered
	attrs := []any{"target", s.target.String(), "letters", s.seen.all.letters, "delivered", s.delivered, "removed", s.taken, "left", s.left, "not-chosen", s.passed}
	if s.damaged > 0 {
		attrs = append(attrs, "damaged", s.damaged)
	}
	s.view.log.Info("redriven", attrs...)
	for _, b := range s.outlets.books() {
		fmt.Fprintln(s.view.err, b.Line())
	}
	if s.target.Kind == deadletter.Stream && s.left == 0 && !s.seen.all.newest.IsZero() && s.outlets.failed() == nil {
		s.view.log.Info("records stay in the stream until they expire; letters that come from now on are found by --since",
			"since", s.seen.all.newest.Add(1).UTC().Format(time.RFC3339Nano))
	}
}

// verdict is the exit status, and what is said of it.
func (s *letterSender) verdict(ended error) error {
	failed := s.outlets.failed()
	switch {
	case ended != nil:
		return nil // it says enough
	case failed != nil:
		return failed
	case s.unkeyed > 0 && s.unkeyed == s.left:
		return &statusError{status: statusIncomplete, text: fmt.Sprintf(
			"redrive: %d letters have no valid partition key and are still in %s; give one with --key", s.unkeyed, s.target)}
	case s.left > 0:
		return &statusError{status: statusIncomplete, text: fmt.Sprintf(
			"redrive: %d of %d letters were not delivered and are still in %s", s.left, s.seen.all.letters, s.target)}
	}
	return s.unread()
}

// redriveView shows how the sending fares, and hears what becomes of records.
type redriveView struct{ produceView }

func (r *redriving) newRedriveView() *redriveView {
	v := &redriveView{produceView: produceView{now: r.p.now, begun: r.p.now(), interval: r.c.Duration("status-interval")}}
	v.display = r.p.newDisplay(screenOn(r.p.err), r.c.String("log-level"))
	switch {
	case v.screen.Terminal():
		v.interval = redraw
	case v.interval == 0:
		v.interval = math.MaxInt64
	}
	return v
}

// show keeps the status shown.
func (v *redriveView) show(ended <-chan struct{}, s *letterSender) {
	meter := status.NewMeter(v.now())
	ticker := time.NewTicker(v.interval)
	defer ticker.Stop()
	defer v.screen.Set("")
	interrupt := s.interrupt
	for {
		select {
		case <-ended:
			return
		case <-interrupt:
			interrupt = nil
			v.log.Info("ending; what is not delivered stays where it is")
		case <-ticker.C:
			var all status.Books
			for _, b := range s.outlets.books() {
				all.Delivered.Records += b.Delivered.Records
				all.Delivered.Bytes += b.Delivered.Bytes
				all.Dropped.Records += b.Dropped.Records
				all.InFlight.Records += b.InFlight.Records
			}
			report := meter.Report(v.now(), status.Sample{
				Records: all.Delivered.Records, Bytes: all.Delivered.Bytes, Dropped: all.Dropped.Records, InFlight: all.InFlight.Records,
			})
			if v.screen.Terminal() {
				v.screen.Set(fmt.Sprintf("letters %d  ", s.total.Load()) + report.Line())
			} else {
				v.log.Info("status", append([]any{"letters", s.total.Load()}, report.Attrs()...)...)
			}
		}
	}
}

// Delivered implements producer.Observer.
func (v *redriveView) Delivered(a *producer.Answer) {
	for i := range a.Records {
		if m, ok := a.Records[i].Token.(*mark); ok {
			m.delivered.Store(true)
		}
	}
}

// Failed warns; the letters of that stream stay.
func (v *redriveView) Failed(t producer.Trouble) { v.Trouble(t) }
