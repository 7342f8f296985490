package codec

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"gst-kinesis/internal/local/apierr"
)

// jsonReader is a pull reader over a JSON text held whole in memory. It exists beside encoding/json because member names
// must match case as AWS matches them, because blobs go from base64 straight into the memory they stay in, and because
// PutRecords arrives at hundreds of megabytes a second.
type jsonReader struct {
	buf   []byte
	pos   int
	depth int
	// fresh has one bit a level: set until the first member or item of that level was read.
	fresh uint64
	key   []byte
}

func (r *jsonReader) space() {
	for r.pos < len(r.buf) {
		switch r.buf[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// at returns the byte that starts the next value, 0 at the end.
func (r *jsonReader) at() byte {
	r.space()
	if r.pos >= len(r.buf) {
		return 0
	}
	return r.buf[r.pos]
}

func (r *jsonReader) Peek() Kind {
	switch c := r.at(); {
	case c == '"':
		return KindString
	case c == '{':
		return KindMap
	case c == '[':
		return KindList
	case c == 't':
		return KindTrue
	case c == 'f':
		return KindFalse
	case c == 'n':
		return KindNull
	case c == '-' || c >= '0' && c <= '9':
		return KindNumber
	}
	return KindInvalid
}

func (r *jsonReader) literal(word string) error {
	if !bytes.HasPrefix(r.buf[r.pos:], []byte(word)) {
		return broken()
	}
	r.pos += len(word)
	return nil
}

func (r *jsonReader) Null() error {
	if k := r.Peek(); k != KindNull {
		return mismatch(k, "null")
	}
	return r.literal("null")
}

func (r *jsonReader) Bool() (bool, error) {
	switch k := r.Peek(); k {
	case KindTrue:
		return true, r.literal("true")
	case KindFalse:
		return false, r.literal("false")
	default:
		return false, mismatch(k, "Boolean")
	}
}

func (r *jsonReader) Number() (float64, error) {
	if k := r.Peek(); k != KindNumber {
		return 0, mismatch(k, "Integer")
	}
	tok, ok := r.numberToken()
	if !ok {
		return 0, broken()
	}
	n, err := strconv.ParseFloat(string(tok), 64)
	if err != nil && !math.IsInf(n, 0) {
		return 0, broken()
	}
	return n, nil
}

// numberToken consumes a number by JSON's grammar.
func (r *jsonReader) numberToken() ([]byte, bool) {
	start := r.pos
	digits := func() bool {
		from := r.pos
		for r.pos < len(r.buf) && r.buf[r.pos] >= '0' && r.buf[r.pos] <= '9' {
			r.pos++
		}
		return r.pos > from
	}
	has := func(chars string) bool {
		if r.pos < len(r.buf) && bytes.IndexByte([]byte(chars), r.buf[r.pos]) >= 0 {
			r.pos++
			return true
		}
		return false
	}
	has("-")
	if has("0") {
		// A leading zero stands alone.
	} else if !digits() {
		return nil, false
	}
	if has(".") && !digits() {
		return nil, false
	}
	if has("eE") {
		has("+-")
		if !digits() {
			return nil, false
		}
	}
	return r.buf[start:r.pos], true
}

// stringToken consumes a string and returns what is between its quotes; escaped tells whether it holds backslashes.
func (r *jsonReader) stringToken() (raw []byte, escaped bool, err error) {
	start := r.pos + 1
	i := start
	for {
		n := bytes.IndexByte(r.buf[i:], '"')
		if n < 0 {
			return nil, false, broken()
		}
		end := i + n
		back := 0
		for end-back-1 >= start && r.buf[end-back-1] == '\\' {
			back++
		}
		if back%2 == 0 {
			r.pos = end + 1
			raw = r.buf[start:end]
			return raw, bytes.IndexByte(raw, '\\') >= 0, nil
		}
		i = end + 1
	}
}

func (r *jsonReader) String() (string, error) {
	if k := r.Peek(); k != KindString {
		return "", mismatch(k, "String")
	}
	raw, escaped, err := r.stringToken()
	if err != nil {
		return "", err
	}
	text, err := unquote(raw, escaped)
	return string(text), err
}

// unquote resolves escapes and checks that raw is what JSON allows between quotes. It returns raw itself where it can.
func unquote(raw []byte, escaped bool) ([]byte, error) {
	for _, c := range raw {
		if c < 0x20 {
			return nil, broken()
		}
	}
	if !escaped {
		if !utf8.Valid(raw) {
			return bytes.ToValidUTF8(raw, []byte("\uFFFD")), nil
		}
		return raw, nil
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		n, text, ok := unescape(raw[i:])
		if !ok {
			return nil, broken()
		}
		out = utf8.AppendRune(out, text)
		i += n
	}
	return bytes.ToValidUTF8(out, []byte("\uFFFD")), nil
}

// unescape reads one escape at the start of s, a surrogate pair as one.
func unescape(s []byte) (n int, text rune, ok bool) {
	if len(s) < 2 {
		return 0, 0, false
	}
	plain := map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}
	if c, found := plain[s[1]]; found {
		return 2, c, true
	}
	first, ok := hex4(s)
	if !ok {
		return 0, 0, false
	}
	if !utf16.IsSurrogate(first) {
		return 6, first, true
	}
	if second, ok := hex4(s[6:]); ok {
		if pair := utf16.DecodeRune(first, second); pair != utf8.RuneError {
			return 12, pair, true
		}
	}
	return 6, utf8.RuneError, true
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	return rune(n), err == nil
}

func (r *jsonReader) Blob() ([]byte, error) {
	if k := r.Peek(); k != KindString {
		return nil, mismatch(k, "Blob")
	}
	raw, escaped, err := r.stringToken()
	if err != nil {
		return nil, err
	}
	if escaped {
		// Writers that escape the slash of base64 are common in PHP.
		if raw, err = unquote(raw, true); err != nil {
			return nil, err
		}
	}
	return blob(raw)
}

// blob decodes standard base64 as strictly as AWS does.
func blob(raw []byte) ([]byte, error) {
	if len(raw)%4 != 0 {
		return nil, apierr.New(apierr.Serialization, "'%s' can not be converted to a Blob: Base64 encoded length is "+
			"expected a multiple of 4 bytes but found: %d", shorten(raw), len(raw))
	}
	size := len(raw) / 4 * 3
	for i := len(raw) - 1; i >= 0 && i >= len(raw)-2 && raw[i] == '='; i-- {
		size--
	}
	out := make([]byte, size)
	n, err := base64.StdEncoding.Strict().Decode(out, raw)
	if err == nil && n == size && bytes.IndexByte(raw, '\n') < 0 && bytes.IndexByte(raw, '\r') < 0 {
		return out, nil
	}
	for _, c := range bytes.TrimRight(raw, "=") {
		if !base64Char(c) {
			return nil, apierr.New(apierr.Serialization,
				"'%s' can not be converted to a Blob: Invalid Base64 character: '%c'", shorten(raw), c)
		}
	}
	return nil, apierr.New(apierr.Serialization,
		"'%s' can not be converted to a Blob: Invalid last non-pad Base64 character dectected", shorten(raw))
}

func base64Char(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

// shorten keeps an error message readable when the blob is megabytes.
func shorten(raw []byte) []byte {
	const most = 1024
	if len(raw) > most {
		return raw[:most]
	}
	return raw
}

func (r *jsonReader) Time() (time.Time, error) {
	if k := r.Peek(); k != KindNumber {
		if k == KindList || k == KindMap || k == KindInvalid {
			return time.Time{}, mismatch(k, "")
		}
		return time.Time{}, mismatch(k, "milliseconds since epoch")
	}
	n, err := r.Number()
	if err != nil {
		return time.Time{}, err
	}
	return millis(n * 1000)
}

// millis makes a time of a number of milliseconds.
func millis(n float64) (time.Time, error) {
	const far = 1 << 53
	if math.IsNaN(n) || n > far || n < -far {
		return time.Time{}, apierr.New(apierr.Serialization, "NUMBER_VALUE cannot be converted to milliseconds since epoch")
	}
	return time.UnixMilli(int64(math.Round(n))).UTC(), nil
}

func (r *jsonReader) open(kind Kind, want string) error {
	if k := r.Peek(); k != kind {
		return mismatch(k, want)
	}
	if r.depth >= maxDepth {
		return broken()
	}
	r.pos++
	r.depth++
	r.fresh |= 1 << r.depth
	return nil
}

func (r *jsonReader) MapStart() error  { return r.open(KindMap, "structure") }
func (r *jsonReader) ListStart() error { return r.open(KindList, "list") }

// more steps over the comma or the closing bracket of the current level.
func (r *jsonReader) more(closing byte) (bool, error) {
	bit := uint64(1) << r.depth
	c := r.at()
	if c == closing {
		r.pos++
		r.fresh &^= bit
		r.depth--
		return false, nil
	}
	if r.fresh&bit != 0 {
		r.fresh &^= bit
		return true, nil
	}
	if c != ',' {
		return false, broken()
	}
	r.pos++
	return true, nil
}

func (r *jsonReader) NextItem() (bool, error) { return r.more(']') }

func (r *jsonReader) NextKey() ([]byte, bool, error) {
	ok, err := r.more('}')
	if !ok || err != nil {
		return nil, false, err
	}
	if r.at() != '"' {
		return nil, false, broken()
	}
	raw, escaped, err := r.stringToken()
	if err != nil {
		return nil, false, err
	}
	if r.key, err = unquote(raw, escaped); err != nil {
		return nil, false, err
	}
	if r.at() != ':' {
		return nil, false, broken()
	}
	r.pos++
	return r.key, true, nil
}

func (r *jsonReader) Skip() error { return skip(r) }

func (r *jsonReader) Done() error {
	if r.at(); r.pos != len(r.buf) {
		return broken()
	}
	return nil
}
