// Package saving keeps the payloads of records as files, one each: pictures a
// viewer opens, streams a player plays, and whatever else as it came.
//
// A file's name is SENSOR_FRAMEID_SHARD-SEQUENCE.EXT for frames and
// SHARD-SEQUENCE.EXT for other records. A shard's sequence numbers make it
// unique; the same record read again gives the same file. Files appear under
// their names only when they are complete.
package saving

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gst-kinesis/internal/frame"
)

// Folder is a directory that files are saved into. Safe for concurrent use.
type Folder struct {
	dir string
}

// Record is what is saved of a record of a stream.
type Record struct {
	ShardID        string
	SequenceNumber string
	Data           []byte
}

// Open returns the folder, created if it is not there.
func Open(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("creating folder to save in: %w", err)
	}
	return &Folder{dir: dir}, nil
}

// Save writes the payload of a frame, or the whole data of a record that is
// none, and returns the file's path.
func (f *Folder) Save(r Record) (string, error) {
	name, payload := fileOf(r)
	path := filepath.Join(f.dir, name)
	if err := writeAtomically(path, payload); err != nil {
		return "", fmt.Errorf("saving record %s: %w", r.SequenceNumber, err)
	}
	return path, nil
}

// writeAtomically writes under another name in the same folder first.
func writeAtomically(path string, data []byte) error {
	part, err := os.CreateTemp(filepath.Dir(path), ".*.part")
	if err != nil {
		return err
	}
	_, err = part.Write(data)
	if err == nil {
		err = part.Chmod(0o644)
	}
	if closeErr := part.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		_ = os.Remove(part.Name())
	}
	return err
}

// fileOf returns the name and the content of a record's file.
func fileOf(r Record) (string, []byte) {
	id := shardNumber(r.ShardID) + "-" + safe(r.SequenceNumber, 128)
	rec, err := frame.Decode(r.Data)
	if err != nil {
		return id + "." + plainExtension(r.Data), r.Data
	}
	sensor := safe(rec.Meta.SensorName, 64)
	if sensor == "" {
		sensor = "unnamed"
	}
	return sensor + "_" + strconv.FormatInt(rec.Meta.FrameID, 10) + "_" + id + "." + Extension(rec), rec.Payload
}

// shardNumber is the short form of a shard's id: shardId-000000000007 is 7.
func shardNumber(id string) string {
	number := strings.TrimLeft(strings.TrimPrefix(id, "shardId-"), "0")
	if number == "" {
		return "0"
	}
	return safe(number, 64)
}

// safe keeps what every file system takes, and nothing that leads elsewhere.
func safe(s string, most int) string {
	clean := []byte(s[:min(len(s), most)])
	for i, c := range clean {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.' && i > 0:
		default:
			clean[i] = '_'
		}
	}
	return string(clean)
}

// Extension is the file name extension, without a point, that fits a payload:
// by what the payload is, else by the codec the record names, else bin.
func Extension(rec frame.Record) string {
	if kind := Sniff(rec.Payload); kind != "" {
		return kind
	}
	switch codec := shortCodec(rec.Meta); codec {
	case "jpeg", "mjpeg":
		return "jpg"
	case "h264", "h265", "png", "aac", "mp3", "opus", "vp8", "vp9", "av1", "json", "raw", "txt", "wav", "ogg", "mkv", "webm", "mp4", "ts", "pcap":
		return codec
	case "avc":
		return "h264"
	case "hevc":
		return "h265"
	}
	if rec.Meta.Kind == frame.Image && !rec.Meta.Encoded {
		return "raw"
	}
	return "bin"
}

// shortCodec is the codec without what GStreamer puts around it: video/x-h264
// is h264. Without a codec the caps tell.
func shortCodec(m frame.Meta) string {
	codec := m.Codec
	if codec == "" {
		codec, _, _ = strings.Cut(m.Caps, ",")
	}
	codec = codec[strings.LastIndexByte(codec, '/')+1:]
	return strings.ToLower(strings.TrimPrefix(strings.TrimSpace(codec), "x-"))
}

// Sniff tells what a payload is by its first bytes, as a file name extension;
// empty if it does not know.
func Sniff(payload []byte) string {
	switch {
	case bytes.HasPrefix(payload, []byte("\xff\xd8\xff")):
		return "jpg"
	case bytes.HasPrefix(payload, []byte("\x89PNG\r\n\x1a\n")):
		return "png"
	case bytes.HasPrefix(payload, []byte("RIFF")) && len(payload) > 12 && string(payload[8:12]) == "WEBP":
		return "webp"
	}
	return ""
}

// plainExtension is for records that are no frames.
func plainExtension(data []byte) string {
	if kind := Sniff(data); kind != "" {
		return kind
	}
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') && json.Valid(trimmed) {
		return "json"
	}
	return "bin"
}
