package producer

import (
	"context"
	"errors"
	"time"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/shard"
	"gst-kinesis/internal/trouble"
)

const (
	// surveyInterval is how often the stream's shards are listed at most.
	surveyInterval = time.Second
	// surveyTimeout bounds one listing.
	surveyTimeout = 10 * time.Second
	// mostSurprises is how often answers may name another shard than the one that
	// a fresh map expects before the map is given up.
	mostSurprises = 3
)

// NoticeShards and the other codes tell what a Notice is about.
const (
	// NoticeNoShards: the shards may not be listed.
	NoticeNoShards = "shards-unknown"
	// NoticeOtherShards: the service does not place records by their keys.
	NoticeOtherShards = "shards-by-service"
)

// survey keeps the map of the stream's shards: it lists them when the first record
// comes, not earlier, and when an answer names a shard that was not expected.
func (p *Producer) survey() {
	if !p.surprised() {
		return
	}
	failures, surprises := 0, 0
	for {
		fresh, err := p.list()
		wait := surveyInterval
		switch {
		case p.base.Err() != nil:
			return
		case err == nil && !fresh:
			surprises++
			failures = 0
		case err == nil:
			failures, surprises = 0, 0
		case mayNotList(err):
			p.adopt(nil)
			p.observer.Noticed(Notice{Code: NoticeNoShards, Err: err, Text: "the stream's shards may not be listed (kinesis:ListShards), so " +
				"records are gathered by ranges of their hash keys and the shards' limits are learned from throttling alone"})
			return
		default:
			failures++
			wait = max(surveyInterval, p.jitter(trouble.BackoffFor(awserr.Transient), failures))
		}
		if surprises > mostSurprises {
			p.adopt(nil)
			p.observer.Noticed(Notice{Code: NoticeOtherShards, Text: "the service places records on other shards than their keys tell, as " +
				"streams that distribute records by themselves do; the shards' limits are learned from throttling alone"})
			return
		}
		if !p.sleep(wait) || err == nil && !p.surprised() {
			return
		}
	}
}

// surprised waits for a reason to list the shards; false when the producer ends.
func (p *Producer) surprised() bool {
	select {
	case <-p.resurvey:
		return true
	case <-p.base.Done():
		return false
	}
}

// surprise takes note of an answer that names another shard than a lane's. A lane that expects nothing cannot be surprised.
func (p *Producer) surprise(l *lane) {
	if l.shard != "" {
		p.wakeSurvey()
	}
}

func (p *Producer) wakeSurvey() {
	select {
	case p.resurvey <- struct{}{}:
	default:
	}
}

func (p *Producer) jitter(b trouble.Backoff, n int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return b.Wait(n, p.random)
}

// list lists the shards and lays the lanes after them; fresh is false where they
// are as before.
func (p *Producer) list() (fresh bool, err error) {
	select { // what surprised before this is answered by it
	case <-p.resurvey:
	default:
	}
	ctx, cancel := context.WithTimeout(p.base, surveyTimeout)
	defer cancel()
	list, err := p.hooks.shards(ctx)
	if err != nil {
		return false, err
	}
	m, err := shard.NewMap(list)
	if err != nil {
		return false, err
	}
	return p.adopt(m), nil
}

// adopt lays the lanes after a map, or with nil without one; false where that
// changes nothing.
func (p *Producer) adopt(m *shard.Map) bool {
	defer p.poke()
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.Equal(p.lanes.shards) || m == p.lanes.shards {
		p.lanes.refresh()
		return false
	}
	p.shards.Store(m)
	p.figures.open = m
	at := p.clock.Now()
	p.lanes.adopt(m, func(id string) *limit.Shard { return p.limits.Shard(id, at) }, p.flying.requests)
	for _, l := range p.lanes.ranges {
		p.forgive(l)
	}
	p.health.lanesFailing = p.lanes.failing()
	if m != nil {
		p.limits.Keep(func(id string) bool { _, open := m.Index(id); return open })
	}
	return true
}

// mayNotList reports whether trying again does not help: it is not allowed, or the
// other side does not know the call.
func mayNotList(err error) bool {
	fault := awserr.Classify(err, awserr.Subject{})
	switch fault.Code {
	case "AccessDeniedException", "UnknownOperationException":
		return true
	}
	return errors.Is(err, errors.ErrUnsupported)
}
