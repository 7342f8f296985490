package fault

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A script is YAML:
//
//	seed: 7                        # of the probabilities; default 0
//	rules:
//	  - name: hot shard
//	    operation: PutRecords      # or a list; default: all
//	    stream: demo
//	    shard: 1                   # or shardId-000000000001
//	    probability: 0.3           # default 1
//	    after: 5                   # let five matches pass
//	    count: 10                  # then strike ten times; default: for ever
//	    from: 2s                   # counted from the start of the endpoint
//	    until: 12s
//	    throttle: true             # one of these, or latency alone:
//	  - record-error: {code: InternalFailure, message: Internal service failure.}
//	  - error: {status: 503, code: ServiceUnavailable, message: try again}
//	  - cut: mid-answer            # before-body, after-body, after-processing, mid-answer
//	  - garble: true
//	  - hang: true                 # or a time, after which the connection is cut
//	    latency: 50ms..200ms       # or one time
//	  - operation: PutMedia        # these are of PutMedia alone, one a rule as those above:
//	    acks: never                # or late 2s
//	  - operation: PutMedia
//	    error-ack: 4006 at fragment 4
//	  - operation: PutMedia        # these also of GetMedia:
//	    cut-after: 100kB           # bytes of media
//	  - operation: PutMedia
//	    read-rate: 64kB/s          # a slow reader; of GetMedia, a slow sender

// Script is a parsed script.
type Script struct {
	Seed  uint64
	Rules []Rule
}

// yamlRule is a rule as it is written. Fields of several forms are kept as they stand and read by rule, which can say in
// which line a mistake is.
type yamlRule struct {
	Name        string   `yaml:"name"`
	Operation   raw      `yaml:"operation"`
	Stream      string   `yaml:"stream"`
	Shard       raw      `yaml:"shard"`
	Probability *float64 `yaml:"probability"`
	After       int      `yaml:"after"`
	Count       int      `yaml:"count"`
	From        raw      `yaml:"from"`
	Until       raw      `yaml:"until"`
	Latency     raw      `yaml:"latency"`
	Throttle    bool     `yaml:"throttle"`
	Error       *failure `yaml:"error"`
	RecordError *failure `yaml:"record-error"`
	Cut         string   `yaml:"cut"`
	Garble      bool     `yaml:"garble"`
	Hang        raw      `yaml:"hang"`
	Acks        raw      `yaml:"acks"`
	ErrorAck    raw      `yaml:"error-ack"`
	CutAfter    raw      `yaml:"cut-after"`
	ReadRate    raw      `yaml:"read-rate"`
}

type failure struct {
	Code    string `yaml:"code"`
	Message string `yaml:"message"`
	Status  int    `yaml:"status"`
}

func (f *failure) failure() *Failure {
	if f == nil {
		return nil
	}
	return &Failure{Code: f.Code, Message: f.Message, Status: f.Status}
}

// raw is the YAML text of a value.
type raw string

// UnmarshalYAML implements yaml.BytesUnmarshaler.
func (r *raw) UnmarshalYAML(b []byte) error {
	*r = raw(strings.TrimSpace(string(b)))
	return nil
}

// plain is the text without quotes.
func (r raw) plain() string { return strings.Trim(string(r), `"'`) }

// names reads one name or a list of names.
func (r raw) names() ([]string, error) {
	var list []string
	if r == "" {
		return nil, nil
	}
	if unmarshal([]byte(r), &list) == nil {
		return list, nil
	}
	var one string
	if unmarshal([]byte(r), &one) != nil {
		return nil, &Problem{"operation", "give a name such as PutRecords, or a list of names"}
	}
	return []string{one}, nil
}

// shard reads a shard's id or its number.
func (r raw) shard() (string, error) {
	if r == "" {
		return "", nil
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(r.plain(), "shardId-"), 10, 31)
	if err != nil {
		return "", &Problem{"shard", fmt.Sprintf("%q is no shard: give a number such as 1, or an id such as shardId-000000000001", r.plain())}
	}
	return fmt.Sprintf("shardId-%012d", n), nil
}

// duration reads a time such as 1.5s.
func (r raw) duration(field string) (time.Duration, error) {
	if r == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(r.plain())
	if err != nil {
		return 0, &Problem{field, fmt.Sprintf("%q is no time: give a number with a unit, such as 200ms or 5s", r.plain())}
	}
	return d, nil
}

// span reads a time or a range of times.
func (r raw) span(field string) (Span, error) {
	least, most, ranged := strings.Cut(r.plain(), "..")
	var s Span
	var err error
	if s.Least, err = raw(least).duration(field); err != nil || !ranged {
		return s, err
	}
	if s.Most, err = raw(most).duration(field); err == nil && s.Most < s.Least {
		err = &Problem{field, fmt.Sprintf("%s..%s goes backwards: put the shorter time first", least, most)}
	}
	return s, err
}

// hang reads true, false or a time.
func (r raw) hang() (on bool, how time.Duration, err error) {
	switch r.plain() {
	case "", "false":
		return false, 0, nil
	case "true":
		return true, 0, nil
	}
	how, err = r.duration("hang")
	return true, how, err
}

// rule reads the fields; the error is the first *Problem.
func (y *yamlRule) rule() (Rule, error) {
	r := Rule{Name: y.Name, Stream: y.Stream, After: y.After, Count: y.Count, Throttle: y.Throttle, Error: y.Error.failure(),
		Record: y.RecordError.failure(), Cut: Cut(y.Cut), Garble: y.Garble}
	var errs [7]error
	r.Operations, errs[0] = y.Operation.names()
	r.Shard, errs[1] = y.Shard.shard()
	r.From, errs[2] = y.From.duration("from")
	r.Until, errs[3] = y.Until.duration("until")
	r.Latency, errs[4] = y.Latency.span("latency")
	r.Hang, r.HangFor, errs[5] = y.Hang.hang()
	r.Media, errs[6] = y.media()
	for _, err := range errs {
		if err != nil {
			return r, err
		}
	}
	if y.Probability != nil {
		if r.Probability = *y.Probability; r.Probability == 0 {
			return r, &Problem{"probability", "0 never strikes: leave the rule out, or give a number up to 1"}
		}
	}
	return r, nil
}

// Parse reads a script. operations are the names that rules may use; nil allows any. Errors begin with the line.
func Parse(text []byte, operations []string) (Script, error) {
	var doc struct {
		Seed  uint64     `yaml:"seed"`
		Rules []yamlRule `yaml:"rules"`
	}
	if err := unmarshal(text, &doc); err != nil {
		return Script{}, fmt.Errorf("reading a fault script: %w", located(err))
	}
	script := Script{Seed: doc.Seed}
	for i := range doc.Rules {
		r, err := doc.Rules[i].rule()
		if err == nil {
			err = r.Check(operations)
		}
		if err != nil {
			return Script{}, fmt.Errorf("reading a fault script: line %d: %w", lineOf(text, i, err), err)
		}
		script.Rules = append(script.Rules, r)
	}
	return script, nil
}

// unmarshal reads YAML strictly. The library is known to panic on some texts, such as a tag before a scalar where a list is
// wanted; that is an error of the text here.
func unmarshal(text []byte, v any) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("line 1: this YAML cannot be read: write it without tags, anchors and complex keys")
		}
	}()
	return yaml.UnmarshalWithOptions(text, v, yaml.Strict())
}

// located puts the line in front of an error of the YAML library.
func located(err error) error {
	var ye yaml.Error
	if !errors.As(err, &ye) || ye.GetToken() == nil {
		return err
	}
	return fmt.Errorf("line %d: %s", ye.GetToken().Position.Line, ye.GetMessage())
}

// lineOf finds the line of the field that a problem is about, or of the rule.
func lineOf(text []byte, rule int, err error) (line int) {
	line = 1
	defer func() { _ = recover() }() // as in unmarshal: then the line is what was found so far
	file, parseErr := parser.ParseBytes(text, 0)
	if parseErr != nil {
		return line
	}
	paths := []string{fmt.Sprintf("$.rules[%d]", rule)}
	var p *Problem
	if errors.As(err, &p) && p.Field != "" {
		paths = append(paths, paths[0]+"."+p.Field)
	}
	for _, path := range paths {
		if node := find(file, path); node != nil {
			line = node.GetToken().Position.Line
		}
	}
	return line
}

func find(file *ast.File, path string) ast.Node {
	p, err := yaml.PathString(path)
	if err != nil {
		return nil
	}
	node, err := p.FilterFile(file)
	if err != nil {
		return nil
	}
	return node
}
