package pipelines

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// How GStreamer 1.22 reads the value of a property in a launch line (gst/parse/parse.l and grammar.y.in, gst/gstvalue.c):
//
//  1. A word ends at white space, unless it is in "…" or '…' or the white space is behind a backslash. The longest match counts, and a backslash may be
//     read as itself or with what follows, so that a word never ends in one for sure.
//  2. If the value begins and ends with a double quote, both are taken off.
//  3. Backslashes are taken off, except between double quotes: \" is a quote that counts as none.
//  4. A string that now begins and ends with a double quote is unwrapped: \ooo is a byte in octal. NULL is no string at all.
//
// So a difficult string is wrapped for step 4, and that is written so that steps 1 to 3 give it back.

var (
	plain  = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,&?=#~^$*|;<>\[\]{}-]+$`)
	spaced = regexp.MustCompile(`^[^"\\[:cntrl:]]*$`)
)

// Quote makes one word of a string, for the place behind the = of a property of type string.
func Quote(s string) string {
	switch {
	case s == "NULL" || !utf8.ValidString(s):
	case plain.MatchString(s):
		return s
	case spaced.MatchString(s):
		return `"` + s + `"`
	}
	var b strings.Builder
	b.WriteString(`"\"`)
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\\%03o`, c)
		}
	}
	b.WriteString(`\""`)
	return b.String()
}

// Words cuts a launch line at white space outside of quotes.
func Words(line string) []string {
	var words []string
	var word strings.Builder
	var quote rune
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'':
			quote = r
		case strings.ContainsRune(" \t\r\n", r):
			if word.Len() > 0 {
				words = append(words, word.String())
				word.Reset()
			}
			continue
		}
		word.WriteRune(r)
	}
	if word.Len() > 0 {
		words = append(words, word.String())
	}
	return words
}

var shellPlain = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shellQuote makes one word of a POSIX shell.
func shellQuote(s string) string {
	if shellPlain.MatchString(s) || s == "!" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Join makes a launch line of a shell's words, as gst-launch-1.0 does: white space in a word stays in it.
func Join(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		quoted := false
		for j := range len(w) {
			if w[j] == '"' && (j == 0 || !quoted || w[j-1] != '\\') {
				quoted = !quoted
			}
			if w[j] == ' ' && !quoted {
				b.WriteByte('\\')
			}
			b.WriteByte(w[j])
		}
	}
	return b.String()
}

var secretSet = regexp.MustCompile(`^((?:[A-Za-z0-9_-]*(?:secret|password|passphrase|token)[A-Za-z0-9_-]*|user-pw|proxy-pw)\s*=)`)

// Command gives the gst-launch-1.0 command of words of a launch line. Values of properties that are secret by their name are hidden unless
// they are asked for.
func Command(words []string, secrets bool) string {
	quoted := []string{"gst-launch-1.0", "-e"}
	for _, w := range words {
		if name := secretSet.FindString(w); name != "" && !secrets {
			w = name + hiddenSecret
		}
		quoted = append(quoted, shellQuote(w))
	}
	return strings.Join(quoted, " ")
}
