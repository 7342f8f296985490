package producer

import (
	"cmp"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/trouble"
)

// settleAnswer accounts for records by the service's answer and tells the observer.
func (p *Producer) settleAnswer(q *request, units []unit, out *kinesis.PutRecordsOutput) {
	requestID, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
	now := p.clock.Now()
	q.answer.RequestID, q.answer.Time, q.answer.Records = requestID, now, q.answer.Records[:0]

	var dead list
	records := q.of(units)
	p.mu.Lock()
	s := answerSettler{p: p, q: q, now: now.Sub(p.started), requestID: requestID, dead: &dead}
	for i, u := range units {
		s.settle(u, &out.Records[i])
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
	p.clearDone()
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

// settle goes by what the answer says of the records of one unit.
func (s *answerSettler) settle(u unit, e *types.PutRecordsResultEntry) {
	unit := s.q.records[u.from:u.to]
	code, sequence, shardID := deref(e.ErrorCode), deref(e.SequenceNumber), deref(e.ShardId)
	switch {
	case code != "" || sequence == "":
	case s.isAstray(u, shardID):
		for _, r := range unit {
			r.unsure = true
		}
		return
	default:
		figures := s.p.figures.of(unit[0].lane, shardID, s.now)
		figures.KinesisRecords++
		figures.KinesisBytes += int64(u.size)
		s.p.tally.units++
		s.p.figures.unitBytes += int64(u.size)
		for i, r := range unit {
			s.deliver(r, figures, sequence, shardID, i)
		}
		return
	}
	message := deref(e.ErrorMessage)
	s.count(unit[0].lane, cmp.Or(code, awserr.CodeBadAnswer))
	if s.isTheirs(unit, code, message) {
		return
	}
	for _, r := range unit {
		s.refuse(r, code, message)
	}
}

// isAstray reports whether an aggregate lies on another shard than some of its
// records, so that KCL throws it away: the stream was resharded. It is sent again by
// the new shards, which lane and survey see to.
func (s *answerSettler) isAstray(u unit, shardID string) bool {
	if u.to-u.from == 1 || u.shard == shardID || s.p.settings.Aggregation != AggregateKPL {
		return false
	}
	unit := s.q.records[u.from:u.to]
	first, several, elsewhere := unit[0], false, false
	for _, r := range unit {
		several = several || r.PartitionKey != first.PartitionKey || r.ExplicitHashKey != first.ExplicitHashKey
		elsewhere = elsewhere || r.lane.shard != shardID
	}
	if !several || !elsewhere {
		return false
	}
	for _, r := range unit {
		if r.lane.shard == u.shard && u.shard != "" { // the lanes are not laid anew yet
			r.lane.stale = true
			s.p.surprise(r.lane)
		}
	}
	return true
}

// isTheirs reports whether an aggregate was refused for a fault of its own; then its
// records are tried one by one, as the fault may be that of one.
func (s *answerSettler) isTheirs(unit []*Record, code, message string) bool {
	if len(unit) == 1 || code == "" || awserr.ClassifyRecord(code, message, s.p.subject).Class != awserr.RecordFault {
		return false
	}
	for _, r := range unit {
		r.alone = true
	}
	return true
}

// count counts an error, also as the shard's that the record was meant for, where that is known.
func (s *answerSettler) count(l *lane, code string) {
	f := &s.p.figures
	f.errors.add(code, 1)
	if l.shard != "" {
		f.of(l, l.shard, s.now).codes.add(code, 1)
	}
}

// refuse goes by an error code for one record.
func (s *answerSettler) refuse(r *Record, code, message string) {
	s.blame(code, message)
	r.code = s.fault.Code
	r.unsure = r.unsure || code == ""
	if s.fault.Class == awserr.RecordFault {
		r.own = true
		s.p.lose(r, s.fault.Code)
		return
	}
	r.lane.bad++
	r.lane.badWait = trouble.BackoffFor(s.fault.Class)
	if s.fault.Class == awserr.Throttled {
		s.p.tally.throttled++
		if r.lane.shard != "" {
			s.p.figures.of(r.lane, r.lane.shard, s.now).Throttled++
		}
		s.p.throttled(r.lane, s.now)
	}
}

func (s *answerSettler) deliver(r *Record, figures *shardFigures, sequence, shardID string, index int) {
	r.lane.ok++
	if r.lane.shard != shardID {
		s.p.surprise(r.lane)
	}
	if !s.p.arrive(r) {
		return
	}
	figures.Put.add(r.payload)
	if r.tries > 1 {
		s.p.figures.retries.again(r.tries - 1)
	}
	latency := s.now - r.accepted
	s.p.latency.add(latency, s.now)
	s.q.answer.Records = append(s.q.answer.Records, Delivery{
		SequenceNumber: sequence, ShardID: shardID, PartitionKey: r.PartitionKey, Bytes: r.payload,
		Index: index, PTS: r.PTS, Token: r.Token, Latency: latency, Tries: int(r.tries),
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
	s.p.figures.request.add(s.now - s.q.called)
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
	case r.isHusk():
		p.lose(r, r.message.reason)
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
		if l := r.lane; l.shard != "" {
			p.figures.of(l, l.shard, now).Retries++
		}
	}
}

// settleFault accounts for records whose call failed as a whole.
// blamed says that the failure is a record's.
func (p *Producer) settleFault(q *request, units []unit, fault awserr.Fault, err error, blamed bool) {
	var dead list
	var after func()
	records := q.of(units)
	p.mu.Lock()
	now := p.now()
	q.stopped = true
	if fault.Class != awserr.Canceled || q.cutReason == "" { // what we cut ourselves is nobody's error
		p.figures.errors.add(fault.Code, int64(len(units)))
	}
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
			r.unsure, r.code = r.unsure || unsure, fault.Code
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
	r.own, r.code = true, fault.Code
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
		if r.state != lost || r.untold || r.kept || p.becomesLetter(r.reason) {
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
