package gst

import (
	"context"
	"log/slog"
	"strings"
)

// NewLogHandler makes a handler for log/slog of an element's debug category, for engines that know nothing of GStreamer. It may be used from any
// thread, as long as the element lives.
func NewLogHandler(e *Element) slog.Handler { return &logHandler{e: e} }

type logHandler struct {
	e     *Element
	attrs string // as text, each with a space before it
	group string // the prefix of names
}

// levelOf gives GStreamer's level for one of slog's.
func levelOf(l slog.Level) Level {
	switch {
	case l >= slog.LevelError:
		return LevelError
	case l >= slog.LevelWarn:
		return LevelWarning
	case l >= slog.LevelInfo:
		return LevelInfo
	default:
		return LevelDebug
	}
}

// Enabled implements slog.Handler.
func (h *logHandler) Enabled(_ context.Context, l slog.Level) bool { return h.e.Logs(levelOf(l)) }

// Handle implements slog.Handler.
func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message + h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		h.append(&b, a)
		return true
	})
	h.e.Log(levelOf(r.Level), "%s", b.String())
	return nil
}

func (h *logHandler) append(b *strings.Builder, a slog.Attr) {
	if !a.Equal(slog.Attr{}) {
		b.WriteString(" " + h.group + a.Key + "=" + a.Value.Resolve().String())
	}
}

// WithAttrs implements slog.Handler.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		h.append(&b, a)
	}
	return &logHandler{e: h.e, attrs: h.attrs + b.String(), group: h.group}
}

// WithGroup implements slog.Handler.
func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &logHandler{e: h.e, attrs: h.attrs, group: h.group + name + "."}
}
