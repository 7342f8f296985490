package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gst-kinesis/internal/spool"
)

// listSpool prints a line for each record:
//
//	Accepted=… PTS=… PartitionKey=… ExplicitHashKey=… Bytes=…
//
// What a record does not have is left out.
func (p *program) listSpool(ctx context.Context, dir string) error {
	return spool.Walk(ctx, dir, func(_ spool.ID, r spool.Record) error {
		var l pairs
		l.moment("Accepted", r.Accepted)
		if r.PTS != spool.NoPTS {
			l.text("PTS", strconv.FormatUint(r.PTS, 10))
		}
		l.text("PartitionKey", r.Key)
		if r.ExplicitHash != "" {
			l.text("ExplicitHashKey", r.ExplicitHash)
		}
		l.text("Bytes", strconv.Itoa(len(r.Data)))
		if _, err := io.WriteString(p.out, l.line()); err != nil {
			return fmt.Errorf("printing records: %w", err)
		}
		return nil
	})
}

// surveySpool prints what would be sent.
func (p *program) surveySpool(ctx context.Context, pr *production) error {
	t := newTallied(pr)
	err := spool.Walk(ctx, pr.places.SpoolDirectory, func(_ spool.ID, r spool.Record) error {
		if !isKey(r.Key, r.ExplicitHash) {
			t.bad(r.Data, fmt.Errorf("%s is no partition key", shown(r.Key)))
			return nil
		}
		t.good(r.Data, r.Key)
		return nil
	})
	return pr.surveyed(t, p.out, err)
}

// pairs is a line of NAME=VALUE. A value with spaces, quotes or control characters is quoted as Go does it.
type pairs struct{ b strings.Builder }

func (p *pairs) text(name, value string) {
	if p.b.Len() > 0 {
		p.b.WriteByte(' ')
	}
	p.b.WriteString(name + "=" + shown(value))
}

func (p *pairs) moment(name string, at time.Time) {
	if !at.IsZero() {
		p.text(name, at.UTC().Format(time.RFC3339Nano))
	}
}

func (p *pairs) line() string { return p.b.String() + "\n" }

// shown quotes what would do something to a terminal or a table.
func shown(value string) string {
	if !utf8.ValidString(value) || strings.ContainsFunc(value, func(c rune) bool { return c == '"' || c == ' ' || !strconv.IsGraphic(c) }) {
		return strconv.Quote(value)
	}
	return value
}
