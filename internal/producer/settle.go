package producer

import (
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"gst-kinesis/internal/awserr"
)

// settleAnswer accounts for records by the service's answer and tells the observer.
func (p *Producer) settleAnswer(q *request, records []*Record, out *kinesis.PutRecordsOutput) {
	requestID, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
	now := p.clock.Now()
	q.answer.RequestID, q.answer.Time, q.answer.Records = requestID, now, q.answer.Records[:0]

	var dead list
	p.mu.Lock()
	s := answerSettler{p: p, q: q, now: now.Sub(p.started), requestID: requestID, dead: &dead}
	for i, r := range records {
		s.settle(r, &out.Records[i])
	}
	s.conclude()
	for _, r := range records {
		if r.state == pending {
			p.giveBack(q, r, s.now)
		}
	}
	if dead.n > 0 {
		p.telling++
	}
	p.mu.Unlock()

	if s.after != nil {
		s.after()
	}
	if len(q.answer.Records) > 0 {
		p.observer.Delivered(&q.answer)
	}
	p.tellGivenUp(records)
	if dead.n > 0 {
		p.bury(&dead)
	}
}

// answerSettler goes through one answer, with the producer's mu held.
type answerSettler struct {
	p         *Producer
	q         *request
	now       instant
	requestID string
	dead      *list // waiting records that a permanent error dropped

	// The failure met last, and how many records in a row it concerned: an answer
	// mostly repeats one.
	fault   awserr.Fault
	records int
	lasting *Trouble // the permanent one among the failures
	after   func()   // to be called without the lock
}

func (s *answerSettler) settle(r *Record, e *types.PutRecordsResultEntry) {
	code, sequence := deref(e.ErrorCode), deref(e.SequenceNumber)
	if code == "" && sequence != "" {
		s.deliver(r, sequence, deref(e.ShardId))
		return
	}
	s.blame(code, deref(e.ErrorMessage))
	r.unsure = r.unsure || code == ""
	if s.fault.Class == awserr.RecordFault {
		s.p.lose(r, s.fault.Code)
		return
	}
	r.lane.bad++
	r.lane.badWait = backoffFor(s.fault.Class)
	if s.fault.Class == awserr.Throttled {
		s.p.tally.throttled++
		s.p.throttled(r.lane, s.now)
	}
}

func (s *answerSettler) deliver(r *Record, sequence, shardID string) {
	latency := s.now - r.accepted
	s.p.leave(r)
	s.p.books.Delivered.add(len(r.Data))
	s.p.latency.add(latency, s.now)
	r.state = delivered
	r.lane.ok++
	if r.lane.shard != shardID {
		s.p.surprise(r.lane)
	}
	s.q.answer.Records = append(s.q.answer.Records, Delivery{
		SequenceNumber: sequence, ShardID: shardID, PartitionKey: r.PartitionKey, Bytes: len(r.Data),
		PTS: r.PTS, Token: r.Token, Latency: latency, Tries: int(r.tries),
	})
}

// blame makes s.fault the failure of the present record.
func (s *answerSettler) blame(code, message string) {
	if code == "" {
		code, message = awserr.CodeBadAnswer, "the answer has neither a sequence number nor an error code for a record"
	}
	if s.records > 0 && code == s.fault.Code {
		s.records++
		return
	}
	s.report()
	s.records = 1
	s.fault = awserr.ClassifyRecord(code, message, s.p.subject)
	s.fault.RequestID = s.requestID
}

// report notes the failure met last.
func (s *answerSettler) report() {
	if s.records == 0 {
		return
	}
	t := s.p.troubleOf(s.fault, nil, s.records)
	switch {
	case s.fault.Class == awserr.RecordFault:
		t.Reason = s.fault.Code
	case s.fault.Class.Lasting():
		s.lasting = &t
		return
	}
	s.p.note(t, s.now)
}

// conclude draws the consequences of the whole answer.
func (s *answerSettler) conclude() {
	s.report()
	h := &s.p.health
	if len(s.q.answer.Records) > 0 {
		h.prove()
	}
	s.p.pace.answered(s.q.bytes, s.now-s.q.sent)
	if s.lasting != nil {
		s.after = s.p.sufferLasting(s.q, *s.lasting, s.now, s.dead)
		return
	}
	h.answered(s.now)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// giveBack lets a record that the service did not take be sent again, unless it
// was tried enough, is too old or was given up meanwhile.
func (p *Producer) giveBack(q *request, r *Record, now instant) {
	switch attempts := p.settings.RetryAttempts; {
	case q.cutReason != "" && r.seq <= q.cutUpTo:
		p.lose(r, q.cutReason)
	case attempts >= 0 && int(r.tries) > attempts:
		p.lose(r, ReasonRetries)
		p.noteGivenUp(ReasonRetries, "a record failed more often than retry-attempts allows")
	case p.settings.RecordTTL > 0 && now-r.accepted >= p.settings.RecordTTL:
		p.lose(r, ReasonTTL)
		p.noteOld()
	default:
		r.state = again
		p.tally.retries++
	}
}

// settleFault accounts for records whose call failed as a whole.
// blamed says that the failure is a record's.
func (p *Producer) settleFault(q *request, records []*Record, fault awserr.Fault, err error, blamed bool) {
	var dead list
	var after func()
	p.mu.Lock()
	now := p.now()
	q.stopped = true
	p.tally.failedRequests++
	switch class := fault.Class; {
	case class == awserr.Canceled && q.cutReason != "":
	case blamed && len(records) == 1:
		q.stopped = false
		p.refuseRecord(records[0], fault, err, now)
	case class.Lasting():
		after = p.sufferLasting(q, p.troubleOf(fault, err, len(records)), now, &dead)
	default:
		p.suffer(q, p.troubleOf(fault, err, len(records)), now)
	}
	if fault.Code == awserr.CodeTimeout {
		p.pace.timedOut(q.bytes, len(records), q.sent, now)
	}
	unsure := fateUnknown(fault)
	for _, r := range records {
		if r.state == pending {
			r.unsure = r.unsure || unsure
			p.giveBack(q, r, now)
		}
	}
	if dead.n > 0 {
		p.telling++
	}
	p.mu.Unlock()
	if after != nil {
		after()
	}
	p.tellGivenUp(records)
	if dead.n > 0 {
		p.bury(&dead)
	}
}

// settleUntried puts back the part of a divided request that was not sent.
func (p *Producer) settleUntried(q *request, records []*Record) {
	p.mu.Lock()
	now := p.now()
	for _, r := range records {
		r.tries--
		p.giveBack(q, r, now)
	}
	p.mu.Unlock()
	p.tellGivenUp(records)
}

// refuseRecord drops the one record that the service refused.
func (p *Producer) refuseRecord(r *Record, fault awserr.Fault, err error, now instant) {
	p.health.refusals++
	p.lose(r, fault.Code)
	t := p.troubleOf(fault, err, 1)
	t.Class, t.Party, t.Reason = awserr.RecordFault, awserr.Record, fault.Code
	p.note(t, now)
}

// mostRefusals is how many records may be refused one after another before that
// is taken for the fault of the stream.
const mostRefusals = 3

// blamesRecord reports whether a failure of a whole request is one record's fault:
// because it says so, or because arguments are refused on a stream that has taken
// records before.
func (p *Producer) blamesRecord(fault awserr.Fault) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if fault.Class == awserr.RecordFault {
		return true
	}
	switch fault.Code {
	case "ValidationException", "InvalidArgumentException", "SerializationException":
		return p.health.proven && p.health.refusals < mostRefusals
	default:
		return false
	}
}

// fateUnknown reports whether the service may have taken the records of a failed
// call: it ended before the answer, or the answer makes no sense.
func fateUnknown(fault awserr.Fault) bool {
	switch fault.Code {
	case awserr.CodeRefused, awserr.CodeDNS, awserr.CodeUnreachable, awserr.CodeProxy:
		return false
	}
	return fault.Class == awserr.Transient || fault.Class == awserr.Canceled
}

// tellGivenUp tells the observer which records of a request were dropped.
func (p *Producer) tellGivenUp(records []*Record) {
	scratch := p.lostScratch.Get().(*[]Lost) //nolint:forcetypeassert // its New says so
	all := (*scratch)[:0]
	reason := ""
	for _, r := range records {
		if r.state != lost {
			continue
		}
		if r.reason != reason && len(all) > 0 {
			p.observer.Dropped(reason, all)
			all = all[:0]
		}
		reason = r.reason
		all = append(all, lostOf(r))
	}
	if len(all) > 0 {
		p.observer.Dropped(reason, all)
	}
	clear(all[:cap(all)])
	*scratch = all[:0]
	p.lostScratch.Put(scratch)
}

// finish frees what the request held: records that are done go to the pool, the
// others to the fronts of their lanes, which may be used again.
func (p *Producer) finish(q *request) {
	var done, dead list
	p.mu.Lock()
	now := p.now()
	for i := len(q.records) - 1; i >= 0; i-- {
		switch r := q.records[i]; {
		case r.state != again:
			done.pushBack(r)
		case q.cutReason != "" && r.seq <= q.cutUpTo: // cut since it was settled
			p.lose(r, q.cutReason)
			dead.pushFront(r)
		default:
			r.state = pending
			p.lanes.putBack(r)
			p.waiting++
			p.bytes += r.size()
		}
	}
	for _, l := range q.lanes {
		p.rest(l, now)
	}
	p.flying.end(q)
	p.health.countSilent(p.flying.requests)
	if p.health.told {
		p.wakeReporter()
	}
	p.telling++
	p.mu.Unlock()
	p.pool.give(&done)
	p.bury(&dead)
	p.poke()
}

// A lane that failed more often than gatherFrom in a row ends its back-off on a
// grid, so that many failing lanes do not make as many small requests.
const (
	gatherFrom = 2
	gatherGrid = 250 * time.Millisecond
)

// rest ends a lane's request: after failures it backs off and takes fewer records
// at a time, after success more.
func (p *Producer) rest(l *lane, now instant) {
	l.held--
	switch {
	case l.bad > 0:
		if l.failing++; l.failing == 1 {
			p.health.lanesFailing++
		}
		l.until = now + l.badWait.wait(l.failing, p.random)
		if l.failing > gatherFrom { // so that failing lanes share requests
			l.until = (l.until + gatherGrid - 1) / gatherGrid * gatherGrid
		}
		switch {
		case !l.throttled:
		case l.ok > 0: // that much the shard takes
			l.window = l.ok
		default:
			l.window = max(1, min(l.window, l.bad)/2)
		}
	case l.ok > 0:
		if l.failing > 0 {
			p.health.lanesFailing--
		}
		l.failing = 0
		l.window = min(2*l.window, l.most)
	}
	l.ok, l.bad, l.throttled = 0, 0, false
	p.forgive(l)
}

// forgive forgets the failures of a lane that holds nothing any more.
func (p *Producer) forgive(l *lane) {
	if l.waiting.n > 0 || l.held > 0 {
		return
	}
	if l.failing > 0 {
		l.failing = 0
		p.health.lanesFailing--
	}
	p.lanes.leave(l)
}
