package intake

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/vmihailenco/msgpack/v5"
)

// fuzzMax is small, so that the bound is met.
const fuzzMax = 1 << 12

// both reads an input at once and byte by byte, which must come to the same.
func both(t *testing.T, data []byte, s Settings) ([]string, error) {
	t.Helper()
	s.MaxRecord = fuzzMax
	got, err := readAll(bytes.NewReader(data), s)
	again, err2 := readAll(iotest.OneByteReader(bytes.NewReader(data)), s)
	if strings.Join(got, "\xff|") != strings.Join(again, "\xff|") || len(got) != len(again) {
		t.Fatalf("%q and byte by byte %q", got, again)
	}
	if (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
		t.Fatalf("%v and byte by byte %v", err, err2)
	}
	var place *Error
	if err != nil && (!errors.As(err, &place) || place.Offset < 0 || place.Offset > int64(len(data))) {
		t.Fatalf("no place: %v", err)
	}
	for _, r := range got {
		if len(r) > fuzzMax+2 {
			t.Fatalf("a record of %d bytes", len(r))
		}
	}
	return got, err
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\r\nb\n\n\x00c"), true)
	f.Fuzz(func(t *testing.T, data []byte, keep bool) {
		got, err := both(t, data, Settings{Format: Lines, KeepNewline: keep})
		if err == nil && keep && strings.Join(got, "") != string(data) {
			t.Fatalf("%q of %q", got, data)
		}
		if n := bytes.Count(data, []byte("\n")); err == nil && len(got) != n && len(got) != n+1 {
			t.Fatalf("%d records of %d lines", len(got), n)
		}
	})
}

func FuzzNDJSON(f *testing.F) {
	f.Add([]byte("{\"a\":1}\n [2] \r\n\n\"x\""))
	f.Add([]byte("\ufeff{}\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, _ := both(t, data, Settings{Format: NDJSON})
		for _, r := range got {
			if !json.Valid([]byte(r)) {
				t.Fatalf("%q", r)
			}
		}
	})
}

func FuzzLengthPrefixed(f *testing.F) {
	f.Add([]byte(be("a", "", "bcd")), false)
	f.Add([]byte(le("a", "", "bcd")), true)
	f.Fuzz(func(t *testing.T, data []byte, little bool) {
		got, err := both(t, data, Settings{Format: LengthPrefixed, LittleEndian: little})
		var order binary.AppendByteOrder = binary.BigEndian
		if little {
			order = binary.LittleEndian
		}
		var back []byte
		for _, r := range got {
			back = append(order.AppendUint32(back, uint32(len(r))), r...)
		}
		if !bytes.HasPrefix(data, back) || err == nil && len(back) != len(data) {
			t.Fatalf("%q of %q", back, data)
		}
	})
}

// FuzzMsgpack: the records are the input, and each is what another reader takes for one object.
func FuzzMsgpack(f *testing.F) {
	_, all := packed(f, nil, 1, -5, "x", []byte("y"), []any{1, map[string]any{"a": 2.5}}, strings.Repeat("s", 40))
	f.Add([]byte(all))
	f.Add([]byte("\xc7\x03\x05abc\xd4\x01x\xc1"))
	f.Add([]byte("\xdd\xff\xff\xff\xff\xdf\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := both(t, data, Settings{Format: Msgpack})
		joined := strings.Join(got, "")
		if !bytes.HasPrefix(data, []byte(joined)) || err == nil && len(joined) != len(data) {
			t.Fatalf("%q of %q", joined, data)
		}
		for _, r := range got {
			if strings.Count(r, "\x91") > 1000 {
				continue // the other reader recurses
			}
			in := strings.NewReader(r)
			d := msgpack.NewDecoder(in)
			if err := d.Skip(); err == nil {
				if _, err := d.PeekCode(); !errors.Is(err, io.EOF) {
					t.Fatalf("%q holds more than one object", r)
				}
			}
		}
	})
}

func FuzzBulk(f *testing.F) {
	f.Add([]byte("\xa31.0\xc4\x02ab\xc5\x00\x01c\xc6\x00\x00\x00\x00"))
	f.Add([]byte("\xa31.0\xc4\x02ab\xa1c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := both(t, data, Settings{Format: Bulk})
		sum := 0
		for _, r := range got {
			sum += len(r) + 2
		}
		if sum > len(data) || err == nil && sum+4 > len(data) {
			t.Fatalf("%q of %q", got, data)
		}
	})
}
