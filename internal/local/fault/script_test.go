package fault

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func operations() []string { return []string{"GetRecords", "PutRecord", "PutRecords"} }

func TestScript(t *testing.T) {
	t.Parallel()
	got, err := Parse([]byte(`
seed: 7
rules:
  - name: hot shard
    operation: PutRecords
    stream: demo
    shard: 1
    probability: 0.3
    after: 5
    count: 10
    from: 2s
    until: 12s
    throttle: true
  - operation: [PutRecords, PutRecord]
    shard: shardId-000000000002
    record-error: {code: InternalFailure, message: Internal service failure.}
  - error:
      status: 503
      code: ServiceUnavailable
      message: try again
    latency: 50ms..200ms
  - cut: mid-answer
  - garble: true
  - hang: true
  - hang: 30s
  - latency: "1.5s"
`), operations())
	require.NoError(t, err)
	require.Equal(t, Script{Seed: 7, Rules: []Rule{
		{Name: "hot shard", Operations: []string{"PutRecords"}, Stream: "demo", Shard: "shardId-000000000001", Probability: 0.3, After: 5,
			Count: 10, From: 2 * time.Second, Until: 12 * time.Second, Throttle: true},
		{Operations: []string{"PutRecords", "PutRecord"}, Shard: "shardId-000000000002",
			Record: &Failure{Code: "InternalFailure", Message: "Internal service failure."}},
		{Error: &Failure{Status: 503, Code: "ServiceUnavailable", Message: "try again"},
			Latency: Span{50 * time.Millisecond, 200 * time.Millisecond}},
		{Cut: CutMidAnswer}, {Garble: true}, {Hang: true}, {Hang: true, HangFor: 30 * time.Second}, {Latency: Span{Least: 1500 * time.Millisecond}},
	}}, got)
}

func TestScriptErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"rules:\n  - operation: PutRecords\n    throtle: true\n":           `line 3: unknown field "throtle"`,
		"rules:\n  - operation: putrecords\n    throttle: true\n":          `line 2: operation: there is no operation "putrecords"; did you mean PutRecords?`,
		"rules:\n  - operation: Fly\n    throttle: true\n":                 `line 2: operation: there is no operation "Fly"; use one of GetRecords, PutRecord, PutRecords`,
		"rules:\n  - garble: true\n  - stream: s\n":                        "line 3: the rule does nothing: give it one of throttle, error,",
		"rules:\n  - garble: true\n    throttle: true\n":                   "line 3: throttle: a rule has one action, this one has garble and throttle: make a rule of each",
		"rules:\n  - cut: now\n":                                           `line 2: cut: "now" is no moment: use before-body, after-body, after-processing or mid-answer`,
		"rules:\n  - stream: s\n    cut: before-body\n":                    "line 3: cut: before the body is read the endpoint does not know stream and shard",
		"rules:\n  - garble: true\n\n\n    probability: 3\n":               "line 5: probability: 3 is not between 0 and 1",
		"rules:\n  - garble: true\n    probability: 0\n":                   "line 3: probability: 0 never strikes",
		"rules:\n  - garble: true\n    latency: 5\n":                       `line 3: latency: "5" is no time: give a number with a unit, such as 200ms or 5s`,
		"rules:\n  - latency: 5s..2s\n":                                    "line 2: latency: 5s..2s goes backwards",
		"rules:\n  - garble: true\n    from: 5s\n    until: 2s\n":          "line 4: until: 2s is not after from (5s)",
		"rules:\n  - garble: true\n    shard: one\n":                       `line 3: shard: "one" is no shard: give a number such as 1, or an id such as shardId-000000000001`,
		"rules:\n  - garble: true\n    count: -1\n":                        "line 3: count: give how often the rule fires",
		"rules:\n  - error: {status: 200, code: X}\n":                      "line 2: error: status 200 is no error: use 400 to 599",
		"rules:\n  - record-error: {message: x}\n":                         "line 2: record-error: give the code of the error",
		"rules:\n  - operation: GetRecords\n    record-error: {code: x}\n": "line 3: record-error: only PutRecords and PutRecord have records that fail",
		"rules:\n  - throttle: true\n    latency: 1s\n":                    "line 3: latency: delays whole requests, not records",
		"rules:\n  - hang: soon\n":                                         `line 2: hang: "soon" is no time`,
		"rules:\n\t- hang: true\n":                                         "line 2: ",
		"rules: 5\n":                                                       "line 1: ",
	} {
		_, err := Parse([]byte(text), operations())
		require.ErrorContains(t, err, "reading a fault script: line ", text)
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), "\n", text)
	}
}

func TestScriptOfMedia(t *testing.T) {
	t.Parallel()
	known := []string{"PutMedia", "GetMedia", "PutRecords"}
	script, err := Parse([]byte(`rules:
  - operation: PutMedia
    acks: late 1.5s
  - operation: PutMedia
    acks: never
  - operation: PutMedia
    error-ack: 4006 at fragment 4
  - operation: [PutMedia, GetMedia]
    cut-after: 100kB
  - operation: GetMedia
    read-rate: 64KiB/s
`), known)
	require.NoError(t, err)
	require.Equal(t, &Acks{Late: 1500 * time.Millisecond}, script.Rules[0].Acks)
	require.Equal(t, &Acks{Never: true}, script.Rules[1].Acks)
	require.Equal(t, &ErrorAck{ID: 4006, Fragment: 4}, script.Rules[2].ErrorAck)
	require.EqualValues(t, 100_000, script.Rules[3].CutAfter)
	require.EqualValues(t, 65_536, script.Rules[4].ReadRate)
	s, _ := newTestSet(1)
	add(t, s, script.Rules[2])
	require.Nil(t, s.Request(Subject{Operation: "PutRecords"}).ErrorAck)
	require.Equal(t, 4006, s.Request(Subject{Operation: "PutMedia"}).ErrorAck.ID)
	for text, want := range map[string]string{
		"operation: PutRecords\n    acks: never":                   "line 3: acks: give the rule operation: PutMedia",
		"acks: never":                                              "line 2: acks: give the rule operation: PutMedia",
		"operation: GetMedia\n    error-ack: 4006":                 "line 3: error-ack: give the rule operation: PutMedia",
		"operation: PutMedia\n    acks: later":                     `line 3: acks: "later" is neither never nor late`,
		"operation: PutMedia\n    acks: late soon":                 `line 3: acks: "soon" is no time`,
		"operation: PutMedia\n    acks: late 0s":                   "line 3: acks: give never, or late",
		"operation: PutMedia\n    error-ack: many":                 `line 3: error-ack: "many" is no error`,
		"operation: PutMedia\n    error-ack: 12":                   "line 3: error-ack: give an id from 4000",
		"operation: PutMedia\n    cut-after: 5 miles":              `line 3: cut-after: "5 miles" is no number of bytes`,
		"operation: PutMedia\n    cut-after: 5kB\n    acks: never": "a rule has one action, this one has acks and cut-after",
	} {
		_, err := Parse([]byte("rules:\n  - "+text+"\n"), known)
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzScript(f *testing.F) {
	f.Add("rules:\n  - operation: PutRecords\n    shard: 1\n    throttle: true\n")
	f.Add("seed: 1\nrules:\n  - latency: 1s..2s\n    cut: mid-answer\n  - error: {code: x}\n")
	f.Fuzz(func(t *testing.T, text string) {
		script, err := Parse([]byte(text), operations())
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "reading a fault script: "))
			return
		}
		for i := range script.Rules {
			require.NoError(t, script.Rules[i].Check(operations()))
		}
		s, _ := newTestSet(script.Seed)
		for _, r := range script.Rules {
			_, err := s.Add(r)
			require.False(t, errors.As(err, new(*Problem)))
		}
		s.Request(Subject{Operation: "PutRecords", Stream: "s"})
	})
}
