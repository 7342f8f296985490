package listing

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"gst-kinesis/internal/frame"
	"gst-kinesis/internal/saving"
)

// ErrBroken says that a record has faults; they were written with the listing.
var ErrBroken = errors.New("the record is broken")

// Inspect writes all that is in a record, key by key with sizes and times, and
// below it what is wrong. It returns ErrBroken if the record cannot be read as
// a frame, and the writer's error. now is for judging times.
func Inspect(w io.Writer, name string, data []byte, now time.Time) error {
	keys, format, scanErr := frame.Keys(data)
	rec, err := frame.Decode(data)
	var out bytes.Buffer
	switch {
	case len(keys) > 0 || scanErr == nil:
		fmt.Fprintf(&out, "%s: %s, %s\n", name, format, bytesOf(len(data)))
		listKeys(&out, keys, format)
	default:
		fmt.Fprintf(&out, "%s: %s%s\n", name, bytesOf(len(data)), looksLike(data))
	}
	if err != nil {
		fmt.Fprintf(&out, "error: %v\n", err)
	} else {
		summarize(&out, rec)
		for _, finding := range Findings(rec, now) {
			fmt.Fprintf(&out, "warning: %s\n", finding)
		}
	}
	if _, writeErr := w.Write(out.Bytes()); writeErr != nil {
		return writeErr
	}
	if err != nil {
		return ErrBroken
	}
	return nil
}

// looksLike names what data is that is no record.
func looksLike(data []byte) string {
	if kind := saving.Sniff(data); kind != "" {
		return ", looks like a bare " + kind + " file"
	}
	return ""
}

func bytesOf(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return strconv.Itoa(n) + " bytes"
}

// listKeys writes a table.
func listKeys(w io.Writer, keys []frame.KeyInfo, format frame.Format) {
	tab := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	for _, k := range keys {
		fmt.Fprintf(tab, "  %s\t%s\t%d B\t%s\n", clip(strconv.QuoteToGraphic(k.Key), 40), k.Kind, k.Size, valueOf(k, format))
	}
	_ = tab.Flush() // into memory
}

// valueOf shows a value short enough for a line, times and ids explained.
func valueOf(k frame.KeyInfo, format frame.Format) string {
	switch k.Key {
	case "image", "data":
		if k.Kind == frame.KindBinary || k.Kind == frame.KindString && format == frame.JSON {
			return "…"
		}
	case "capture_timestamp", "creation_timestamp":
		if f, ok := k.Value.AsFloat(); ok {
			return k.Value.String() + "  " + timeText(frame.Time(f))
		}
	case "frame_id":
		if id, ok := k.Value.AsInt(); ok {
			at, node, sequence := frame.SnowflakeParts(id)
			return fmt.Sprintf("%d  %s, node %d, sequence %d", id, timeText(at), node, sequence)
		}
	}
	return clip(printable(k.Value.String()), 80)
}

// printable keeps a record from writing on the terminal what it likes.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if !strconv.IsGraphic(c) {
			return '\uFFFD'
		}
		return c
	}, s)
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return "no time"
	}
	return t.UTC().Format("2006-01-02T15:04:05.999999Z")
}

// clip shortens a text between two characters.
func clip(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most]) + "…"
}

// summarize writes the record in a line.
func summarize(w io.Writer, rec frame.Record) {
	m := &rec.Meta
	fmt.Fprintf(w, "%s of sensor %q, device %q: payload of %s%s", m.Kind, clip(m.SensorName, 64), clip(m.DeviceName, 64),
		bytesOf(len(rec.Payload)), payloadText(rec))
	if m.CaptureTime != 0 && m.CreationTime != 0 {
		fmt.Fprintf(w, ", created %s after capture", (time.Duration((m.CreationTime-m.CaptureTime)*1e6) * time.Microsecond).String())
	}
	fmt.Fprintln(w)
}

func payloadText(rec frame.Record) string {
	if cfg, kind, err := picture(rec.Payload); err == nil {
		return fmt.Sprintf(" (%s, %dx%d)", kind, cfg.Width, cfg.Height)
	}
	if ext := saving.Extension(rec); ext != "bin" {
		return " (" + ext + ")"
	}
	return ""
}

// Findings are things in a readable record that are probably not meant.
func Findings(rec frame.Record, now time.Time) []string {
	var found []string
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	m := &rec.Meta
	if len(rec.Payload) == 0 {
		add("the payload is empty")
	}
	if m.SensorName == "" {
		add("sensor_name is empty")
	}
	want := map[frame.Kind]string{frame.Image: frame.DataTypeImage, frame.Bytes: frame.DataTypeBytes}[m.Kind]
	if m.DataType != want {
		add("data_type is %q, but the keys are those of %q", clip(m.DataType, 64), want)
	}
	for _, t := range []struct {
		key   string
		value float64
	}{{"capture_timestamp", m.CaptureTime}, {"creation_timestamp", m.CreationTime}} {
		if text := timeFinding(t.value, now); text != "" {
			add("%s %s", t.key, text)
		}
	}
	if m.Kind == frame.Image && len(rec.Payload) > 0 {
		found = append(found, imageFindings(rec)...)
	}
	return found
}

func timeFinding(seconds float64, now time.Time) string {
	at := frame.Time(seconds)
	switch {
	case seconds == 0:
		return "is not set"
	case seconds > 1e11 && seconds < 1e14:
		return "looks like milliseconds, expected seconds"
	case math.IsNaN(seconds) || at.IsZero():
		return "is no time"
	case at.After(now.Add(time.Minute)):
		return "lies in the future by " + at.Sub(now).Round(time.Second).String()
	}
	return ""
}

// imageFindings holds the payload of a picture against what is said about it.
func imageFindings(rec frame.Record) []string {
	m := &rec.Meta
	h, w, c := m.Size[0], m.Size[1], m.Size[2]
	if !m.Encoded {
		want := float64(h) * float64(w) * float64(c) // what hostile sizes cannot overflow
		if m.Size != [3]int{} && want != float64(len(rec.Payload)) {
			return []string{fmt.Sprintf("size says %d x %d x %d = %.0f bytes of raw picture, the payload has %d", h, w, c, want, len(rec.Payload))}
		}
		return nil
	}
	cfg, kind, err := picture(rec.Payload)
	switch {
	case errors.Is(err, errNoPicture):
		return []string{fmt.Sprintf("is_encoded is true, but the payload is no JPEG or PNG (it begins with %s)", beginning(rec.Payload))}
	case err != nil:
		return []string{fmt.Sprintf("the payload is a broken picture: %v", err)}
	}
	var found []string
	if m.Size != [3]int{} && (cfg.Height != h || cfg.Width != w) {
		found = append(found, fmt.Sprintf("size says %dx%d, the picture is %dx%d", w, h, cfg.Width, cfg.Height))
	}
	if kind == "jpeg" && !bytes.Contains(rec.Payload[max(0, len(rec.Payload)-64):], []byte("\xff\xd9")) {
		found = append(found, "the JPEG has no end: it was cut short")
	}
	return found
}

var errNoPicture = errors.New("neither JPEG nor PNG")

// picture reads the header of a picture.
func picture(payload []byte) (cfg image.Config, kind string, err error) {
	switch saving.Sniff(payload) {
	case "jpg":
		cfg, err = jpeg.DecodeConfig(bytes.NewReader(payload))
		return cfg, "jpeg", err
	case "png":
		cfg, err = png.DecodeConfig(bytes.NewReader(payload))
		return cfg, "png", err
	}
	return cfg, "", errNoPicture
}

func beginning(data []byte) string {
	return strings.TrimSpace(fmt.Sprintf("% x", data[:min(len(data), 8)]))
}
