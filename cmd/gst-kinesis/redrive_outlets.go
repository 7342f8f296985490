package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"gst-kinesis/cmd/gst-kinesis/internal/status"
	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/control"
	"gst-kinesis/internal/deadletter"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
)

// outlets are the producers of a redrive, one for each stream that its letters go to. They are made
// when the first letter of a stream comes.
type outlets struct {
	r        *redriving
	observer producer.Observer
	shown    *metrics.Member

	mu   sync.Mutex // guards the map, not what is in it
	open map[outlet]*opened
}

// outlet is where letters go.
type outlet struct{ stream, region string }

type opened struct {
	producer *producer.Producer
	session  *awscfg.Session
	name     string
	failure  error // the stream cannot go on
}

func newOutlets(r *redriving, observer producer.Observer, shown *metrics.Member) *outlets {
	return &outlets{r: r, observer: observer, shown: shown, open: map[outlet]*opened{}}
}

// of returns the producer of a letter's stream; nil if that stream has failed.
func (o *outlets) of(l *deadletter.Letter) (*producer.Producer, error) {
	to := outlet{l.Stream, l.Region}
	if o.r.stream.Name != "" {
		to = outlet{o.r.stream.String(), o.r.stream.Region}
	}
	if to.stream == "" {
		return nil, usageError("redrive: a letter in %s does not say which stream it was meant for: name it with --stream", o.r.target)
	}
	o.mu.Lock()
	known := o.open[to]
	o.mu.Unlock()
	if known == nil {
		var err error
		if known, err = o.start(to); err != nil {
			return nil, fmt.Errorf("sending letters to %s: %w", to.stream, err)
		}
		o.mu.Lock()
		o.open[to] = known
		o.mu.Unlock()
	}
	if known.failure != nil {
		return nil, nil //nolint:nilnil // said above
	}
	return known.producer, nil
}

// start opens the way to a stream.
func (o *outlets) start(to outlet) (*opened, error) {
	stream, err := awscfg.ParseStream(to.stream)
	if err != nil {
		return nil, err
	}
	set, err := settingsOf(o.r.c, stream)
	if err != nil {
		return nil, err
	}
	set.Region = cmp.Or(to.region, stream.Region, set.Region)
	// Not the command's context: an interrupt ends it by Close, in good order.
	session, err := awscfg.Open(context.Background(), set, stream)
	if err != nil {
		return nil, err
	}
	settings := o.r.settings
	settings.Stream, settings.StreamARN, settings.Region = stream.Name, stream.ARN, session.Region()
	client := session.Kinesis()
	p, err := producer.New(client, settings, o.observer,
		producer.WithCredentials(session.CheckCredentials, session.RefreshCredentials),
		producer.WithShards(func(ctx context.Context) ([]shard.Shard, error) {
			return control.OpenShards(ctx, client, stream.Name, stream.ARN)
		}))
	if err != nil {
		session.Close()
		return nil, err
	}
	o.shown.Publish(sourceOf(p, stream, "redrive"))
	return &opened{producer: p, session: session, name: stream.Name}, nil
}

// all returns what is open, in the order of the streams' names.
func (o *outlets) all() []*opened {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.SortedFunc(maps.Values(o.open), func(a, b *opened) int { return cmp.Compare(a.name, b.name) })
}

// flush waits until all that was put is accounted for. A stream that has failed is no error: its
// letters stay, and the others go on.
func (o *outlets) flush(ctx context.Context) error {
	for _, a := range o.all() {
		err := a.producer.Flush(ctx)
		switch {
		case errors.Is(err, producer.ErrFailed):
			a.failure = err
		case err != nil:
			return err
		}
	}
	return nil
}

// close ends all producers: what became of each record is known then.
func (o *outlets) close() {
	for _, a := range o.all() {
		a.producer.Close()
		a.session.Close()
	}
}

// failed returns why streams could not go on.
func (o *outlets) failed() error {
	var all []error
	for _, a := range o.all() {
		var trouble producer.Trouble
		if errors.As(a.failure, &trouble) {
			all = append(all, fmt.Errorf("sending letters to stream %s: %w", a.name, trouble))
		}
	}
	return errors.Join(all...)
}

// books are those of all producers.
func (o *outlets) books() []status.Books {
	var list []status.Books
	for _, a := range o.all() {
		b := booksOf(a.name, a.producer.Books())
		b.Sink = "redrive"
		list = append(list, b)
	}
	return list
}
