package kinesisvideosink

import (
	"fmt"
	"sync"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/putmedia"
	"gst-kinesis/internal/trouble"
	"gst-kinesis/plugins/internal/bus"
)

// The messages for programs, and the signals. kvssink's fragment-ack and stream-error pass C structs: applications that know these would take
// ours for one, so the names are others.
const (
	messageAck        = "kinesis-video-fragment-ack"
	messageConnection = "kinesis-video-connection"
	messageDropped    = "kinesis-video-dropped"

	signalAcked  = "fragment-acked"
	signalFailed = "stream-failed"
)

var signals = []gst.Signal{
	{Name: signalAcked, Params: []any{(*gst.Structure)(nil)}},
	{Name: signalFailed, Params: []any{(*gst.Structure)(nil)}},
	{Name: actionAdd, Action: true, Params: []any{"", "", false}, Result: false},
	{Name: actionPut, Action: true, Params: []any{(*gst.Structure)(nil)}, Result: false},
}

// reporter is the only place that turns what the engine tells into messages. Its methods run on the engine's goroutines, and where
// frames are dropped on streaming threads.
type reporter struct {
	e      *gst.Element
	failed func()    // hears first that the stream cannot go on
	posted func()    // hears that the bus has the reason
	word   *bus.Word // is given then

	mu        sync.Mutex
	persisted uint64
	dropped   uint64
	losses    map[string]*untold // by reason
	lastBad   time.Time
	bad       int
}

// untold is what was dropped for a reason and stands in no message yet.
type untold struct {
	frames int
	pts    int64
	told   time.Time
}

// tellEvery is how often the same is told at most.
const tellEvery = time.Second

func newReporter(e *gst.Element) *reporter {
	return &reporter{e: e, losses: map[string]*untold{}, word: bus.NewWord()}
}

// Acked posts an acknowledgement.
func (r *reporter) Acked(a putmedia.Ack) {
	s := gst.NewStructure(messageAck,
		gst.Field{Name: "type", Value: string(a.Type)},
		gst.Field{Name: "timecode", Value: uint64(max(a.Timecode, 0))},          //nolint:gosec // not negative
		gst.Field{Name: "producer-time", Value: uint64(max(a.ProducerTime, 0))}, //nolint:gosec // not negative
		gst.Field{Name: "fragment-number", Value: a.Number},
		gst.Field{Name: "latency-ns", Value: uint64(max(a.Latency, 0))}, //nolint:gosec // not negative
		gst.Field{Name: "error-id", Value: uint32(max(a.ErrorID, 0))},   //nolint:gosec // a number of the service's
		gst.Field{Name: "error-code", Value: a.ErrorCode},
	)
	r.e.Log(gst.LevelInfo, "EventType=%s FragmentTimecode=%d FragmentNumber=%s ErrorId=%d %s", a.Type, a.Timecode, a.Number, a.ErrorID, a.ErrorCode)
	r.e.PostElement(s)
	r.e.Emit(signalAcked, s)
}

// Connected and Disconnected post what became of a connection.
func (r *reporter) Connected(c putmedia.Connection) { r.connection("connected", c) }

// Disconnected says why as well.
func (r *reporter) Disconnected(c putmedia.Connection) { r.connection("disconnected", c) }

func (r *reporter) connection(state string, c putmedia.Connection) {
	r.e.Log(gst.LevelInfo, "session %d %s %s %s", c.Number, state, c.Endpoint, c.Reason)
	r.e.PostElement(gst.NewStructure(messageConnection,
		gst.Field{Name: "state", Value: state},
		gst.Field{Name: "number", Value: uint32(c.Number)}, //nolint:gosec // counts sessions
		gst.Field{Name: "endpoint", Value: c.Endpoint},
		gst.Field{Name: "request-id", Value: c.RequestID},
		gst.Field{Name: "reason", Value: c.Reason},
		gst.Field{Name: "duration-ns", Value: uint64(max(c.Lasted, 0))}, //nolint:gosec // not negative
		gst.Field{Name: "fragments", Value: uint64(c.Fragments)},        //nolint:gosec // a count
		gst.Field{Name: "bytes", Value: uint64(c.Bytes)},                //nolint:gosec // a count
	))
}

// Settled ends the frames' tokens: the service has stored them.
func (r *reporter) Settled(tokens []any) {
	r.mu.Lock()
	r.persisted += uint64(len(tokens))
	r.mu.Unlock()
	for _, t := range tokens {
		bus.Complete(t, gst.OutcomeDelivered)
	}
}

// Dropped ends the frames' tokens, and says so at most once a second for each reason.
func (r *reporter) Dropped(reason string, frames int, pts int64, tokens []any) {
	now := time.Now()
	r.mu.Lock()
	u := r.losses[reason]
	if u == nil {
		u = &untold{}
		r.losses[reason] = u
	}
	if u.frames == 0 {
		u.pts = pts
	}
	u.frames += frames
	r.dropped += uint64(frames) //nolint:gosec // a count
	due := now.Sub(u.told) >= tellEvery
	told := *u
	if due {
		u.frames, u.told = 0, now
	}
	r.mu.Unlock()
	if due {
		r.tell(reason, told)
	}
	for _, t := range tokens {
		bus.Complete(t, gst.OutcomeFailed)
	}
}

// flush tells of all drops that stand in no message yet.
func (r *reporter) flush() {
	r.mu.Lock()
	rest := map[string]untold{}
	for reason, u := range r.losses {
		if u.frames > 0 {
			rest[reason] = *u
			u.frames = 0
		}
	}
	r.mu.Unlock()
	for reason, u := range rest {
		r.tell(reason, u)
	}
}

func (r *reporter) tell(reason string, u untold) {
	r.mu.Lock()
	persisted, dropped := r.persisted, r.dropped
	r.mu.Unlock()
	r.e.Log(gst.LevelWarning, "dropped %d frames: %s", u.frames, reason)
	r.e.PostElement(gst.NewStructure(messageDropped,
		gst.Field{Name: "reason", Value: reason},
		gst.Field{Name: "frames", Value: uint64(u.frames)},       //nolint:gosec // a count
		gst.Field{Name: "unix-ns", Value: uint64(max(u.pts, 0))}, //nolint:gosec // not negative
	))
	r.e.PostQoS(gst.QoS{
		Live: true, RunningTime: r.e.RunningTime(), StreamTime: gst.ClockTimeNone, Timestamp: gst.ClockTimeNone, Duration: gst.ClockTimeNone,
		Processed: persisted, Dropped: dropped,
	})
}

// malformed warns of a buffer that is not what its caps say, at most once a second.
func (r *reporter) malformed(err error) {
	r.mu.Lock()
	r.bad++
	n, due := r.bad, time.Since(r.lastBad) >= tellEvery
	if due {
		r.bad, r.lastBad = 0, time.Now()
	}
	r.mu.Unlock()
	if due {
		r.e.PostWarning(&gst.Error{Code: gst.StreamFormat, Text: bus.Sentence(fmt.Errorf("dropping %d buffers that cannot be read: %w", n, err))})
	}
}

// Trouble warns.
func (r *reporter) Trouble(t trouble.Trouble) { r.e.PostWarning(bus.Trouble(t, "frames")) }

// Recovered says that the trouble is over.
func (r *reporter) Recovered(rec trouble.Recovery) {
	text := fmt.Sprintf("Frames flow again after %s.", rec.Lasted.Round(time.Millisecond))
	r.e.PostInfo(&gst.Error{Code: gst.ResourceWrite, Text: text})
}

// Noticed says what is worth knowing once.
func (r *reporter) Noticed(n trouble.Notice) {
	info := bus.Notice(n)
	r.e.Log(gst.LevelInfo, "%s %s", info.Text, info.Debug)
	r.e.PostInfo(info)
}

func (r *reporter) notice(text string) { r.Noticed(trouble.Notice{Text: text}) }

// Failed ends the stream.
func (r *reporter) Failed(t trouble.Trouble) {
	r.failed()
	err := bus.Trouble(t, "frames")
	s := err.Details.Copy()
	s.Name = "kinesis-video-failed"
	s.Set("message", err.Text)
	r.e.Emit(signalFailed, s)
	r.fail(err)
}

// fail posts the reason for which the stream cannot go on.
func (r *reporter) fail(err *gst.Error) {
	r.e.PostError(err)
	r.word.Give()
	r.posted()
}

// metricsFailed warns that lines of metrics-emf are not written.
func (r *reporter) metricsFailed(err error) {
	r.e.PostWarning(&gst.Error{Code: gst.ResourceWrite, Text: bus.Sentence(err) + " What they say comes with the next line that can be written."})
}
