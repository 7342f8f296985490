package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/cmd/gst-kinesis/internal/status"
	"gst-kinesis/internal/listing"
	"gst-kinesis/internal/producer"
)

// produceView shows how a production fares. It is the producer's observer; those methods run on the producer's goroutines.
type produceView struct {
	display
	pr         *production
	now        func() time.Time
	begun      time.Time
	acks, dots bool
	interval   time.Duration           // between status lines elsewhere than on a terminal
	stop       context.CancelCauseFunc // ends the reading

	mu     sync.Mutex // held while printing, which keeps lines whole
	buf    []byte
	dotted bool
}

func (p *program) newProduceView(c *cli.Context, pr *production, stop context.CancelCauseFunc) *produceView {
	v := &produceView{
		pr: pr, now: p.now, begun: p.now(), acks: c.Bool("acks"), dots: c.Bool("dots"), interval: c.Duration("status-interval"), stop: stop,
	}
	screen := screenOn(p.err)
	if v.dots || pr.feed.typed() { // they would get in each other's way
		screen, v.interval = status.NewScreen(nil, nil), 0
	}
	v.display = p.newDisplay(screen, c.String("log-level"))
	if v.screen.Terminal() {
		v.interval = redraw
	}
	if v.interval == 0 {
		v.interval = math.MaxInt64
	}
	return v
}

// shown does something and keeps the status shown meanwhile.
func (v *produceView) shown(ctx context.Context, prod *producer.Producer, do func() ending) ending {
	ended := make(chan struct{})
	var showing sync.WaitGroup
	showing.Go(func() { v.show(ctx, prod, ended) })
	end := do()
	close(ended)
	showing.Wait()
	return end
}

func (v *produceView) show(ctx context.Context, prod *producer.Producer, ended <-chan struct{}) {
	meter := status.NewMeter(v.now())
	ticker := time.NewTicker(v.interval)
	defer ticker.Stop()
	defer v.screen.Set("")
	interrupted := ctx.Done()
	for {
		select {
		case <-ended:
			return
		case <-interrupted:
			interrupted = nil
			if v.pr.draining {
				v.log.Info("ending; what is not delivered stays in the spool")
			} else {
				v.log.Info("draining; once more stops at once")
			}
		case <-ticker.C:
			b := booksOf("", prod.Books())
			report := meter.Report(v.now(), status.Sample{
				Records: b.Delivered.Records, Bytes: b.Delivered.Bytes, Dropped: b.Dropped.Records, InFlight: b.InFlight.Records,
				Spooled: b.Spooled.Records, DeadLettered: b.DeadLettered.Records,
			})
			done := v.pr.progress(report.Elapsed, b.InFlight.Bytes+b.Spooled.Bytes)
			if v.screen.Terminal() {
				v.screen.Set(done.bar() + report.Line())
			} else {
				v.log.Info("status", append(report.Attrs(), done.attrs()...)...)
			}
		}
	}
}

// progress is how much is done, from 0 to 1, and what is left in time; negative where that is not known.
type progress struct {
	done float64
	left time.Duration
}

// progress: bytes that were read, or were in the spool, and are still held are not done. With a bound by time, too, whatever is further along comes to its end first.
func (pr *production) progress(elapsed time.Duration, held uint64) progress {
	p := progress{done: -1, left: -1}
	if total := pr.feed.total + pr.left.Bytes; pr.feed.total > 0 || pr.draining && total > 0 {
		p.done = float64(max(pr.feed.read.Load()+pr.left.Bytes-int64(held), 0)) / float64(total) //nolint:gosec // bounded by memory and disk
	}
	if pr.duration > 0 {
		p.done = max(p.done, float64(elapsed)/float64(pr.duration))
	}
	p.done = min(p.done, 1)
	if left := float64(elapsed) * (1 - p.done) / p.done; p.done > 0 && left < float64(math.MaxInt64) {
		p.left = time.Duration(left)
	}
	return p
}

// barWidth is the columns of the bar, and mostShown the longest time that is worth showing.
const (
	barWidth  = 10
	mostShown = 1000 * time.Hour
)

func (p progress) eta() string {
	if p.left < 0 || p.left >= mostShown {
		return "-:--:--"
	}
	return status.Clock(p.left)
}

// bar is what stands before the status line; nothing where it is not known how much there is to do.
func (p progress) bar() string {
	if p.done < 0 {
		return ""
	}
	full := int(p.done * barWidth)
	return fmt.Sprintf("[%s%s] %3d%%  ETA %s  ", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), int(p.done*100), p.eta())
}

func (p progress) attrs() []any {
	if p.done < 0 {
		return nil
	}
	return []any{"done", fmt.Sprintf("%d%%", int(p.done*100)), "eta", p.eta()}
}

// conclude says how it ended, and prints the books.
func (v *produceView) conclude(books status.Books, end ending) {
	v.mu.Lock()
	if v.dotted {
		_, _ = v.out.Write([]byte("\n"))
	}
	v.mu.Unlock()
	elapsed := v.now().Sub(v.begun)
	attrs := []any{
		"stream", v.pr.stream.Name, "records", books.Delivered.Records, "bytes", books.Delivered.Bytes, "elapsed", elapsed.Round(time.Millisecond), "ended-by", end.why,
	}
	if s := elapsed.Seconds(); s > 0 {
		attrs = append(attrs, "records/s", math.Round(float64(books.Delivered.Records)/s*10)/10, "bytes/s", uint64(float64(books.Delivered.Bytes)/s))
	}
	v.log.Info(v.pr.said(), attrs...)
	fmt.Fprintln(v.err, books.Line())
}

// greeting is what is said of records in the spool at the start, and said at the end.
func (pr *production) greeting() string {
	if pr.draining {
		return "sending what is in the spool"
	}
	return "what an earlier run left in the spool is sent first"
}

func (pr *production) said() string {
	if pr.draining {
		return "drained"
	}
	return "produced"
}

// ---- producer.Observer ----

// Delivered prints a line for each record, or a period.
func (v *produceView) Delivered(a *producer.Answer) {
	if !v.acks && !v.dots {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.buf = v.buf[:0]
	if v.dots {
		v.buf = append(v.buf, bytes.Repeat([]byte("."), len(a.Records))...)
		v.dotted = true
	}
	for i := range a.Records {
		if d := &a.Records[i]; v.acks {
			v.buf = listing.AppendHead(v.buf, d.SequenceNumber, d.ShardID, d.PartitionKey, d.Bytes)
		}
	}
	_, _ = v.out.Write(v.buf) // whoever closed the output wants no lines; the records go on
}

// Dropped leaves it to Trouble and the books.
func (v *produceView) Dropped(string, []producer.Lost) {}

// DeadLettered leaves it to the books.
func (v *produceView) DeadLettered(string, []producer.Lost) {}

// Spooled leaves it to the books.
func (v *produceView) Spooled([]producer.Lost) {}

// Trouble warns.
func (v *produceView) Trouble(t producer.Trouble) {
	text := t.Message
	if text == "" {
		text = t.Code
	}
	attrs := []any{"stream", t.Stream, "code", t.Code}
	if t.Reason != "" && t.Reason != t.Code {
		attrs = append(attrs, "dropped", t.Reason)
	}
	attrs = append(attrs, "count", t.Count, "records", t.Records)
	if t.HTTPStatus != 0 {
		attrs = append(attrs, "http-status-code", t.HTTPStatus)
	}
	if t.RequestID != "" {
		attrs = append(attrs, "request-id", t.RequestID)
	}
	if t.Remedy != "" {
		attrs = append(attrs, "remedy", t.Remedy)
	}
	v.log.Warn(text, attrs...)
}

// Recovered says that the trouble is over.
func (v *produceView) Recovered(r producer.Recovery) {
	v.log.Info("records flow again", "after", r.Lasted.Round(time.Millisecond), "failures", r.Failures)
}

// Noticed says what is worth knowing once.
func (v *produceView) Noticed(n producer.Notice) {
	if n.Err != nil {
		v.log.Info(n.Text, "error", n.Err)
		return
	}
	v.log.Info(n.Text)
}

// Failed ends the reading; the error is what the program ends with.
func (v *produceView) Failed(t producer.Trouble) { v.stop(t) }
