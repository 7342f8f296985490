package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"gst-kinesis/cmd/gst-kinesis/internal/status"
	"gst-kinesis/internal/deadletter"
	"gst-kinesis/internal/producer"
)

// list prints a line for each chosen letter.
func (r *redriving) list(ctx context.Context) error {
	err := r.walk(ctx, false, func(b deadletter.Bundle) error {
		return r.each(ctx, b, func(l *deadletter.Letter, chosen bool) error {
			if !chosen {
				return nil
			}
			if _, err := io.WriteString(r.p.out, letterLine(l)); err != nil {
				return fmt.Errorf("printing letters: %w", err)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return r.unread()
}

// letterLine writes a letter:
//
//	Written=… Accepted=… Reason=… Tries=… Stream=… Region=… PartitionKey=… Bytes=…
//
// A value with spaces, quotes or control characters is quoted as Go does it. What is
// not known is left out.
func letterLine(l *deadletter.Letter) string {
	var p pairs
	p.moment("Written", l.Written)
	p.moment("Accepted", l.Accepted)
	p.text("Reason", l.Reason)
	p.text("Tries", strconv.Itoa(l.Tries))
	if l.PTS != producer.NoPTS {
		p.text("PTS", strconv.FormatUint(l.PTS, 10))
	}
	if l.Stream != "" {
		p.text("Stream", l.Stream)
	}
	if l.Region != "" {
		p.text("Region", l.Region)
	}
	p.text("PartitionKey", l.PartitionKey)
	if l.ExplicitHashKey != "" {
		p.text("ExplicitHashKey", l.ExplicitHashKey)
	}
	p.text("Bytes", strconv.Itoa(len(l.Data)))
	return p.line()
}

// tally counts letters.
type tally struct {
	all     letterCount
	reasons map[string]*letterCount
}

// letterCount is a number of letters, and what they have in common.
type letterCount struct {
	letters        int
	bytes          int64
	oldest, newest time.Time // written
}

// maxTalliedReasons bounds how many reasons are kept apart, whatever the letters say.
const maxTalliedReasons = 1000

func newTally() tally { return tally{reasons: map[string]*letterCount{}} }

func (t *tally) add(l *deadletter.Letter) {
	name := l.Reason
	if t.reasons[name] == nil && len(t.reasons) >= maxTalliedReasons {
		name = producer.ReasonOther
	}
	of := t.reasons[name]
	if of == nil {
		of = new(letterCount)
		t.reasons[name] = of
	}
	of.add(l)
	t.all.add(l)
}

func (n *letterCount) add(l *deadletter.Letter) {
	n.letters++
	n.bytes += int64(len(l.Data))
	if n.oldest.IsZero() || l.Written.Before(n.oldest) {
		n.oldest = l.Written
	}
	if l.Written.After(n.newest) {
		n.newest = l.Written
	}
}

// survey prints how many letters there are.
func (r *redriving) survey(ctx context.Context) error {
	err := r.walk(ctx, false, func(b deadletter.Bundle) error {
		return r.each(ctx, b, func(*deadletter.Letter, bool) error { return nil })
	})
	if err != nil {
		return err
	}
	if err := r.seen.print(r.p.out); err != nil {
		return fmt.Errorf("printing the numbers of letters: %w", err)
	}
	return r.unread()
}

// print writes a table, the most frequent reason first.
func (t *tally) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name string, n *letterCount) {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", shown(name), n.letters, status.Size(float64(n.bytes)), shownTime(n.oldest), shownTime(n.newest))
	}
	fmt.Fprintln(w, "REASON\tLETTERS\tDATA\tOLDEST\tNEWEST")
	names := slices.SortedFunc(maps.Keys(t.reasons), func(a, b string) int {
		if d := t.reasons[b].letters - t.reasons[a].letters; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		line(name, t.reasons[name])
	}
	line("all", &t.all)
	return w.Flush()
}

func shownTime(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format("2006-01-02T15:04:05Z")
}
