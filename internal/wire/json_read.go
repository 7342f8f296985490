package wire

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonReader reads JSON (RFC 8259) as strictly as smithy-go does.
type jsonReader struct {
	raw   []byte // the same as body
	body  string
	at    int
	depth int
	begun [maxDepth]bool // of each open map or list: a member was taken
}

// peek passes over space and returns the byte that comes next, 0 at the end.
func (r *jsonReader) peek() byte {
	for r.at < len(r.body) {
		switch c := r.body[r.at]; c {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return c
		}
	}
	return 0
}

// take passes over a byte that must come next.
func (r *jsonReader) take(want byte) error {
	if r.peek() != want {
		return r.wrong()
	}
	r.at++
	return nil
}

func (r *jsonReader) wrong() error {
	if r.at >= len(r.body) {
		return errCut
	}
	return errGarbled
}

func (r *jsonReader) open(start byte) error {
	if err := r.take(start); err != nil {
		return err
	}
	if r.depth == maxDepth {
		return errTooDeep
	}
	r.begun[r.depth] = false
	r.depth++
	return nil
}

func (r *jsonReader) openMap() error  { return r.open('{') }
func (r *jsonReader) openList() error { return r.open('[') }

// next tells whether another member follows before the end of the map or list.
func (r *jsonReader) next(end byte) (bool, error) {
	c := r.peek()
	if c == end {
		r.at++
		r.depth--
		return false, nil
	}
	begun := &r.begun[r.depth-1]
	if *begun {
		if c != ',' {
			return false, r.wrong()
		}
		r.at++
	}
	*begun = true
	return true, nil
}

func (r *jsonReader) nextItem() (bool, error) { return r.next(']') }

func (r *jsonReader) nextKey() (string, bool, error) {
	ok, err := r.next('}')
	if err != nil || !ok {
		return "", false, err
	}
	key, err := r.text()
	if err != nil {
		return "", false, err
	}
	err = r.take(':')
	return key, err == nil, err
}

func (r *jsonReader) literal(word string) bool {
	r.peek()
	if !strings.HasPrefix(r.body[r.at:], word) {
		return false
	}
	r.at += len(word)
	return true
}

func (r *jsonReader) null() bool { return r.literal("null") }

func (r *jsonReader) isText() bool { return r.peek() == '"' }

func (r *jsonReader) text() (string, error) {
	if err := r.take('"'); err != nil {
		return "", err
	}
	from := r.at
	for r.at+8 <= len(r.raw) && !special(binary.LittleEndian.Uint64(r.raw[r.at:])) {
		r.at += 8
	}
	for ; r.at < len(r.body); r.at++ {
		if c := r.body[r.at]; c != '"' && c != '\\' && c >= ' ' {
			continue
		}
		switch r.body[r.at] {
		case '"':
			r.at++
			return r.body[from : r.at-1], nil
		case '\\':
			return r.escaped(from)
		default:
			return "", errGarbled
		}
	}
	return "", errCut
}

// special reports whether one of eight bytes ends a text, escapes or may not be in one.
// See "Determine if a word has a zero byte" of Bit Twiddling Hacks; what it reports of
// bytes above the first one is not exact, which costs time only.
func special(word uint64) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	quote, escape := word^ones*'"', word^ones*'\\'
	return ((word-ones*' ')&^word|(quote-ones)&^quote|(escape-ones)&^escape)&tops != 0
}

// escaped goes on with a text in which something is escaped, and copies it.
func (r *jsonReader) escaped(from int) (string, error) {
	var b strings.Builder
	b.WriteString(strings.ToValidUTF8(r.body[from:r.at], "\ufffd"))
	for r.at < len(r.body) {
		c := r.body[r.at]
		switch {
		case c == '"':
			r.at++
			return b.String(), nil
		case c == '\\':
			unescaped, err := r.escape()
			if err != nil {
				return "", err
			}
			b.WriteRune(unescaped)
		case c < ' ':
			return "", errGarbled
		default:
			char, width := utf8.DecodeRuneInString(r.body[r.at:])
			b.WriteRune(char)
			r.at += width
		}
	}
	return "", errCut
}

// escape takes one escape sequence, or two that are one character.
func (r *jsonReader) escape() (rune, error) {
	if len(r.body)-r.at < 2 {
		return 0, errCut
	}
	c := r.body[r.at+1]
	if c == 'u' {
		first, err := r.unicode()
		if err != nil || !utf16.IsSurrogate(first) {
			return first, err
		}
		before := r.at
		if strings.HasPrefix(r.body[r.at:], `\u`) {
			second, err := r.unicode()
			if err != nil {
				return 0, err
			}
			if joined := utf16.DecodeRune(first, second); joined != utf8.RuneError {
				return joined, nil
			}
			r.at = before
		}
		return utf8.RuneError, nil
	}
	r.at += 2
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	default:
		return 0, errGarbled
	}
}

// unicode takes \uXXXX.
func (r *jsonReader) unicode() (rune, error) {
	if len(r.body)-r.at < len(`\uXXXX`) {
		return 0, errCut
	}
	var value rune
	for _, c := range []byte(r.body[r.at+2 : r.at+6]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, errGarbled
		}
		value = value<<4 | rune(c)
	}
	r.at += len(`\uXXXX`)
	return value, nil
}

// number takes the text of a number.
func (r *jsonReader) number() (string, error) {
	r.peek()
	from := r.at
	r.passOne("-")
	digits := r.passDigits()
	if digits == 0 || digits > 1 && r.body[r.at-digits] == '0' {
		return "", r.wrong()
	}
	if r.passOne(".") && r.passDigits() == 0 {
		return "", r.wrong()
	}
	if r.passOne("eE") {
		r.passOne("+-")
		if r.passDigits() == 0 {
			return "", r.wrong()
		}
	}
	return r.body[from:r.at], nil
}

func (r *jsonReader) passOne(of string) bool {
	if r.at < len(r.body) && strings.IndexByte(of, r.body[r.at]) >= 0 {
		r.at++
		return true
	}
	return false
}

func (r *jsonReader) passDigits() int {
	from := r.at
	for r.at < len(r.body) && r.body[r.at] >= '0' && r.body[r.at] <= '9' {
		r.at++
	}
	return r.at - from
}

func (r *jsonReader) integer() (int64, error) {
	text, err := r.number()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errNoNumber
	}
	return n, nil
}

func (r *jsonReader) skip() error {
	switch r.peek() {
	case '{':
		return skipMap(r)
	case '[':
		return skipList(r)
	case '"':
		_, err := r.text()
		return err
	case 't', 'f', 'n':
		if r.literal("true") || r.literal("false") || r.literal("null") {
			return nil
		}
		return errGarbled
	default:
		_, err := r.number()
		return err
	}
}

// int32Of narrows a number.
func int32Of(n int64) (int32, error) {
	if n < math.MinInt32 || n > math.MaxInt32 {
		return 0, errNoNumber
	}
	return int32(n), nil
}
