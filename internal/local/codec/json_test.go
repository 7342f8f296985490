package codec

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local/apierr"
)

// sample has a field of each type that a member can have.
type sample struct {
	Text   *string `v:"pattern=[a-z]+ min=2 max=4"`
	Small  *int32  `v:"min=1 max=10"`
	Large  *int64
	Flag   *bool
	When   *time.Time
	Data   []byte            `v:"max=3"`
	List   []string          `v:"items=1-2"`
	Pairs  map[string]string `v:"max=2 keys=1-3 values=0-3"`
	Inner  *inner
	Inners []inner `v:"max=2 as=com.example.Inner"`
}

type inner struct {
	Name *string `v:"required enum=A|B"`
	Deep *inner2
}

type inner2 struct{ N *int32 }

func decode(t *testing.T, f Format, body string) (sample, error) {
	t.Helper()
	var v sample
	err := ShapeOf[sample]().Decode(f.NewReader([]byte(body)), &v)
	return v, err
}

func TestJSONDecode(t *testing.T) {
	t.Parallel()
	v, err := decode(t, JSON, ` {"Text":"a\u00e4\n\"\ud83d\ude00","Small":3.9,"Large":1e3,"Flag":true,"When":1.5e0, "Data":"AQID",
		"List":["x","y"],"Pairs":{"a":"b","c":null},"Inner":{"Name":"A","Deep":{"N":-7}},"Inners":[{"Name":"B"},{}],
		"Unknown":[1,{"a":[true,false,null,"x"]},{}],"text":"ignored","Flag":null} `)
	require.NoError(t, err)
	require.Equal(t, "aä\n\"😀", *v.Text)
	require.EqualValues(t, 3, *v.Small)
	require.EqualValues(t, 1000, *v.Large)
	require.True(t, *v.Flag)
	require.Equal(t, time.UnixMilli(1500).UTC(), *v.When)
	require.Equal(t, []byte{1, 2, 3}, v.Data)
	require.Equal(t, []string{"x", "y"}, v.List)
	require.Equal(t, map[string]string{"a": "b", "c": ""}, v.Pairs)
	require.EqualValues(t, -7, *v.Inner.Deep.N)
	require.Len(t, v.Inners, 2)
	require.Equal(t, "B", *v.Inners[0].Name)
	require.Nil(t, v.Inners[1].Name)
}

func TestJSONNumbersSaturate(t *testing.T) {
	t.Parallel()
	v, err := decode(t, JSON, `{"Small":1e20,"Large":-1e30}`)
	require.NoError(t, err)
	require.EqualValues(t, 2147483647, *v.Small)
	require.EqualValues(t, -9223372036854775808, *v.Large)
}

func TestJSONBroken(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `[]`, `x`, `{`, `{"`, `{"Text"`, `{"Text":`, `{"Text":"a`, `{"Text":"a"`, `{"Text":"a",}`, `{,}`,
		`{"Text":"a" "Small":1}`, `{"Small":01}`, `{"Small":-}`, `{"Small":1.}`, `{"Small":1e}`, `{"Small":+1}`, `{"Flag":tru}`, `{} {}`,
		`{"Text":"\x"}`, `{"Text":"\u12"}`, "{\"Text\":\"a\nb\"}", `{"List":["a" "b"]}`, `{"List":["a",]}`, `{"List":[`, `{"Text":nul}`,
		`{"Unknown":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}`, `{'Text':'a'}`, `{"Text":"a"}}`} {
		_, err := decode(t, JSON, body)
		var e *apierr.Error
		require.ErrorAs(t, err, &e, body)
		require.Equal(t, apierr.Serialization, e.Code)
		require.Empty(t, e.Message, body)
	}
}

func TestJSONWrongTypes(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"Text":1}`:         "NUMBER_VALUE cannot be converted to String",
		`{"Text":true}`:      "TRUE_VALUE cannot be converted to String",
		`{"Text":[]}`:        "Start of list found where not expected",
		`{"Text":{}}`:        "Start of structure or map found where not expected.",
		`{"Small":"1"}`:      "STRING_VALUE cannot be converted to Integer",
		`{"Flag":"x"}`:       "STRING_VALUE cannot be converted to Boolean",
		`{"When":"x"}`:       "STRING_VALUE cannot be converted to milliseconds since epoch",
		`{"When":1e300}`:     "NUMBER_VALUE cannot be converted to milliseconds since epoch",
		`{"Data":1}`:         "NUMBER_VALUE cannot be converted to Blob",
		`{"Data":"AQI"}`:     "'AQI' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 3",
		`{"Data":"A$ID"}`:    "'A$ID' can not be converted to a Blob: Invalid Base64 character: '$'",
		`{"Data":"AB=="}`:    "'AB==' can not be converted to a Blob: Invalid last non-pad Base64 character dectected",
		`{"List":"x"}`:       "Expected list or null",
		`{"List":{}}`:        "Start of structure or map found where not expected.",
		`{"List":[1]}`:       "NUMBER_VALUE cannot be converted to String",
		`{"Pairs":1}`:        "Expected map or null",
		`{"Pairs":[]}`:       "Start of list found where not expected",
		`{"Pairs":{"a":1}}`:  "NUMBER_VALUE cannot be converted to String",
		`{"Inner":"x"}`:      "Expected null",
		`{"Inner":[]}`:       "Start of list found where not expected",
		`{"Inners":[1]}`:     "Expected null",
		`{"Inners":[[]]}`:    "Start of list found where not expected",
		`{"Inners":"x"}`:     "Expected list or null",
		`{"Data":"AQ\/D"}`:   "",
		`{"Data":"AQID\n="}`: "'AQID\n=' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 6",
	} {
		_, err := decode(t, JSON, body)
		if want == "" {
			require.NoError(t, err, body)
			continue
		}
		var e *apierr.Error
		require.ErrorAs(t, err, &e, body)
		require.Equal(t, want, e.Message, body)
	}
}

func TestJSONEncodeIsJSON(t *testing.T) {
	t.Parallel()
	text, n, large, flag, when := "q\"\\\n\x01ä\xff", int32(-5), int64(1)<<40, true, time.UnixMilli(1421891322045)
	w := JSON.NewWriter(nil)
	ShapeOf[sample]().Encode(w, &sample{Text: &text, Small: &n, Large: &large, Flag: &flag, When: &when, Data: []byte{1, 2, 3, 4},
		List: []string{}, Inners: []inner{{Name: &text}, {}}})
	var got map[string]any
	require.NoError(t, json.Unmarshal(w.Bytes(), &got), "%s", w.Bytes())
	require.Equal(t, map[string]any{"Text": "q\"\\\n\x01ä\uFFFD", "Small": -5.0, "Large": float64(1 << 40), "Flag": true,
		"When": 1421891322.045, "Data": "AQIDBA==", "List": []any{}, "Inners": []any{map[string]any{"Name": "q\"\\\n\x01ä\uFFFD"}, map[string]any{}}}, got)
}

func TestErrorBody(t *testing.T) {
	t.Parallel()
	require.JSONEq(t, `{"__type":"ResourceNotFoundException","message":"no \"x\""}`,
		string(JSON.EncodeError(apierr.New(apierr.ResourceNotFound, "no %q", "x"))))
	require.JSONEq(t, `{"__type":"SerializationException","Message":"m"}`, string(JSON.EncodeError(apierr.New(apierr.Serialization, "m"))))
	require.JSONEq(t, `{"__type":"UnknownOperationException"}`, string(JSON.EncodeError(apierr.Bare(apierr.UnknownOperation))))
}

// FuzzJSON holds the reader against encoding/json: what it takes, that takes too, and the values are the same.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"Text":"a","Small":3,"Data":"AQID","List":["x"],"Pairs":{"a":"b"},"Inners":[{"Name":"A"}]}`))
	f.Add([]byte(`{"When":1421891322.123,"Unknown":[[],{},"\ud800",-1.5e-3]}`))
	f.Add([]byte(`{"Text":"\ud83d\ude00\\"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var v sample
		if err := ShapeOf[sample]().Decode(JSON.NewReader(body), &v); err != nil {
			return
		}
		var std map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(body, &std), "%q", body)
		if v.Text != nil {
			require.Contains(t, std, "Text")
		}
		w := JSON.NewWriter(nil)
		ShapeOf[sample]().Encode(w, &v)
		require.True(t, json.Valid(w.Bytes()), "%q", w.Bytes())
	})
}

// FuzzStrings holds text against encoding/json.
func FuzzStrings(f *testing.F) {
	f.Add("plain")
	f.Add("\u2028 \\ \" \x7f \xff 😀")
	f.Fuzz(func(t *testing.T, text string) {
		encoded, err := json.Marshal(text)
		require.NoError(t, err)
		var want string
		require.NoError(t, json.Unmarshal(encoded, &want))
		got, err := JSON.NewReader(encoded).String()
		require.NoError(t, err)
		require.Equal(t, want, got)
		var back string
		require.NoError(t, json.Unmarshal(appendQuoted(nil, text), &back))
		require.Equal(t, want, back)
	})
}
