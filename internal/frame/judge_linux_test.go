package frame

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The judge is the Python of the distribution with python3-msgpack: what it
// reads is what counts.
const python = "/usr/bin/python3"

// judge asks Python about records.
func judge(t *testing.T, format string, records [][]byte) []verdict {
	t.Helper()
	var in, errs bytes.Buffer
	for _, r := range records {
		line, err := json.Marshal([]string{format, base64.StdEncoding.EncodeToString(r)})
		require.NoError(t, err)
		in.Write(append(line, '\n'))
	}
	cmd := exec.Command(python, "testdata/judge.py")
	cmd.Stdin, cmd.Stderr = &in, &errs
	out, err := cmd.Output()
	require.NoError(t, err, "%s needs python3-msgpack (apt-get install python3-msgpack): %s", python, errs.String())
	var verdicts []verdict
	for _, line := range bytes.Split(bytes.TrimSpace(out), []byte("\n")) {
		var v verdict
		require.NoError(t, json.Unmarshal(line, &v))
		verdicts = append(verdicts, v)
	}
	require.Len(t, verdicts, len(records))
	return verdicts
}

type verdict struct {
	Same   bool            `json:"same"`
	Record json.RawMessage `json:"record"`
}

// asPython is what Python shows of a value it read from msgpack or JSON.
func asPython(v Value, asJSON bool) string {
	switch v.kind {
	case KindNil:
		return `["NoneType",null]`
	case KindBool:
		return fmt.Sprintf(`["bool",%v]`, v.num != 0)
	case KindInt:
		return fmt.Sprintf(`["int",%q]`, strconv.FormatInt(int64(v.num), 10))
	case KindUint:
		return fmt.Sprintf(`["int",%q]`, new(big.Int).SetUint64(v.num).String())
	case KindFloat:
		return fmt.Sprintf(`["float",%q]`, pythonHex(math.Float64frombits(v.num)))
	case KindString:
		return fmt.Sprintf(`["str",%s]`, appendJSONString(nil, v.str))
	case KindBinary:
		name := "bytes"
		if asJSON {
			name = "str"
		}
		return fmt.Sprintf(`["%s",%q]`, name, base64.StdEncoding.EncodeToString([]byte(v.str)))
	case KindList:
		items := make([]string, len(v.items))
		for i, item := range v.items {
			items[i] = asPython(item.Value, asJSON)
		}
		return `["list",[` + strings.Join(items, ",") + `]]`
	}
	items := make([]string, len(v.items))
	for i, item := range v.items {
		items[i] = fmt.Sprintf("[%s,%s]", appendJSONString(nil, item.Key), asPython(item.Value, asJSON))
	}
	return `["dict",[` + strings.Join(items, ",") + `]]`
}

// pythonHex is float.hex: bits, so that no digit is lost on the way.
func pythonHex(f float64) string {
	bits := math.Float64bits(f)
	sign, exp, mantissa := "", int(bits>>52)&0x7ff, bits&(1<<52-1)
	if bits>>63 == 1 {
		sign = "-"
	}
	switch {
	case exp == 0 && mantissa == 0:
		return sign + "0x0.0p+0"
	case exp == 0:
		return fmt.Sprintf("%s0x0.%013xp-1022", sign, mantissa)
	}
	return fmt.Sprintf("%s0x1.%013xp%+d", sign, mantissa, exp-1023)
}

// judged are records without what only one of the two sides has: extensions,
// and maps with a key twice.
func judged(t *testing.T) []Meta {
	var metas []Meta
	for _, m := range someMetas() {
		metas = append(metas, m)
	}
	for seed := range uint64(80) {
		m := randomMeta(rand.New(rand.NewPCG(seed, 6)))
		m.Detections = forPython(m.Detections)
		for i := range m.Extra {
			m.Extra[i].Value = forPython(m.Extra[i].Value)
		}
		require.NoError(t, m.Validate())
		metas = append(metas, m)
	}
	return metas
}

func forPython(v Value) Value {
	if v.kind == KindExt {
		return Binary([]byte(v.str))
	}
	items := make([]Field, len(v.items))
	for i, item := range v.items {
		items[i] = Field{fmt.Sprint(i, item.Key), forPython(item.Value)}
	}
	v.items = items
	return v
}

func TestPythonReadsMsgpack(t *testing.T) {
	t.Parallel()
	payload := []byte("\xff\xd8\xff\x00payload")
	var records [][]byte
	metas := judged(t)
	for i := range metas {
		records = append(records, Append(nil, &metas[i], payload))
	}
	for i, v := range judge(t, "msgpack", records) {
		require.True(t, v.Same, "Python packs it to the same bytes: %#v", metas[i])
		require.JSONEq(t, asPython(Map(fieldsOf(metas[i], payload)...), false), string(v.Record))
	}
}

func TestPythonReadsJSON(t *testing.T) {
	t.Parallel()
	payload := []byte("\xff\xd8\xff\x00payload")
	var records [][]byte
	metas := judged(t)
	for i := range metas {
		records = append(records, AppendJSON(nil, &metas[i], payload, i%2 == 0))
	}
	for i, v := range judge(t, "json", records) {
		require.JSONEq(t, asPython(Map(fieldsOf(metas[i], payload)...), true), string(v.Record))
	}
}
