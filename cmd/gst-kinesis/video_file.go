package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/aws/smithy-go"

	"gst-kinesis/cmd/gst-kinesis/internal/status"
	"gst-kinesis/internal/media"
	"gst-kinesis/internal/version"
)

// recording is the Matroska that video get writes.
type recording struct {
	*media.Writer
	file *os.File // nil: standard output
	came func()   // told of each fragment; may be nil

	fragments, frames int
	first, last       time.Time
	drawn             time.Time
}

// open makes the output.
func (f *fetch) open() (*recording, error) {
	r := &recording{}
	var dst io.Writer = f.out
	if f.output != "-" {
		var err error
		if r.file, err = f.create(f.output); err != nil {
			return nil, err
		}
		dst = r.file
	}
	r.Writer = media.NewWriter(dst, "gst-kinesis "+version.Version)
	return r, nil
}

// create makes a file; one that is there is only written over where that is asked for.
func (f *fetch) create(name string) (*os.File, error) {
	mode := os.O_CREATE | os.O_WRONLY | os.O_EXCL
	if f.c.Bool("force") {
		mode = os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	}
	file, err := os.OpenFile(name, mode, 0o644) //nolint:gosec // what was recorded is for whoever the umask lets
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("creating %s: it is there already: give another name, or --force to write over it", name)
	}
	if err != nil {
		return nil, fmt.Errorf("creating the file: %w", err)
	}
	return file, nil
}

// close closes the file, and takes it away if nothing came.
func (r *recording) close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	if r.Written == 0 {
		err = errors.Join(err, os.Remove(r.file.Name()))
	}
	if err != nil {
		return fmt.Errorf("closing the file: %w", err)
	}
	return nil
}

// copy writes fragments as they come.
func (f *fetch) copy(r *media.Reader, out *recording, total int) error {
	for {
		got, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		at := out.Written
		documents := out.Documents
		if err := out.Write(got); err != nil {
			return err
		}
		if documents > 0 && out.Documents != documents {
			f.display.log.Warn("the tracks changed, or time went back: another Matroska document begins here, which many players do not go on with",
				"fragment", got.Number, "byte", at)
		}
		out.add(got)
		f.progress(got, out, total)
		if f.count > 0 && out.fragments == f.count {
			return errEnough
		}
	}
}

func (r *recording) add(got *media.Fragment) {
	r.fragments++
	r.frames += len(got.Frames)
	if r.first.IsZero() {
		r.first = got.ProducerTime
	}
	r.last = got.ProducerTime
	if r.came != nil {
		r.came()
	}
}

// progress changes the status line, not too often.
func (f *fetch) progress(got *media.Fragment, out *recording, total int) {
	now := f.now()
	if !f.display.screen.Terminal() || now.Sub(out.drawn) < redraw {
		return
	}
	out.drawn = now
	line := fmt.Sprintf("%d fragments", out.fragments)
	if total > 0 {
		line = fmt.Sprintf("%d of %d fragments", out.fragments, total)
	}
	line += "  " + status.Size(float64(out.Written)) + "  " + got.ProducerTime.Format("2006-01-02 15:04:05")
	if got.MillisBehind >= 0 {
		line += fmt.Sprintf("  %.1f s behind", float64(got.MillisBehind)/1000)
	}
	f.display.screen.Set(line)
}

// report says what was written; r may be nil.
func (r *recording) report(f *fetch, from *media.Reader, why string) {
	attrs := []any{"output", f.output, "fragments", r.fragments, "frames", r.frames, "bytes", r.Written, "ended", why}
	if r.fragments > 0 {
		attrs = append(attrs, "from", r.first.Format(time.RFC3339Nano), "last", r.last.Format(time.RFC3339Nano))
	}
	if from != nil && from.Repeats() > 0 {
		attrs = append(attrs, "repeats_left_out", from.Repeats())
	}
	f.display.log.Info("video get", attrs...)
}

// clip gets an MP4. It has its name only when all of it is there.
func (f *fetch) clip(m *media.Client) (err error) {
	if _, err := os.Lstat(f.output); err == nil && !f.c.Bool("force") {
		return fmt.Errorf("creating %s: it is there already: give another name, or --force to write over it", f.output)
	}
	clip, err := m.GetClip(f.c.Context, f.within)
	switch {
	case f.c.Context.Err() != nil:
		return noClip()
	case err != nil:
		return f.beyond(m, err)
	}
	defer clip.Close()
	part := f.output + ".part"
	file, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644) //nolint:gosec // as in create
	if err != nil {
		return fmt.Errorf("creating the file: %w", err)
	}
	n, err := io.Copy(file, clip)
	if err == nil && clip.Size >= 0 && n != clip.Size {
		err = fmt.Errorf("%d of %d bytes came: %w", n, clip.Size, io.ErrUnexpectedEOF)
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(part, f.output)
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("getting the clip into %s: %w", f.output, err), os.Remove(part))
		if f.c.Context.Err() != nil {
			return noClip()
		}
		return err
	}
	f.display.log.Info("video get", "output", f.output, "bytes", n, "ended", "the end")
	return nil
}

func noClip() error {
	return &statusError{status: statusIncomplete, text: "interrupted: there is no clip"}
}

// beyond says which of a clip's limits a range that was refused goes beyond.
func (f *fetch) beyond(m *media.Client, refused error) error {
	var api smithy.APIError
	if !errors.As(refused, &api) || api.ErrorCode() != "InvalidArgumentException" {
		return refused
	}
	count, bytes := 0, int64(0)
	for info, err := range m.ListFragments(f.c.Context, f.within) {
		if err != nil {
			return refused
		}
		count++
		bytes += info.Size
	}
	if count <= media.MaxClipFragments && bytes <= media.MaxClipBytes {
		return refused
	}
	return fmt.Errorf("getting a clip: %s: %d fragments of %s begin in the range, and a clip takes %d of %s: get several clips, "+
		"each from a millisecond after the end of the one before, or write an .mkv, which has no limit",
		api.ErrorMessage(), count, status.Size(float64(bytes)), media.MaxClipFragments, status.Size(media.MaxClipBytes))
}
