package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// nextLine takes a line.
func (r *Reader) nextLine() ([]byte, error) {
	whole, content, err := r.cutLine()
	if err != nil {
		return nil, err
	}
	if r.settings.KeepNewline {
		return whole, nil
	}
	return content, nil
}

// cutLine takes a line, with and without what ends it. The last line needs no line feed.
func (r *Reader) cutLine() (whole, content []byte, err error) {
	r.line++
	searched := 0
	for {
		text := r.unread()
		if i := bytes.IndexByte(text[searched:], '\n'); i >= 0 {
			return r.lineOf(searched + i + 1)
		}
		if searched = len(text); searched > r.settings.MaxRecord+len("\r\n") {
			return nil, nil, r.longLine()
		}
		err := r.more()
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && searched > 0:
			return r.lineOf(searched)
		default:
			return nil, nil, r.stop(err, "")
		}
	}
}

// lineOf takes a line of n bytes with its line feed.
func (r *Reader) lineOf(n int) (whole, content []byte, err error) {
	content = r.unread()[:n]
	if content[n-1] == '\n' {
		content = content[:n-1]
		if len(content) > 0 && content[len(content)-1] == '\r' {
			content = content[:len(content)-1]
		}
	}
	if len(content) > r.settings.MaxRecord {
		return nil, nil, r.longLine()
	}
	whole = r.take(n)
	return whole, whole[:len(content):len(content)], nil
}

func (r *Reader) longLine() error {
	return r.tooLarge("choose another --format if these are no lines")
}

// white is what JSON takes for white space.
const white = " \t\r\n"

// nextJSON takes a line with a JSON text.
func (r *Reader) nextJSON() ([]byte, error) {
	for {
		begin := r.offset
		whole, content, err := r.cutLine()
		if err != nil {
			return nil, err
		}
		if begin == 0 { // Windows' editors write a mark, which is no JSON
			if marked, ok := bytes.CutPrefix(content, []byte("\ufeff")); ok {
				begin = int64(len(content) - len(marked))
				whole, content = whole[begin:], marked
			}
		}
		text := bytes.Trim(content, white)
		if len(text) == 0 {
			continue
		}
		if !json.Valid(text) {
			return nil, r.notJSON(begin, content)
		}
		if r.settings.KeepNewline {
			return whole, nil
		}
		return text, nil
	}
}

// notJSON says where a line stops being JSON.
func (r *Reader) notJSON(begin int64, line []byte) error {
	var raw json.RawMessage
	err := json.Unmarshal(line, &raw)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && syntax.Offset > 0 {
		begin += syntax.Offset - 1
	}
	return r.failAt(begin, faultf(ErrFormat, "the line is not JSON: %v", err), "mend the line, put each JSON text on one line, or send lines as they are with --format lines")
}
