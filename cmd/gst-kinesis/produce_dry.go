package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"gst-kinesis/cmd/gst-kinesis/internal/status"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
)

// What of the keys a dry run keeps apart, and prints.
const (
	maxTalliedKeys = 100_000
	maxPrintedKeys = 20
)

// dryRun reads the input once and prints what would be sent.
func (p *program) dryRun(ctx context.Context, pr *production) error {
	pr.feed.passes, pr.feed.pace = 1, nil
	t := newTallied(pr)
	return pr.surveyed(t, p.out, pr.feed.run(ctx, t))
}

func newTallied(pr *production) *talliedRecords {
	return &talliedRecords{keys: pr.keys, largest: pr.settings.MaxRecordSize, split: pr.settings.Oversize == producer.OversizeSplit, byKey: map[string]*keyTally{}}
}

// surveyed prints what was counted, and says what it means; err is what the counting ended with.
func (pr *production) surveyed(t *talliedRecords, out io.Writer, err error) error {
	if printed := t.print(out, pr.stream.Name); err == nil {
		err = printed
	}
	switch lost := t.oversize + t.badKeys; {
	case err != nil:
		return err
	case lost > 0:
		return &statusError{status: statusIncomplete, text: fmt.Sprintf("%s: %d records would not be delivered", pr.name, lost)}
	}
	return nil
}

// talliedRecords counts records in place of sending them.
type talliedRecords struct {
	keys    *recordKeys
	largest int  // that the stream takes
	split   bool // larger ones go in parts

	all               keyTally
	most              int // bytes of a record
	oversize, badKeys int
	badKey            error // the first
	byKey             map[string]*keyTally
	others            keyTally // of keys beyond those that are kept apart
}

type keyTally struct {
	key     string
	records int
	bytes   int64
}

func (k *keyTally) add(size int) {
	k.records++
	k.bytes += int64(size)
}

func (t *talliedRecords) take(_ context.Context, data []byte) error {
	key, err := t.keys.next(data)
	if err != nil {
		t.bad(data, err)
	} else {
		t.good(data, key.Partition)
	}
	return nil
}

func (t *talliedRecords) count(data []byte) {
	t.all.add(len(data))
	t.most = max(t.most, len(data))
}

// bad counts a record without a key.
func (t *talliedRecords) bad(data []byte, err error) {
	t.count(data)
	t.badKeys++
	if t.badKey == nil {
		t.badKey = err
	}
}

// good counts a record with a key.
func (t *talliedRecords) good(data []byte, key string) {
	t.count(data)
	if !t.split && len(data)+len(key) > t.largest {
		t.oversize++
	}
	if t.keys.mode == shard.Random {
		return // a key for each record
	}
	k := t.byKey[key]
	switch {
	case k == nil && len(t.byKey) >= maxTalliedKeys:
		k = &t.others
	case k == nil:
		k = &keyTally{key: key}
		t.byKey[key] = k
	}
	k.add(len(data))
}

// print prints what would be sent: all of it, and by key, those with most bytes first.
func (t *talliedRecords) print(w io.Writer, stream string) error {
	fmt.Fprintf(w, "would send %d records (%s, largest %s) to %s\n", t.all.records, status.Size(float64(t.all.bytes)), status.Size(float64(t.most)), stream)
	if t.oversize > 0 {
		fmt.Fprintf(w, "would drop %d records larger than %d bytes; raise --max-record if the stream takes larger ones, or set --oversize split\n", t.oversize, t.largest)
	}
	if t.badKeys > 0 {
		fmt.Fprintf(w, "would drop %d records without a key; the first: %v\n", t.badKeys, t.badKey)
	}
	if t.keys.mode == shard.Random {
		_, err := fmt.Fprintln(w, "each record has a random key")
		return err
	}
	keys := make([]*keyTally, 0, len(t.byKey))
	for _, k := range t.byKey {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b *keyTally) int { return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.key, b.key)) })
	others, n := t.others, 0
	for _, k := range keys[min(len(keys), maxPrintedKeys):] {
		others.records, others.bytes = others.records+k.records, others.bytes+k.bytes
		n++
	}
	tab := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "KEY\tRECORDS\tBYTES")
	for _, k := range keys[:len(keys)-n] {
		fmt.Fprintf(tab, "%s\t%d\t%d\n", shown(k.key), k.records, k.bytes)
	}
	if others.records > 0 {
		fmt.Fprintf(tab, "(others)\t%d\t%d\n", others.records, others.bytes)
	}
	return tab.Flush()
}
