package deadletter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Source gives the letters of a place, bundle by bundle, roughly as old as they are. Its
// methods are not for several goroutines at once.
type Source interface {
	// Next returns the next bundle, which is closed before the next call; io.EOF behind the last
	// one. After a *BusyError one goes on.
	Next(ctx context.Context) (Bundle, error)
	Close() error
}

// Bundle is letters that lie together: in one file, object, or answer of a stream.
type Bundle interface {
	// Name says where they lie.
	Name() string
	// Next returns the next letter, whose data belongs to whoever gets it; io.EOF behind the last
	// one. After a *DamageError one goes on.
	Next(ctx context.Context) (Letter, error)
	// Settle takes letters out for good, but for those that keep says yes to, by their number in
	// the order of Next from 0, and for what is damaged. All must have been read before. When it
	// fails, all are still there, or those that are kept are there twice. A stream keeps its
	// records until they expire.
	Settle(ctx context.Context, keep func(n int) bool) error
	Close() error
}

// DamageError is the error of something that lies among the letters and is none.
type DamageError struct {
	// Place is the bundle, with the number of the line or record.
	Place string
	Err   error
}

// Error says where it lies and what is wrong.
func (e *DamageError) Error() string {
	return fmt.Sprintf("reading a dead letter in %s: %v", e.Place, e.Err)
}

// Unwrap returns what is wrong.
func (e *DamageError) Unwrap() error { return e.Err }

// BusyError is the error of letters that somebody else is sending again.
type BusyError struct{ Place string }

// Error names the file.
func (e *BusyError) Error() string {
	return fmt.Sprintf("%s is in use, so it is left out; read it when the other program has ended", e.Place)
}

// Filter chooses letters. The zero value takes all.
type Filter struct {
	// Reasons are those that are taken; none means all.
	Reasons []string
	// Since and Until bound when letters were written: at Since or later, before Until. Zero
	// times are no bounds.
	Since, Until time.Time
	// PartitionKey is the key of the letters that are taken; empty means all.
	PartitionKey string
}

// Match reports whether a letter is chosen.
func (f Filter) Match(l *Letter) bool {
	switch {
	case len(f.Reasons) > 0 && !slices.Contains(f.Reasons, l.Reason):
		return false
	case !f.Since.IsZero() && l.Written.Before(f.Since):
		return false
	case !f.Until.IsZero() && !l.Written.Before(f.Until):
		return false
	default:
		return f.PartitionKey == "" || l.PartitionKey == f.PartitionKey
	}
}

// OpenSource opens a place for reading. take says that letters are going to be taken out: files
// are locked while they are read then. since is a hint that older letters are of no use; the
// zero time is none.
func OpenSource(ctx context.Context, t Target, s Settings, since time.Time, take bool) (Source, error) {
	s.fill()
	var source Source
	var err error
	switch t.Kind {
	case Files:
		source, err = openFolder(t.Directory, take)
	case Stream:
		source, err = openTape(ctx, t, &s, since)
	case Bucket:
		source, err = openShelf(ctx, t, &s)
	default:
		err = errForm
	}
	if err != nil {
		return nil, fmt.Errorf("opening the dead letters in %s: %w", t, err)
	}
	return source, nil
}

// mostLine bounds a line in memory, far above any letter.
const mostLine = 1 << 30

var errTorn = errors.New("the last line has no end")

// scanner gives lines with their ends.
type scanner struct {
	in  *bufio.Reader
	buf []byte
}

func newScanner(in io.Reader) *scanner { return &scanner{in: bufio.NewReaderSize(in, 64<<10)} }

// next returns the next line, valid until the following call; io.EOF at the end, and there
// errTorn with what has no line end. Of a line longer than mostLine it returns the
// beginning and errTooLong.
func (s *scanner) next() (line []byte, err error) {
	s.buf = s.buf[:0]
	long := false
	for {
		piece, err := s.in.ReadSlice('\n')
		if long = long || len(s.buf)+len(piece) > mostLine; !long {
			s.buf = append(s.buf, piece...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(s.buf) > 0:
			return s.buf, errTorn
		case err != nil:
			return nil, err
		case long:
			return s.buf, errTooLong
		default:
			return s.buf, nil
		}
	}
}

// reading is the letters of a text of lines.
type reading struct {
	name  string
	lines *scanner
	line  int // that was read last, from 1
}

// next returns the next letter.
func (r *reading) next() (Letter, error) {
	for {
		line, err := r.lines.next()
		r.line++
		switch {
		case errors.Is(err, errTorn):
			if l, err := decode(line); err == nil { // all but the line feed
				return l, nil
			}
			return Letter{}, io.EOF
		case err == nil && len(line) == 1:
			continue
		case errors.Is(err, errTooLong):
		case err != nil:
			return Letter{}, err
		}
		var l Letter
		if err == nil {
			l, err = decode(line[:len(line)-1])
		}
		if err != nil {
			return Letter{}, &DamageError{Place: fmt.Sprintf("%s line %d", r.name, r.line), Err: err}
		}
		return l, nil
	}
}

// copyKept copies the lines of letters that are kept, and those that are no letters.
func copyKept(to io.Writer, from io.Reader, keep func(n int) bool) (kept int, err error) {
	lines, n := newScanner(from), 0
	for {
		line, err := lines.next()
		switch {
		case errors.Is(err, io.EOF):
			return kept, nil
		case errors.Is(err, errTorn):
			if _, err := decode(line); err != nil {
				return kept, nil
			}
			line = append(line, '\n')
		case err != nil: // of a line that is too long, too: better no change than a loss
			return kept, err
		case len(line) == 1:
			continue
		}
		if _, err := decode(line[:len(line)-1]); err == nil {
			n++
			if !keep(n - 1) {
				continue
			}
		}
		if _, err := to.Write(line); err != nil {
			return kept, err
		}
		kept++
	}
}
